"""Packed weights against the layer itself."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import frozen_convolution, winograd
from monai_cardiacgen.inferers.frozen_convolution import FrozenConvolution, can_pack
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("features", [7, 1])
@pytest.mark.parametrize(("kind", "kernel", "bias"), [("Conv2d", 3, True), ("Conv2d", 1, False), ("Conv3d", 3, True)])
def test_convolves_as_the_layer(monkeypatch, packs, features, kind, kernel, bias):
    if not packs:
        monkeypatch.setattr(frozen_convolution, "can_pack", lambda x: False)
    torch.manual_seed(0)
    layer = getattr(torch.nn, kind)(5, features, kernel, padding=kernel // 2, bias=bias).requires_grad_(False)
    convolution = FrozenConvolution(layer, torch.float32)
    dims = 2 if kind == "Conv2d" else 3
    for side in (12, 9, 12):
        channels_last = torch.randn(2, *[side] * dims, 5, generator=seeded(side)).movedim(-1, 1)
        torch.testing.assert_close(convolution(channels_last), layer(channels_last), rtol=1e-5, atol=1e-5)


def test_double_precision_takes_the_layers_own_kernel():
    assert not can_pack(torch.zeros(1, 2, 4, 4, dtype=torch.float64))


def test_another_layer_is_refused():
    with pytest.raises(InputError, match="got Linear"):
        FrozenConvolution(torch.nn.Linear(2, 2), torch.float32)


def test_many_channels_take_winograds_way(monkeypatch):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(256, 256, 3, padding=1).requires_grad_(False)
    convolution = FrozenConvolution(layer, torch.float32)
    x = torch.randn(1, 16, 16, 256, generator=seeded(1)).movedim(-1, 1)
    torch.testing.assert_close(convolution(x), layer(x), rtol=1e-5, atol=1e-5)
    monkeypatch.setattr(winograd.WinogradConvolution, "__call__", lambda self, x: "Winograd's")
    assert convolution(x) == "Winograd's"
