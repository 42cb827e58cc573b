"""Each criterion of a whole heart is broken by a heart of boxes that breaks no other."""

from __future__ import annotations

import pytest
import torch
from whole_heart_faults import LV, MYO, SPACING, WHOLE_HEART_FAULTS, clean_whole_heart

from monai_cardiacgen.anatomy import MM_WHS, AnatomyCheck
from monai_cardiacgen.anatomy.whole_heart import (
    WHOLE_HEART_CRITERIA,
    WHOLE_HEART_PARTS,
    hole_voxels,
    measure_whole_heart,
    outside_cup,
)
from monai_cardiacgen.errors import LabelError, ShapeError, SpacingError

NAMES = [criterion.name for criterion in WHOLE_HEART_CRITERIA]
CHECK = AnatomyCheck(MM_WHS, "whole heart")


def broken(label: torch.Tensor, spacing=SPACING) -> list[str]:
    report = CHECK(label[None], spacing)
    return [name for name, is_broken in zip(NAMES, report.broken[0], strict=True) if is_broken]


def value(name: str, label: torch.Tensor, spacing=SPACING) -> float:
    return float(CHECK(label[None], spacing).values[0, NAMES.index(name)])


def test_every_criterion_has_its_fault_and_a_name_of_its_own():
    assert len(NAMES) == len(set(NAMES)) == 46
    assert sorted(WHOLE_HEART_FAULTS) == sorted(NAMES)


def test_a_clean_heart_breaks_none():
    assert broken(clean_whole_heart()) == []


@pytest.mark.parametrize("name", WHOLE_HEART_FAULTS)
def test_each_fault_breaks_its_criterion_alone(name):
    assert broken(WHOLE_HEART_FAULTS[name]()) == [name]


def test_values_are_those_that_were_drawn():
    clean = clean_whole_heart()
    assert value("LV least volume", clean) == pytest.approx(12 * 12 * 16 * 0.064)
    assert value("LA-LV contact", clean) == 6 * 10 * 16
    assert value("LV-RV contact", WHOLE_HEART_FAULTS["LV-RV contact"]()) == 4 * 4 * 16
    assert value("LV disconnected", WHOLE_HEART_FAULTS["LV disconnected"]()) == 64
    assert value("MYO holes", WHOLE_HEART_FAULTS["MYO holes"]()) == 64
    surface = 2 * 12 * 12 + 4 * 12 * 16
    assert value("LV bare surface", clean) == pytest.approx((144 - 6 * 8 - 6 * 10) / surface)
    assert value("LV inside MYO hull", WHOLE_HEART_FAULTS["LV inside MYO hull"]()) == pytest.approx(
        2304 / (2304 + 6 * 8 * 18)
    )


def test_volumes_follow_the_spacing():
    assert broken(clean_whole_heart(), (1.0, 1.0, 1.0)) != []
    assert value("LV least volume", clean_whole_heart(), (1.0, 2.0, 3.0)) == pytest.approx(2304 * 6 / 1000)


@pytest.mark.parametrize("turn", [(1, 2), (2, 3), (1, 3)])
def test_turning_the_volume_changes_nothing(turn):
    maps = torch.stack([clean_whole_heart(), WHOLE_HEART_FAULTS["LV bare surface"]()])
    values = CHECK(maps, SPACING).values
    torch.testing.assert_close(CHECK(maps.rot90(dims=turn), SPACING).values, values)


def test_a_batch_equals_each_heart():
    maps = torch.stack([clean_whole_heart(), torch.zeros_like(clean_whole_heart()), _without(MYO)])
    whole = CHECK(maps, SPACING)
    for row, label in enumerate(maps):
        alone = CHECK(label[None], SPACING)
        torch.testing.assert_close(alone.values[0], whole.values[row], rtol=0, atol=0, equal_nan=True)
        assert torch.equal(alone.broken[0], whole.broken[row])
    assert CHECK(maps[:0], SPACING).values.shape == (0, 46)


def _without(code: int) -> torch.Tensor:
    label = clean_whole_heart()
    return torch.where(label == code, 0, label)


def test_an_absent_structure_is_said_once_by_its_volume():
    label = _without(550)
    assert broken(label) == ["RA least volume"]
    assert (
        CHECK(label[None], SPACING).reasons(0)[0].startswith("RA least volume has no value, for a structure is absent")
    )


def test_the_places_are_those_that_were_drawn():
    label = WHOLE_HEART_FAULTS["MYO holes"]()
    masks = CHECK.masks(label[None])
    assert int(hole_voxels("MYO", masks).sum()) == 1
    assert int(hole_voxels("LV", masks).sum()) == 0
    label = WHOLE_HEART_FAULTS["LV inside MYO hull"]()
    assert int(outside_cup(label[None] == LV, label[None] == MYO).sum()) == 6 * 8 * 18


def test_bad_input_is_refused():
    masks = CHECK.masks(clean_whole_heart()[None])
    with pytest.raises(LabelError, match=r"got none of \['LV'\]"):
        measure_whole_heart({part: masks[part] for part in WHOLE_HEART_PARTS[1:]}, SPACING)
    with pytest.raises(ShapeError, match="boolean masks"):
        measure_whole_heart({**masks, "LV": masks["LV"].long()}, SPACING)
    with pytest.raises(SpacingError, match="3 positive spacings"):
        measure_whole_heart(masks, (1.0, 1.0))
