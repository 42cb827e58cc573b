"""The last checkpoint of a training and the one before it: where the last is damaged, the training loses one round."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import CheckpointError
from .files import check_writable, load_checkpoint, whole_file, write_checkpoint


class CheckpointPair:
    """Keeps `NAME.pt`, the last checkpoint, and `NAME.previous.pt`, the one before it.

    Both are whole at every moment, however the process ends. They take the room of two checkpoints, and that of a
    third while it is written. Without `NAME.pt` a training begins anew.

    Args:
        path: of the last checkpoint.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     pair = CheckpointPair(Path(folder) / "training.pt")
        ...     for number in range(3):
        ...         pair.save({"round": number})
        ...     pair.load(), load_checkpoint(pair.previous)
        ({'round': 2}, {'round': 1})
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.previous = self.path.with_name(f"{self.path.stem}.previous{self.path.suffix}")
        self._damaged = False

    def check_writable(self) -> None:
        """See that checkpoints can be written, before there is one to write; their folder is made.

        Raises:
            DataError: when they cannot.
        """
        check_writable(self.path)

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a checkpoint; the last one becomes the one before it, unless it was found to be damaged.

        Raises:
            DataError: when the disk is full or cannot be written to; what was there stays as it was.
        """
        with whole_file(self.path) as beside:
            write_checkpoint(beside, state)
            if not self.path.is_file():
                self.previous.unlink(missing_ok=True)  # of an earlier training, whose last one was deleted
            elif not self._damaged:
                self._keep_last()
        self._damaged = False

    def load(self) -> dict[str, Any] | None:
        """Return the last checkpoint; where it is damaged the one before it, with a warning; None where is none.

        Raises:
            CheckpointError: when what there is cannot be read.
        """
        if not self.path.is_file():
            return None
        try:
            return load_checkpoint(self.path)
        except CheckpointError as error:
            if not self.previous.is_file():
                raise
            try:
                state = load_checkpoint(self.previous)
            except CheckpointError as second:
                raise CheckpointError(
                    f"Expected a checkpoint at {self.path} or {self.previous}, could read neither ({error.__cause__}; "
                    f"{second.__cause__}); delete both to begin anew."
                ) from error
            self._damaged = True
            warnings.warn(
                f"The checkpoint {self.path} is damaged ({error.__cause__}); going on from {self.previous}, the one "
                f"before it.",
                stacklevel=2,
            )
            return state

    def _keep_last(self) -> None:
        """Give the last checkpoint its second name, without a moment at which either name is missing."""
        with whole_file(self.previous) as beside:
            beside.unlink()
            try:
                os.link(self.path, beside)
            except OSError:  # a file system without hard links
                shutil.copyfile(self.path, beside)


__all__ = ["CheckpointPair"]
