"""Painters of both kinds come back from their description and weights, and nothing comes of a mixture."""

from __future__ import annotations

import json

import pytest
import torch

from monai_cardiacgen.inferers import StylelessPainter
from monai_cardiacgen.inferers.painter_network import network_of, painter_description, painter_of
from monai_cardiacgen.networks.blocks.spade import fold_spectral_norm
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator, SPADEGenerator
from monai_cardiacgen.seeding import seeded


def spade() -> SPADEGenerator:
    generator = SPADEGenerator(2, 3, channels=(8, 8), hidden_channels=4, style_size=2, start_size=(2, 2))
    fold_spectral_norm(generator)
    return generator.eval()


def styleless() -> StylelessPainter:
    return StylelessPainter(ConditionalUNetGenerator(2, 3, channels=(4, 4)).eval(), spatial_dims=3)


@pytest.mark.parametrize(("make", "size"), [(spade, (8, 8)), (styleless, (8, 8, 3))])
def test_a_painter_comes_back_and_paints_the_same(make, size):
    painter = make()
    description = json.loads(json.dumps(painter_description(painter)))
    again = painter_of(description, network_of(painter).state_dict()).eval()
    maps = torch.rand(1, 3, *size, generator=seeded(0))
    style = torch.zeros(1, painter.style_size)
    assert torch.equal(again(maps, style), painter(maps, style))


def test_the_weights_of_a_styleless_painter_are_its_network_s():
    painter = styleless()
    assert network_of(painter) is painter.network
    with pytest.raises(RuntimeError, match="Missing key"):
        painter_of(painter_description(painter), network_of(spade()).state_dict())
