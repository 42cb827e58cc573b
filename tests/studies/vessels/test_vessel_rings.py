"""Circles of drawn discs."""

from __future__ import annotations

import pytest
import torch
from vessel_patches import SPACING, disc

from monai_cardiacgen.studies.vessels.vessel_rings import strongest_rings

PLACES = [((30.0, 33.0), 9.0), ((33.5, 28.0), 11.5), ((31.0, 31.5), 14.0)]


def test_discs_are_found_where_they_are():
    images = torch.stack([0.2 + 0.5 * disc(64, centre, radius / SPACING) for centre, radius in PLACES])
    centres, radii, strengths = strongest_rings(images, (31.3, 31.8), SPACING)
    for number, (centre, radius) in enumerate(PLACES):
        assert centres[number].tolist() == pytest.approx(centre, abs=0.5)
        assert radii[number].item() == pytest.approx(radius, abs=1)
    assert ((strengths > 0.35) & (strengths < 0.51)).all()


def test_dark_discs_and_distant_ones_are_no_vessels():
    near, far = disc(64, (31, 31), 5.5), disc(64, (45, 31), 5.5)
    centres, _, strengths = strongest_rings(torch.stack([near + 2 * far, 1 - near]), (31, 31), SPACING)
    assert centres[0].tolist() == pytest.approx((31, 31), abs=0.5)
    assert strengths[1] < 0.5 * strengths[0]


def test_an_image_does_not_depend_on_the_others():
    images = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    whole = strongest_rings(images, (30, 34), SPACING)
    alone = strongest_rings(images[1:2], (30, 34), SPACING)
    for one, other in zip(whole, alone, strict=True):
        torch.testing.assert_close(one[1:2], other)
