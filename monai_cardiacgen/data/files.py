"""Files that are there whole or not at all: written beside, then renamed."""

from __future__ import annotations

import csv
import errno
import json
import os
import pickle
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError, DataError
from .disk_space import full_disk_told

_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` when the block ends well and vanishes when it does not.

    Raises:
        DataError: before the block when nothing can be written there, after it when the disk is full.
    """
    beside = _begun(path)
    try:
        with full_disk_told(path):
            yield beside
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """See that a file can be written, before anything is made that shall go there; its folder is made.

    Raises:
        DataError: when the folder or its disk cannot be written to, or `path` is a folder.
    """
    _begun(path).unlink(missing_ok=True)


def _begun(path: Path) -> Path:
    """Return an empty file beside `path`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    if path.is_dir():
        raise DataError(f"Expected a file to write at {path}, got a folder; name another place.")
    with full_disk_told(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.touch()
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            raise DataError(
                f"Expected a folder that can be written to for {path}, but the system refuses ({error.strerror}); "
                f"name another place, or see to its rights."
            ) from error
    return beside


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a dictionary of tensors, numbers, strings, lists and dictionaries.

    Raises:
        DataError: when nothing can be written there, or the disk is full; a file that was there stays as it was.
    """
    with whole_file(path) as beside:
        write_checkpoint(beside, state)


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a dictionary to a file that has no final name yet, and see it on the disk before returning."""
    with path.open("wb") as file:
        try:
            torch.save(dict(state), file)
        except RuntimeError as error:  # PyTorch's words for a write that failed hide those of the system
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
        file.flush()
        os.fsync(file.fileno())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, on the CPU; nothing in the file is executed.

    Raises:
        CheckpointError: when the file is missing, damaged or holds more than plain data.
    """
    try:
        _check_sums(path)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise CheckpointError(f"Expected a checkpoint at {path}, could not read it ({error}); delete it.") from error
    return state


def _check_sums(path: Path) -> None:
    """Compare every part of PyTorch's archive with its CRC-32, which `torch.load` does not."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            changed = archive.testzip()
        if changed is not None:
            raise zipfile.BadZipFile(f"{changed} is not what was written")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows with the same keys; an empty sequence gives an empty file."""
    with whole_file(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        if rows:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read the rows that `write_csv` wrote, as text.

    Raises:
        DataError: when the file is missing.
    """
    if not path.is_file():
        raise DataError(f"Expected a table at {path}, found none; run the step that writes it again.")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a dictionary as indented JSON."""
    with whole_file(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        DataError: when the file is missing, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"Expected a JSON file at {path}, could not read it ({error}); write it again.") from error
    if not isinstance(content, dict):
        raise DataError(f"Expected one JSON object in {path}, got {type(content).__name__}.")
    return content
