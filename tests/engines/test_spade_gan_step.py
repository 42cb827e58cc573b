"""A batch in parts moves the networks as the whole batch does."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import pytest
import torch
from monai.engines import IterationEvents
from small_hearts import hearts, tiny_gan

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines.spade_gan import SPADEGAN
from monai_cardiacgen.engines.spade_gan_step import SPADEGANStep
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import DiffAugment
from monai_cardiacgen.seeding import seeded


def step_of(gan: SPADEGAN, accumulation: int) -> SPADEGANStep:
    rate = 0.02
    return SPADEGANStep(
        gan,
        torch.optim.SGD(gan.painter_parameters(), lr=rate),
        torch.optim.SGD(gan.discriminator.parameters(), lr=rate),
        nullcontext,
        accumulation,
    )


def after_steps(
    accumulation: int, augment: DiffAugment | None = None, steps: int = 3, rows: int = 6, told: bool = False
) -> tuple[SPADEGAN, dict[str, torch.Tensor], list]:
    gan, fired = tiny_gan(swapped=0.5, augment=augment, condition_size=3 if told else 0).double(), []
    step, generator = step_of(gan, accumulation), seeded(5)
    image, label = hearts(rows)
    one_hot = ACDC.one_hot(label[:, 0]).double()
    condition = torch.eye(3)[torch.arange(rows) % 3] if told else None
    for _ in range(steps):
        losses, painted = step(image.double(), one_hot, generator, fired.append, condition)
    return gan, {**losses, "painted": painted}, fired


@pytest.mark.parametrize(("accumulation", "augment"), [(2, None), (4, None), (6, None), (9, None), (3, DiffAugment(2))])
def test_parts_move_the_networks_as_the_whole_batch(accumulation, augment):
    """Weights and power iterations of spectral norm, the loss terms and what was painted, in float64."""
    whole, expected, events = after_steps(1, augment)
    found_gan, found, found_events = after_steps(accumulation, augment)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-11, atol=1e-11)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(found_gan.state_dict()[name], value, rtol=1e-11, atol=1e-11)
    assert found_events == events
    assert events[:3] == [
        IterationEvents.FORWARD_COMPLETED,
        IterationEvents.LOSS_COMPLETED,
        IterationEvents.BACKWARD_COMPLETED,
    ]


def test_a_part_has_its_own_rows_conditions():
    whole, expected, _ = after_steps(1, told=True)
    parts, found, _ = after_steps(4, told=True)
    torch.testing.assert_close(found["painted"], expected["painted"], rtol=1e-11, atol=1e-11)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, rtol=1e-11, atol=1e-11)


def test_without_a_style_parts_move_the_networks_as_the_whole_batch():
    painted = []
    for accumulation in (1, 3):
        gan = tiny_gan(style_size=0, swapped=0.0).double()
        image, label = hearts(6)
        one_hot = ACDC.one_hot(label[:, 0]).double()
        for seed in range(2):
            _, image_made = step_of(gan, accumulation)(image.double(), one_hot, seeded(seed), lambda event: None)
        painted.append(image_made)
    torch.testing.assert_close(painted[1], painted[0], rtol=1e-11, atol=1e-11)


def test_discriminator_moves_by_its_own_gradient_alone():
    gan = tiny_gan(swapped=0.0)
    before = copy.deepcopy(gan)
    step, (image, label) = step_of(gan, 1), hearts(4)
    step(image, ACDC.one_hot(label[:, 0]), seeded(0), lambda event: None)
    for moved, was in zip(gan.discriminator.parameters(), before.discriminator.parameters(), strict=True):
        # Only the discriminator's loss left gradients: judging the generator added none.
        torch.testing.assert_close(moved, was - 0.02 * moved.grad)
    assert all(parameter.requires_grad for parameter in gan.parameters())


def test_no_part_at_all_is_refused():
    with pytest.raises(InputError, match="accumulation=0"):
        step_of(tiny_gan(), 0)
