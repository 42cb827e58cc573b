"""Agreement by structure, against MONAI's Dice."""

from __future__ import annotations

import pytest
import torch
from monai.metrics import DiceMetric

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.errors import LabelError
from monai_cardiacgen.label.structure_dice import disagreement, structure_dice


def test_as_monai_computes_it():
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randint(0, 4, (2, 9, 8, 3), generator=generator)
    metric = DiceMetric(include_background=False, reduction="none")
    expected = metric(ACDC.one_hot(first[None]), ACDC.one_hot(second[None]))[0]
    found = structure_dice(first, second, ACDC)
    assert list(found) == list(ACDC.names[1:])
    assert list(found.values()) == pytest.approx(expected.tolist())
    assert disagreement(first, second, ACDC) == pytest.approx(1 - float(expected.mean()))
    assert all(type(score) is float for score in found.values())  # JSON takes no numbers of NumPy's


def test_structures_that_are_absent():
    first, second = torch.tensor([3, 3, 2]), torch.tensor([3, 3, 0])
    assert list(structure_dice(first, second, ACDC).values()) == [None, 0.0, 1.0]
    assert disagreement(first, second, ACDC) == 0.5
    assert disagreement(torch.zeros(3), torch.zeros(3), ACDC) == 0


def test_unknown_codes():
    with pytest.raises(LabelError):
        structure_dice(torch.tensor([9]), torch.tensor([0]), ACDC)
