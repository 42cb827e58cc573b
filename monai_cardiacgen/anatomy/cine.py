"""The criteria through time: attributes of the left ventricle that change smoothly over a heart beat.

Of every frame but the first and the last, the distance of an attribute from the mean of its two neighbours is measured
after min-max scaling, and the largest in the sequence counts.

The limits of apical echo are the published ones; they were derived from echo sequences of about 20 frames from end
diastole to end systole. Those of short-axis stacks are derived here: the fastest filling and ejection of reference
curves (about 7 stroke volumes a second, reached within 0.1 s) moves a frame by up to half of 70 /s² times the squared
time between frames from its neighbours' mean: 0.045 of the range at 25 frames a beat of 0.9 s. Sequences with fewer
frames bend more and need wider limits. No labelled cine was at hand to calibrate them.

Source:
    Painchaud et al., "Echocardiography segmentation with enforced temporal consistency", IEEE TMI 2022,
    DOI 10.1109/TMI.2022.3173669.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

import torch

from ..checks import check_spacing
from ..errors import InputError, ShapeError
from .check import AnatomyReport
from .criterion import Criterion
from .labels import LabelScheme
from .morphology import dilate
from .schemes import CAMUS, LV_CAVITY, MYOCARDIUM

CINE_APICAL = (
    Criterion("LV area", "of its range", 0.0160, "blood leaves and enters steadily", required=True),
    Criterion("LV base width", "of its range", 0.0969, "the annulus narrows and widens steadily", required=True),
    Criterion("LV length", "of its range", 0.0262, "base and apex approach and part steadily", required=True),
    Criterion("LV orientation", "of its range", 0.0229, "the heart swings steadily", required=True),
    Criterion("MYO area", "of its range", 0.0321, "the wall thickens and thins steadily", required=True),
)
CINE_SHORT_AXIS = (
    Criterion("LV volume", "of its range", 0.05, "blood leaves and enters steadily", required=True),
    Criterion("MYO volume", "of its mean", 0.05, "muscle is nearly incompressible", required=True),
)

#: Views of cines: apical echo frames, or short-axis stacks.
CineView = Literal["apical", "short axis"]


class CineCheck:
    """Checks sequences of label maps for smooth change through time.

    Apical: areas, and lengths and angle of the left cavity's long axis. Short axis: volumes of the stack; the
    myocardium's is scaled by its own mean, for its range is little more than noise.

    Args:
        scheme: the label scheme of the maps.
        view: what the frames show.
        ranges: least and greatest value by attribute, to scale by; attributes that are not named are scaled by their
            own range in each sequence. Give the ranges of a population where an attribute hardly moves in a sequence:
            its own range is then of a pixel or two, and every pixel's change breaks the limit.

    Raises:
        InputError: for an unknown view or attribute, or an empty range.
        LabelError: when the scheme lacks the left cavity or the myocardium.

    Example:
        >>> frames = torch.zeros(1, 5, 40, 40, 6, dtype=torch.int64)
        >>> for frame, side in enumerate((16, 15, 14, 12, 12)):
        ...     frames[0, frame, :24, :16] = 2
        ...     frames[0, frame, :side, :16] = 1
        >>> check = CineCheck(view="short axis")
        >>> check(frames, (2.0, 2.0, 8.0)).reasons(0)[0]  # 12 lies 1 from the mean of its neighbours, of a range of 4
        'LV volume is 0.25, expected at most 0.05 of its range: blood leaves and enters steadily'
    """

    def __init__(
        self,
        scheme: LabelScheme = CAMUS,
        view: CineView = "apical",
        ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        if view not in get_args(CineView):
            raise InputError(f"Expected a view of {get_args(CineView)}, got {view!r}.")
        self.scheme = scheme
        self.view: CineView = view
        self.ranges = dict(ranges or {})
        self._lv, self._myo = scheme.channel(LV_CAVITY), scheme.channel(MYOCARDIUM)
        names = {criterion.name for criterion in self.criteria}
        for name, (least, greatest) in self.ranges.items():
            if name not in names or not -math.inf < least < greatest < math.inf:
                raise InputError(
                    f"Expected ranges (least, greatest) of {sorted(names)}, got {name!r}: {least, greatest}."
                )

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """The criteria of the view, in the order of a report's columns."""
        return CINE_APICAL if self.view == "apical" else CINE_SHORT_AXIS

    def __call__(self, label: torch.Tensor, spacing: Sequence[float]) -> AnatomyReport:
        """Measure a batch of sequences.

        Args:
            label: the scheme's codes, integer `(B, T, H, W)`, of short-axis stacks `(B, T, H, W, slices)`; at least 3
                frames.
            spacing: mm along the spatial axes.

        Returns:
            The report, its tensors on the device of `label`; no value, which breaks the criterion, where a structure
            is absent from a frame.

        Raises:
            ShapeError: when `label` has another shape, or fewer than 3 frames.
            LabelError: when `label` holds a code that the scheme does not know.
            SpacingError: when `spacing` is not one positive number for each spatial axis.
        """
        dims = 2 if self.view == "apical" else 3
        if label.ndim != dims + 2 or label.shape[1] < 3:
            expected = "(B, T, H, W)" if dims == 2 else "(B, T, H, W, slices)"
            raise ShapeError(f"Expected sequences {expected} of at least 3 frames, got {tuple(label.shape)}.")
        spacing = check_spacing(spacing, dims)
        channels = self.scheme.to_channels(label.as_subclass(torch.Tensor)).flatten(0, 1)
        measure: Callable[..., dict[str, torch.Tensor]] = apical_attributes if dims == 2 else _volumes
        curves = measure(channels == self._lv, channels == self._myo, spacing)
        columns = [self._jerk(criterion, curves[criterion.name].view(label.shape[:2])) for criterion in self.criteria]
        broken = [criterion.broken(column) for criterion, column in zip(self.criteria, columns, strict=True)]
        return AnatomyReport(self.criteria, torch.stack(columns, dim=1), torch.stack(broken, dim=1))

    def _jerk(self, criterion: Criterion, curve: torch.Tensor) -> torch.Tensor:
        """Return the largest distance from the neighbours' mean, scaled, `(B,)` of curves `(B, T)`."""
        if criterion.name in self.ranges:
            least, greatest = self.ranges[criterion.name]
            scale = torch.full_like(curve[:, 0], greatest - least)
        elif criterion.unit == "of its mean":
            scale = curve.mean(dim=1)
        else:
            scale = curve.amax(dim=1) - curve.amin(dim=1)
        distance = (curve[:, 1:-1] - (curve[:, :-2] + curve[:, 2:]) / 2).abs().amax(dim=1)
        # A curve that does not move at all is smooth.
        return torch.where(distance == 0, 0.0, distance / scale)


