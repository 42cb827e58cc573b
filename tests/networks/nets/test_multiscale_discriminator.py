"""The discriminator's own promises; the common ones are in `test_all_networks.py`."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.parametrize import is_parametrized

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.networks.nets.multiscale_discriminator import MultiscaleDiscriminator


@pytest.fixture
def discriminator() -> MultiscaleDiscriminator:
    torch.manual_seed(0)
    return MultiscaleDiscriminator(2, in_channels=5, channels=(8, 12), scales=2).eval()


def test_second_scale_sees_the_image_at_half_its_size(discriminator):
    """A true pyramid: not one more layer on the same scale."""
    x = torch.rand(2, 5, 64, 64)
    first, second = discriminator.features(x)
    assert first[-1].shape[2:] == (30, 30)
    assert second[-1].shape[2:] == (14, 14)
    assert len(first) == len(second) == 3
    halved = torch.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    assert torch.equal(second[-1], discriminator.critics[1](halved)[-1])


def test_logits_are_the_last_features_of_all_scales(discriminator):
    x = torch.rand(2, 5, 32, 32)
    logits = [scale[-1].flatten(1) for scale in discriminator.features(x)]
    assert torch.equal(discriminator(x), torch.cat(logits, dim=1))


def test_condition_matters(discriminator):
    image, label = torch.rand(1, 1, 32, 32), torch.rand(1, 4, 32, 32)
    other = discriminator(torch.cat([image, label.roll(5, dims=2)], dim=1))
    assert not torch.allclose(discriminator(torch.cat([image, label], dim=1)), other)


def test_spectral_norm_is_on_all_layers_but_the_last(discriminator):
    for critic in discriminator.critics:
        normalised = [is_parametrized(layer[0], "weight") for layer in critic.layers]
        assert normalised == [True, True, False]


def test_too_small_an_image_is_refused(discriminator):
    with pytest.raises(ShapeError, match="at least 16 for 2 scales"):
        discriminator(torch.rand(1, 5, 12, 12))
