from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.phantom.stack import Stack, draw_stack, draw_turn
from monai_cardiacgen.seeding import seeded


def test_axes_are_in_mm_from_the_heart():
    stack = Stack((1.5, 2.0, 10.0), (5, 3, 2), 8.0, -2.0, (3.0, -1.0), 0.0)
    assert stack.x.tolist() == [-6.0, -4.5, -3.0, -1.5, 0.0]
    assert stack.y.tolist() == [-1.0, 1.0, 3.0]
    assert stack.z.tolist() == [-2.0, 8.0]


def test_layers_fill_the_slice():
    stack = Stack((1.5, 1.5, 10.0), (5, 5, 2), 8.0, 0.0, (0.0, 0.0), 0.0)
    assert stack.layers(4)[1].tolist() == [7.0, 9.0, 11.0, 13.0]


@pytest.mark.parametrize("seed", range(20))
def test_drawn_stacks_keep_clinical_ranges_and_reach_the_apex(seed: int):
    generator = seeded(seed)
    turn = draw_turn(generator)
    stack = draw_stack(90.0, turn, generator)
    assert 1.2 <= stack.spacing[0] == stack.spacing[1] <= 1.8
    assert 5 <= stack.thickness <= stack.spacing[2] <= 10
    assert max(stack.size[:2]) == 256
    assert stack.size[2] >= 6
    assert -2 < (stack.z[-1] - 90) / stack.spacing[2] < 1
    assert torch.tensor(stack.offset).abs().max() < 40
