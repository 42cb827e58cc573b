"""The convolution of an enlarged image against PyTorch's of the image enlarged."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import pixel_sources as room
from monai_cardiacgen.inferers.enlarged_convolution import EnlargedConvolution
from monai_cardiacgen.inferers.pixel_sources import PixelSources, parents_of, pixel_sources


@pytest.fixture(autouse=True)
def few_pixels_too(monkeypatch):
    monkeypatch.setattr(room, "_FEWEST", 0)


@pytest.mark.parametrize("size", [(16, 12), (8, 8, 6)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("own", [0, 1, 9])
def test_it_convolves_the_enlarged_image_with_its_pixels_of_their_own(size, bias, own):
    torch.manual_seed(0)
    layer = (nn.Conv2d if len(size) == 2 else nn.Conv3d)(5, 7, 3, padding=1, bias=bias)
    lookup = torch.zeros(2, *size, dtype=torch.int64)
    lookup.view(-1)[torch.randperm(lookup.numel() // 2)[:own] * 2 + 1] = 1  # each differs from its parent's first child
    lookup.view(-1)[-own:] = 1  # in a corner of the image, too
    parent = parents_of(2, size, lookup.device)
    sources = pixel_sources(lookup, parent)
    assert (len(sources.own) > 0) is (own > 0)
    values = torch.randn(len(sources.lookup), 5)
    image = values[sources.value].view(2, *size, 5).movedim(-1, 1)
    with torch.no_grad():
        found, expected = EnlargedConvolution(layer, torch.float32)(values, sources, lookup.shape), layer(image)
    torch.testing.assert_close(found.view(2, *size, 7).movedim(-1, 1), expected, rtol=0, atol=1e-5)


def test_without_own_values_it_is_the_convolution_of_nearest_neighbours():
    layer = nn.Conv2d(3, 4, 3, padding=1).double()
    small = torch.randn(1, 3, 5, 6, dtype=torch.float64)
    lookup = torch.zeros(1, 10, 12, dtype=torch.int64)
    sources = pixel_sources(lookup, parents_of(1, (10, 12), lookup.device))
    with torch.no_grad():
        found = EnlargedConvolution(layer, torch.float64)(small.movedim(1, -1).reshape(-1, 3), sources, lookup.shape)
        expected = layer(nn.functional.interpolate(small, scale_factor=2))
    torch.testing.assert_close(found.view(1, 10, 12, 4).movedim(-1, 1), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("layer", [nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3), nn.Linear(3, 4)])
def test_other_layers_are_refused(layer):
    with pytest.raises(InputError, match="kernels of 3"):
        EnlargedConvolution(layer, torch.float32)


def test_pixels_that_share_nothing_are_refused():
    sources = PixelSources(None, torch.zeros(16, dtype=torch.int64))
    with pytest.raises(InputError, match="share"):
        EnlargedConvolution(nn.Conv2d(3, 4, 3, padding=1), torch.float32)(torch.zeros(16, 3), sources, (1, 4, 4))
