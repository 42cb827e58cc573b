"""Dice counted pixel by pixel, for a network whose answers are known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import IntensityError, LabelError, ShapeError
from monai_cardiacgen.metrics import label_fidelity
from monai_cardiacgen.seeding import seeded


class Bands(nn.Module):
    """Class c where the image is nearest to c / 2."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([-(image - number / 2).abs() for number in range(3)], dim=1)


def one_hot(codes: torch.Tensor) -> torch.Tensor:
    return nn.functional.one_hot(codes, 3).movedim(-1, 1).float()


def test_dice_is_twice_the_overlap_over_the_sum():
    truth = torch.randint(0, 3, (40, 9, 11), generator=seeded(0))
    found = torch.where(torch.rand(truth.shape, generator=seeded(1)) < 0.3, (truth + 1) % 3, truth)
    dice = label_fidelity(Bands(), found[:, None] / 2, one_hot(truth))
    assert dice.shape == (40, 2)
    for row in range(40):
        for code in (1, 2):
            a, b = found[row] == code, truth[row] == code
            assert float(dice[row, code - 1]) == pytest.approx(2 * int((a & b).sum()) / int(a.sum() + b.sum()))


def test_what_neither_shows_has_no_value_and_what_one_shows_has_0():
    truth = torch.zeros(2, 8, 8, dtype=torch.int64)
    truth[1, :4] = 1
    dice = label_fidelity(Bands(), torch.zeros(2, 1, 8, 8), one_hot(truth))
    assert dice.isnan().tolist() == [[True, True], [False, True]]
    assert float(dice[1, 0]) == 0


def test_the_network_is_asked_in_eval_mode_and_left_as_it_was():
    network = nn.Sequential(nn.Dropout(0.9), Bands()).train()
    truth = torch.randint(0, 3, (3, 8, 8), generator=seeded(0))
    assert label_fidelity(network, truth[:, None] / 2, one_hot(truth)).min() == 1
    assert network.training


def test_what_does_not_belong_together_is_refused():
    image, label = torch.zeros(2, 1, 8, 8), one_hot(torch.zeros(2, 8, 8, dtype=torch.int64))
    with pytest.raises(ShapeError, match="one-hot"):
        label_fidelity(Bands(), image, label[..., :4])
    with pytest.raises(ShapeError, match="each of at least one"):
        label_fidelity(Bands(), image[:1], label)
    with pytest.raises(LabelError, match="3 classes"):
        label_fidelity(Bands(), image, label[:, :2])
    with pytest.raises(IntensityError, match="images"):
        label_fidelity(Bands(), image / 0, label)
