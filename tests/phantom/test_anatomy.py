from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.phantom.anatomy import GROUPS, Heart, draw_heart
from monai_cardiacgen.phantom.outline import ANGLES
from monai_cardiacgen.seeding import seeded

SEEDS = range(12)
GRID = torch.arange(-110, 110, 1.5)


def heights(heart: Heart, contraction: float, shares: tuple[float, ...] = (1 / 6, 1 / 2, 5 / 6)) -> torch.Tensor:
    base = heart.base(contraction)
    return base + (heart.length - base) * torch.tensor(shares)


def areas(heart: Heart, contraction: float) -> torch.Tensor:
    """Return mm2 of cavity, wall and right ventricle `(3, Z)` at three heights."""
    z = heights(heart, contraction)
    endocardium, epicardium = heart.left_ventricle(z, contraction)
    inner, outer, right = (
        outline.distance(GRID, GRID) < 0 for outline in (endocardium, epicardium, heart.right_ventricle(z, contraction))
    )
    parts = (inner, outer & ~inner, right & ~outer)
    return torch.stack([part.sum((1, 2)) for part in parts]) * 1.5**2


def mean_areas(group: str, contraction: float) -> torch.Tensor:
    return torch.stack([areas(draw_heart(group, 0.2, seeded(seed)), contraction) for seed in SEEDS]).mean(0)


@pytest.fixture(scope="module")
def relaxed() -> dict[str, torch.Tensor]:
    return {group: mean_areas(group, 0.0) for group in GROUPS}


@pytest.fixture(scope="module")
def contracted() -> dict[str, torch.Tensor]:
    return {group: mean_areas(group, 1.0) for group in GROUPS}


@pytest.mark.parametrize("group", GROUPS)
def test_contraction_shrinks_the_cavities_thickens_the_wall_and_lowers_the_base(group: str):
    for seed in SEEDS:
        heart = draw_heart(group, 0.0, seeded(seed))
        wall = []
        for contraction in (0.0, 1.0):
            endocardium, epicardium = heart.left_ventricle(heights(heart, contraction), contraction)
            wall.append((epicardium.radius - endocardium.radius).mean(1))
        assert (wall[1] > wall[0]).all()
        before, after = areas(heart, 0.0), areas(heart, 1.0)
        assert (after[0] < before[0]).all()
        assert after[2].sum() < before[2].sum()
        assert heart.base(1.0) > heart.base(0.0) == 0
        assert heart.rv_plane(1.0) > heart.rv_plane(0.0)


def test_sizes_of_normal_hearts_are_those_of_acdc(relaxed, contracted):
    # Mean areas in mm2 of ACDC's labels of group NOR in the basal, middle and apical third, cavity and wall.
    for found, cavity, wall in (
        (relaxed["NOR"], (2197, 1784, 690), (1595, 1248, 678)),
        (contracted["NOR"], (1011, 786, 223), (1845, 1714, 947)),
    ):
        torch.testing.assert_close(found[0], torch.tensor(cavity, dtype=torch.float32), rtol=0.25, atol=200)
        torch.testing.assert_close(found[1], torch.tensor(wall, dtype=torch.float32), rtol=0.25, atol=200)


def test_pathologies_differ_from_normal_in_their_own_way(relaxed, contracted):
    def emptied(group: str) -> torch.Tensor:
        return 1 - contracted[group][0].sum() / relaxed[group][0].sum()

    assert (relaxed["DCM"][0] > 1.3 * relaxed["NOR"][0]).all()
    assert emptied("DCM") < 0.5 * emptied("NOR")
    assert (relaxed["HCM"][1] > 1.25 * relaxed["NOR"][1]).all()
    assert emptied("MINF") < 0.8 * emptied("NOR")
    assert (relaxed["RV"][2] > 1.15 * relaxed["NOR"][2]).all()


def test_hypertrophy_is_strongest_in_the_septum():
    for seed in SEEDS:
        heart = draw_heart("HCM", 0.0, seeded(seed))
        heart = dataclasses.replace(heart, wall_waves=torch.zeros(ANGLES), cavity_waves=torch.zeros(ANGLES))
        endocardium, epicardium = heart.left_ventricle(heights(heart, 0.0), 0.0)
        wall = (epicardium.radius - endocardium.radius)[1]
        septum = round(heart.septum / (2 * math.pi) * ANGLES) % ANGLES
        assert wall[septum] > 1.15 * wall[(septum + ANGLES // 2) % ANGLES]


def test_an_infarct_is_thin_and_does_not_move():
    for seed in SEEDS:
        heart = draw_heart("MINF", 0.0, seeded(seed))
        z = torch.tensor([heart.scar_height])
        scar = round((heart.septum + heart.scar) / (2 * math.pi) * ANGLES) % ANGLES
        opposite = (scar + ANGLES // 2) % ANGLES
        (inner, outer), (inner_late, _) = heart.left_ventricle(z, 0.0), heart.left_ventricle(z, 1.0)
        healthy = dataclasses.replace(heart, scar_depth=0.0).left_ventricle(z, 0.0)
        thickness = outer.radius[0, scar] - inner.radius[0, scar]
        assert thickness < 0.75 * (healthy[1].radius - healthy[0].radius)[0, scar]
        moved = 1 - inner_late.radius[0] / inner.radius[0]
        assert moved[scar] < 0.6 * moved[opposite]


def test_the_wall_closes_below_the_cavitys_apex():
    heart = draw_heart("NOR", 0.0, seeded(1))
    z = torch.tensor([heart.length + 0.5 * heart.apical_wall, heart.length + 2 * heart.apical_wall])
    endocardium, epicardium = heart.left_ventricle(z, 0.0)
    assert (endocardium.radius < 0).all()
    assert (epicardium.radius[0] > 0).all()
    assert (epicardium.radius[1] < 0).all()


def test_patients_vary_and_seeds_repeat():
    first, again, other = (draw_heart("NOR", 0.1, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(areas(first, 0.5), areas(again, 0.5))
    assert not torch.equal(areas(first, 0.5), areas(other, 0.5))


def test_unknown_group_is_refused():
    with pytest.raises(InputError, match="DCM"):
        draw_heart("ARV", 0.0, seeded(0))
