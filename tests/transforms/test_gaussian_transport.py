"""The transport gives the target's moments, and of all ways that do so the shortest."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.optimize import linear_sum_assignment

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.transforms.gaussian_transport import GaussianTransport


def clouds(dims=3, count=400):
    rng = np.random.default_rng(1)
    source = rng.normal(size=(count, dims)) @ rng.normal(size=(dims, dims)) + rng.normal(size=dims)
    target = rng.normal(size=(count + 50, dims)) @ rng.normal(size=(dims, dims)) + 5 * rng.normal(size=dims)
    return torch.from_numpy(source), torch.from_numpy(target)


def test_mean_and_covariance_become_the_targets():
    source, target = clouds()
    moved = GaussianTransport(source, target)(source)
    torch.testing.assert_close(moved.mean(dim=0), target.mean(dim=0))
    torch.testing.assert_close(torch.cov(moved.T), torch.cov(target.T))


def test_cost_is_that_of_the_closed_form():
    """The squared Wasserstein distance of two normal distributions, by SciPy's matrix square root."""
    source, target = clouds()
    unit = target.std(dim=0)
    a, b = (torch.cov((points / unit).T).numpy() for points in (source, target))
    cross = scipy.linalg.sqrtm(scipy.linalg.sqrtm(a) @ b @ scipy.linalg.sqrtm(a))
    shift = ((source.mean(dim=0) - target.mean(dim=0)) / unit).square().sum()
    expected = float(shift) + float(np.trace(a + b - 2 * cross.real))
    moved = (GaussianTransport(source, target)(source) - source) / unit
    centred = moved - moved.mean(dim=0)
    cost = float(moved.mean(dim=0).square().sum() + centred.square().sum() / (len(source) - 1))
    assert cost == pytest.approx(expected, rel=1e-9)


def test_costs_about_what_the_best_matching_of_normal_samples_costs():
    source, target = clouds(dims=2, count=1500)
    target = target[: len(source)]
    unit = target.std(dim=0)
    pairs = torch.cdist(source / unit, target / unit).square()
    rows, columns = linear_sum_assignment(pairs.numpy())
    best = float(pairs[rows, columns].mean())
    cost = ((GaussianTransport(source, target)(source) - source) / unit).square().sum(dim=1).mean()
    assert float(cost) == pytest.approx(best, rel=0.05)


def test_a_row_does_not_depend_on_the_others():
    source, target = clouds()
    transport = GaussianTransport(source, target)
    assert torch.equal(transport(source)[7:8], transport(source[7:8]))


def test_what_never_varied_is_only_shifted():
    source, target = clouds(dims=2)
    source[:, 1] = 3.0
    moved = GaussianTransport(source, target)(source)
    assert bool(torch.isfinite(moved).all())
    assert float(moved[:, 1].mean()) == pytest.approx(float(target[:, 1].mean()))
    assert float(moved[:, 0].std()) == pytest.approx(float(target[:, 0].std()))
    target[:, 1] = 4.0
    np.testing.assert_allclose(GaussianTransport(clouds(dims=2)[0], target)(source)[:, 1], 4.0, atol=1e-5)


def test_too_few_or_unfit_points_are_refused():
    source, target = clouds()
    for one, other in ((source[:3], target), (source, target[:3]), (source, target[:, :2]), (source * np.nan, target)):
        with pytest.raises(InputError, match="more finite points"):
            GaussianTransport(one, other)
