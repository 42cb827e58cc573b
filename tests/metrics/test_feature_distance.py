"""Distances of distributions against formulas and libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.metrics import RandomFeatures, frechet_distance, kernel_distance
from monai_cardiacgen.seeding import seeded


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=seeded(seed))


def test_features_follow_from_the_seed_and_leave_the_callers_draws():
    patches = torch.rand(3, 1, 64, 64, generator=seeded(0))
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = RandomFeatures(1)(patches), RandomFeatures(1)(patches), RandomFeatures(2)(patches)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert torch.allclose(RandomFeatures(1)(patches[1:2]), first[1:2], atol=1e-6)


def test_frechet_distance_is_the_formula_with_the_matrix_root():
    one, other = normal(60, 4, 0) @ normal(4, 4, 1) + 0.3, normal(80, 4, 2)
    first, second = np.cov(one.double().numpy(), rowvar=False), np.cov(other.double().numpy(), rowvar=False)
    apart = float((one.double().mean(dim=0) - other.double().mean(dim=0)).square().sum())
    expected = apart + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)


def test_too_few_samples_for_a_covariance_are_refused():
    with pytest.raises(InputError, match="draw more"):
        frechet_distance(normal(8, 8, 0), normal(20, 8, 1))
    with pytest.raises(InputError, match="at least 2"):
        kernel_distance(normal(1, 8, 0), normal(20, 8, 1))
    with pytest.raises(ShapeError, match="features"):
        frechet_distance(normal(20, 3, 0), normal(20, 4, 1))


def test_kernel_distance_is_the_sum_over_pairs():
    one, other = normal(5, 3, 0).double(), normal(4, 3, 1).double()

    def kernel(x: torch.Tensor, y: torch.Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within = [
        sum(kernel(a, b) for i, a in enumerate(each) for j, b in enumerate(each) if i != j)
        / len(each)
        / (len(each) - 1)
        for each in (one, other)
    ]
    between = sum(kernel(a, b) for a in one for b in other) / 20
    assert kernel_distance(one, other) == pytest.approx(sum(within) - 2 * between)


def test_kernel_distance_is_about_0_for_one_distribution_and_grows_with_the_shift():
    same = [kernel_distance(normal(200, 6, n), normal(200, 6, n + 50)) for n in range(20)]
    assert abs(np.mean(same)) < 0.05
    assert min(same) < 0
    far = [kernel_distance(normal(200, 6, 0), normal(200, 6, 1) + shift) for shift in (0.5, 1.0, 2.0)]
    assert np.mean(same) < far[0] < far[1] < far[2]
