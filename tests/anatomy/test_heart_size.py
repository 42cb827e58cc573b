"""Sizes of hearts, against discs and balls of known radius."""

from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.anatomy.heart_size import measure_hearts, share_of
from monai_cardiacgen.anatomy.labels import LabelScheme, Structure
from monai_cardiacgen.anatomy.schemes import ACDC, LV_CAVITY, MYOCARDIUM, RV_CAVITY
from monai_cardiacgen.errors import LabelError, SpacingError


def rings(spacing: float, dims: int = 2, cavity: float = 20.0, wall: float = 9.0) -> torch.Tensor:
    side = int(80 / spacing)
    axis = (torch.arange(side) - (side - 1) / 2) * spacing
    grid = torch.meshgrid(*[axis] * dims, indexing="ij")
    away = sum(one**2 for one in grid).sqrt()
    label = torch.zeros([side] * dims, dtype=torch.int64)
    label[away < cavity + wall] = 2
    label[away < cavity] = 3
    return label[None]


@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.0])
def test_a_ring_has_its_area_and_thickness(spacing):
    sizes = measure_hearts(rings(spacing), ACDC, (spacing, spacing))
    assert float(sizes["cavity area"]) == pytest.approx(math.pi * 400, rel=0.02)
    assert float(sizes["wall thickness"]) == pytest.approx(9.0, abs=0.25 * spacing)
    assert float(sizes[share_of(LV_CAVITY)]) == pytest.approx(400 / 29**2, rel=0.03)
    assert float(sizes[share_of(RV_CAVITY)]) == 0


def test_a_ball_has_its_volume_in_millilitres():
    sizes = measure_hearts(rings(1.0, dims=3), ACDC, (1.0, 1.0, 1.0))
    assert float(sizes["cavity volume"]) == pytest.approx(4 / 3 * math.pi * 8, rel=0.01)
    assert "wall thickness" not in sizes


def test_shares_add_up_and_an_empty_map_has_none():
    label = torch.randint(0, 4, (3, 9, 9), generator=torch.Generator().manual_seed(0))
    label[2] = 0
    sizes = measure_hearts(label, ACDC, (1.0, 1.0))
    total = sum(sizes[share_of(name)] for name in ACDC.names[1:])
    torch.testing.assert_close(total[:2], torch.ones(2))
    assert bool(total[2].isnan())
    assert float(sizes["cavity area"][2]) == 0


def test_what_a_scheme_lacks_is_not_measured():
    only_wall = LabelScheme("wall", (Structure(MYOCARDIUM, 2, (0, 1, 0)),))
    assert set(measure_hearts(torch.full((1, 4, 4), 2), only_wall, (1, 1))) == {share_of(MYOCARDIUM)}


def test_bad_input_is_refused():
    with pytest.raises(LabelError):
        measure_hearts(torch.full((1, 4, 4), 9), ACDC, (1, 1))
    with pytest.raises(SpacingError):
        measure_hearts(torch.zeros(1, 4, 4, dtype=torch.int64), ACDC, (1, 1, 1))
