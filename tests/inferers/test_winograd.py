"""Winograd's way against the direct one."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import winograd
from monai_cardiacgen.inferers.winograd import WinogradConvolution, pays
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize(("height", "width", "batch"), [(8, 8, 1), (6, 14, 3), (2, 2, 1)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("band", [1 << 21, 600])
def test_is_the_convolution_in_double_precision(monkeypatch, height, width, batch, bias, band):
    monkeypatch.setattr(winograd, "_BAND", band)
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(5, 7, 3, padding=1, bias=bias).requires_grad_(False)
    x = torch.randn(batch, height, width, 5, generator=seeded(1)).movedim(-1, 1)
    expected = torch.nn.functional.conv2d(
        x.double(), layer.weight.double(), None if layer.bias is None else layer.bias.double(), padding=1
    )
    torch.testing.assert_close(WinogradConvolution(layer)(x).double(), expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.Conv2d(4, 4, 5, padding=2),
        torch.nn.Conv2d(4, 4, 3),
        torch.nn.Conv2d(4, 4, 3, padding=1, stride=2),
        torch.nn.Conv3d(4, 4, 3, padding=1),
    ],
)
def test_other_layers_are_refused(layer):
    with pytest.raises(InputError, match="Expected a 3 x 3 convolution"):
        WinogradConvolution(layer)


def test_pays_with_many_channels_and_not_too_few_pixels():
    many, few = torch.nn.Conv2d(256, 256, 3, padding=1), torch.nn.Conv2d(256, 128, 3, padding=1)
    assert pays(many, torch.Size((1, 256, 32, 32)))
    assert not pays(many, torch.Size((1, 256, 8, 8)))
    assert not pays(many, torch.Size((1, 256, 33, 32)))
    assert not pays(few, torch.Size((1, 256, 32, 32)))
    assert not pays(torch.nn.Conv3d(256, 256, 3, padding=1), torch.Size((1, 256, 8, 8, 8)))
