"""Multi-scale structural similarity of pairs: scikit-image's numbers, and the ends of the scale."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import pair_similarity
from monai_cardiacgen.seeding import seeded


def smooth(count: int, side: int, seed: int) -> torch.Tensor:
    coarse = torch.rand(count, 1, side // 4, side // 4, generator=seeded(seed))
    return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")


def test_one_scale_is_the_structural_similarity_of_scikit_image():
    images = smooth(2, 20, 0)  # too small for a second scale
    images[1] = 0.7 * images[0] + 0.3 * images[1]
    found = pair_similarity(images, seeded(0))
    one, other = (image[0].double().numpy() for image in images)
    _, full = structural_similarity(
        one, other, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    assert found.scales == 1
    assert found.mean == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-5)  # windows that lie inside


@pytest.mark.parametrize(("side", "scales"), [(11, 1), (21, 1), (22, 2), (44, 3), (96, 3), (99, 4), (176, 5)])
def test_as_many_scales_as_the_image_has_room_for(side, scales):
    images = torch.rand(2, 1, side, side, generator=seeded(0))
    found = pair_similarity(torch.cat([images[:1], images[:1]]), seeded(0))
    assert found.scales == scales
    assert found.mean == pytest.approx(1, abs=1e-4)


def test_images_that_are_alike_have_more_than_images_that_differ():
    base, other = smooth(1, 64, 0), smooth(40, 64, 1)
    alike = pair_similarity((base + 0.1 * other).clamp(0, 1), seeded(0))
    differ = pair_similarity(other, seeded(0))
    assert alike.mean > 0.8 > 0.4 > differ.mean
    assert len(differ.values) == 20


def test_pairs_of_one_patient_are_left_out():
    images = torch.cat([smooth(1, 32, 0).expand(10, -1, -1, -1), smooth(1, 32, 1).expand(10, -1, -1, -1)])
    patients = torch.arange(20) // 10
    mixed, between = (pair_similarity(images, seeded(0), groups) for groups in (None, patients))
    assert float(mixed.values.max()) > 0.99
    assert np.allclose(between.values, float(between.values[0]))
    assert float(between.values.max()) < 0.9
    with pytest.raises(InputError, match="two groups"):
        pair_similarity(images[:10], seeded(0), patients[:10])


def test_bad_images_are_refused():
    with pytest.raises(ShapeError, match="at least 11"):
        pair_similarity(torch.zeros(2, 1, 8, 32), seeded(0))
    with pytest.raises(IntensityError, match="images"):
        pair_similarity(torch.full((2, 1, 16, 16), torch.nan), seeded(0))
