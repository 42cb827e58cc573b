"""The anatomical verdict on label maps: which criteria they break, and by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from ..checks import check_spacing
from ..errors import InputError, LabelError, ShapeError
from .apical import APICAL, measure_apical
from .criterion import Criterion
from .labels import LabelScheme
from .schemes import (
    ACDC,
    ASCENDING_AORTA,
    LEFT_ATRIUM,
    LV_CAVITY,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
)
from .short_axis import SHORT_AXIS, measure_short_axis
from .whole_heart import WHOLE_HEART_CRITERIA, measure_whole_heart

#: What a label map shows: a slice across the left ventricle's axis, one along it, or the heart in three dimensions.
View = Literal["short axis", "apical", "whole heart"]

#: Structures in short, as the criteria name them.
STRUCTURES: dict[str, str] = {
    "LV": LV_CAVITY,
    "RV": RV_CAVITY,
    "LA": LEFT_ATRIUM,
    "RA": RIGHT_ATRIUM,
    "MYO": MYOCARDIUM,
    "AO": ASCENDING_AORTA,
    "PA": PULMONARY_ARTERY,
}


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
            f"{criterion.name} {_amount(value)}, expected {criterion.bound}: {criterion.why}"
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


def _amount(value: float) -> str:
    return "has no value, for a structure is absent" if math.isnan(value) else f"is {value:.4g}"


def _share(number: int, count: int) -> str:
    return f"{number}/{count}" + (f" {number / count:.1%}" if count else "")


@dataclass(frozen=True)
class _Measurement:
    """What a view asks for: its criteria, its axes, its structures in short, and how they are measured."""

    criteria: tuple[Criterion, ...]
    axes: str
    structures: tuple[str, ...]
    optional: bool
    measure: Callable[[Mapping[str, torch.Tensor], Sequence[float]], dict[str, torch.Tensor]]


_MEASUREMENTS: dict[View, _Measurement] = {
    "short axis": _Measurement(
        SHORT_AXIS,
        "HW",
        ("LV", "RV", "MYO"),
        True,
        lambda masks, spacing: measure_short_axis(masks["LV"], masks["RV"], masks["MYO"], spacing),
    ),
    "apical": _Measurement(
        APICAL,
        "HW",
        ("LV", "MYO", "LA"),
        False,
        lambda masks, spacing: measure_apical(masks["LV"], masks["MYO"], masks["LA"], spacing),
    ),
    "whole heart": _Measurement(WHOLE_HEART_CRITERIA, "HWD", tuple(STRUCTURES), False, measure_whole_heart),
}


class AnatomyCheck:
    """Checks label maps against the anatomical criteria of their view.

    Short axis: 16 criteria. A structure may be absent, as at the apex or the base: what cannot be measured breaks
    nothing, and a map of background alone breaks nothing either. Apical: 12 criteria; left cavity, myocardium and left
    atrium are required, and their maps lie as CAMUS's files do, the first axis across the beam and the second along
    the depth. Whole heart: volumes of the seven structures of MM-WHS, all required. Each map is judged by itself,
    whatever else is in the batch.

    Args:
        scheme: the label scheme of the maps; in short-axis maps, structures that it lacks count as absent.
        view: what the maps show.

    Raises:
        InputError: for an unknown view.
        LabelError: when the scheme lacks a structure that the view requires.

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
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240; the whole heart's are derived in
        `whole_heart.py`.
    """

    def __init__(self, scheme: LabelScheme = ACDC, view: View = "short axis") -> None:
        if view not in _MEASUREMENTS:
            raise InputError(f"Expected a view of {get_args(View)}, got {view!r}.")
        self.scheme = scheme
        self.view: View = view
        lacking = [STRUCTURES[short] for short in self._measurement.structures if STRUCTURES[short] not in scheme.names]
        if lacking and not self._measurement.optional:
            raise LabelError(
                f"Expected a label scheme with all structures of the view {view!r}, got {scheme.name!r} without "
                f"{lacking}; pass the scheme of the maps, or another view."
            )

    @property
    def _measurement(self) -> _Measurement:
        # Looked up, not kept: a check must pickle.
        return _MEASUREMENTS[self.view]

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The criteria of the view, in the order of a report's columns."""
        return self._measurement.criteria

    def __call__(self, label: torch.Tensor, spacing: Sequence[float]) -> AnatomyReport:
        """Measure a batch of label maps.

        Args:
            label: the scheme's codes, integer `(B, H, W)`, or `(B, H, W, D)` of whole hearts.
            spacing: mm between pixels along each spatial axis.

        Returns:
            The report, its tensors on the device of `label`.

        Raises:
            ShapeError: when `label` is not `(B, H, W)`, of whole hearts `(B, H, W, D)`.
            LabelError: when `label` holds a code that the scheme does not know.
            SpacingError: when `spacing` is not one positive number for each spatial axis.
        """
        axes = self._measurement.axes
        if label.ndim != len(axes) + 1:
            advice = "pass the slices of a stack as a batch, and one map" if len(axes) == 2 else "pass one volume"
            raise ShapeError(
                f"Expected label maps (B, {', '.join(axes)}), got {tuple(label.shape)}; {advice} as label[None]."
            )
        spacing = check_spacing(spacing, len(axes))
        whole = label.as_subclass(torch.Tensor)
        # A whole heart is cropped where it is measured, structure by structure.
        masks = self.masks(_crop_to_foreground(whole) if len(axes) == 2 else whole)
        measured = self._measurement.measure(masks, spacing)
        columns = [measured[criterion.name].to(torch.float32) for criterion in self.criteria]
        broken = [criterion.broken(column) for criterion, column in zip(self.criteria, columns, strict=True)]
        return AnatomyReport(self.criteria, torch.stack(columns, dim=1), torch.stack(broken, dim=1))

    def masks(self, label: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the view's structures by their names in short, boolean and of the label maps' shape.

        Raises:
            LabelError: when `label` holds a code that the scheme does not know.
        """
        channels = self.scheme.to_channels(label.as_subclass(torch.Tensor))
        masks = {}
        for short in self._measurement.structures:
            name = STRUCTURES[short]
            if name in self.scheme.names:
                masks[short] = channels == self.scheme.channel(name)
            else:
                masks[short] = torch.zeros_like(channels, dtype=torch.bool)
        return masks


def _crop_to_foreground(label: torch.Tensor) -> torch.Tensor:
    """Return a box `(B, h, w)` of every map that holds its foreground, as small as the largest foreground allows.

    No criterion looks beyond the foreground or asks where it lies, and small maps are quick to measure.
    """
    if label.numel() == 0:
        return label
    foreground = (label != 0).view(torch.uint8)
    starts, extents = [], []
    for dim in (1, 2):
        present = foreground.amax(dim=3 - dim)  # (B, side)
        side = present.shape[1]
        here = torch.arange(side, device=label.device)
        start = torch.where(present > 0, here, side).amin(dim=1)
        stop = torch.where(present > 0, here + 1, 0).amax(dim=1)
        extents.append(max(1, int((stop - start).amax())))
        starts.append(start.clamp(max=side - extents[-1]).tolist())
    height, width = extents
    boxes = zip(label, *starts, strict=True)
    return torch.stack([whole[i : i + height, j : j + width] for whole, i, j in boxes])
