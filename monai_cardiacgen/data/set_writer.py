"""What the writers of synthetic sets have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Any, TypeVar

import torch

from ..errors import InputError
from .set_description import CaseRecord, SetDescription
from .writer_lock import WriterLock

_Writer = TypeVar("_Writer", bound="SetWriter")


class SetWriter(ABC):
    """Writes a set that may be gone on with; a context manager that closes it, unless it ends with an error.

    Args:
        description: what all cases have in common.
        rank: 0 for the only writer, or the one that begins and ends the set; it holds a lock meanwhile.
    """

    def __init__(self, description: SetDescription, rank: int) -> None:
        self.description = description
        self.rank = rank
        self._numbers: set[int] = set()
        self._lock: WriterLock | None = None

    def __enter__(self: _Writer) -> _Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        self._release()

    def missing(self, count: int, first: int = 0) -> list[int]:
        """Return which of `count` numbers from `first` on the set does not hold yet."""
        return [number for number in range(first, first + count) if number not in self._numbers]

    @abstractmethod
    def add(self, image: torch.Tensor, label: torch.Tensor, record: CaseRecord, affine: Any = None) -> None:
        """Write one case."""

    @abstractmethod
    def add_all(self, cases: Sequence[tuple[torch.Tensor, torch.Tensor, CaseRecord]], affine: Any = None) -> None:
        """Write several cases at once."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left to write; as rank 0, join what all ranks have written."""

    def _release(self) -> None:
        """Let go of the lock."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def check_numbers_differ(records: Sequence[CaseRecord]) -> None:
    """Raise `InputError` when two cases that shall be written together have one number."""
    numbers = [record.number for record in records]
    if len(set(numbers)) < len(numbers):
        raise InputError(f"Expected cases with numbers of their own, got {numbers}; ask missing() for numbers.")
