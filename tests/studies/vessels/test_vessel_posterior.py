"""The mean of accepted vessels, on procedural patches."""

from __future__ import annotations

import math

import torch
from vessel_patches import SPACING, patch

from monai_cardiacgen.inferers import PatchPosterior
from monai_cardiacgen.studies.vessels.masked_vessels import mask_vessels, score_vessel
from monai_cardiacgen.studies.vessels.vessel_posterior import moved_by, vessel_posterior


def test_whole_pixels_are_moved_as_they_are():
    images = torch.rand(2, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    moved = moved_by(images, torch.tensor([[1.0, -2.0], [0.0, 0.5]]))
    torch.testing.assert_close(moved[0, :, 1:, :-2], images[0, :, :-1, 2:])
    torch.testing.assert_close(moved[1, :, :, 1:], (images[1, :, :, 1:] + images[1, :, :, :-1]) / 2)


def test_it_is_nearer_than_its_patches_are_on_average():
    case = mask_vessels([patch(0)], 64, SPACING, each=1)[0]
    # Places of the vessel vary by 2 pixels of what lies round it, which nothing tells.
    others = torch.stack([patch(number)["image"][:, 8:72, 8:72] for number in range(10, 50)])
    found = vessel_posterior(PatchPosterior(others, accepted=16, reach=8), case)
    assert torch.equal(found.image[:, ~case.mask], case.image[:, ~case.mask])
    assert int(found.clear.sum()) == 8
    score = score_vessel(found.image, case)
    assert score.clear
    away = [math.dist(centre, case.centre) * SPACING for centre in found.centres.tolist()]
    assert score.position < sum(away) / len(away)
    assert abs(score.perimeter) < 2 * math.pi * 1.5  # radii are 11 to 13 mm


def test_hidden_pixels_are_not_looked_at():
    case = mask_vessels([patch(0)], 64, SPACING, each=1)[0]
    blind = case.__class__(**{**vars(case), "image": case.image.masked_fill(case.mask, 0.0)})
    posterior = PatchPosterior(torch.stack([patch(n)["image"][:, 8:72, 8:72] for n in range(10, 20)]), 4, reach=2)
    found, other = (vessel_posterior(posterior, one).image[:, case.mask] for one in (case, blind))
    assert torch.equal(found, other)
