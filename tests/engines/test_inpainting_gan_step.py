"""The step of the inpainting GAN against its formulas, with networks whose gradients are known."""

from __future__ import annotations

import contextlib
import copy

import pytest
import torch
from monai.engines import IterationEvents
from torch import nn

from monai_cardiacgen.engines import InpaintingGANStep
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import WassersteinCriticLoss
from monai_cardiacgen.seeding import seeded

RATE = 0.1


class Constant(nn.Module):
    """Makes one value and expects another difference, whatever it sees."""

    def __init__(self, made: float, expected: float) -> None:
        super().__init__()
        self.made = nn.Parameter(torch.tensor(made))
        self.expected = nn.Parameter(torch.tensor(expected))

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        like = torch.ones_like(masked[:, :1])
        return torch.cat([self.made * like, self.expected * like], dim=1)


class Weighted(nn.Module):
    """The sum over the image times a weight: the norm of its gradient is known."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, joined: torch.Tensor) -> torch.Tensor:
        return self.weight * joined[:, 0].sum(dim=(1, 2))


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    hidden = torch.zeros(3, 1, 6, 6)
    hidden[0, :, 1:4, 1:4], hidden[1, :, 2:4, 0:5], hidden[2, :, 5, 5] = 1, 1, 1
    return torch.rand(3, 1, 6, 6, generator=seeded(0)), hidden


def step(network: nn.Module, critic: nn.Module, **changes) -> InpaintingGANStep:
    optimizers = [torch.optim.SGD(one.parameters(), lr=RATE) for one in (network, critic)]
    return InpaintingGANStep(
        network, critic, *optimizers, WassersteinCriticLoss(10.0), contextlib.nullcontext, **changes
    )


def test_losses_and_moves_are_those_of_the_formulas():
    network, critic = Constant(0.3, 0.2), Weighted(0.5)
    image, hidden = batch()
    terms, completed = step(network, critic, adversarial=0.7)(image, hidden, seeded(0), lambda event: None)
    count = hidden.sum(dim=(1, 2, 3))
    expected = torch.where(hidden == 1, 0.3, image)
    torch.testing.assert_close(completed, expected)
    assert not completed.requires_grad
    # The critic: its gradient on hidden pixels is its weight on each, of norm weight * sqrt(count).
    norm = 0.5 * count.sqrt()
    real, fake = (0.5 * one.sum(dim=(1, 2, 3)) for one in (image, expected))
    torch.testing.assert_close(terms["gradient_norm"], norm.mean())
    torch.testing.assert_close(terms["critic_estimate"], real.mean() - fake.mean())
    penalty = 10 * (norm - 1).square().mean()
    torch.testing.assert_close(terms["critic_loss"], fake.mean() - real.mean() + penalty)
    slope = (fake.mean() - real.mean()) / 0.5 + 10 * (2 * (norm - 1) * count.sqrt()).mean()
    torch.testing.assert_close(critic.weight.detach(), 0.5 - RATE * slope)
    # The generator is judged by the critic as it has moved.
    away = (0.3 - image).abs()
    within = (away * hidden).sum() / hidden.sum()
    torch.testing.assert_close(terms["adversarial"], -0.7 * critic.weight.detach() * expected.sum(dim=(1, 2, 3)).mean())
    torch.testing.assert_close(terms["reconstruction"], within + 0.1 * away.mean())
    torch.testing.assert_close(terms["expectation"], 0.1 * (within / 0.2 + torch.tensor(0.2).log()))
    sign = (0.3 - image).sign()
    moved = (sign * hidden).sum() / hidden.sum() + 0.1 * sign.mean() - 0.7 * critic.weight.detach() * count.mean()
    torch.testing.assert_close(network.made.detach(), 0.3 - RATE * moved)  # no gradient comes from what is expected
    torch.testing.assert_close(network.expected.detach(), 0.2 - RATE * 0.1 * (1 / 0.2 - within / 0.2**2))


def test_what_is_expected_becomes_the_mean_absolute_difference():
    network = Constant(0.3, 1.0)
    image, hidden = batch()
    one = step(network, Weighted(0.0), adversarial=0.0)
    one.network_optimizer = torch.optim.SGD([network.expected], lr=0.05)
    for _ in range(400):
        one(image, hidden, seeded(0), lambda event: None)
    expected = (0.3 - image)[hidden == 1].abs().mean()
    torch.testing.assert_close(network.expected.detach(), expected, rtol=0.01, atol=0)


def test_the_generator_leaves_the_critic_as_it_was():
    states = []
    for weight in (0.0, 5.0):
        critic = Weighted(0.5)
        step(Constant(0.3, 0.2), critic, adversarial=weight)(*batch(), seeded(0), lambda event: None)
        states.append(copy.deepcopy(critic.weight.detach()))
        assert critic.weight.requires_grad
    assert torch.equal(*states)


def test_points_of_the_penalty_are_the_generators_draws():
    class Square(Weighted):
        def forward(self, joined):
            return joined[:, 0].square().sum(dim=(1, 2)) * self.weight

    image, hidden = batch()
    terms, completed = step(Constant(0.3, 0.2), Square(1.0))(image, hidden, seeded(5), lambda event: None)
    share = torch.rand(3, generator=seeded(5)).reshape(3, 1, 1, 1)
    points = image + share * (completed - image)
    torch.testing.assert_close(terms["gradient_norm"], (2 * points * hidden).flatten(1).norm(dim=1).mean())


def test_events_fire_in_order():
    seen = []
    step(Constant(0.3, 0.2), Weighted(1.0))(*batch(), seeded(0), seen.append)
    assert seen == [
        IterationEvents.FORWARD_COMPLETED,
        IterationEvents.LOSS_COMPLETED,
        IterationEvents.BACKWARD_COMPLETED,
    ]


def test_a_negative_weight_is_refused():
    with pytest.raises(InputError, match="adversarial"):
        step(Constant(0.3, 0.2), Weighted(1.0), adversarial=-0.1)
