"""Convolution as a matrix product against PyTorch's."""

from __future__ import annotations

import copy
from unittest import mock

import pytest
import torch
from torch import nn

from monai_cardiacgen.networks.blocks.few_pixels import convolve
from monai_cardiacgen.networks.blocks.spectral_norm import spectral_norm


@pytest.mark.parametrize(("batch", "side"), [(1, 2), (3, 2), (1, 5), (1, 8)])
@pytest.mark.parametrize("norm", [spectral_norm, lambda layer: layer], ids=["spectral norm", "free"])
def test_values_and_gradients_are_the_convolutions(batch, side, norm):
    torch.manual_seed(0)
    layer = norm(nn.Conv2d(512, 512, 3, padding=1).double())
    start = copy.deepcopy(layer.state_dict())
    x = torch.randn(batch, 512, side, side, dtype=torch.float64)
    results = []
    for way in (layer, lambda given: convolve(layer, given)):
        given = x.clone().requires_grad_()
        out = way(given)
        (out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum().backward()
        results.append([out.detach(), given.grad, *(weight.grad.clone() for weight in layer.parameters())])
        layer.zero_grad()
        layer.load_state_dict(start)  # a power iteration moves it
    for expected, got in zip(*results, strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(
    ("layer", "side"),
    [(nn.Conv2d(512, 512, 3, padding=1), 9), (nn.Conv2d(64, 64, 3, padding=1), 4), (nn.Conv3d(2, 2, 3, padding=1), 2)],
)
def test_elsewhere_the_layer_itself_is_called(layer, side):
    x = torch.randn(1, layer.in_channels, *[side] * (layer.weight.ndim - 2))
    with mock.patch.object(layer, "forward", wraps=layer.forward) as called:
        assert torch.equal(convolve(layer, x), layer(x))
    assert called.call_count == 2
