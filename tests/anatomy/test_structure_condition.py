"""Conditions are one-hot, whatever is chosen."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy import ACDC, MM_WHS, StructureCondition
from monai_cardiacgen.errors import LabelError, ShapeError
from monai_cardiacgen.seeding import seeded

CODES = torch.tensor(MM_WHS.codes)
LABEL = CODES[torch.randint(len(CODES), (2, 1, 6, 7), generator=seeded(0))]


@pytest.mark.parametrize("structures", [None, ["ascending aorta"], ["myocardium", "left atrium"]])
def test_every_pixel_is_in_one_channel(structures):
    condition = StructureCondition(MM_WHS, structures)
    made = condition(LABEL)
    assert made.shape == (2, condition.channels, 6, 7)
    assert bool(((made == 0) | (made == 1)).all())
    assert bool((made.sum(dim=1) == 1).all())
    for channel, name in enumerate(condition.structures, start=1):
        assert torch.equal(made[:, channel] == 1, LABEL[:, 0] == MM_WHS.code(name))


def test_all_structures_are_the_schemes_one_hot():
    assert torch.equal(StructureCondition(MM_WHS)(LABEL), MM_WHS.one_hot(LABEL[:, 0]))


def test_wrong_structures_and_shapes_are_refused():
    for wrong in (["spleen"], ["myocardium", "myocardium"], []):
        with pytest.raises(LabelError, match="Expected"):
            StructureCondition(MM_WHS, wrong)
    with pytest.raises(ShapeError, match="channel axis"):
        StructureCondition(MM_WHS)(LABEL[:, 0])
    with pytest.raises(LabelError, match="codes"):
        StructureCondition(MM_WHS)(LABEL + 1)


def test_channel_numbers_are_those_of_the_one_hot_condition():
    condition = StructureCondition(ACDC, ["left ventricular cavity", "right ventricular cavity"])
    codes = torch.tensor(ACDC.codes).view(1, 1, -1)
    assert condition(codes)[0].argmax(dim=0).tolist() == condition.channel_numbers(condition.structures) == [0, 2, 0, 1]
    assert condition.channel_numbers(["right ventricular cavity", "myocardium"]) == [0, 2, 0, 0]
