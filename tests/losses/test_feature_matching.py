"""Feature matching against its definition in numpy, and by where its gradient goes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.losses import FeatureMatchingLoss
from monai_cardiacgen.seeding import seeded


def features(seed: int) -> list[list[torch.Tensor]]:
    generator = seeded(seed)
    return [
        [torch.randn(2, c, side, side, generator=generator) for c, side in ((4, 8), (8, 4))][:layers]
        for layers in (2, 1)
    ]


def test_is_the_mean_over_layers_then_scales():
    real, fake = features(0), features(1)
    scales = [
        np.mean([np.abs(r.numpy() - f.numpy()).mean() for r, f in zip(rs, fs, strict=True)])
        for rs, fs in zip(real, fake, strict=True)
    ]
    assert float(FeatureMatchingLoss()(real, fake)) == pytest.approx(float(np.mean(scales)), rel=1e-6)


def test_gradient_reaches_fake_features_only():
    real = [[torch.zeros(1, 2, 4, 4, requires_grad=True)]]
    fake = [[torch.ones(1, 2, 4, 4, requires_grad=True)]]
    FeatureMatchingLoss()(real, fake).backward()
    assert real[0][0].grad is None
    assert fake[0][0].grad.all()


def test_equal_features_cost_nothing():
    assert float(FeatureMatchingLoss()(features(3), features(3))) == 0


@pytest.mark.parametrize(
    ("real", "fake"),
    [([], []), ([[]], [[]]), ([[torch.zeros(2, 1)]], [[torch.zeros(1, 1)]]), ([[torch.zeros(1)]], [])],
)
def test_other_layers_are_refused(real, fake):
    with pytest.raises(InputError, match="same layers"):
        FeatureMatchingLoss()(real, fake)
