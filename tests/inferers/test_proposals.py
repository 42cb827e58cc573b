"""Proposals against torch's and scipy's distributions, and against rejection sampling."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers.proposals import (
    GaussianProposal,
    KernelDensityProposal,
    PriorProposal,
    covariance_factor,
    cross_validated_bandwidth,
)
from monai_cardiacgen.seeding import row_generators, seeded


def points(count: int = 60, dims: int = 3) -> torch.Tensor:
    mixing = torch.tensor([[1.0, 0.6, 0.0], [0.0, 0.8, 0.3], [0.0, 0.0, 0.9]])[:dims, :dims]
    return torch.randn(count, dims, generator=seeded(1)) @ mixing + 2


def test_bandwidth_is_the_likeliest_when_each_point_is_left_out():
    data = points(20, 2).double().numpy()
    grid = np.geomspace(0.05, 1.5, 30)

    def likelihood(width: float) -> float:
        total = 0.0
        for left_out in range(len(data)):
            others = np.delete(data, left_out, axis=0)
            density = stats.norm.pdf(data[left_out], loc=others, scale=width).prod(axis=1).mean()
            total += np.log(density)
        return total

    best = grid[np.argmax([likelihood(width) for width in grid])]
    assert cross_validated_bandwidth(points(20, 2)) == pytest.approx(best, rel=1e-6)


def test_bandwidth_is_near_the_rule_for_a_normal_distribution():
    """Silverman's rule: 1.06 n^(-1/5) is best for normal data in one dimension."""
    data = torch.randn(400, 1, generator=seeded(2))
    assert cross_validated_bandwidth(data) == pytest.approx(1.06 * 400**-0.2, rel=0.4)


def test_kernel_density_is_torchs_mixture():
    data, at = points(), points(7) + 0.3
    ours = KernelDensityProposal(data, bandwidth=0.4).log_density(at)
    kernels = Independent(Normal(data, torch.tensor(0.4)), 1)
    mixture = MixtureSameFamily(Categorical(torch.ones(len(data))), kernels)
    torch.testing.assert_close(ours, mixture.log_prob(at), rtol=1e-4, atol=1e-4)


def test_direct_draws_are_those_of_rejection_sampling():
    """Painchaud et al. reject Gaussian draws until the kernel density is met; ours meets it at once."""
    data = torch.cat((torch.randn(25, 1, generator=seeded(3)) * 0.3 - 2, torch.randn(15, 1, generator=seeded(4)) + 2))
    width = 0.5
    ours = KernelDensityProposal(data, bandwidth=width).draw(row_generators(seeded(5), 3000))[:, 0].numpy()

    rng = np.random.default_rng(6)
    known = data[:, 0].double().numpy()
    target = stats.gaussian_kde(known, bw_method=width / known.std(ddof=1))
    gauss = stats.norm(known.mean(), 1.5 * known.std())
    candidates = gauss.rvs(20000, random_state=rng)
    ratio = target(candidates) / gauss.pdf(candidates)
    rejected = candidates[rng.random(len(candidates)) < ratio / ratio.max()]
    assert len(rejected) > 3000
    assert stats.ks_2samp(ours, rejected).pvalue > 0.01


def test_gaussian_has_the_points_moments():
    data = points()
    drawn = GaussianProposal(data).draw(row_generators(seeded(7), 4000))
    torch.testing.assert_close(drawn.mean(dim=0), data.mean(dim=0), atol=0.06, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(data.T), atol=0.1, rtol=0)


def test_factor_gives_the_covariance_even_of_few_points():
    data = points()
    factor = covariance_factor(data)
    torch.testing.assert_close(factor @ factor.T, torch.cov(data.T), atol=1e-4, rtol=1e-4)
    few = torch.randn(3, 8, generator=seeded(8))
    assert torch.isfinite(covariance_factor(few)).all()
    assert torch.isfinite(covariance_factor(torch.ones(4, 2))).all()


def test_prior_is_standard_normal_in_the_latents_own_scale():
    location, scale = torch.tensor([5.0, -1.0, 0.0]), torch.tensor([2.0, 0.5, 3.0])
    data = points()
    drawn = PriorProposal(data, 2, location, scale).draw(row_generators(seeded(9), 4000))
    latents = drawn[:, :2] * scale[:2] + location[:2]
    for column in latents.T:
        assert stats.kstest(column.numpy(), "norm").pvalue > 0.01
    assert torch.isin(drawn[:, 2], data[:, 2]).all()


@pytest.mark.parametrize("kind", ["prior", "gaussian", "kernel_density"])
def test_a_row_depends_on_its_own_generator_only(kind):
    data = points()
    proposal = {
        "prior": lambda: PriorProposal(data, 2, torch.zeros(3), torch.ones(3)),
        "gaussian": lambda: GaussianProposal(data),
        "kernel_density": lambda: KernelDensityProposal(data),
    }[kind]()
    together = proposal.draw([seeded(seed) for seed in range(5)])
    alone = torch.cat([proposal.draw([seeded(seed)]) for seed in range(5)])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("bad", [torch.zeros(1, 3), torch.zeros(4), torch.full((4, 2), float("nan"))])
def test_too_few_or_broken_points_are_refused(bad):
    for build in (KernelDensityProposal, GaussianProposal, covariance_factor, cross_validated_bandwidth):
        with pytest.raises(ShapeError, match="at least 2 finite points"):
            build(bad)


@pytest.mark.parametrize("width", [0.0, -1.0, float("inf")])
def test_a_bandwidth_that_is_not_positive_is_refused(width):
    with pytest.raises(InputError, match="positive bandwidth"):
        KernelDensityProposal(points(), bandwidth=width)


def test_points_of_one_group_do_not_vouch_for_each_other():
    """Twins a hair apart ask for the smallest bandwidth, unless they are one patient's."""
    alone = torch.randn(60, 3, generator=seeded(0))
    twins = torch.cat((alone, alone + 1e-3 * torch.randn(60, 3, generator=seeded(1))))
    groups = [str(number) for number in range(60)] * 2
    assert cross_validated_bandwidth(twins) == pytest.approx(0.05)
    grouped = cross_validated_bandwidth(twins, groups)
    assert grouped == pytest.approx(cross_validated_bandwidth(alone), rel=0.13)  # one step of the grid


def test_one_patients_points_are_each_left_out_alone():
    points = torch.randn(40, 2, generator=seeded(0))
    assert cross_validated_bandwidth(points, ["a"] * 40) == cross_validated_bandwidth(points)


def test_every_point_needs_a_group():
    with pytest.raises(InputError, match="group for each of 4 points, got 2"):
        cross_validated_bandwidth(torch.randn(4, 2, generator=seeded(0)), ["a", "b"])
