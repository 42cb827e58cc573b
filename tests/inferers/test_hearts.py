"""Where hearts can move, against moving them."""

from __future__ import annotations

import math

import torch

from monai_cardiacgen.anatomy.placement import place_heart
from monai_cardiacgen.inferers.hearts import Hearts, cut_off, room_to_move
from monai_cardiacgen.seeding import seeded


def boxes() -> torch.Tensor:
    label = torch.zeros(3, 12, 10, dtype=torch.int64)
    label[0, 4:7, 3:8] = 2
    label[1, 1:11, 4:6] = 3
    return label  # the third has no heart


def test_room_is_all_and_only_what_keeps_a_heart_inside():
    label = boxes()
    least, most = room_to_move(label)
    for row in range(2):
        for axis, side in enumerate((12, 10)):
            allowed = [
                step
                for step in range(-side, side + 1)
                if _whole_and_inside(label[row], [step if axis == other else 0 for other in range(2)])
            ]
            assert (int(least[row, axis]), int(most[row, axis])) == (min(allowed), max(allowed))
    assert least[2].tolist() == most[2].tolist() == [0, 0]


def _whole_and_inside(label: torch.Tensor, offset: list[int]) -> bool:
    moved = place_heart(label[None], torch.tensor([offset]))[0]
    whole = int((moved > 0).sum()) == int((label > 0).sum())
    return whole and not (moved[0].any() or moved[-1].any() or moved[:, 0].any() or moved[:, -1].any())


def test_cut_off_agrees_with_moving():
    label = boxes()
    for seed in range(30):
        offset = torch.randint(-6, 7, (3, 2), generator=seeded(seed))
        expected = [not _whole_and_inside(one, step.tolist()) for one, step in zip(label[:2], offset[:2], strict=True)]
        assert cut_off(label, offset).tolist() == [*expected, False]


def test_a_heart_that_its_own_map_cuts_is_cut_wherever_it_moves():
    label = torch.zeros(1, 8, 8, dtype=torch.int64)
    label[0, 0:4, 2:5] = 1
    assert cut_off(label, torch.tensor([[2, 0]])).tolist() == [True]


def test_works_in_three_dimensions():
    label = torch.zeros(1, 8, 8, 8, dtype=torch.int64)
    label[0, 2:4, 3:6, 1:7] = 1
    least, most = room_to_move(label)
    assert least.tolist() == [[-1, -2, 0]]
    assert most.tolist() == [[3, 1, 0]]
    assert cut_off(label, torch.tensor([[0, 0, 1]])).tolist() == [True]


def test_acceptance_is_valid_hearts_a_draw():
    hearts = Hearts.empty(2, (4, 4), 3, torch.device("cpu"))
    assert math.isnan(hearts.acceptance)
    hearts.draws[:] = torch.tensor([1, 3])
    hearts.valid[:] = True
    assert hearts.acceptance == 0.5
