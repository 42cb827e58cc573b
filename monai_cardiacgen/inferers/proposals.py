"""Where new points of a latent space come from: the prior, or a density fitted to encoded hearts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from ..errors import InputError, ShapeError
from ..seeding import randn_rows

#: Bandwidths among which cross-validation chooses, in standard deviations of the points.
_BANDWIDTHS = torch.logspace(math.log10(0.05), math.log10(1.5), 30, dtype=torch.float64)
#: Keeps a covariance invertible when points are few or one value never changes; in variances.
_RIDGE = 1e-6


def _check_points(points: torch.Tensor) -> torch.Tensor:
    if points.ndim != 2 or len(points) < 2 or not points.shape[1] or not bool(torch.isfinite(points).all()):
        raise ShapeError(
            f"Expected at least 2 finite points (N, D), got {tuple(points.shape)}; "
            f"encode more hearts, and look for NaN in the autoencoder."
        )
    return points.detach().to(torch.float32)


def covariance_factor(points: torch.Tensor) -> torch.Tensor:
    """Return a lower triangular `F` `(D, D)` with `F F^T` the covariance of points `(N, D)`.

    Raises:
        ShapeError: for fewer than 2 points, or points that are not finite.
    """
    points = _check_points(points).to(torch.float64)
    covariance = torch.atleast_2d(torch.cov(points.T))
    ridge = _RIDGE * covariance.diagonal().mean().clamp_min(1.0)
    factor: torch.Tensor = torch.linalg.cholesky(covariance + ridge * torch.eye(len(covariance)))
    return factor.to(torch.float32)


def cross_validated_bandwidth(points: torch.Tensor, groups: Sequence[str] | None = None) -> float:
    """Return the bandwidth under which every point is likeliest given all others.

    It maximises `sum_i log 1/n_i sum_{j not in g(i)} N(x_i; x_j, h^2 I)` over a grid of 30 values of h from 0.05 to
    1.5, with `g(i)` the points of i's group and `n_i` the number of the others.

    Args:
        points: `(N, D)`, of about unit standard deviation.
        groups: whose point each is: points of one patient do not vouch for each other. By default each stands alone,
            and also where one group has them all.

    Raises:
        ShapeError: for fewer than 2 points, or points that are not finite.
        InputError: when there is not a group for each point.
    """
    points = _check_points(points).to(torch.float64)
    squared = torch.cdist(points, points).square()
    squared.fill_diagonal_(torch.inf)  # a point does not vouch for itself
    if groups is not None:
        if len(groups) != len(points):
            raise InputError(f"Expected a group for each of {len(points)} points, got {len(groups)}.")
        names = sorted(set(groups))
        if len(names) > 1:
            number = torch.tensor([names.index(group) for group in groups])
            squared.masked_fill_(number[:, None] == number, torch.inf)
    dims = points.shape[1]
    likelihoods = [(torch.logsumexp(-squared / (2 * h * h), dim=1) - dims * torch.log(h)).sum() for h in _BANDWIDTHS]
    return float(_BANDWIDTHS[int(torch.stack(likelihoods).argmax())])


class PriorProposal(nn.Module):
    """Standard normal latents, as the autoencoder was trained to expect; the rest is taken from the points.

    Args:
        points: `(N, D)`; of each, the values from `latent_size` on are drawn as they are.
        latent_size: how many leading values come from the prior.
        location: `(D,)`, the means of the points before they were standardised: the prior holds for those.
        scale: `(D,)`, their standard deviations.
    """

    def __init__(self, points: torch.Tensor, latent_size: int, location: torch.Tensor, scale: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("others", _check_points(points)[:, latent_size:].clone())
        self.register_buffer("location", location[:latent_size].clone())
        self.register_buffer("scale", scale[:latent_size].clone())
        self.others: torch.Tensor
        self.location: torch.Tensor
        self.scale: torch.Tensor

    def draw(self, generators: list[torch.Generator]) -> torch.Tensor:
        """Return one point a generator, `(B, D)`."""
        chosen = [int(torch.randint(len(self.others), (), generator=row)) for row in generators]
        prior = randn_rows(generators, self.location.shape).to(self.location)
        return torch.cat(((prior - self.location) / self.scale, self.others[chosen]), dim=1)


class GaussianProposal(nn.Module):
    """A normal distribution with the points' mean and covariance.

    Args:
        points: `(N, D)`.

    Raises:
        ShapeError: for fewer than 2 points, or points that are not finite.
    """

    def __init__(self, points: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", _check_points(points).mean(dim=0))
        self.register_buffer("factor", covariance_factor(points))
        self.mean: torch.Tensor
        self.factor: torch.Tensor

    def draw(self, generators: list[torch.Generator]) -> torch.Tensor:
        """Return one point a generator, `(B, D)`."""
        noise = randn_rows(generators, self.mean.shape).to(self.mean)
        # Row by row: a matrix product's rounding depends on the number of rows.
        return self.mean + torch.stack([self.factor @ row for row in noise])


class KernelDensityProposal(nn.Module):
    """A kernel density estimate of the points: a normal distribution of one width around each of them.

    Painchaud et al. draw from this density by rejection from a Gaussian; as the density is a mixture, it can be
    drawn from directly, a point and then a step from it, with the same result and no draw in vain.

    Args:
        points: `(N, D)`, of about unit standard deviation.
        bandwidth: standard deviation of a kernel; chosen by cross-validation when None.

    Raises:
        ShapeError: for fewer than 2 points, or points that are not finite.
        InputError: for a bandwidth that is not positive.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """

    def __init__(self, points: torch.Tensor, bandwidth: float | None = None) -> None:
        super().__init__()
        points = _check_points(points)
        width = cross_validated_bandwidth(points) if bandwidth is None else float(bandwidth)
        if not 0 < width < math.inf:
            raise InputError(f"Expected a positive bandwidth, got {bandwidth}.")
        self.register_buffer("points", points.clone())
        self.register_buffer("bandwidth", torch.tensor(width))
        self.points: torch.Tensor
        self.bandwidth: torch.Tensor

    def draw(self, generators: list[torch.Generator]) -> torch.Tensor:
        """Return one point a generator, `(B, D)`."""
        chosen = [int(torch.randint(len(self.points), (), generator=row)) for row in generators]
        steps = randn_rows(generators, self.points.shape[1:]).to(self.points)
        return self.points[chosen] + self.bandwidth * steps

    def log_density(self, points: torch.Tensor) -> torch.Tensor:
        """Return the natural logarithm of the density, `(B,)`, at points `(B, D)`."""
        known, dims = self.points.shape
        exponents = -torch.cdist(points, self.points).square() / (2 * self.bandwidth.square())
        norm = math.log(known) + dims * (torch.log(self.bandwidth) + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(exponents, dim=1) - norm
