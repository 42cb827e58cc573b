"""The hinge losses against their definition in numpy, and by their limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import HingeDiscriminatorLoss, HingeGeneratorLoss
from monai_cardiacgen.seeding import seeded


def logits(seed: int) -> list[torch.Tensor]:
    generator = seeded(seed)
    return [3 * torch.randn(2, 1, side, side, generator=generator) for side in (8, 4)]


def test_discriminator_is_the_papers_formula():
    real, fake = logits(0), logits(1)
    expected = np.mean(
        [
            np.maximum(0, 1 - r.numpy()).mean() + np.maximum(0, 1 + f.numpy()).mean()
            for r, f in zip(real, fake, strict=True)
        ]
    )
    assert float(HingeDiscriminatorLoss()(real, fake)) == pytest.approx(float(expected), rel=1e-6)


def test_a_perfect_discriminator_pays_nothing_and_gets_no_gradient():
    real = [torch.full((1, 1, 4, 4), 1.5, requires_grad=True)]
    fake = [torch.full((1, 1, 4, 4), -1.5, requires_grad=True)]
    loss = HingeDiscriminatorLoss()(real, fake)
    loss.backward()
    assert float(loss.detach()) == 0
    assert not real[0].grad.any()
    assert not fake[0].grad.any()


def test_generator_has_no_hinge_and_no_squashing():
    """Its gradient is the same however sure the discriminator is (MONAI's own form saturates by tanh)."""
    for level in (-50.0, 0.0, 50.0):
        fake = [torch.full((1, 1, 4, 4), level, requires_grad=True)]
        loss = HingeGeneratorLoss()(fake)
        loss.backward()
        assert float(loss.detach()) == -level
        torch.testing.assert_close(fake[0].grad, torch.full((1, 1, 4, 4), -1 / 16))


def test_scales_count_alike_whatever_their_size():
    fake = [torch.zeros(1, 1, 64, 64), torch.full((1, 1, 2, 2), -1.0)]
    assert float(HingeGeneratorLoss()(fake)) == 0.5


@pytest.mark.parametrize(("real", "fake"), [(1, 2), (0, 0)])
def test_other_numbers_of_scales_are_refused(real, fake):
    with pytest.raises(InputError, match="scales"):
        HingeDiscriminatorLoss()([torch.zeros(1)] * real, [torch.zeros(1)] * fake)


def test_generator_refuses_no_scale():
    with pytest.raises(InputError, match="at least one scale"):
        HingeGeneratorLoss()([])
