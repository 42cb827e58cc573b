"""The style encoder's own promises; the common ones are in `test_all_networks.py`."""

from __future__ import annotations

import torch

from monai_cardiacgen.networks.nets.style_encoder import StyleEncoder


def test_mean_of_the_encoding_is_the_forward():
    torch.manual_seed(0)
    encoder = StyleEncoder(2, channels=(8, 8, 8), style_size=6, end_size=(2, 2)).eval()
    image = torch.rand(2, 1, 32, 32)
    mean, log_variance = encoder.encode(image)
    assert torch.equal(encoder(image), mean)
    assert log_variance.shape == (2, 6)


def test_brightness_is_part_of_the_style():
    """No norm before the third level: an image and its darker self differ."""
    torch.manual_seed(0)
    encoder = StyleEncoder(2, channels=(8, 8, 8), style_size=6, end_size=(2, 2)).eval()
    image = torch.rand(1, 1, 32, 32)
    assert (encoder(image) - encoder(0.5 * image)).abs().max() > 1e-3


def test_same_network_is_built_again_from_its_arguments():
    encoder = StyleEncoder(2, channels=(8, 8, 8), style_size=6, end_size=(2, 2)).eval()
    twin = StyleEncoder(**encoder.arguments).eval()
    twin.load_state_dict(encoder.state_dict())
    image = torch.rand(1, 1, 64, 32)
    assert torch.equal(twin(image), encoder(image))
