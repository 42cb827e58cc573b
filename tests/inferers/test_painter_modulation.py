"""Modulation by tables and by convolutions against the SPADE norm itself."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from monai_cardiacgen.inferers.painter_modulation import SLOPE, DenseModulation, TabulatedModulation
from monai_cardiacgen.inferers.pixel_modulation import modulate
from monai_cardiacgen.inferers.pixel_sources import PixelSources, parents_of
from monai_cardiacgen.networks.blocks.label_patches import distinct_patches
from monai_cardiacgen.networks.blocks.modulation import channel_statistics
from monai_cardiacgen.networks.blocks.spade import SpatiallyAdaptiveNorm
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize("by_table", [True, False])
@torch.no_grad()
def test_modulates_enlarged_pixels_as_the_norm_does(by_table):
    torch.manual_seed(0)
    norm = SpatiallyAdaptiveNorm(2, features=5, label_channels=3, hidden_channels=4, style_size=2).eval()
    label = torch.zeros(2, 16, 12, dtype=torch.int64)
    label[0, 4:9, 3:8], label[1, 2:5, 6:] = 1, 2
    style, x = torch.randn(2, 2, generator=seeded(1)), torch.randn(2, 5, 8, 6, generator=seeded(2))
    one_hot = F.one_hot(label, 3).movedim(-1, 1).float()
    expected = norm(F.interpolate(x, scale_factor=2), one_hot, style).movedim(1, -1).flatten(0, -2)
    parent, pixels = parents_of(2, (16, 12), x.device), x.movedim(1, -1).flatten(0, -2)
    modulation = DenseModulation(norm, label, style, parent)
    if by_table:
        patches = distinct_patches(label, 3)
        sources = PixelSources(parent, patches.lookup.flatten())
        modulation = TabulatedModulation(norm, norm.of_labels(patches), patches, style, sources, modulate)
    statistics = channel_statistics(pixels, 2)
    activated = modulation.activated(pixels, statistics)
    torch.testing.assert_close(activated, F.leaky_relu(expected, SLOPE), rtol=0, atol=1e-5)
    weight, out = torch.randn(5, 4, generator=seeded(3)), torch.ones(2 * 16 * 12, 4)
    modulation.add_product(out, pixels, statistics, weight)
    torch.testing.assert_close(out, 1 + expected @ weight, rtol=0, atol=1e-5)
