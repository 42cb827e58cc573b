"""The Fréchet distance against SciPy's matrix root, analytic values, and its spread over repeated samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.metrics import (
    FeatureSpace,
    FeatureStatistics,
    FrechetDistanceMetric,
    frechet_distance,
    frechet_of,
    frechet_with_error,
)
from monai_cardiacgen.seeding import seeded


def normal(count: int, size: int, seed: int) -> torch.Tensor:
    return torch.randn(count, size, generator=seeded(seed), dtype=torch.float64)


def test_it_is_the_formula_with_scipys_matrix_root():
    one, other = normal(90, 7, 0) @ normal(7, 7, 1) + 0.5, normal(60, 7, 2) @ normal(7, 7, 3)
    first, second = (np.cov(each.numpy(), rowvar=False) for each in (one, other))
    apart = np.square(one.numpy().mean(axis=0) - other.numpy().mean(axis=0)).sum()
    expected = apart + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_of(FeatureStatistics(one), FeatureStatistics(other)) == pytest.approx(expected, rel=1e-9)


def test_normal_distributions_along_axes_have_the_distance_of_their_deviations():
    """(3 - 1)^2 + (0.5 - 2)^2 + the means' squared distance 4."""
    samples = normal(200_000, 2, 0)
    one, other = samples * torch.tensor([3.0, 0.5]), normal(200_000, 2, 1) * torch.tensor([1.0, 2.0])
    assert frechet_of(FeatureStatistics(one + torch.tensor([2.0, 0.0])), FeatureStatistics(other)) == pytest.approx(
        4 + 2.25 + 4, rel=0.01
    )


def test_singular_covariances_give_0_for_equal_sets_and_no_complex_numbers():
    features = normal(50, 3, 0) @ normal(3, 40, 1)  # of rank 3
    both = FeatureStatistics(features)
    assert frechet_of(both, both) == pytest.approx(0, abs=1e-5)


def test_the_metric_over_batches_is_the_function_of_all():
    images = [torch.rand(count, 1, 8, 8, generator=seeded(count)) for count in (70, 90)]
    space = FeatureSpace("rows", lambda some: some.mean(dim=-1)[:, 0])
    metric = FrechetDistanceMetric(space)
    for some in images[0].split(11):
        metric(y_pred=some)
    for some in images[1].split(13):
        metric(y=some)
    result = metric.aggregate()
    assert result.value == pytest.approx(frechet_distance(space(images[0]), space(images[1])), rel=1e-9)
    assert (result.synthetic, result.real, result.space) == (70, 90, "rows")
    metric.reset()
    with pytest.raises(InputError, match="both sides"):
        metric.aggregate()


def test_fewer_images_than_features_are_refused_or_shrunk():
    metric = FrechetDistanceMetric(FeatureSpace("pixels", lambda some: some.flatten(1)))
    metric(*(torch.rand(20, 1, 8, 8, generator=seeded(seed)) for seed in (0, 1)))
    with pytest.raises(InputError, match="64 features"):
        metric.aggregate()
    metric.few = "shrink"
    assert 0 < metric.aggregate().value < 5


def test_the_jackknife_error_is_about_the_spread_over_repeated_patients():
    def draw(seed):
        patients = 0.7 * normal(25, 1, 1000 + seed)[:, None] + normal(25 * 6, 3, seed).view(25, 6, 3)
        return list(patients)

    results = [frechet_with_error([each + 0.8 for each in draw(2 * n)], draw(2 * n + 1), "none") for n in range(60)]
    spread = np.std([result.value for result in results])
    assert np.mean([result.standard_error for result in results]) == pytest.approx(spread, rel=0.25)
    groups = draw(0), draw(1)
    plain = frechet_distance(torch.cat(groups[0]), torch.cat(groups[1]))
    assert frechet_with_error(*groups, "none").value == pytest.approx(plain)


def test_one_group_has_no_error():
    with pytest.raises(InputError, match="two groups"):
        frechet_with_error([normal(9, 2, 0)], [normal(9, 2, 1)] * 2, "none")
