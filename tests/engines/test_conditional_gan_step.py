"""The step of a conditional GAN against its formulas."""

from __future__ import annotations

import contextlib
import copy

import pytest
import torch
from small_cgan import adam, batches
from torch import nn

from monai_cardiacgen.anatomy import ACDC, StructureCondition
from monai_cardiacgen.engines import ConditionalGANStep
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import HingeDiscriminatorLoss, HingeGeneratorLoss
from monai_cardiacgen.networks.nets import MultiscaleDiscriminator, SPADEGenerator


class Mean(nn.Module):
    """A network with one weight and one bias, of the mean over the channels."""

    def __init__(self, weight: float, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * x.mean(dim=1, keepdim=True) + self.bias


def step(network: nn.Module, discriminator: nn.Module, rate: float = 0.1, **changes) -> ConditionalGANStep:
    optimizers = [torch.optim.SGD(one.parameters(), lr=rate) for one in (network, discriminator)]
    return ConditionalGANStep(network, discriminator, *optimizers, contextlib.nullcontext, **changes)


def test_losses_accuracies_and_moves_are_those_of_the_formulas():
    generator, discriminator = Mean(0.5, 0.2), Mean(1.0, -0.1)
    image, condition = torch.rand(3, 1, 4, 4), torch.rand(3, 2, 4, 4)
    one = step(generator, discriminator, adversarial=0.3, reconstruction=2.0)
    fake = generator(condition).detach()
    values = [discriminator(torch.cat([x, condition], dim=1)) for x in (image, fake)]
    expected = (1 - values[0]).square().mean() + values[1].square().mean()
    slope = torch.autograd.grad(expected, discriminator.weight)[0]
    moved = copy.deepcopy(discriminator)
    terms, painted = one(image, condition, lambda event: None)
    torch.testing.assert_close(terms["discriminator"], expected.detach())
    torch.testing.assert_close(discriminator.weight.detach(), moved.weight.detach() - 0.1 * slope)
    torch.testing.assert_close(terms["real_accuracy"], (values[0] > 0.5).float().mean())
    torch.testing.assert_close(terms["fake_accuracy"], (values[1] <= 0.5).float().mean())
    # The generator is judged by the discriminator as it has moved.
    torch.testing.assert_close(painted, fake)
    deceived = discriminator(torch.cat([fake, condition], dim=1)).detach()
    torch.testing.assert_close(terms["adversarial"], 0.3 * (1 - deceived).square().mean())
    torch.testing.assert_close(terms["reconstruction"], 2 * (fake - image).abs().mean())
    assert not painted.requires_grad


def test_the_generator_leaves_the_discriminator_as_it_was():
    states = []
    for weight in (0.0, 5.0):  # of the generator's adversarial term, which goes through the discriminator
        discriminator = Mean(1.0)
        step(Mean(0.5), discriminator, adversarial=weight)(
            torch.full((2, 1, 4, 4), 0.3), torch.full((2, 2, 4, 4), 0.6), lambda event: None
        )
        states.append(discriminator.weight.detach().clone())
        assert discriminator.weight.requires_grad
    assert torch.equal(*states)


def test_the_discriminator_moves_as_often_as_wanted():
    image, condition = torch.rand(2, 1, 4, 4), torch.rand(2, 2, 4, 4)
    twice, once = Mean(1.0), Mean(1.0)
    step(Mean(0.5), twice, discriminator_steps=2)(image, condition, lambda event: None)
    still = step(Mean(0.5), once, adversarial=0.0, reconstruction=0.0)
    for _ in range(2):
        still(image, condition, lambda event: None)
    torch.testing.assert_close(twice.weight, once.weight)
    with pytest.raises(InputError, match="at least one"):
        step(Mean(0.5), Mean(1.0), discriminator_steps=0)


def test_the_generator_runs_once_and_its_running_statistics_move_once():
    generator = nn.Sequential(nn.BatchNorm2d(2, momentum=0.25), Mean(0.5))
    calls = []
    generator[1].register_forward_hook(lambda *_: calls.append(None))
    condition = torch.rand(3, 2, 4, 4)
    step(generator, Mean(1.0), discriminator_steps=3)(torch.rand(3, 1, 4, 4), condition, lambda event: None)
    assert len(calls) == 1
    torch.testing.assert_close(generator[0].running_mean, 0.25 * condition.mean(dim=(0, 2, 3)))


def test_spade_with_a_discriminator_at_two_scales_and_hinge_losses_fits():
    torch.manual_seed(0)
    generator = SPADEGenerator(2, ACDC.num_classes, channels=(8, 8), hidden_channels=4, style_size=3)
    discriminator = MultiscaleDiscriminator(2, 1 + ACDC.num_classes, channels=(4, 8), scales=2)
    batch = batches((2,))[0]
    one = ConditionalGANStep(
        generator, discriminator, adam(generator, 1e-3), adam(discriminator, 1e-3), contextlib.nullcontext,
        discriminator_loss=HingeDiscriminatorLoss(), generator_loss=HingeGeneratorLoss(),
    )  # fmt: skip
    condition = StructureCondition(ACDC)(batch["label"])
    logits = [scale[-1] for scale in discriminator.features(torch.cat([batch["image"], condition], dim=1))]
    terms, painted = one(batch["image"], condition, lambda event: None)
    assert painted.shape == batch["image"].shape
    expected = torch.stack([(one > 0).float().mean() for one in logits]).mean()
    assert float(terms["real_accuracy"]) == pytest.approx(float(expected), abs=0.1)  # the spectral norm moved on
