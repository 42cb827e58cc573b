"""Coverage and density where they are known: equal sets, sets far apart, two samples of one distribution."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
import torch
from monai.metrics import CumulativeIterationMetric
from scipy.spatial import cKDTree

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import CoverageDensityMetric, coverage_and_density
from monai_cardiacgen.seeding import seeded


def normal(count: int, dims: int = 4, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, dims, generator=seeded(seed), dtype=torch.float64)


def everything(found) -> tuple[float, ...]:
    return found.coverage, found.density, found.precision, found.recall


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equal_sets_have_1_in_all(k, dtype):
    points = 100 + normal(150, 64).to(dtype)  # far from 0, where a matrix product would round
    assert everything(coverage_and_density(points, points[torch.randperm(150)], k)) == (1, 1, 1, 1)


def test_sets_far_apart_have_0_in_all():
    assert everything(coverage_and_density(normal(80), 50 + normal(90, seed=1))) == (0, 0, 0, 0)


@pytest.mark.parametrize(("real", "synthetic", "k"), [(60, 60, 3), (40, 90, 5), (90, 30, 2)])
def test_two_samples_of_one_distribution_are_as_their_ranks_say(real, synthetic, k):
    """No synthetic case is near a real one when the k nearest of all others are real: ranks alone decide."""
    draws = [
        coverage_and_density(normal(real, 2, 2 * seed), normal(synthetic, 2, 2 * seed + 1), k) for seed in range(300)
    ]
    expected = 1 - comb(real - 1, k) / comb(real + synthetic - 1, k)
    assert np.mean([one.coverage for one in draws]) == pytest.approx(expected, abs=0.01)
    assert np.mean([one.density for one in draws]) == pytest.approx(1.0, abs=0.03)


def test_as_many_of_each_are_covered_as_the_paper_says():
    found = coverage_and_density(normal(3000, 2), normal(3000, 2, seed=1), k=5)
    assert found.coverage == pytest.approx(1 - 0.5**5, abs=0.01)


def test_numbers_are_those_of_a_tree_of_neighbours():
    real, synthetic, k = normal(70), 0.3 + 0.7 * normal(90, seed=1), 4
    reach = cKDTree(real).query(real, k + 1)[0][:, k]
    other_reach = cKDTree(synthetic).query(synthetic, k + 1)[0][:, k]
    balls = [
        cKDTree(synthetic).query_ball_point(one, radius * (1 - 1e-12)) for one, radius in zip(real, reach, strict=True)
    ]
    counts = np.bincount(np.concatenate(balls).astype(int), minlength=90)
    recalled = np.zeros(70, dtype=bool)
    for one, radius in zip(synthetic, other_reach, strict=True):
        recalled[cKDTree(real).query_ball_point(one, radius * (1 - 1e-12))] = True
    found = coverage_and_density(real, synthetic, k)
    assert found.covered.tolist() == [bool(ball) for ball in balls]
    np.testing.assert_allclose(found.density_at, counts / k, rtol=1e-6)
    expected = (np.mean([bool(ball) for ball in balls]), counts.sum() / (k * 90), np.mean(counts > 0), recalled.mean())
    assert everything(found) == pytest.approx(expected)


def test_a_missing_mode_lowers_coverage_and_a_stray_one_density_and_precision():
    """Two clouds; the synthetic cases know one of them, and have a cloud of their own."""
    real = torch.cat([normal(100), 20 + normal(100, seed=1)])
    synthetic = torch.cat([normal(150, seed=2), -20 + normal(50, seed=3)])
    found = coverage_and_density(real, synthetic)
    assert float(found.covered[:100].double().mean()) > 0.95
    assert not bool(found.covered[100:].any())
    assert found.coverage == pytest.approx(0.5, abs=0.03)
    assert found.precision == pytest.approx(0.75, abs=0.05)
    assert not bool(found.density_at[150:].any())
    assert found.density == pytest.approx(float(found.density_at.mean()), rel=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 60, 1000])
def test_chunks_change_nothing(chunk):
    real, synthetic = normal(60), normal(50, seed=1)
    whole, parts = coverage_and_density(real, synthetic), coverage_and_density(real, synthetic, chunk=chunk)
    assert everything(parts) == everything(whole)
    assert torch.equal(parts.covered, whole.covered)
    assert torch.equal(parts.density_at, whole.density_at)


def test_metric_gathers_batches_of_any_size():
    metric = CoverageDensityMetric(k=3)
    assert isinstance(metric, CumulativeIterationMetric)
    real, synthetic = normal(40), normal(50, seed=1)
    metric(synthetic[:30], real[:10])
    metric(synthetic[30:], real[10:])
    assert everything(metric.aggregate()) == everything(coverage_and_density(real, synthetic, 3))
    metric.reset()
    with pytest.raises(InputError, match="got none"):
        metric.aggregate()
    with pytest.raises(InputError, match="real features as y"):
        metric(synthetic)


def test_unfit_features_are_refused():
    points = normal(20)
    with pytest.raises(ShapeError, match="one D"):
        coverage_and_density(points, points[:, :2])
    with pytest.raises(ShapeError, match="flatten"):
        coverage_and_density(points[None], points)
    with pytest.raises(InputError, match="more cases than neighbours"):
        coverage_and_density(points[:5], points)
    with pytest.raises(InputError, match="k=0"):
        coverage_and_density(points, points, k=0)
    with pytest.raises(IntensityError, match="synthetic"):
        coverage_and_density(points, points * torch.nan)
