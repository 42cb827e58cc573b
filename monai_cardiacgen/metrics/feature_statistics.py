"""Mean and covariance of features that come in batches, to many processes: nothing but sums is kept."""

from __future__ import annotations

from typing import Literal

import torch
from torch import distributed

from ..checks import check_finite
from ..errors import InputError, ShapeError
from ..ranks import world_size

#: What becomes of a covariance of too few samples: it is refused, or shrunk towards a multiple of the identity.
Few = Literal["refuse", "shrink"]


class FeatureStatistics:
    r"""Count, mean and scatter of features, in float64: batches, and ranks, add up to the whole.

    Two parts with counts $n_1, n_2$, means $\mu_1, \mu_2$ and scatters $S = \sum (x - \mu)(x - \mu)^T$ make

    $$\mu = \mu_1 + \frac{n_2}{n} \delta, \quad S = S_1 + S_2 + \frac{n_1 n_2}{n} \delta \delta^T, \quad
    \delta = \mu_2 - \mu_1$$

    which, unlike the difference of sums of squares, loses no digits when the mean is far from 0.

    Attributes:
        count: samples.
        mean: `(F,)`; empty before the first sample.
        scatter: `(F, F)`.

    Example:
        >>> features = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
        >>> parts = FeatureStatistics(features[:4]).merged(FeatureStatistics(features[4:]))
        >>> torch.allclose(parts.covariance(), features.double().T.cov())
        True

    Source:
        Chan, Golub and LeVeque, The American Statistician 1983, DOI 10.1080/00031305.1983.10483115; shrinkage: Chen,
        Wiesel, Eldar and Hero, IEEE Transactions on Signal Processing 2010, DOI 10.1109/TSP.2010.2053029.
    """

    def __init__(self, features: torch.Tensor | None = None) -> None:
        self.count = 0
        self.mean = torch.zeros(0, dtype=torch.float64)
        self.scatter = torch.zeros(0, 0, dtype=torch.float64)
        if features is not None:
            self.add(features)

    def add(self, features: torch.Tensor) -> None:
        """Take in a batch `(B, F)`.

        Raises:
            ShapeError: for another shape, or another number of features than before.
            IntensityError: for NaN or infinity, which would spoil everything that comes later.
        """
        if features.ndim != 2:
            raise ShapeError(f"Expected features (B, F), got {tuple(features.shape)}; take the means of maps.")
        check_finite(features, "the features")
        batch = FeatureStatistics()
        exact = features.detach().to("cpu", torch.float64)
        if len(exact):
            batch.count = len(exact)
            batch.mean = exact.mean(dim=0)
            batch.scatter = (exact - batch.mean).T @ (exact - batch.mean)
        whole = self.merged(batch)
        self.count, self.mean, self.scatter = whole.count, whole.mean, whole.scatter

    def merged(self, other: FeatureStatistics) -> FeatureStatistics:
        """Return the statistics of the samples of both.

        Raises:
            ShapeError: when the two have not seen the same number of features.
        """
        if not self.count or not other.count:
            return self._copied() if self.count else other._copied()
        if self.mean.shape != other.mean.shape:
            raise ShapeError(f"Expected {len(self.mean)} features like before, got {len(other.mean)}.")
        whole = FeatureStatistics()
        whole.count = self.count + other.count
        apart = other.mean - self.mean
        whole.mean = self.mean + apart * (other.count / whole.count)
        whole.scatter = (
            self.scatter + other.scatter + torch.outer(apart, apart) * (self.count * other.count / whole.count)
        )
        return whole

    def of_all_ranks(self) -> FeatureStatistics:
        """Return the statistics of the samples of all ranks, the same on each; any of them may have none."""
        if world_size() == 1:
            return self._copied()
        parts: list[tuple[int, torch.Tensor, torch.Tensor] | None] = [None] * world_size()
        distributed.all_gather_object(parts, (self.count, self.mean, self.scatter))
        whole = FeatureStatistics()
        for part in parts:
            one = FeatureStatistics()
            one.count, one.mean, one.scatter = part or (0, one.mean, one.scatter)
            whole = whole.merged(one)
        return whole

    def covariance(self, few: Few = "refuse") -> torch.Tensor:
        r"""Return the covariance `(F, F)`, float64.

        `"shrink"` gives, however many samples there are, the oracle approximating shrinkage estimate
        $(1 - \rho) \hat\Sigma + \rho \frac{\mathrm{tr} \hat\Sigma}{F} I$ with

        $$\rho = \min\left(1, \frac{(1 - 2/F)\,\mathrm{tr}(\hat\Sigma^2) + \mathrm{tr}^2 \hat\Sigma}
        {(n + 1 - 2/F) (\mathrm{tr}(\hat\Sigma^2) - \mathrm{tr}^2(\hat\Sigma) / F)}\right)$$

        Raises:
            InputError: for no more samples than features with `"refuse"`, or for fewer than two samples.
        """
        features = len(self.mean)
        if self.count < 2 or (few == "refuse" and self.count <= features):
            raise InputError(
                f"Expected more samples than the {features} features for a covariance, got {self.count}; draw more, "
                f"or take it shrunk."
            )
        if few == "refuse":
            return self.scatter / (self.count - 1)
        estimate = self.scatter / self.count
        trace, square = estimate.trace(), (estimate * estimate).sum()
        spread = square - trace.square() / features
        wanted = (1 - 2 / features) * square + trace.square()
        rho = (wanted / ((self.count + 1 - 2 / features) * spread).clamp_min(1e-300)).clamp(max=1.0)
        return (1 - rho) * estimate + rho * trace / features * torch.eye(features, dtype=torch.float64)

    def _copied(self) -> FeatureStatistics:
        one = FeatureStatistics()
        one.count, one.mean, one.scatter = self.count, self.mean.clone(), self.scatter.clone()
        return one


__all__ = ["FeatureStatistics", "Few"]
