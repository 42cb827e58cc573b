"""From a sample's own intensities to the model's [0, 1] and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..checks import check_finite
from ..errors import IntensityError

#: The percentiles that become 0 and 1 where nobody told the range: those of the model's training images.
PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class IntensityRange:
    """The intensities that the model calls 0 and 1.

    Attributes:
        low: of each row, `(B,)` float64.
        high: of each row, `(B,)` float64.
    """

    low: torch.Tensor
    high: torch.Tensor

    def to_unit(self, image: torch.Tensor) -> torch.Tensor:
        """Return `image` `(B, ...)` in [0, 1], float32, with what lies outside of the range clipped."""
        low, width = self._broadcast(image)
        return ((image.to(torch.float64) - low) / width).clamp(0, 1).to(torch.float32)

    def from_unit(self, unit: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return `unit` `(B, ...)` from [0, 1] in the sample's range and `dtype`, rounded for integers."""
        low, width = self._broadcast(unit)
        image = unit.to(torch.float64) * width + low
        if dtype.is_floating_point:
            return image.to(dtype)
        limits = torch.iinfo(dtype)
        return image.round().clamp(limits.min, limits.max).to(dtype)

    def _broadcast(self, tensor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        view = (-1, *[1] * (tensor.ndim - 1))
        low = self.low.to(tensor.device).reshape(view)
        return low, self.high.to(tensor.device).reshape(view) - low


def intensity_range_of(image: torch.Tensor, told: Sequence[float] | None = None) -> IntensityRange:
    """Return the range of each row of `image` `(B, ...)`: the one that was told, or its percentiles.

    Raises:
        IntensityError: when an intensity is NaN, infinite or no real number, or a row's percentiles coincide.

    Example:
        >>> intensity_range_of(torch.arange(201.0).reshape(1, 1, 201)).high.item()
        199.0
    """
    if image.is_complex() or image.dtype == torch.bool:
        raise IntensityError(f"Expected real intensities, got {image.dtype}; take the magnitude, or turn into float32.")
    check_finite(image, "the image")
    rows = len(image)
    if told is not None:
        low, high = told
        return IntensityRange(*(torch.full((rows,), float(end), dtype=torch.float64) for end in (low, high)))
    values = image.reshape(rows, -1).to(torch.float32)
    lows, highs = (_percentile(values, percentile).to("cpu", torch.float64) for percentile in PERCENTILES)
    for low, high in zip(lows.tolist(), highs.tolist(), strict=True):
        if not low < high:
            raise IntensityError(
                f"Expected contrast between an image's {PERCENTILES[0]} and {PERCENTILES[1]} percentiles, "
                f"got {low:g} for both; leave out this case, or pass "
                f"`intensity_range=(low, high)`."
            )
    return IntensityRange(lows, highs)


def check_intensity_range(told: Sequence[float] | None) -> tuple[float, float] | None:
    """Return the range as two numbers; raise `IntensityError` unless they are finite and rise."""
    if told is None:
        return None
    try:
        values = tuple(float(value) for value in told)
    except (TypeError, ValueError):
        values = ()
    if len(values) != 2 or not -float("inf") < values[0] < values[1] < float("inf"):
        raise IntensityError(
            f"Expected intensity_range (low, high) with low < high, both finite, got {told!r}; give two numbers."
        )
    return values[0], values[1]


def _percentile(values: torch.Tensor, percentile: float) -> torch.Tensor:
    """Return the nearest order statistic of each row `(B, N)`; `torch.quantile` would limit N."""
    rank = 1 + round(percentile / 100 * (values.shape[1] - 1))
    return values.kthvalue(rank, dim=1).values
