"""What a memorisation test found in a synthetic set, kept beside it so that copies are not passed on unnoticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError
from .files import read_json, write_json
from .set_description import plain_json
from .synthetic_set import SyntheticSet

#: The file's name in the set's folder.
RECORD = "memorisation.json"
_FORMAT = 1


@dataclass(frozen=True)
class MemorisationRecord:
    """The verdict on the cases that a set has now.

    Attributes:
        cases: how many the set has.
        tested: how many of them were tested, with the very images that the set has now.
        copies: names of those that were found to be copies of training images.
        against: what they were compared with, as the test wrote it; empty where nothing was tested.
    """

    cases: int
    tested: int
    copies: tuple[str, ...]
    against: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if not self.tested:
            return "not tested for copies of training images"
        untested = "" if self.tested == self.cases else f" ({self.cases - self.tested} further cases were not tested)"
        found = ", ".join(self.copies) if self.copies else "none"
        return f"tested for copies of training images, found {found} among {self.tested} cases{untested}"

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {
            "cases": self.cases,
            "tested": self.tested,
            "copies": list(self.copies),
            "against": dict(self.against),
        }


def write_memorisation(source: SyntheticSet, copies: Sequence[str], against: Mapping[str, Any]) -> Path:
    """Write which of a set's cases are copies; all others count as tested and found innocent.

    Args:
        source: the set, all of whose cases were tested.
        copies: names of cases.
        against: what they were compared with and by which limit, plain JSON values.

    Returns:
        The file, in the set's folder.

    Raises:
        DataError: when the set has no such case.
        InputError: when `against` is not plain JSON.
    """
    images = {entry.record.case: entry.image_sha256 for entry in source.entries}
    if unknown := sorted(set(copies) - set(images)):
        raise DataError(f"Expected cases of {source.folder}, got {unknown}; read the set again.")
    path = source.folder / RECORD
    content = {"format": _FORMAT, "against": plain_json(against, "the test's description")}
    write_json(path, {**content, "copies": sorted(copies), "tested": images})
    return path


def read_memorisation(source: SyntheticSet) -> MemorisationRecord:
    """Return what a test found among the cases that the set has now; a case that was made again is not tested.

    Raises:
        DataError: when the record is damaged.
    """
    path = source.folder / RECORD
    if not path.exists():
        return MemorisationRecord(len(source), 0, (), {})
    content = read_json(path)
    tested, copies, against = (content.get(key) for key in ("tested", "copies", "against"))
    if (
        content.get("format") != _FORMAT
        or not isinstance(tested, dict)
        or not isinstance(copies, list)
        or not all(isinstance(case, str) for case in copies)
        or not isinstance(against, dict)
    ):
        raise DataError(f"Expected the record of a memorisation test in {path}, got something else; test again.")
    same = [entry.record.case for entry in source.entries if tested.get(entry.record.case) == entry.image_sha256]
    found = set(copies)
    return MemorisationRecord(len(source), len(same), tuple(case for case in same if case in found), against)


__all__ = ["RECORD", "MemorisationRecord", "read_memorisation", "write_memorisation"]
