"""All problems of a folder in one error, so that nobody repairs it file by file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DataError


class Problems:
    """Collects the problems of a folder while it is read; `raise_any` tells them together.

    Args:
        expected: what the folder should hold, for example `"whole ACDC patients"`.
        root: the folder.

    Example:
        >>> problems = Problems("whole patients", Path("heart"))
        >>> with problems.noted():
        ...     raise DataError("heart/Info.cfg: missing")
        >>> problems.found
        ['heart/Info.cfg: missing']
    """

    def __init__(self, expected: str, root: Path) -> None:
        self.expected = expected
        self.root = root
        self.found: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note the `DataError` that the block raises, if it does, and go on after the block."""
        try:
            yield
        except DataError as error:
            self.found.append(str(error))

    def raise_any(self) -> None:
        """Raise one `DataError` with everything that was noted; return when that is nothing."""
        if self.found:
            listed = "\n".join(f"  {problem}" for problem in self.found)
            raise DataError(
                f"Expected {self.expected} in {self.root}, got {len(self.found)} problem(s); "
                f"get these files again or move them away:\n{listed}"
            )
