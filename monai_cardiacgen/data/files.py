"""Files that are there whole or not at all: written beside, then renamed."""

from __future__ import annotations

import csv
import json
import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError, DataError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which becomes `path` when the block ends well and vanishes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a dictionary of tensors, numbers, strings, lists and dictionaries."""
    with whole_file(path) as beside:
        torch.save(dict(state), beside)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, on the CPU; nothing in the file is executed.

    Raises:
        CheckpointError: when the file is missing, damaged or holds more than plain data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"Expected a checkpoint at {path}, could not read it ({error}); delete it.") from error
    return state


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
    except (OSError, ValueError) as error:
        raise DataError(f"Expected a JSON file at {path}, could not read it ({error}).") from error
    if not isinstance(content, dict):
        raise DataError(f"Expected one JSON object in {path}, got {type(content).__name__}.")
    return content
