"""What speaks against a heart: nothing there, cut off, or a broken criterion."""

from __future__ import annotations

import torch

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.inferers.heart_gate import heart_faults

SPACING = (2.0, 2.0)


def disc() -> torch.Tensor:
    row, column = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    away = ((row - 15.5).square() + (column - 15.5).square()).sqrt()
    label = torch.zeros(1, 32, 32, dtype=torch.int64)
    label[0, away < 9] = 2
    label[0, away < 6] = 3
    return label


def test_a_whole_heart_has_no_fault():
    assert heart_faults(disc(), torch.zeros(1, 2, dtype=torch.int64), SPACING, AnatomyCheck()) == [[]]


def test_each_fault_is_named():
    faulty = torch.cat((disc(), disc(), torch.zeros_like(disc()), disc()))
    faulty[0, 15, 15] = 0
    faulty[3] = 0
    faulty[3, 15:19, 15:20] = 2  # 80 mm2: smaller than any heart
    offset = torch.tensor([[0, 0], [0, 9], [0, 0], [0, 0]])
    faults = heart_faults(faulty, offset, SPACING, AnatomyCheck())
    assert faults == [["LV holes"], ["cut off at the border"], ["no heart"], ["no heart"]]


def test_without_a_check_only_presence_and_border_count():
    faulty = disc()
    faulty[0, 15, 15] = 0
    assert heart_faults(faulty, torch.zeros(1, 2, dtype=torch.int64), SPACING, None) == [[]]
    assert heart_faults(faulty[:0], torch.zeros(0, 2, dtype=torch.int64), SPACING, None) == []
