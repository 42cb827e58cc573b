from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.phantom.solids import FAR, beyond, draw_ripple, ellipsoid, union, vessel, vessels_surface
from monai_cardiacgen.phantom.volume_grid import axial_grid
from monai_cardiacgen.seeding import seeded

GRID = axial_grid((60, 60, 60), (1.0, 1.0, 1.0))
POINTS = GRID.points()


def test_an_ellipsoid_has_its_volume_and_is_a_distance_near_the_surface():
    surface = ellipsoid(POINTS, (2.0, -1.0, 0.0), (20.0, 12.0, 15.0))
    assert float((surface < 0).sum()) == pytest.approx(4 / 3 * math.pi * 20 * 12 * 15, rel=0.01)
    ball = ellipsoid(POINTS, (0.0, 0.0, 0.0), (14.0, 14.0, 14.0))
    near = ball.abs() < 2
    torch.testing.assert_close(ball[near], (POINTS.norm(dim=0) - 14)[near], atol=1e-3, rtol=0)


def test_a_vessel_is_a_capsule():
    tube = vessel(((-10.0, 0.0, 0.0), (10.0, 0.0, 0.0)), (6.0, 6.0))
    surface = tube.surface(GRID, POINTS)
    assert float((surface < 0).sum()) == pytest.approx(math.pi * 36 * 20 + 4 / 3 * math.pi * 216, rel=0.02)
    assert float(surface.max()) == FAR
    wall = (tube.grown(2.0).surface(GRID, POINTS) < 0).sum()
    assert float(wall) == pytest.approx(math.pi * 64 * 20 + 4 / 3 * math.pi * 512, rel=0.04)


def test_a_bent_vessel_goes_through_its_points():
    points = ((-20.0, 0.0, 0.0), (0.0, 12.0, 5.0), (18.0, 0.0, -5.0))
    tube = vessel(points, (3.0, 4.0, 5.0))
    for point in points:
        assert float((tube.line - torch.tensor(point)).norm(dim=1).min()) < 2.6  # pieces of at most 5 mm
    assert len(tube.until(0.5).line) == round(0.5 * len(tube.line))
    assert tube.radius[0] == 3
    assert tube.radius[-1] == 5


def test_vessels_as_one_are_the_union_of_each():
    tubes = [vessel(((-9.0, y, 0.0), (9.0, y, 3.0)), (4.0, 6.0)) for y in (-10.0, 8.0)]
    torch.testing.assert_close(
        vessels_surface(tubes, GRID, POINTS), union(tube.surface(GRID, POINTS) for tube in tubes)
    )


def test_a_plane_has_signed_distances():
    normal = torch.tensor((0.6, 0.0, 0.8))
    surface = beyond(POINTS, torch.tensor((1.0, 2.0, 3.0)), normal)
    torch.testing.assert_close(surface, 0.6 * (POINTS[0] - 1) + 0.8 * (POINTS[2] - 3), atol=1e-4, rtol=0)


def test_a_blended_union_only_adds():
    balls = [ellipsoid(POINTS, (x, 0.0, 0.0), (9.0, 9.0, 9.0)) for x in (-8.0, 8.0)]
    assert bool((union(balls, 6.0) <= union(balls)).all())
    assert int((union(balls, 6.0) < 0).sum()) > int((union(balls) < 0).sum())


def test_a_ripple_is_smooth_of_unit_variance_and_the_same_on_every_grid():
    ripple = draw_ripple(seeded(1), (45.0, 90.0), count=24)
    wide = axial_grid((60, 60, 60), (10.0, 10.0, 10.0))
    assert float(ripple(wide.points()).std()) == pytest.approx(1.0, abs=0.15)
    fine = ripple(POINTS)
    assert float(fine.diff(dim=0).abs().max()) < 0.6  # a wave of 45 mm rises by 0.14 a mm
    coarse = axial_grid((30, 30, 30), (2.0, 2.0, 2.0), (-0.5, -0.5, 0.5))
    every_second = ripple(coarse.points())
    torch.testing.assert_close(GRID.points()[:, 1::2, 1::2, 1::2], coarse.points(), atol=2.1, rtol=0)
    at = GRID.index(coarse.points().flatten(1).T).round().long()
    torch.testing.assert_close(fine[tuple(at.T)], every_second.flatten(), atol=0.2, rtol=0)
