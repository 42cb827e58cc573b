"""The Fréchet distance of images that come in batches, with its error and the name of the feature space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import torch
from monai.metrics import Metric

from ..errors import InputError
from .feature_space import FeatureSpace
from .feature_statistics import FeatureStatistics, Few
from .jackknife import jackknife_error


@dataclass(frozen=True)
class FrechetDistance:
    """A squared Fréchet distance.

    Attributes:
        value: small where mean and covariance of the features are alike; sets of few samples have larger values even
            where they come from one distribution, so compare sets of one size only.
        standard_error: of the value, by leaving out groups; NaN where there were none.
        space: name of the feature space.
        synthetic: number of synthetic samples.
        real: number of real ones.
        few: whether the covariances are shrunk.
    """

    value: float
    standard_error: float
    space: str
    synthetic: int
    real: int
    few: Few


class FrechetDistanceMetric(Metric):
    """Fréchet distance of synthetic and real images, whose running statistics are exact over batches and ranks.

    Call it with `y_pred`, synthetic images, and `y`, real ones, or with either; then `aggregate`. It keeps a mean and
    a matrix, never features. Where a process group exists, each rank calls it on images of its own, and `aggregate`
    on all ranks gives each of them the distance of all images.

    Args:
        space: of the features.
        few: `"refuse"` raises an error for no more images than features; `"shrink"` shrinks both covariances.

    Example:
        >>> from monai_cardiacgen.metrics import RandomFeatures
        >>> metric = FrechetDistanceMetric(FeatureSpace("random convolutions, seed 0", RandomFeatures(0)), few="shrink")
        >>> generator = torch.Generator().manual_seed(0)
        >>> for _ in range(3):
        ...     metric(torch.rand(8, 1, 32, 32, generator=generator), torch.rand(8, 1, 32, 32, generator=generator))
        >>> result = metric.aggregate()
        >>> result.value > 0, result.real, result.space
        (True, 24, 'random convolutions, seed 0')
    """

    def __init__(self, space: FeatureSpace, few: Few = "refuse") -> None:
        super().__init__()
        if few not in get_args(Few):
            raise InputError(f"Expected few to be one of {get_args(Few)}, got {few!r}; choose one of these.")
        self.space = space
        self.few: Few = few
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self._synthetic, self._real = FeatureStatistics(), FeatureStatistics()

    def __call__(self, y_pred: torch.Tensor | None = None, y: torch.Tensor | None = None) -> None:
        """Take in synthetic images `y_pred` and real images `y`, `(B, C, *spatial)`; either may be None."""
        for images, statistics in ((y_pred, self._synthetic), (y, self._real)):
            if images is not None:
                statistics.add(self.space(images.as_subclass(torch.Tensor)))

    def aggregate(self) -> FrechetDistance:
        """Return the distance of all images of all ranks since the last `reset`.

        Raises:
            InputError: for too few images of either kind.
        """
        synthetic, real = self._synthetic.of_all_ranks(), self._real.of_all_ranks()
        value = frechet_of(synthetic, real, self.few)
        return FrechetDistance(value, float("nan"), self.space.name, synthetic.count, real.count, self.few)


def frechet_of(one: FeatureStatistics, other: FeatureStatistics, few: Few = "refuse") -> float:
    r"""Return the squared Fréchet distance of two normal distributions.

    $$\lVert\mu_1 - \mu_2\rVert^2 + \mathrm{tr}\,\Sigma_1 + \mathrm{tr}\,\Sigma_2
    - 2 \lVert \Sigma_1^{1/2} \Sigma_2^{1/2} \rVert_*$$

    The nuclear norm, a sum of singular values, is the trace of $(\Sigma_1 \Sigma_2)^{1/2}$ without the root of a matrix
    that is not symmetric: it stays real and exact where a covariance is singular.

    Args:
        one: statistics of one set.
        other: of the other.
        few: see `FeatureStatistics.covariance`.

    Raises:
        InputError: for too few samples.

    Source:
        Dowson and Landau, Journal of Multivariate Analysis 1982, DOI 10.1016/0047-259X(82)90077-X; for images: Heusel
        et al., NeurIPS 2017, arXiv:1706.08500.
    """
    if not one.count or not other.count:
        raise InputError(f"Expected samples on both sides, got {one.count} and {other.count}.")
    first, second = one.covariance(few), other.covariance(few)
    together = torch.linalg.svdvals(_root(first) @ _root(second)).sum()
    return float((one.mean - other.mean).square().sum() + first.trace() + second.trace() - 2 * together)


def frechet_with_error(
    synthetic: Sequence[torch.Tensor], real: Sequence[torch.Tensor], space: str, few: Few = "refuse"
) -> FrechetDistance:
    """Return the Fréchet distance of features that come in independent groups, with its jackknife standard error.

    Real images of one patient are alike: leave out patients, not images. A bootstrap would not do, because samples
    drawn twice make covariances smaller, and every resampled distance larger than the true one.

    Args:
        synthetic: features `(B, F)` of each group: of single cases, or of blocks of them.
        real: features of each patient.
        space: name of the feature space.
        few: see `FeatureStatistics.covariance`.

    Raises:
        InputError: for too few samples, or fewer than two groups of either.
        ShapeError: when the features differ in number.

    Source:
        Efron and Stein, The Annals of Statistics 1981, DOI 10.1214/aos/1176345462.
    """
    if min(len(synthetic), len(real)) < 2:
        raise InputError(f"Expected at least two groups of either, got {len(synthetic)} and {len(real)}.")
    parts = [[FeatureStatistics(group) for group in groups] for groups in (synthetic, real)]
    (made, made_without), (true, true_without) = (_whole_and_without(groups) for groups in parts)
    error = jackknife_error(
        [frechet_of(one, true, few) for one in made_without], [frechet_of(made, one, few) for one in true_without]
    )
    return FrechetDistance(frechet_of(made, true, few), error, space, made.count, true.count, few)


def _whole_and_without(
    groups: Sequence[FeatureStatistics],
) -> tuple[FeatureStatistics, list[FeatureStatistics]]:
    """Return the statistics of all groups, and of all but each."""
    before, after = [FeatureStatistics()], [FeatureStatistics()]
    for group in groups:
        before.append(before[-1].merged(group))
    for group in reversed(groups):
        after.append(group.merged(after[-1]))
    after.reverse()
    return before[-1], [one.merged(other) for one, other in zip(before[:-1], after[1:], strict=True)]


def _root(covariance: torch.Tensor) -> torch.Tensor:
    """Return the symmetric root of a covariance; rounding may leave small negative eigenvalues."""
    values, vectors = torch.linalg.eigh(covariance)
    root: torch.Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


__all__ = ["FrechetDistance", "FrechetDistanceMetric", "frechet_of", "frechet_with_error"]
