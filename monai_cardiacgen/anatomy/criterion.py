"""One anatomical criterion: a measured quantity, its limit, and why a heart keeps it."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Criterion:
    """A limit that valid hearts keep.

    Attributes:
        name: what is measured, and in which structure.
        unit: `"pixels"`, `"mm"`, `"mm²"`, `"mm³"`, `"mL"`, `"slices"` or `""` (a ratio).
        limit: the last value that is still valid, in `unit`.
        why: the anatomical reason, one line.
        at_least: the limit bounds from below instead of from above.
        required: having no value (NaN), for a structure is absent, breaks it too.

    Example:
        >>> bay = Criterion("LV concavity", "mm", 4.0, "pressure keeps the left cavity round")
        >>> bay.bound, bay.broken(torch.tensor([4.0, 4.5, torch.nan])).tolist()
        ('at most 4 mm', [False, True, False])
    """

    name: str
    unit: str
    limit: float
    why: str
    at_least: bool = False
    required: bool = False

    @property
    def bound(self) -> str:
        """The limit in words."""
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g} {self.unit}".rstrip()

    def broken(self, values: torch.Tensor) -> torch.Tensor:
        """Return where `values` are beyond the limit; NaN, an absent structure, is so only where it is required."""
        beyond = values < self.limit if self.at_least else values > self.limit
        return beyond | values.isnan() if self.required else beyond
