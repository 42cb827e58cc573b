from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.phantom.apical_heart import POINTS
from monai_cardiacgen.phantom.scatterers import DENSITY, Scatterers, draw_field, draw_surface, draw_wall, joined
from monai_cardiacgen.seeding import seeded


def arc(radius: float) -> torch.Tensor:
    """Return half a circle round the origin, left over the screen's top to the right `(POINTS, 2)`."""
    angle = torch.linspace(math.pi, 2 * math.pi, POINTS)
    return radius * torch.stack((angle.cos(), angle.sin()), dim=1)


def test_a_field_fills_its_box_with_unit_power_a_square_millimetre():
    field = draw_field((-20.0, 10.0), (30.0, 40.0), seeded(0))
    assert len(field.points) == 50 * 30 * DENSITY
    assert field.points.min(0).values.tolist() == pytest.approx([-20, 10], abs=0.1)
    assert field.points.max(0).values.tolist() == pytest.approx([30, 40], abs=0.1)
    assert float((field.amplitude**2).sum() / (50 * 30)) == pytest.approx(1, rel=0.05)


def test_the_walls_scatterers_are_uniform_between_its_borders():
    wall = draw_wall(arc(20.0), arc(30.0), seeded(1))
    assert len(wall.amplitude) == pytest.approx(math.pi / 2 * (30**2 - 20**2) * DENSITY, rel=0.01)
    radius = wall.at(arc(20.0), arc(30.0)).points.norm(dim=1)
    assert float(radius.min()) > 19.9
    assert float(radius.max()) < 30.1
    for inside in (22.0, 25.0, 28.0):  # the area within a radius grows with its square
        share = (inside**2 - 20**2) / (30**2 - 20**2)
        assert float((radius < inside).float().mean()) == pytest.approx(share, abs=0.02)


def test_the_walls_scatterers_move_with_it():
    wall = draw_wall(arc(20.0), arc(30.0), seeded(2))
    before, after = wall.at(arc(20.0), arc(30.0)), wall.at(arc(10.0), arc(25.0))
    assert (before.amplitude == after.amplitude).all()
    depth = (before.points.norm(dim=1) - 20) / 10
    torch.testing.assert_close(after.points.norm(dim=1), 10 + 15 * depth, atol=0.05, rtol=0)
    directions = [torch.nn.functional.normalize(part.points, dim=1) for part in (before, after)]
    assert float((directions[0] * directions[1]).sum(1).min()) > 0.999


def test_a_surface_reflects_most_where_it_faces_the_probe():
    across = torch.tensor([[-10.0, 80.0], [10.0, 80.0]])
    along = torch.tensor([[0.0, 70.0], [0.0, 90.0]])

    def power(line: torch.Tensor) -> float:
        surfaces = [draw_surface(line, 6.0, 0.5, 0.2, seeded(seed)) for seed in range(20)]
        return sum(float((surface.amplitude**2).mean()) for surface in surfaces) / 20

    # The floor is 0.2 of the amplitude. Both lines have the same seeds, so the same patches.
    assert power(along) / power(across) == pytest.approx(0.2**2, rel=0.1)


def test_a_higher_level_is_louder_by_so_many_decibels():
    line = torch.tensor([[-10.0, 80.0], [10.0, 80.0]])
    quiet, loud = (draw_surface(line, level, 0.5, 0.2, seeded(3)).amplitude for level in (0.0, 6.0))
    torch.testing.assert_close(loud / quiet, torch.full_like(loud, 10 ** (6 / 20)), rtol=1e-4, atol=0)


def test_joining_keeps_every_scatterer():
    parts = [Scatterers(torch.ones(number, 2), torch.ones(number)) for number in (2, 3)]
    assert joined(parts).points.shape == (5, 2)
    assert joined(parts).amplitude.shape == (5,)