def apical_attributes(lv: torch.Tensor, myo: torch.Tensor, spacing: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return the attributes of apical frames that `CINE_APICAL` follows through time.

    The base is where the left cavity's border touches no myocardium; the apex is the cavity's pixel farthest from the
    base's middle, and the long axis joins the two. The base's width is its extent across the long axis. The
    orientation is the angle of the cavity's greatest second moment to the depth axis, in (-90, 90] degrees.

    Args:
        lv: left ventricular cavity, boolean `(N, H, W)`, H across the beam and W along the depth.
        myo: myocardium, likewise.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(N,)`: areas in mm², lengths in mm, the angle in degrees; NaN where a structure or the base is absent.
    """
    across, deep = check_spacing(spacing, 2)
    size = lv.shape[1:]
    x = (torch.arange(size[0], device=lv.device) * across).view(1, -1, 1).expand(1, *size)
    z = (torch.arange(size[1], device=lv.device) * deep).view(1, 1, -1).expand(1, *size)
    base = lv & dilate(~lv & ~myo)
    base_x, base_z = _mean(x, base), _mean(z, base)
    away = ((x - base_x) ** 2 + (z - base_z) ** 2).masked_fill(~lv, -1.0)
    length, apex = away.flatten(1).max(dim=1)
    there = lv.flatten(1).any(dim=1) & base.flatten(1).any(dim=1)
    length = length.clamp(min=0).sqrt()
    axis_x = (x.flatten()[apex].view(-1, 1, 1) - base_x) / length.view(-1, 1, 1)
    axis_z = (z.flatten()[apex].view(-1, 1, 1) - base_z) / length.view(-1, 1, 1)
    beside = (x - base_x) * axis_z - (z - base_z) * axis_x
    width = beside.masked_fill(~base, -torch.inf).amax(dim=(1, 2)) - beside.masked_fill(~base, torch.inf).amin(
        dim=(1, 2)
    )
    from_x, from_z = x - _mean(x, lv), z - _mean(z, lv)
    xx, zz, xz = (_mean(product, lv).flatten() for product in (from_x**2, from_z**2, from_x * from_z))
    values = {
        "LV area": lv.sum(dim=(1, 2)) * (across * deep),
        "LV base width": width.masked_fill(~there, torch.nan),
        "LV length": length.masked_fill(~there, torch.nan),
        "LV orientation": torch.rad2deg(torch.atan2(2 * xz, zz - xx) / 2),
        "MYO area": myo.sum(dim=(1, 2)) * (across * deep),
    }
    present = {"LV": lv.flatten(1).any(dim=1), "MYO": myo.flatten(1).any(dim=1)}
    return {
        name: value.to(torch.float32).masked_fill(~present[name.split()[0]], torch.nan)
        for name, value in values.items()
    }


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean `(N, 1, 1)` of values over masks `(N, H, W)`; NaN for an absent one."""
    return (values * mask).sum(dim=(1, 2), keepdim=True) / mask.sum(dim=(1, 2), keepdim=True)


def _volumes(lv: torch.Tensor, myo: torch.Tensor, spacing: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return the volumes in mL, float32 `(N,)`, of masks `(N, H, W, slices)`; NaN for an absent structure."""
    voxel = math.prod(spacing) / 1000
    volumes = {"LV volume": lv.sum(dim=(1, 2, 3)) * voxel, "MYO volume": myo.sum(dim=(1, 2, 3)) * voxel}
    return {name: volume.masked_fill(volume == 0, torch.nan) for name, volume in volumes.items()}
