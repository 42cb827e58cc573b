"""Maps of cases, and which regions of the real ones are covered: where the gap was put, it is found."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from skimage.measure import block_reduce

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import coverage_and_density
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.echo.case_map import block_features, coverage_by_region, map_cases

#: Three clouds of real cases in 6 dimensions; the synthetic ones lie in two of them, and a few far from all.
CENTRES = 12 * torch.eye(6)[:3]


def cloud(centre: int, count: int, seed: int) -> torch.Tensor:
    return CENTRES[centre] + torch.randn(count, 6, generator=seeded(seed))


REAL = torch.cat((cloud(0, 90, 0), cloud(1, 60, 1), cloud(2, 40, 2)))
SYNTHETIC = torch.cat((cloud(0, 80, 3), cloud(2, 50, 4)))


@pytest.fixture(params=["umap", "pca"])
def method(request) -> str:
    if request.param == "umap":
        pytest.importorskip("umap", reason="the extra umap is not installed", exc_type=ImportError)
    return request.param


def test_clouds_stay_apart_on_the_map_and_a_seed_repeats_it(method):
    one, again = (map_cases(REAL, SYNTHETIC, method, seed=3) for _ in range(2))
    assert np.array_equal(one.real, again.real)
    assert (one.real.shape, one.synthetic.shape, one.method) == ((190, 2), (130, 2), method)
    middles = np.stack([one.real[:90].mean(0), one.real[90:150].mean(0), one.real[150:].mean(0)])
    nearest = ((one.synthetic[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == np.array([0] * 80 + [2] * 50)).mean() > 0.99


def test_pytorch_keeps_its_threads(method):
    torch.set_num_threads(3)
    try:
        map_cases(REAL, SYNTHETIC, method)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)


def test_the_region_that_no_synthetic_case_is_near_is_found(method):
    found = coverage_by_region(map_cases(REAL, SYNTHETIC, method), REAL, SYNTHETIC, regions=3)
    assert [(one.real, one.synthetic) for one in found.regions] == [(90, 80), (60, 0), (40, 50)]
    first, gap, last = found.regions
    assert gap.coverage == 0
    assert math.isnan(gap.density)
    assert min(first.coverage, last.coverage) > 0.8
    assert 0.6 < first.density < 1.6
    # The parts make up the whole, which is told by the features and not by the map.
    whole = coverage_and_density(REAL, SYNTHETIC)
    assert (found.coverage, found.density) == (whole.coverage, whole.density)
    assert sum(one.coverage * one.real for one in found.regions) == pytest.approx(190 * whole.coverage)
    assert (80 * first.density + 50 * last.density) / 130 == pytest.approx(whole.density)
    assert "| 2 | 60 | 0 | 0.00 | nan |" in found.table()
    assert found.table().count("\n") == 5


def test_pca_is_that_of_numpy():
    on_map = map_cases(REAL, SYNTHETIC, "pca", dims=3)
    both = torch.cat((REAL, SYNTHETIC)).double().numpy()
    variances = np.sort(np.linalg.eigvalsh(np.cov(both.T)))[::-1][:3]
    shown = np.cov(np.concatenate((on_map.real, on_map.synthetic)).T)
    np.testing.assert_allclose(shown, np.diag(variances), atol=1e-9 * variances[0])


def test_expected_coverage_is_that_of_samples_of_one_distribution():
    """Mean over 400 draws of two samples from one normal distribution, by simulation."""
    generator, shares = seeded(0), []
    for _ in range(400):
        real, other = (torch.randn(n, 2, generator=generator) for n in (60, 25))
        shares.append(coverage_and_density(real, other, k=3).coverage)
    found = coverage_by_region(map_cases(real, other, "pca"), real, other, regions=2, k=3)
    assert np.mean(shares) == pytest.approx(found.expected, abs=0.015)  # their standard error is 0.005


def test_blocks_are_those_of_scikit_image():
    image = torch.rand(2, 3, 16, 24, generator=seeded(0))
    expected = block_reduce(image.numpy(), (1, 1, 8, 8), np.mean).reshape(2, -1)
    np.testing.assert_allclose(block_features(image).numpy(), expected, rtol=1e-5)
    with pytest.raises(ShapeError, match="that 8 divides"):
        block_features(image[..., :20])


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"pip install 'monai_cardiacgen\[umap\]'"):
        map_cases(REAL, SYNTHETIC, "umap")


def test_wrong_input_is_refused():
    with pytest.raises(ShapeError, match="one D"):
        map_cases(REAL, SYNTHETIC[:, :5], "pca")
    with pytest.raises(InputError, match="tsne"):
        map_cases(REAL, SYNTHETIC, "tsne")
    with pytest.raises(InputError, match="more than 15 cases"):
        map_cases(REAL[:8], SYNTHETIC[:7], "umap")
    with pytest.raises(IntensityError, match="finite"):
        map_cases(REAL * float("nan"), SYNTHETIC, "pca")
    on_map = map_cases(REAL, SYNTHETIC, "pca")
    with pytest.raises(ShapeError, match="190 real and 130"):
        coverage_by_region(on_map, REAL[:100], SYNTHETIC)
    with pytest.raises(InputError, match="190"):
        coverage_by_region(on_map, REAL, SYNTHETIC, regions=191)
