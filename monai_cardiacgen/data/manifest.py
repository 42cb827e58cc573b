"""A file that grows by one line of JSON at a time, and what to do when its writer was killed in a line."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError


def append_line(path: Path, content: Mapping[str, Any]) -> None:
    """Append one JSON object as one line, and see it on the disk before returning."""
    line = json.dumps(dict(content), allow_nan=False) + "\n"
    with path.open("ab", buffering=0) as file:
        file.write(line.encode("utf-8"))
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of all whole lines; a last line without its end was never written to the end.

    Returns:
        Nothing where there is no file: nothing was appended yet.

    Raises:
        DataError: when a line is no JSON object, which no killed writer leaves behind.
    """
    whole, _ = _whole_bytes(path)
    lines = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            content = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"Expected JSON in line {number} of {path}, could not read it ({error}); make the set again, or "
                f"delete this line and write its case again."
            ) from error
        if not isinstance(content, dict):
            raise DataError(f"Expected one JSON object in line {number} of {path}, got {type(content).__name__}.")
        lines.append(content)
    return lines


def cut_torn_line(path: Path) -> None:
    """Cut off a last line that lacks its end, so that the next one can be appended."""
    whole, torn = _whole_bytes(path)
    if torn:
        os.truncate(path, len(whole))


def _whole_bytes(path: Path) -> tuple[bytes, bool]:
    """Return what lies before the last line's end, and whether anything comes after it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b"", False
    except OSError as error:
        raise DataError(f"Expected a manifest at {path}, could not read it ({error}).") from error
    end = content.rfind(b"\n") + 1
    return content[:end], end < len(content)
