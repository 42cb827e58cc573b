from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.phantom.outline import (
    ANGLES,
    Outline,
    coverage,
    distances,
    draw_texture,
    draw_waves,
    ellipse,
    smooth_minimum,
)
from monai_cardiacgen.seeding import seeded

GRID = torch.arange(-60, 60.5, 1.0)


def test_circle_has_its_distance_and_area():
    circle = Outline(torch.tensor([[5.0, -3.0]]), torch.full((1, ANGLES), 30.0))
    distance = circle.distance(GRID, GRID)[0]
    expected = torch.hypot(GRID[None, :] - 5, GRID[:, None] + 3) - 30
    torch.testing.assert_close(distance, expected, atol=1e-4, rtol=0)
    assert coverage(distance, 1.0).sum().item() == pytest.approx(math.pi * 30**2, rel=2e-3)


def test_turned_ellipse_has_its_equation_and_area():
    turn = 0.7
    outline = ellipse(torch.zeros(1, 2), torch.tensor([[40.0, 20.0]]), turn)
    inside = outline.distance(GRID, GRID)[0] < 0
    x, y = GRID[None, :], GRID[:, None]
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    expected = (along / 40) ** 2 + (across / 20) ** 2 < 1
    assert (inside != expected).float().sum() <= 10
    assert outline.grown(3).radius.min() == pytest.approx(23, abs=0.01)


def test_a_plane_that_misses_the_structure_is_empty():
    outline = ellipse(torch.zeros(2, 2), torch.tensor([[10.0, 5.0], [-1.0, 5.0]]), 0.0)
    covered = coverage(outline.distance(GRID, GRID), 1.0).sum((1, 2))
    assert covered[0] > 100
    assert covered[1] == 0


def test_shared_centre_gives_the_same_distances():
    small = ellipse(torch.tensor([[2.0, 1.0]]), torch.tensor([[20.0, 12.0]]), 0.3)
    both = distances((small, small.grown(4)), GRID, GRID)
    assert torch.equal(both[0], small.distance(GRID, GRID))
    torch.testing.assert_close(both[0] - both[1], torch.full_like(both[0], 4.0), atol=1e-4, rtol=0)


def test_smooth_minimum_rounds_only_where_both_are_near():
    first, second = torch.tensor([0.0, 0.0, 9.0]), torch.tensor([0.0, 20.0, -1.0])
    found = smooth_minimum(first, second, 8.0)
    assert found.tolist() == [-2.0, 0.0, -1.0]


def test_waves_have_their_orders_and_size():
    waves = torch.stack([draw_waves(seeded(seed), (2, 5), 0.1) for seed in range(200)])
    spectrum = torch.fft.rfft(waves).abs().mean(0)
    assert sorted(spectrum.topk(2).indices.tolist()) == [2, 5]
    assert waves.std().item() == pytest.approx(0.1, rel=0.15)


def test_texture_has_unit_variance_and_its_grain():
    fine = draw_texture(seeded(0), (3, 80, 90), (1, 3, 3))
    coarse = draw_texture(seeded(0), (3, 80, 90), (2, 12, 12))
    assert fine.shape == coarse.shape == (3, 80, 90)
    for texture in (fine, coarse):
        assert texture.std().item() == pytest.approx(1, abs=1e-3)
    assert coarse.diff(dim=2).std() < 0.5 * fine.diff(dim=2).std()
    assert torch.equal(fine, draw_texture(seeded(0), (3, 80, 90), (1, 3, 3)))
