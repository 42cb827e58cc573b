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
    """Makes one value where it is told no label, another with one, and expects a difference and a probability."""

    def __init__(self, guess: float, expected: float, made: float = 0.3, logit: float = 0.4) -> None:
        super().__init__()
        self.guess = nn.Parameter(torch.tensor(guess))
        self.expected = nn.Parameter(torch.tensor(expected))
        self.made = nn.Parameter(torch.tensor(made))
        self.logit = nn.Parameter(torch.tensor(logit))

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        like = torch.ones_like(masked[:, :1])
        value = torch.where(masked[:, 2:] == 0, self.guess, self.made + 0.1 * masked[:, 2:])
        return torch.cat([value, self.expected * like, self.logit * like], dim=1)


class Weighted(nn.Module):
    """The sum over the image times a weight: the norm of its gradient is known."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, joined: torch.Tensor) -> torch.Tensor:
        return self.weight * joined[:, 0].sum(dim=(1, 2))


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    hidden, label = torch.zeros(3, 1, 6, 6), torch.zeros(3, 1, 6, 6)
    hidden[0, :, 1:4, 1:4], hidden[1, :, 2:4, 0:5], hidden[2, :, 5, 5] = 1, 1, 1
    label[:, :, 2:5, 2:6] = 1
    return torch.rand(3, 1, 6, 6, generator=seeded(0)), hidden, label


def step(network: nn.Module, critic: nn.Module, **changes) -> InpaintingGANStep:
    optimizers = [torch.optim.SGD(one.parameters(), lr=RATE) for one in (network, critic)]
    return InpaintingGANStep(
        network, critic, *optimizers, WassersteinCriticLoss(10.0), contextlib.nullcontext, **changes
    )


def test_losses_and_moves_are_those_of_the_formulas():
    network, critic = Constant(guess=0.6, expected=0.2, made=0.3, logit=0.4), Weighted(0.5)
    image, hidden, label = batch()
    terms, completed = step(network, critic, adversarial=0.7)(image, hidden, label, seeded(0), lambda event: None)
    count = hidden.sum(dim=(1, 2, 3))
    made = torch.where(label == 1, 0.4, 0.2)
    expected = torch.where(hidden == 1, made, image)
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
    weight = critic.weight.detach()
    torch.testing.assert_close(terms["adversarial"], -0.7 * weight * expected.sum(dim=(1, 2, 3)).mean())

    def within(values: torch.Tensor) -> torch.Tensor:
        return (values * hidden).sum() / hidden.sum()

    away, guessed = (made - image).abs(), within((0.6 - image).abs())
    torch.testing.assert_close(terms["reconstruction"], within(away) + 0.1 * away.mean())
    torch.testing.assert_close(terms["guess"], guessed)
    torch.testing.assert_close(terms["expectation"], 0.1 * (guessed / 0.2 + torch.tensor(0.2).log()))
    probability = torch.sigmoid(torch.tensor(0.4))
    entropy = -torch.where(label == 1, probability.log(), (1 - probability).log())
    torch.testing.assert_close(terms["localisation"], 0.5 * within(entropy))
    sign = (made - image).sign()
    moved = within(sign) + 0.1 * sign.mean() - 0.7 * weight * count.mean()
    torch.testing.assert_close(network.made.detach(), 0.3 - RATE * moved)
    torch.testing.assert_close(
        network.guess.detach(), 0.6 - RATE * within((0.6 - image).sign())
    )  # not by what it expects
    torch.testing.assert_close(network.expected.detach(), 0.2 - RATE * 0.1 * (1 / 0.2 - guessed / 0.2**2))
    torch.testing.assert_close(network.logit.detach(), 0.4 - RATE * 0.5 * within(probability - label))


def test_what_is_expected_becomes_the_mean_absolute_difference():
    network = Constant(0.3, 1.0)
    image, hidden, label = batch()
    one = step(network, Weighted(0.0), adversarial=0.0)
    one.network_optimizer = torch.optim.SGD([network.expected], lr=0.05)
    for _ in range(400):
        one(image, hidden, label, seeded(0), lambda event: None)
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

    image, hidden, label = batch()
    terms, completed = step(Constant(0.3, 0.2), Square(1.0))(image, hidden, label, seeded(5), lambda event: None)
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
