"""The criteria of a whole short-axis stack: what a single slice cannot tell.

Source:
    The quality control of Bai et al., JCMR 2018, DOI 10.1186/s12968-018-0471-x, and its published code.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..checks import check_spacing
from ..errors import ShapeError
from .check import AnatomyReport
from .criterion import Criterion
from .labels import LabelScheme
from .schemes import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY

#: Fewer pixels are no structure: of a whole stack, and of a slice.
_LEAST_PIXELS = 10

STACK = (
    Criterion("LV voxels", "voxels", _LEAST_PIXELS, "the stack holds a left cavity", at_least=True),
    Criterion("MYO voxels", "voxels", _LEAST_PIXELS, "the stack holds a wall", at_least=True),
    Criterion("RV voxels", "voxels", _LEAST_PIXELS, "the stack holds a right cavity", at_least=True),
    Criterion("LV and MYO slices", "slices", 6, "the stack reaches from base to apex", at_least=True),
    Criterion("missing slices", "slices", 0, "cavity and wall go on from base to apex"),
    Criterion(
        "RV pixels on the middle slice",
        "pixels",
        _LEAST_PIXELS,
        "half way the right cavity lies beside the left",
        at_least=True,
    ),
)


class StackCheck:
    """Checks short-axis stacks against six criteria through their slices.

    A slice counts when it holds at least 10 pixels of the left cavity and 10 of the wall; missing are slices between
    two that count which do not. The middle slice is the one nearest to the centroid of the left cavity along the stack.

    Args:
        scheme: the label scheme of the maps.

    Raises:
        LabelError: when the scheme lacks a cavity or the myocardium.

    Example:
        >>> label = torch.zeros(1, 32, 32, 8, dtype=torch.int64)
        >>> label[0, 2:8, 12:20] = 1
        >>> label[0, 8:24, 8:24] = 2
        >>> label[0, 12:20, 12:20] = 3
        >>> check = StackCheck()
        >>> check(label, (2.0, 2.0, 8.0)).valid.tolist()
        [True]
        >>> label[..., 4] = 0
        >>> check(label, (2.0, 2.0, 8.0)).reasons(0)[0]
        'missing slices is 1, expected at most 0 slices: cavity and wall go on from base to apex'
    """

    def __init__(self, scheme: LabelScheme = ACDC) -> None:
        self.scheme = scheme
        self._channels = [scheme.channel(name) for name in (LV_CAVITY, MYOCARDIUM, RV_CAVITY)]

    def __call__(self, label: torch.Tensor, spacing: Sequence[float]) -> AnatomyReport:
        """Measure a batch of stacks.

        Args:
            label: the scheme's codes, integer `(B, H, W, slices)`, the slices in their order along the heart.
            spacing: mm along H, W and from slice to slice; checked only, for no criterion is a length.

        Returns:
            The report, its tensors on the device of `label`.

        Raises:
            ShapeError: when `label` is not `(B, H, W, slices)`.
            LabelError: when `label` holds a code that the scheme does not know.
            SpacingError: when `spacing` is not three positive numbers.
        """
        if label.ndim != 4:
            raise ShapeError(
                f"Expected stacks (B, H, W, slices), got {tuple(label.shape)}; pass one stack as label[None]."
            )
        check_spacing(spacing, 3)
        channels = self.scheme.to_channels(label.as_subclass(torch.Tensor))
        lv, myo, rv = ((channels == channel).sum(dim=(1, 2)) for channel in self._channels)  # (B, slices)
        values = torch.stack(list(measure_stack(lv, myo, rv).values()), dim=1)
        broken = [criterion.broken(values[:, column]) for column, criterion in enumerate(STACK)]
        return AnatomyReport(STACK, values, torch.stack(broken, dim=1))


def measure_stack(lv: torch.Tensor, myo: torch.Tensor, rv: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the value of every criterion of `STACK` by its name, in its order.

    Args:
        lv: pixels of the left ventricular cavity in every slice, `int64` `(B, slices)`.
        myo: of the myocardium, likewise.
        rv: of the right ventricular cavity, likewise.

    Returns:
        `(B,)` float32 tensors.
    """
    here = torch.arange(lv.shape[1], device=lv.device)
    counts = (lv >= _LEAST_PIXELS) & (myo >= _LEAST_PIXELS)
    slices = counts.sum(dim=1)
    first = torch.where(counts, here, lv.shape[1]).amin(dim=1)
    last = torch.where(counts, here, -1).amax(dim=1)
    missing = torch.where(slices > 0, last - first + 1 - slices, 0)
    centroid = (lv * here).sum(dim=1) / lv.sum(dim=1).clamp(min=1)
    middle = rv.gather(1, centroid.round().to(torch.int64).unsqueeze(1)).squeeze(1)
    values = (lv.sum(dim=1), myo.sum(dim=1), rv.sum(dim=1), slices, missing, middle)
    return {criterion.name: value.to(torch.float32) for criterion, value in zip(STACK, values, strict=True)}
