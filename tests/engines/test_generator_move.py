"""The generator's step: the sum of the losses, old gradients forgotten, events in order."""

from __future__ import annotations

import pytest
import torch
from monai.engines import IterationEvents

from monai_cardiacgen.engines.generator_move import move_generator


def test_it_moves_along_the_gradient_of_the_sum_and_tells_when():
    weight = torch.nn.Parameter(torch.tensor(2.0))
    weight.grad = torch.tensor(100.0)
    seen = []
    losses = {"one": 3 * weight, "other": weight**2}
    move_generator(losses, torch.optim.SGD([weight], lr=0.1), lambda event: seen.append((event, weight.item())))
    assert weight.item() == pytest.approx(2 - 0.1 * (3 + 2 * 2))
    order = (IterationEvents.FORWARD_COMPLETED, IterationEvents.LOSS_COMPLETED, IterationEvents.BACKWARD_COMPLETED)
    assert seen == [(event, 2.0) for event in order]
