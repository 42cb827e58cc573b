"""KID with its standard error, over groups of samples that belong together."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..checks import check_finite
from ..errors import InputError, ShapeError
from .jackknife import jackknife_error


@dataclass(frozen=True)
class KernelDistance:
    """A squared kernel distance.

    Attributes:
        value: 0 in the mean where both sets come from one distribution, whatever their sizes; it may be negative.
        standard_error: by leaving out groups.
        space: name of the feature space.
        synthetic: number of synthetic samples.
        real: number of real ones.
    """

    value: float
    standard_error: float
    space: str
    synthetic: int
    real: int


def kernel_distance_with_error(
    synthetic: torch.Tensor,
    real: torch.Tensor,
    space: str,
    synthetic_groups: torch.Tensor | None = None,
    real_groups: torch.Tensor | None = None,
) -> KernelDistance:
    r"""Return KID, the unbiased squared maximum mean discrepancy, and its jackknife standard error.

    $$\overline{k(y, y')} + \overline{k(x, x')} - 2 \overline{k(y, x)}, \quad k(a, b) = (a \cdot b / F + 1)^3$$

    with means over the pairs of samples of different groups: two slices of one patient are alike, and pairs of them
    would pretend that patients are.

    Args:
        synthetic: features `(M, F)`.
        real: features `(N, F)` of the same kind.
        space: name of the feature space.
        synthetic_groups: `(M,)` int64; None for independent samples.
        real_groups: `(N,)` int64, for example patients; None for independent samples.

    Raises:
        ShapeError: when features or groups do not belong together.
        InputError: for fewer than three groups of either.
        IntensityError: for NaN or infinity.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> one, other = (torch.randn(200, 4, generator=generator) for _ in range(2))
        >>> same, moved = (kernel_distance_with_error(one, other + shift, "none") for shift in (0, 1))
        >>> abs(same.value) < 3 * same.standard_error, moved.value > 3 * moved.standard_error
        (True, True)

    Source:
        Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401.
    """
    if synthetic.ndim != 2 or real.ndim != 2 or synthetic.shape[1] != real.shape[1]:
        raise ShapeError(f"Expected features (M, F) and (N, F), got {tuple(synthetic.shape)} and {tuple(real.shape)}.")
    check_finite(synthetic, "the synthetic features")
    check_finite(real, "the real features")
    made = _Sums(synthetic, synthetic_groups)
    true = _Sums(real, real_groups)
    cross = made.membership.T @ _kernel(made.features, true.features) @ true.membership  # (groups, groups)
    total = cross.sum()
    pairs = made.count * true.count

    def distance(within: torch.Tensor, other: torch.Tensor, between: torch.Tensor) -> torch.Tensor:
        return within + other - 2 * between

    value = distance(made.mean, true.mean, total / pairs)
    without_made = distance(
        made.mean_without, true.mean, (total - cross.sum(dim=1)) / ((made.count - made.sizes) * true.count)
    )
    without_true = distance(
        made.mean, true.mean_without, (total - cross.sum(dim=0)) / (made.count * (true.count - true.sizes))
    )
    error = jackknife_error(without_made.tolist(), without_true.tolist())
    return KernelDistance(float(value), error, space, len(synthetic), len(real))


class _Sums:
    """The kernel within one set, summed over the pairs of its groups."""

    def __init__(self, features: torch.Tensor, groups: torch.Tensor | None) -> None:
        self.features = features.detach().to("cpu", torch.float64)
        if groups is None:
            groups = torch.arange(len(features))
        if groups.shape != (len(features),):
            raise ShapeError(f"Expected the group of each of {len(features)} samples, got {tuple(groups.shape)}.")
        _, numbers = groups.cpu().unique(return_inverse=True)
        if not len(numbers) or int(numbers.max()) < 2:
            raise InputError("Expected samples of at least three groups, got fewer; add patients or cases.")
        self.membership = torch.nn.functional.one_hot(numbers).to(torch.float64)  # (N, groups)
        self.sizes = self.membership.sum(dim=0)
        self.count = float(len(features))
        within = self.membership.T @ _kernel(self.features, self.features) @ self.membership
        within.fill_diagonal_(0)  # pairs of one group do not count
        total, pairs = within.sum(), self.count**2 - self.sizes.square().sum()
        self.mean = total / pairs
        rest = pairs - 2 * self.sizes * (self.count - self.sizes)
        self.mean_without = (total - 2 * within.sum(dim=1)) / rest


def _kernel(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    kernel: torch.Tensor = (one @ other.T / one.shape[1] + 1) ** 3
    return kernel


__all__ = ["KernelDistance", "kernel_distance_with_error"]
