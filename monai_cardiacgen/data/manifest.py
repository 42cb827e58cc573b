"""A file with a line of JSON a case: written in parts, one by each writer, and joined at the end."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError
from .disk_space import full_disk_told
from .files import whole_file


def append_lines(path: Path, contents: Iterable[Mapping[str, Any]]) -> None:
    """Append JSON objects, a line each, and see them on the disk before returning; all of them or none.

    Raises:
        DataError: when the disk is full.
    """
    lines = b"".join(_line(content) for content in contents)
    with full_disk_told(path), path.open("ab", buffering=0) as file:
        before = file.tell()
        try:
            while lines:  # a disk that is nearly full takes some of them first
                lines = lines[file.write(lines) :]
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, before)
            raise


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of all whole lines; a last line without its end was never written to the end.

    Returns:
        Nothing where there is no file: nothing was appended yet.

    Raises:
        DataError: when a line is no JSON object, which no killed writer leaves behind.
    """
    lines = []
    for number, line in enumerate(_whole_bytes(path).splitlines(), start=1):
        try:
            content = json.loads(line, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"Expected JSON in line {number} of {path}, could not read it ({error}); make the set again, or "
                f"delete this line and write its case again."
            ) from error
        if not isinstance(content, dict):
            raise DataError(f"Expected one JSON object in line {number} of {path}, got {type(content).__name__}.")
        lines.append(content)
    return lines


def _no_number(constant: str) -> None:
    """Refuse NaN and infinity, which Python reads and JSON does not have."""
    raise ValueError(f"{constant} is no JSON")


def new_part(path: Path, rank: int) -> Path:
    """Return a name that no other writer has, for the part of the manifest `path` that one rank writes."""
    return _parts_folder(path) / f"rank_{rank:05d}_{secrets.token_hex(4)}.jsonl"


def all_lines(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of a manifest and of its parts, each with the words that say where it stands.

    A line that a part and the manifest both have, because the joining was stopped, comes once.
    """
    joined = read_lines(path)
    found = [(f"line {number} of {path}", line) for number, line in enumerate(joined, start=1)]
    known = {_line(line) for line in joined}
    for part in _parts(path):
        for number, line in enumerate(read_lines(part), start=1):
            if _line(line) not in known:
                found.append((f"line {number} of {part}", line))
                known.add(_line(line))
    return found


def join_parts(path: Path) -> None:
    """Write a manifest whole, its lines in the order of their `number`, and remove its parts."""
    parts = _parts(path)
    if parts:
        lines = sorted((line for _, line in all_lines(path)), key=lambda line: int(line["number"]))
        with whole_file(path) as beside, beside.open("wb") as file:
            file.writelines(_line(line) for line in lines)
            file.flush()
            os.fsync(file.fileno())
    for part in parts:
        part.unlink()
    if _parts_folder(path).is_dir():
        _parts_folder(path).rmdir()


def _parts_folder(path: Path) -> Path:
    return path.with_name(f"{path.name}.parts")


def _parts(path: Path) -> list[Path]:
    return sorted(_parts_folder(path).glob("rank_*.jsonl"))


def _line(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(dict(content), allow_nan=False) + "\n").encode("utf-8")


def _whole_bytes(path: Path) -> bytes:
    """Return what lies before the last line's end."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise DataError(f"Expected a manifest at {path}, could not read it ({error}).") from error
    return content[: content.rfind(b"\n") + 1]
