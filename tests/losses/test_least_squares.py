"""The least-squares losses against numpy, and what a discriminator learns by them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import LeastSquaresDiscriminatorLoss, LeastSquaresGeneratorLoss
from monai_cardiacgen.seeding import seeded


def test_losses_are_the_papers_formulas():
    generator = seeded(0)
    real, fake = ([torch.randn(3, 1, side, side, generator=generator) for side in (8, 4)] for _ in range(2))
    expected = [np.mean((1 - r.numpy()) ** 2) + np.mean(f.numpy() ** 2) for r, f in zip(real, fake, strict=True)]
    assert float(LeastSquaresDiscriminatorLoss()(real, fake)) == pytest.approx(float(np.mean(expected)), rel=1e-6)
    expected = [np.mean((1 - f.numpy()) ** 2) for f in fake]
    assert float(LeastSquaresGeneratorLoss()(fake)) == pytest.approx(float(np.mean(expected)), rel=1e-6)


def test_the_best_discriminator_says_the_share_of_real_images():
    # Of a patch that is real in a share p of the cases, p (1 - d)^2 + (1 - p) d^2 is least at d = p.
    share, values, loss = 0.3, torch.linspace(0, 1, 101), LeastSquaresDiscriminatorLoss()
    as_real = [float(loss([value], [torch.zeros(())])) for value in values]
    as_fake = [float(loss([torch.ones(())], [value])) for value in values]
    pays = share * np.array(as_real) + (1 - share) * np.array(as_fake)
    assert float(values[int(pays.argmin())]) == pytest.approx(share)


def test_no_scale_or_another_number_of_scales_is_refused():
    with pytest.raises(InputError, match="at least one, got 0 and 0"):
        LeastSquaresDiscriminatorLoss()([], [])
    with pytest.raises(InputError, match="got 1 and 2"):
        LeastSquaresDiscriminatorLoss()([torch.zeros(1)], [torch.zeros(1)] * 2)
    with pytest.raises(InputError, match="at least one scale"):
        LeastSquaresGeneratorLoss()([])
