from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.draw import polygon2mask

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom.apical_heart import POINTS, VIEWS, ChamberForm, outward
from monai_cardiacgen.phantom.apical_patient import draw_apical_heart
from monai_cardiacgen.seeding import seeded

SEEDS = range(12)
PHASES = (0.0, 1.0)


def disks(contour: torch.Tensor, number: int = 100) -> tuple[np.ndarray, float]:
    """Return the diameters in mm of a cavity's disks across its long axis, and the axis's length: as a reader does it.

    On a fine raster, from the middle of the base to the farthest point.
    """
    points = contour.numpy().astype(float)
    base = (points[0] + points[-1]) / 2
    apex = points[np.linalg.norm(points - base, axis=1).argmax()]
    length = float(np.linalg.norm(apex - base))
    axis = (apex - base) / length
    local = np.stack(((points - base) @ axis, (points - base) @ np.array([-axis[1], axis[0]])), axis=1)
    pixel = 0.1
    low = local.min(0) - 1
    mask = polygon2mask(tuple(np.ceil((local.max(0) + 1 - low) / pixel).astype(int)), (local - low) / pixel)
    rows = ((np.arange(number) + 0.5) / number * length - low[0]) / pixel
    return mask[rows.round().astype(int)].sum(1) * pixel, length


def biplane(heart, contraction: float) -> float:
    """Return Simpson's biplane volume in mL from the drawn contours."""
    (first, long), (second, longer) = (disks(heart.plane(view, contraction).endocardium) for view in VIEWS)
    return float(math.pi / 4 * (first * second).mean() * max(long, longer) / 1000)


@pytest.mark.parametrize("seed", SEEDS)
def test_volume_and_ejection_fraction_are_those_asked_for(seed: int):
    heart = draw_apical_heart(seeded(seed))
    relaxed, contracted = (biplane(heart, contraction) for contraction in PHASES)
    assert relaxed == pytest.approx(heart.volume, rel=0.06)
    assert 1 - contracted / relaxed == pytest.approx(heart.ejection_fraction, abs=0.03)


def test_the_cavity_shortens_the_wall_thickens_and_the_atrium_fills():
    for seed in SEEDS:
        heart = draw_apical_heart(seeded(seed))
        for view in VIEWS:
            relaxed, contracted = (heart.plane(view, contraction) for contraction in PHASES)
            ring = [plane.endocardium[[0, -1]].mean(0) for plane in (relaxed, contracted)]
            assert ring[1][1] < ring[0][1] - 1  # towards the probe
            for plane in (relaxed, contracted):
                torch.testing.assert_close(plane.endocardium[POINTS // 2], torch.zeros(2), atol=1.5, rtol=0)
            wall = [(plane.epicardium - plane.endocardium).norm(dim=1) for plane in (relaxed, contracted)]
            assert (wall[1] > wall[0]).all()
            roof = [plane.left_atrium[:, 1].max() for plane in (relaxed, contracted)]
            assert roof[0] == pytest.approx(float(roof[1]), abs=3.0)
            assert roof[0] > ring[0][1] + 25


def test_the_right_heart_is_left_of_the_septum_in_four_chambers_only():
    heart = draw_apical_heart(seeded(1))
    two, four = (heart.plane(view, 0.0) for view in VIEWS)
    assert two.right_ventricle is None
    assert two.right_atrium is None
    assert four.right_ventricle[:, 0].mean() < four.epicardium[: POINTS // 2, 0].mean()
    assert four.right_atrium[:, 1].mean() > four.right_ventricle[:, 1].mean()
    assert four.right_atrium[:, 0].mean() < four.left_atrium[:, 0].mean()


def test_the_leaflets_meet_inside_the_cavity():
    plane = draw_apical_heart(seeded(2)).plane("4CH", 0.0)
    first, second = plane.leaflets
    torch.testing.assert_close(first[-1], second[-1])
    torch.testing.assert_close(first[0], plane.endocardium[0])
    torch.testing.assert_close(second[0], plane.endocardium[-1])
    assert first[-1, 1] < plane.endocardium[[0, -1], 1].mean()


def test_an_ellipse_is_an_ellipse():
    form = ChamberForm(widest=0.4, fullness=2.0, lean=0.0, bend=0.0, waves=torch.zeros(2, 2))
    contour = form.contour(torch.tensor([-10.0, 60.0]), torch.tensor([10.0, 60.0]), 60.0, 20.0)
    upper = contour[contour[:, 1] < 36]  # beyond the greatest width, which lies at 0.4 of the length
    residual = (upper[:, 0] / 20) ** 2 + ((upper[:, 1] - 36) / 36) ** 2
    torch.testing.assert_close(residual, torch.ones(len(upper)), atol=1e-4, rtol=0)


def test_normals_of_a_half_circle_are_radial():
    angle = torch.linspace(math.pi, 2 * math.pi, 50)
    circle = torch.stack((angle.cos(), angle.sin()), dim=1)  # left, top of the screen, right
    torch.testing.assert_close(outward(circle)[1:-1], circle[1:-1], atol=1e-4, rtol=0)


def test_another_view_is_refused():
    with pytest.raises(InputError, match="'3CH'"):
        draw_apical_heart(seeded(0)).plane("3CH", 0.0)
