"""The result of one check of a bundle."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What a check found.

    Attributes:
        name: of the check.
        faults: what is wrong, each in one sentence with what to do; none where the check passed.
        missing: what it lacked to be run, in one sentence; empty where it was run.
    """

    name: str
    faults: tuple[str, ...] = ()
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was run and found no fault."""
        return not self.faults and not self.missing


__all__ = ["Check"]
