"""Volumes of stacks and cines, against counted voxels."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import ACDC, MYOCARDIUM
from monai_cardiacgen.inferers.synthetic_patient import ShortAxisStack, SyntheticCine, SyntheticPatients


def box(side: int) -> torch.Tensor:
    label = torch.zeros(20, 20, 5, dtype=torch.int64)
    label[:side, :10] = 3
    label[:side, 10:12] = 2
    return label


def test_a_box_has_its_volume():
    stack = ShortAxisStack(box(8), (2.0, 1.5, 10.0))
    assert stack.volume(ACDC) == pytest.approx(8 * 2.0 * 10 * 1.5 * 5 * 10 / 1000)
    assert stack.volume(ACDC, MYOCARDIUM) == pytest.approx(8 * 2.0 * 2 * 1.5 * 5 * 10 / 1000)


def test_a_cine_counts_each_frame_with_its_own_spacing():
    cine = SyntheticCine(torch.stack([box(8), box(4)]), [(2.0, 1.5, 10.0), (2.0, 1.5, 8.0)], 0)
    assert cine.volumes(ACDC) == pytest.approx([12.0, 4.8])


def test_acceptance_is_patients_by_draws():
    assert SyntheticPatients([], [], Counter()).acceptance == 0
    assert SyntheticPatients([None, None], [1, 4], Counter()).acceptance == pytest.approx(0.4)
