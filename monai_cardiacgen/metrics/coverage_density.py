"""How real and synthetic cases lie among each other: coverage and density, precision and recall."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from monai.metrics import CumulativeIterationMetric

from ..checks import check_finite
from ..errors import InputError, ShapeError


@dataclass(frozen=True)
class CoverageDensity:
    """How N real and M synthetic cases lie among each other, as a whole and case by case.

    The values of cases are there to be averaged over parts, for example over the regions of a map.

    Attributes:
        coverage: share of the real cases that have a synthetic one near; what the synthetic cases miss lowers it.
        density: how much synthetic cases lie where real ones are dense; 1 for two samples of one distribution.
        precision: share of the synthetic cases that are near some real one.
        recall: share of the real cases that are near some synthetic one, by the synthetic cases' own distances.
        covered: `(N,)` bool; `coverage` is its mean.
        recalled: `(N,)` bool; `recall` is its mean.
        density_at: `(M,)` float32; `density` is its mean.
    """

    coverage: float
    density: float
    precision: float
    recall: float
    covered: torch.Tensor
    recalled: torch.Tensor
    density_at: torch.Tensor


def coverage_and_density(real: torch.Tensor, synthetic: torch.Tensor, k: int = 5, chunk: int = 1024) -> CoverageDensity:
    r"""Compare real and synthetic cases by their k nearest neighbours.

    With $B_i$ the open ball about real case $i$ that reaches to its k-th nearest real neighbour,

    $$\mathrm{coverage} = \frac{1}{N} \sum_i 1[\exists j: y_j \in B_i], \quad
    \mathrm{density} = \frac{1}{kM} \sum_j \sum_i 1[y_j \in B_i], \quad
    \mathrm{precision} = \frac{1}{M} \sum_j 1[\exists i: y_j \in B_i]$$

    and recall is the precision with the sets' parts exchanged. Equal sets without repeated cases have 1 in all four.
    For two samples of one distribution density is 1 in the mean, and coverage
    $1 - \binom{N-1}{k} / \binom{N+M-1}{k}$, about $1 - 2^{-k}$ for M = N: compare with that, not with 1.

    Memory is that of `chunk` rows of distances, not of all.

    Args:
        real: features `(N, D)`, more than k cases.
        synthetic: features `(M, D)` of the same kind on the same device, more than k cases.
        k: neighbours.
        chunk: rows taken at a time.

    Raises:
        ShapeError: unless both are `(cases, D)` with one D.
        InputError: for too few cases, or k or chunk below 1.
        IntensityError: for features that are not finite.

    Example:
        >>> points = torch.rand(100, 3, generator=torch.Generator().manual_seed(0))
        >>> same = coverage_and_density(points, points)
        >>> same.coverage, same.density, same.precision, same.recall
        (1.0, 1.0, 1.0, 1.0)

    Source:
        Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, arXiv:2002.09797;
        precision and recall after Kynkäänniemi et al., NeurIPS 2019, arXiv:1904.06991.
    """
    if real.ndim != 2 or synthetic.ndim != 2 or real.shape[1] != synthetic.shape[1]:
        raise ShapeError(
            f"Expected features (cases, D) of one D, got {tuple(real.shape)} and {tuple(synthetic.shape)}; flatten "
            f"images, or take the means of a network's features."
        )
    if k < 1 or chunk < 1 or min(len(real), len(synthetic)) <= k:
        raise InputError(
            f"Expected more cases than neighbours on both sides, got {len(real)} real and {len(synthetic)} synthetic "
            f"ones for k={k} and chunk={chunk}; ask for fewer."
        )
    check_finite(real, "the real features")
    check_finite(synthetic, "the synthetic features")
    reach = _reach(real, k, chunk)
    synthetic_reach = _reach(synthetic, k, chunk)
    balls = torch.zeros(len(synthetic), dtype=torch.int64, device=real.device)  # that each synthetic case lies in
    covered, recalled = [], []
    for rows, radius in zip(real.split(chunk), reach.split(chunk), strict=True):
        distance = _distance(rows, synthetic)
        inside = distance < radius[:, None]
        balls += inside.sum(dim=0)
        covered.append(inside.any(dim=1))
        recalled.append((distance < synthetic_reach).any(dim=1))
    is_covered, is_recalled, density_at = torch.cat(covered), torch.cat(recalled), balls.to(torch.float32) / k
    return CoverageDensity(
        coverage=_mean(is_covered),
        density=float(balls.sum()) / (k * len(synthetic)),
        precision=_mean(balls > 0),
        recall=_mean(is_recalled),
        covered=is_covered,
        recalled=is_recalled,
        density_at=density_at,
    )


class CoverageDensityMetric(CumulativeIterationMetric):
    """`coverage_and_density` of features that come in batches, as MONAI's metrics take them.

    Call it with `y_pred`, synthetic features `(B, D)`, and `y`, real ones `(B', D)`; then `aggregate`.

    Args:
        k: neighbours.
        chunk: rows of distances held at a time.

    Example:
        >>> metric = CoverageDensityMetric(k=3)
        >>> generator = torch.Generator().manual_seed(0)
        >>> for _ in range(4):
        ...     features = metric(torch.rand(8, 2, generator=generator), torch.rand(8, 2, generator=generator))
        >>> 0.5 < metric.aggregate().coverage <= 1.0
        True
    """

    def __init__(self, k: int = 5, chunk: int = 1024) -> None:
        super().__init__()
        self.k = k
        self.chunk = chunk

    def _compute_tensor(  # type: ignore[override]
        self, y_pred: torch.Tensor, y: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Return both, to be kept until `aggregate`."""
        if y is None:
            raise InputError("Expected real features as y beside the synthetic ones, got none.")
        return [y_pred, y]

    def aggregate(self) -> CoverageDensity:
        """Return the comparison of all features since the last `reset`.

        Raises:
            InputError: before any features came, or for too few.
        """
        buffers = self.get_buffer()
        if not isinstance(buffers, list):
            raise InputError("Expected features before aggregate, got none; call the metric on batches first.")
        synthetic, real = buffers
        return coverage_and_density(real, synthetic, self.k, self.chunk)


def _distance(rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    # By way of a matrix product, a point would lie off itself by rounding.
    return torch.cdist(rows, others, compute_mode="donot_use_mm_for_euclid_dist")


def _reach(points: torch.Tensor, k: int, chunk: int) -> torch.Tensor:
    """Return each point's distance to its k-th nearest neighbour, `(N,)`; it is nearest to itself."""
    return torch.cat([_distance(rows, points).kthvalue(k + 1, dim=1).values for rows in points.split(chunk)])


def _mean(which: torch.Tensor) -> float:
    return int(which.sum()) / len(which)


__all__ = ["CoverageDensity", "CoverageDensityMetric", "coverage_and_density"]
