"""One anatomical criterion: a measured quantity, its limit, and why a heart keeps it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Criterion:
    """A limit that valid hearts keep.

    Attributes:
        name: what is measured, and in which structure.
        unit: `"pixels"`, `"mm"` or `""` (a ratio).
        limit: the last value that is still valid, in `unit`.
        why: the anatomical reason, one line.
        at_least: the limit bounds from below instead of from above.
        diagonals: pixel diagonals (in mm, by the map's own spacing) that are added to the limit: what the
            grid alone can cause in the map of a valid heart.

    Example:
        >>> wall = Criterion("depth", "mm", 4.0, "no bays", diagonals=1.0)
        >>> wall.limit_at((3.0, 4.0))
        9.0
        >>> wall.broken(torch.tensor([8.0, 10.0, torch.nan]), (3.0, 4.0)).tolist()
        [False, True, False]
    """

    name: str
    unit: str
    limit: float
    why: str
    at_least: bool = False
    diagonals: float = 0.0

    def limit_at(self, spacing: Sequence[float]) -> float:
        """Return the limit for maps of this spacing (mm)."""
        return self.limit + self.diagonals * math.hypot(*spacing)

    def broken(self, values: torch.Tensor, spacing: Sequence[float]) -> torch.Tensor:
        """Return where `values` exceed the limit; NaN, an absent structure, breaks nothing."""
        limit = self.limit_at(spacing)
        return values < limit if self.at_least else values > limit
