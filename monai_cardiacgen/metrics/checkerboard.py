"""The checkerboard score: does an image hold the grid that upsampling layers leave behind?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from monai.metrics import CumulativeIterationMetric
from monai.metrics.utils import do_metric_reduction
from monai.utils import MetricReduction

from ..checks import check_finite
from ..errors import InputError, IntensityError, ShapeError

#: Bins, along an axis, between an upsampling frequency and those that it is compared with: beyond the reach of the Hann
#: window, near enough that a smooth spectrum has not changed.
_AWAY = (3, 4, 5, 6)
#: A period needs this many repeats in the image, so that its frequencies have neighbours of their own.
_REPEATS = 8
#: Variance of rounding to 256 grey levels: weaker patterns cannot be seen, nor stored.
_ROUNDING = 1 / (12 * 255**2)


def checkerboard_score(image: torch.Tensor, periods: Sequence[int] = (2, 4, 8)) -> torch.Tensor:
    r"""Return the energy of images at the upsampling frequencies relative to that at neighbouring frequencies, in dB.

    A layer that upsamples by $s$ treats its $s$ output pixels unlike; what that leaves, and what later layers enlarge,
    repeats with a period of $p$ pixels, so that its energy lies at the frequencies $f \in \{0, 1/p, 2/p, ...\}^d$. With
    $E(f)$ the power of the image under a Hann window, summed over the bin of $f$ and those round it,

    $$S_p = 10 \log_{10} \mathrm{mean}_f \frac{E(f)}{\mathrm{mean}_{g \sim f} E(g)}$$

    where $f$ runs over the frequencies that belong to $p$ but not to $p / 2$, and $g$ over those 3 to 6 bins away along
    an axis in which $f$ is not 0. An image without a grid is near 0; a pattern of amplitude $a$ in white noise of
    standard deviation $\sigma$ on $N$ pixels has, at its frequency, the ratio $1 + N a^2 / (9 \sigma^2)$ in two
    dimensions. Rounding to 256 grey levels is counted as noise of every image.

    Args:
        image: `(B, C, *spatial)` in [0, 1], two or three spatial axes, each of at least 8 of the largest period.
        periods: in pixels, powers of 2.

    Returns:
        `(B, len(periods))`, float32, on the device of `image`; a mean over channels before the logarithm.

    Raises:
        ShapeError: for other dimensions, or a side too short.
        InputError: for a period that is no power of 2 above 1, or none.
        IntensityError: for values that are not finite, or a constant image.

    Example:
        >>> image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        >>> grid = 0.2 * (-1.0) ** torch.arange(64)
        >>> [round(value) for value in checkerboard_score(image)[0].tolist()]
        [0, 0, 0]
        >>> [round(value) for value in checkerboard_score(image + grid)[0].tolist()]
        [17, 0, 0]

    Source:
        On the artefact: Odena, Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill 2016,
        DOI 10.23915/distill.00003; on its frequencies: Zhang, Karaman and Chang, WIFS 2019,
        DOI 10.1109/WIFS47025.2019.9035107.
    """
    _check(image, periods)
    scores = []
    for period in periods:
        # Cropped to whole periods, so that its frequencies fall on bins.
        whole = [side - side % period for side in image.shape[2:]]
        cropped = image
        for axis, side in enumerate(whole):
            cropped = cropped.narrow(axis + 2, 0, side)
        scores.append(10 * torch.log10(_ratio(_power(cropped), whole, period).mean(dim=1)))
    return torch.stack(scores, dim=1).to(torch.float32)


class CheckerboardMetric(CumulativeIterationMetric):
    """`checkerboard_score` of synthetic images, gathered over batches as MONAI's metrics are.

    `aggregate` gives dB, one value a period by default. Called on real images it gives the baseline.

    Args:
        periods: in pixels, powers of 2.
        reduction: MONAI's, over images and periods.

    Example:
        >>> metric = CheckerboardMetric(periods=(2,))
        >>> for _ in range(3):
        ...     scores = metric(torch.rand(4, 1, 32, 32))
        >>> metric.aggregate().shape, metric.get_buffer().shape
        (torch.Size([1]), torch.Size([12, 1]))
    """

    def __init__(
        self,
        periods: Sequence[int] = (2, 4, 8),
        reduction: MetricReduction | str = MetricReduction.MEAN_BATCH,
    ) -> None:
        super().__init__()
        self.periods = tuple(periods)
        self.reduction = reduction

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None) -> torch.Tensor:  # type: ignore[override]
        """Return the scores `(B, len(periods))` of `y_pred`; `y` is not looked at."""
        return checkerboard_score(y_pred.as_subclass(torch.Tensor), self.periods)

    def aggregate(self, reduction: MetricReduction | str | None = None) -> torch.Tensor:
        """Return the scores of all images since the last `reset`, reduced.

        Raises:
            InputError: before any image was seen.
        """
        data = self.get_buffer()
        if not isinstance(data, torch.Tensor):
            raise InputError("Expected images before aggregate, got none; call the metric on a batch first.")
        result: torch.Tensor = do_metric_reduction(data, reduction or self.reduction)[0]
        return result


def _check(image: torch.Tensor, periods: Sequence[int]) -> None:
    if image.ndim not in (4, 5):
        raise ShapeError(f"Expected images (B, C, H, W) or (B, C, H, W, D), got {tuple(image.shape)}.")
    if not periods or any(period < 2 or period & (period - 1) for period in periods):
        raise InputError(f"Expected periods that are powers of 2 above 1, got {tuple(periods)}.")
    if min(image.shape[2:]) < _REPEATS * max(periods):
        raise ShapeError(
            f"Expected sides of at least {_REPEATS * max(periods)} pixels, {_REPEATS} of the largest period, got "
            f"{tuple(image.shape[2:])}; leave out long periods."
        )
    check_finite(image, "the images")
    flat = image.flatten(1)
    if bool((flat.amax(dim=1) == flat.amin(dim=1)).any()):
        raise IntensityError("Expected images with some contrast, got a constant one; leave it out.")


def _power(image: torch.Tensor) -> torch.Tensor:
    """Return the power of each bin and channel under a Hann window, `(B, C, *spatial)`, float64, and that of rounding.

    White noise of variance v has a mean power of v.
    """
    image = image.to(torch.float64)
    axes = tuple(range(2, image.ndim))
    window = torch.ones(1, dtype=torch.float64, device=image.device)
    for side in image.shape[2:]:
        window = window[..., None] * torch.hann_window(side, periodic=True, dtype=torch.float64, device=image.device)
    window = window[0]
    mean = (image * window).sum(dim=axes, keepdim=True) / window.sum()
    spectrum = torch.fft.fftn((image - mean) * window, dim=axes)
    power: torch.Tensor = spectrum.abs().square() / window.square().sum() + _ROUNDING
    return power


def _ratio(power: torch.Tensor, size: Sequence[int], period: int) -> torch.Tensor:
    """Return the mean ratio of energies `(B, C)` at a period's frequencies, and at their neighbours."""
    block = power
    for axis in range(2, power.ndim):
        block = block.roll(-1, axis) + block + block.roll(1, axis)
    block = block.flatten(2)
    steps = [side // period for side in size]  # bins between the frequencies
    ratios = []
    for multiple in itertools.product(range(period), repeat=len(size)):
        if all(one % 2 == 0 for one in multiple):
            continue  # of half the period, or no frequency at all
        here = [one * step for one, step in zip(multiple, steps, strict=True)]
        neighbours = [
            _flat([*here[:axis], here[axis] + sign * away, *here[axis + 1 :]], size)
            for axis, one in enumerate(multiple)
            if one
            for away in _AWAY
            if away <= steps[axis] - _AWAY[0]
            for sign in (-1, 1)
        ]
        ratios.append(block[..., _flat(here, size)] / block[..., neighbours].mean(dim=-1))
    return torch.stack(ratios).mean(dim=0)


def _flat(bins: Sequence[int], size: Sequence[int]) -> int:
    """Return the number of a bin, counted through all axes and round at their ends."""
    return sum(
        one % side * math.prod(size[axis + 1 :]) for axis, (one, side) in enumerate(zip(bins, size, strict=True))
    )


__all__ = ["CheckerboardMetric", "checkerboard_score"]
