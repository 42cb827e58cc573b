"""The anatomical verdict on label maps: which criteria they break, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..checks import check_spacing
from ..errors import ShapeError
from .criterion import Criterion
from .labels import LabelScheme
from .schemes import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY
from .short_axis import SHORT_AXIS, measure_short_axis


@dataclass(frozen=True, eq=False)
class AnatomyReport:
    """What an `AnatomyCheck` found in a batch of label maps.

    Attributes:
        criteria: the criteria, in the order of the columns.
        values: what was measured, float32 `(B, criteria)`; NaN where a structure is absent.
        broken: which criteria are broken, boolean `(B, criteria)`.
    """

    criteria: tuple[Criterion, ...]
    values: torch.Tensor
    broken: torch.Tensor

    @property
    def valid(self) -> torch.Tensor:
        """Which maps break no criterion, boolean `(B,)`."""
        return ~self.broken.any(dim=1)

    def reasons(self, row: int) -> tuple[str, ...]:
        """Return a sentence for each criterion that this map breaks; empty when it is valid."""
        values, broken = self.values[row].tolist(), self.broken[row].tolist()
        return tuple(
            f"{criterion.name} is {value:.4g}, expected {criterion.bound}: {criterion.why}"
            for criterion, value, is_broken in zip(self.criteria, values, broken, strict=True)
            if is_broken
        )

    def table(self) -> str:
        """Return a text table: every criterion, its limit, and how many maps keep it."""
        count = len(self.broken)
        width = max(len(criterion.name) for criterion in self.criteria)
        lines = [f"{'criterion':<{width}}  {'limit':<20}  {'kept by':>12}"]
        kept = (~self.broken).sum(dim=0).tolist()
        for criterion, number in zip(self.criteria, kept, strict=True):
            lines.append(f"{criterion.name:<{width}}  {criterion.bound:<20}  {_share(number, count):>12}")
        lines.append(f"{'all':<{width}}  {'':<20}  {_share(int(self.valid.sum()), count):>12}")
        return "\n".join(lines)


def _share(number: int, count: int) -> str:
    return f"{number}/{count}" + (f" {number / count:.1%}" if count else "")


class AnatomyCheck:
    """Checks short-axis label maps against 16 anatomical criteria.

    A structure may be absent, as at the apex or the base: what cannot be measured breaks nothing, and a map
    of background alone breaks nothing either. Each map is judged by itself, whatever else is in the batch.

    Args:
        scheme: the label scheme of the maps; structures that it lacks count as absent.

    Example:
        >>> label = torch.zeros(1, 32, 32, dtype=torch.int64)
        >>> label[0, 8:24, 8:24] = 2  # the wall ...
        >>> label[0, 12:20, 12:20] = 3  # ... round the left cavity
        >>> check = AnatomyCheck()
        >>> check(label, spacing=(2.0, 2.0)).valid.tolist()
        [True]
        >>> label[0, 9, 9] = 0
        >>> check(label, spacing=(2.0, 2.0)).reasons(0)[0]
        'MYO holes is 1, expected at most 0 pixels: the wall is solid and encloses the left cavity only'

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(self, scheme: LabelScheme = ACDC) -> None:
        self.scheme = scheme

    def __call__(self, label: torch.Tensor, spacing: Sequence[float]) -> AnatomyReport:
        """Measure a batch of label maps.

        Args:
            label: the scheme's codes, integer `(B, H, W)`.
            spacing: mm between pixels along H and W.

        Returns:
            The report, its tensors on the device of `label`.

        Raises:
            ShapeError: when `label` is not `(B, H, W)`.
            LabelError: when `label` holds a code that the scheme does not know.
            SpacingError: when `spacing` is not two positive numbers.
        """
        if label.ndim != 3:
            raise ShapeError(
                f"Expected label maps (B, H, W), got {tuple(label.shape)}; "
                f"pass the slices of a stack as a batch, and one map as label[None]."
            )
        spacing = check_spacing(spacing, 2)
        channels = self.scheme.to_channels(label.as_subclass(torch.Tensor))
        channels = _crop_to_foreground(channels)
        lv, rv, myo = (self._mask(channels, name) for name in (LV_CAVITY, RV_CAVITY, MYOCARDIUM))
        measured = measure_short_axis(lv, rv, myo, spacing)
        columns = [measured[criterion.name].to(torch.float32) for criterion in SHORT_AXIS]
        broken = [criterion.broken(column) for criterion, column in zip(SHORT_AXIS, columns, strict=True)]
        return AnatomyReport(SHORT_AXIS, torch.stack(columns, dim=1), torch.stack(broken, dim=1))

    def _mask(self, channels: torch.Tensor, name: str) -> torch.Tensor:
        if name not in self.scheme.names:
            return torch.zeros_like(channels, dtype=torch.bool)
        return channels == self.scheme.channel(name)


def _crop_to_foreground(channels: torch.Tensor) -> torch.Tensor:
    """Return every map's foreground, moved to the corner of a box `(B, h, w)` that fits the largest.

    No criterion looks beyond the foreground or asks where it lies, and small maps are quick to measure.
    """
    foreground = channels != 0
    for dim in (1, 2):
        present = foreground.any(dim=3 - dim)  # (B, side)
        side = present.shape[1]
        here = torch.arange(side, device=channels.device)
        start = torch.where(present, here, side).amin(dim=1, keepdim=True)
        extent = torch.where(present, here - start + 1, 1).amax() if present.numel() else 1
        index = start + torch.arange(int(extent), device=channels.device)  # (B, extent)
        inside = (index < side).unsqueeze(3 - dim)
        index = index.clamp(max=side - 1).unsqueeze(3 - dim)
        shape = [-1, -1, -1]
        shape[3 - dim] = channels.shape[3 - dim]
        channels = channels.gather(dim, index.expand(shape)) * inside
    return channels
