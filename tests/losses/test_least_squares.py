"""The least-squares losses against numpy, and their balance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.losses import LeastSquaresDiscriminatorLoss, LeastSquaresGeneratorLoss, discriminator_accuracy
from monai_cardiacgen.seeding import seeded


def test_losses_are_the_papers_formulas():
    real, fake = torch.randn(2, 3, 1, 8, 8, generator=seeded(0))
    expected = np.mean((1 - real.numpy()) ** 2) + np.mean(fake.numpy() ** 2)
    assert float(LeastSquaresDiscriminatorLoss()(real, fake)) == pytest.approx(float(expected), rel=1e-6)
    assert float(LeastSquaresGeneratorLoss()(fake)) == pytest.approx(float(np.mean((1 - fake.numpy()) ** 2)), rel=1e-6)


def test_the_best_discriminator_says_the_share_of_real_images():
    # Of one patch that is real in a share p of the cases, p (1 - d)^2 + (1 - p) d^2 is least at d = p.
    share = 0.3
    values = torch.linspace(0, 1, 101)
    loss = LeastSquaresDiscriminatorLoss()
    pays = [float(share * loss(value, torch.zeros(())) + (1 - share) * loss(torch.ones(()), value)) for value in values]
    assert float(values[int(np.argmin(pays))]) == pytest.approx(share)


def test_accuracy_counts_patches():
    real, fake = torch.tensor([0.9, 0.6, 0.2, 1.4]), torch.tensor([0.4, 0.7])
    assert discriminator_accuracy(real, fake) == (0.75, 0.5)
    constant = torch.full((5,), 0.7)
    assert sum(discriminator_accuracy(constant, constant)) == 1
