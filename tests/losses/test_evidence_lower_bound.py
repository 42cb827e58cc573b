"""The evidence lower bound's parts against torch's distributions and formulas written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.losses import EvidenceLowerBoundLoss, kullback_leibler
from monai_cardiacgen.seeding import seeded


@pytest.fixture
def case():
    generator = seeded(5)
    logits = 2 * torch.randn(3, 4, 8, 8, generator=generator)
    classes = torch.randint(4, (3, 8, 8), generator=generator)
    one_hot = torch.nn.functional.one_hot(classes, 4).movedim(-1, 1).float()
    return logits, one_hot, torch.randn(3, 16, generator=generator), torch.randn(3, 16, generator=generator)


def test_divergence_is_that_of_torchs_distributions(case):
    _, _, mean, log_variance = case
    posterior = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    torch.testing.assert_close(kullback_leibler(mean, log_variance), kl_divergence(posterior, prior).mean())


def test_weights_and_parts(case):
    logits, one_hot, mean, log_variance = case
    p = np.exp(logits.double().numpy())
    p /= p.sum(axis=1, keepdims=True)
    t = one_hot.double().numpy()
    cross_entropy = -(t * np.log(p)).sum(axis=1).mean()
    overlap, total = (p * t).sum(axis=(0, 2, 3))[1:], (p + t).sum(axis=(0, 2, 3))[1:]
    dice = (1 - 2 * overlap / total).mean()
    kl = float(kullback_leibler(mean, log_variance))
    for weights in ((0.1, 1.0, 1e-4), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        expected = weights[0] * cross_entropy + weights[1] * dice + weights[2] * kl
        assert float(EvidenceLowerBoundLoss(*weights)(*case)) == pytest.approx(expected, rel=1e-5)
    assert float(EvidenceLowerBoundLoss()(*case)) == pytest.approx(0.1 * cross_entropy + dice + 1e-4 * kl, rel=1e-5)


def test_a_slice_without_a_structure_does_not_fail_it():
    """Half the batch lacks class 1: a faithful reconstruction still costs next to nothing."""
    classes = torch.zeros(2, 8, 8, dtype=torch.int64)
    classes[0, 2:6, 2:6] = 1
    one_hot = torch.nn.functional.one_hot(classes, 2).movedim(-1, 1).float()
    latent = torch.zeros(2, 4)
    assert float(EvidenceLowerBoundLoss(0.0, 1.0)(12 * one_hot, one_hot, latent, latent)) < 1e-3


def test_other_shapes_are_refused(case):
    logits, one_hot, mean, log_variance = case
    with pytest.raises(ShapeError, match="one shape"):
        EvidenceLowerBoundLoss()(logits, one_hot[..., :4], mean, log_variance)
