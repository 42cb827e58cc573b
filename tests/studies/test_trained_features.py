"""Features of an autoencoder: repeatable, standardised, named, and able to tell kinds of images apart."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.metrics import frechet_distance
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.trained_features import FEATURES, train_feature_space


def smooth(count: int, cells: int, seed: int) -> torch.Tensor:
    coarse = torch.rand(count, 1, cells, cells, generator=seeded(seed))
    return torch.nn.functional.interpolate(coarse, size=(40, 40), mode="bilinear")


def test_a_seed_gives_one_space_and_leaves_the_callers_draws():
    images = smooth(64, 6, 0)
    steps = []
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one = train_feature_space(images, "blots", 5, 1, lambda *numbers: steps.append(numbers))
    assert torch.equal(torch.rand(1), expected)
    again, other = (train_feature_space(images, "blots", 5, seed) for seed in (1, 2))
    assert torch.equal(one(images), again(images))
    assert not torch.allclose(one(images), other(images))
    assert steps[-1] == (5, 5)
    assert one.name == "encoder of an autoencoder, 5 steps on blots, seed 1"


def test_features_are_standardised_and_tell_kinds_apart():
    images = smooth(128, 6, 0)
    space = train_feature_space(images, "blots", 60)
    features = space(images)
    assert features.shape == (128, FEATURES)
    assert torch.allclose(features.mean(dim=0), torch.zeros(FEATURES), atol=1e-4)
    assert torch.allclose(features.std(dim=0), torch.ones(FEATURES), atol=1e-3)
    same = frechet_distance(features, space(smooth(128, 6, 1)))
    finer = frechet_distance(features, space(smooth(128, 12, 1)))
    assert finer > 3 * same


def test_too_few_or_too_small_images_are_refused():
    with pytest.raises(InputError, match="at least 16"):
        train_feature_space(smooth(8, 4, 0), "few")
    with pytest.raises(InputError, match="32 pixels"):
        train_feature_space(torch.rand(32, 1, 16, 64), "small")
