"""Moments of hearts against scikit-image's, and what has none is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.measure import regionprops

from monai_cardiacgen.anatomy.label_moments import check_is_heart, heart_mask, label_moments
from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR
from monai_cardiacgen.errors import LabelError, ShapeError, SpacingError


def ellipse(centre, axes, angle, size=(60, 70)) -> torch.Tensor:
    """One structure within another, `(H, W)`: the longer axis at `angle` from the first image axis to the second."""
    i, j = torch.meshgrid(*(torch.arange(side) - (side - 1) / 2 for side in size), indexing="ij")
    i, j = i - centre[0], j - centre[1]
    along, beside = i * math.cos(angle) + j * math.sin(angle), j * math.cos(angle) - i * math.sin(angle)
    radius = (along / axes[0]) ** 2 + (beside / axes[1]) ** 2
    return (radius <= 1).to(torch.int64) * 2 - (radius <= 0.3).to(torch.int64)


@pytest.mark.parametrize("seed", range(4))
def test_moments_are_those_of_scikit_image(seed):
    rng = np.random.default_rng(seed)
    label = ellipse(rng.uniform(-8, 8, 2), rng.uniform((12, 6), (20, 10)), rng.uniform(0, math.pi))
    moments = label_moments(label[None], CAMUS, (2.0, 2.0))
    (region,) = regionprops((label > 0).numpy().astype(int))
    assert float(moments.area) == pytest.approx(4 * region.area)
    middle = (np.array(label.shape) - 1) / 2
    np.testing.assert_allclose(moments.centre[0], 2 * (np.array(region.centroid) - middle), atol=1e-9)
    away = (float(moments.angle) - region.orientation) % math.pi  # an axis has no direction
    assert min(away, math.pi - away) < 1e-6


def test_angle_is_one_in_space_not_in_pixels():
    """The same heart on a grid of other spacing lies at the same place, at the same angle."""
    fine = ellipse((5.0, -4.0), (20, 9), 0.7, size=(80, 80))
    coarse = fine[:, ::2]  # its columns lie half a fine pixel before those of its own grid
    one = label_moments(fine[None], CAMUS, (1.0, 1.0))
    other = label_moments(coarse[None], CAMUS, (1.0, 2.0))
    assert float(one.angle) == pytest.approx(float(other.angle), abs=0.02)
    assert float(one.area) == pytest.approx(float(other.area), rel=0.02)
    torch.testing.assert_close(one.centre, other.centre + torch.tensor([[0.0, -0.5]]), atol=0.15, rtol=0)


def test_angles_half_a_turn_apart_are_near_each_other():
    labels = torch.stack([ellipse((0, 0), (20, 9), angle) for angle in (-0.1, 0.0, 0.1)])
    moments = label_moments(labels, CAMUS, (1.0, 1.0))
    upright = moments.upright()
    assert min(upright, math.pi - upright) < 0.01
    angles = moments.points(upright)[:, 3]
    torch.testing.assert_close(
        angles - angles[1], torch.tensor([-0.1, 0.0, 0.1], dtype=torch.float64), atol=0.01, rtol=0
    )


def test_points_hold_the_side_of_a_square_of_the_area():
    points = label_moments(ellipse((3, 1), (20, 9), 0.4)[None], CAMUS, (1.5, 1.5)).points(0.0)
    assert float(points[0, 2].exp()) == pytest.approx(1.5 * math.sqrt(math.pi * 20 * 9), rel=0.01)


def test_ultrasound_sector_is_no_heart():
    label = ellipse((3, 1), (20, 9), 0.4)[None]
    in_sector = torch.where(label == 0, CAMUS_SECTOR.code("ultrasound sector"), label)
    assert torch.equal(heart_mask(in_sector, CAMUS_SECTOR), label > 0)
    alone, within = label_moments(label, CAMUS, (1, 1)), label_moments(in_sector, CAMUS_SECTOR, (1, 1))
    assert float(alone.angle) == float(within.angle)


def test_shape_models_want_the_heart_alone():
    check_is_heart(CAMUS)
    with pytest.raises(LabelError, match="SectorProposal"):
        check_is_heart(CAMUS_SECTOR)


def test_what_has_no_moments_is_refused():
    good = ellipse((0, 0), (20, 9), 0.0)
    empty, line = torch.zeros_like(good), torch.zeros_like(good)
    line[10:40, 20] = 1
    disc = ellipse((0, 0), (15, 15), 0.0)
    for bad, said in ((empty, "none in rows \\[1\\]"), (line, "lines"), (disc, "round")):
        with pytest.raises(LabelError, match=said):
            label_moments(torch.stack([good, bad]), CAMUS, (1, 1))
    with pytest.raises(LabelError, match="codes"):
        label_moments(good[None] + 7, CAMUS, (1, 1))
    with pytest.raises(ShapeError, match="slice by slice"):
        label_moments(good, CAMUS, (1, 1))
    with pytest.raises(SpacingError, match="2 positive"):
        label_moments(good[None], CAMUS, (1, 0))
