"""Planted vessels have the size that was asked for, and known pixels stay."""

from __future__ import annotations

import pytest
import torch
from vessel_patches import SPACING, disc, patch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers.latent_descent import Descent
from monai_cardiacgen.inferers.searched_image import SearchedImage
from monai_cardiacgen.studies.vessels.masked_vessels import MaskedVessel, find_circle, mask_vessels
from monai_cardiacgen.studies.vessels.planted_vessels import area_under_curve, patch_score, plant, room_to_grow


@pytest.fixture
def case() -> MaskedVessel:
    return mask_vessels([patch(1, noise=0)], 64, SPACING, each=1, jitter=0)[0]


@pytest.mark.parametrize("by", [-5.0, -3.0, 3.0, 5.0])
def test_the_planted_vessel_is_wider_by_what_was_asked_for(case, by):
    planted, before = find_circle(plant(case, by), case), find_circle(case.image, case)
    assert planted.radius - before.radius == pytest.approx(by, abs=0.8)
    assert planted.centre == pytest.approx(before.centre, abs=0.3)


def test_the_area_of_the_bright_pixels_grows_as_the_circles(case):
    wide = (plant(case, 4.0)[0] > 0.62).sum() * SPACING**2  # the spine has 0.6
    assert float(wide) == pytest.approx(torch.pi * (case.radius + 4) ** 2, rel=0.1)


def test_known_pixels_stay_and_nothing_planted_changes_nothing(case):
    for by in (-4.0, 0.0, 6.0):
        assert torch.equal(plant(case, by)[:, ~case.mask], case.image[:, ~case.mask])
    assert torch.allclose(plant(case, 0.0), case.image, atol=1e-5)


def test_vessels_beyond_the_mask_or_without_a_lumen_are_refused(case):
    assert room_to_grow(case) == pytest.approx(25 - case.radius, abs=1.1)
    for by in (room_to_grow(case), -case.radius):
        with pytest.raises(InputError, match="radius of more than 0"):
            plant(case, by)


def test_the_score_is_a_high_percentile_of_the_z_scores_in_the_mask(case):
    latents = torch.zeros(2, 3)
    descent = Descent(
        latents, torch.tensor([1.0, 2.0]), torch.zeros(2, 1), torch.ones(2), torch.zeros(2, 1, 3), latents
    )
    healthy = (0.3 + 0.5 * disc(64, case.centre, case.radius / SPACING))[None]
    images = torch.stack([torch.where(case.mask, healthy, case.image)] * 2)
    found = SearchedImage.from_starts(case.image, case.mask, images, images + 0.1, descent, 0.01)
    away = (plant(case, 5.0) - healthy).abs()[0][case.mask] / 0.1
    assert patch_score(found, plant(case, 5.0)) == pytest.approx(float(away.double().quantile(0.9)), rel=1e-4)
    assert patch_score(found, case.image) < patch_score(found, plant(case, 3.0)) < patch_score(found, plant(case, 6.0))


def test_the_area_is_the_share_of_pairs_in_order():
    healthy, planted = [0.1, 0.5, 0.4, 0.3], [0.45, 0.2, 0.9]
    pairs = [(one, other) for one in healthy for other in planted]
    assert area_under_curve(healthy, planted) == pytest.approx(sum(one < other for one, other in pairs) / len(pairs))
