"""Masks that hide the vessel without telling where it is, and scores that tell how far off a vessel is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from vessel_patches import SPACING, disc, patch, without_truth

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.vessels.masked_vessels import find_circle, mask_vessels, score_vessel, similarity_in_mask

PATCHES = [patch(number) for number in range(12)]


def cases(**settings):
    return mask_vessels(PATCHES, 64, SPACING, **settings)


def test_every_patient_gives_as_many_patches_and_the_seed_repeats_them():
    first, again, other = cases(seed=3), cases(seed=3), cases(seed=4)
    assert [one.patient for one in first] == [f"patient{number // 2}" for number in range(12)]
    assert all(torch.equal(one.image, same.image) for one, same in zip(first, again, strict=True))
    assert any(not torch.equal(one.image, same.image) for one, same in zip(first, other, strict=True))
    assert len(cases(each=1)) == 6


def test_the_mask_holds_the_vessel_but_its_middle_is_not_the_vessels():
    found = cases(each=2, jitter=2)
    for case in found:
        vessel = disc(64, case.centre, case.radius / SPACING) > 0
        assert case.mask.sum() == 25 * 25
        assert bool(case.mask[vessel].all())
        assert torch.nonzero(case.mask).double().mean(dim=0).tolist() == pytest.approx(case.middle)
    away = [math.dist(case.middle, case.centre) for case in found]
    assert min(away) < 1.5 < max(away) <= math.hypot(2.5, 2.5)


def test_the_window_moves_and_the_truth_with_it():
    corners = {case.corner for case in cases()}
    assert len(corners) > 8
    for case in cases():
        near = find_circle(case.image, case)
        assert math.dist(near.centre, case.centre) * SPACING < 1
        assert abs(near.radius - case.radius) < 1.5


def test_without_a_truth_the_tracked_circle_stands_for_it():
    one = without_truth(PATCHES[0])
    (case,) = mask_vessels([one], 64, SPACING, each=1)
    assert case.radius == one["radius"]


def test_a_window_larger_than_the_patch_is_refused():
    with pytest.raises(InputError, match="96 pixels"):
        mask_vessels(PATCHES, 96, SPACING)


@pytest.mark.parametrize("moved", [(0.0, 0.0), (2.0, 0.0), (-1.0, 2.0)])
@pytest.mark.parametrize("wider", [0.0, 3.0])
def test_a_moved_and_widened_vessel_is_measured_as_drawn(moved, wider):
    case = cases()[0]
    centre = (case.centre[0] + moved[0], case.centre[1] + moved[1])
    drawn = (0.3 + 0.5 * disc(64, centre, (case.radius + wider) / SPACING))[None]
    plain = (0.3 + 0.5 * disc(64, case.centre, case.radius / SPACING))[None]
    score, alone = score_vessel(drawn, case), score_vessel(plain, case)
    assert score.position == pytest.approx(SPACING * math.hypot(*moved), abs=0.8)
    assert score.perimeter - alone.perimeter == pytest.approx(2 * math.pi * wider, abs=3)
    assert score.clear


def test_the_real_image_has_no_difference_and_an_empty_one_no_clear_circle():
    case = cases()[0]
    same, empty = score_vessel(case.image, case), score_vessel(torch.full((1, 64, 64), 0.3), case)
    assert (same.l1, same.ssim) == (0, pytest.approx(1))
    assert same.clear
    assert not empty.clear
    assert empty.l1 == pytest.approx(float((case.image - 0.3)[0][case.mask].abs().mean()))
    assert empty.perimeter == pytest.approx(-2 * math.pi * case.radius)


def test_similarity_is_scikit_images_over_the_mask():
    case = cases()[0]
    other = (case.image + 0.1 * torch.rand(1, 64, 64)).clamp(0, 1)
    _, whole = structural_similarity(
        other[0].double().numpy(),
        case.image[0].double().numpy(),
        data_range=1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    rows, columns = np.nonzero(case.mask.numpy())
    assert similarity_in_mask(other, case) == pytest.approx(whole[rows, columns].mean())
