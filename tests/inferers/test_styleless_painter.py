"""A conditional generator as a synthesizer's painter, of slices and slice by slice of volumes."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers import StylelessPainter
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded


def network(dims: int = 2) -> ConditionalUNetGenerator:
    torch.manual_seed(0)
    return ConditionalUNetGenerator(dims, 3, channels=(4, 4)).eval()


def test_a_volume_is_painted_slice_by_slice():
    maps = torch.rand(2, 3, 8, 12, 20, generator=seeded(0))  # more slices than the network sees at a time
    painted = StylelessPainter(network(), spatial_dims=3)(maps)
    for row in range(2):
        for depth in range(20):
            torch.testing.assert_close(painted[row, ..., depth], network()(maps[row : row + 1, ..., depth])[0])


@pytest.mark.parametrize("dims", [2, 3])
def test_maps_of_the_network_s_own_axes_are_painted_at_once(dims):
    maps = torch.rand(2, 3, *[8] * dims, generator=seeded(0))
    painter = StylelessPainter(network(dims), spatial_dims=dims)
    assert torch.equal(painter(maps, torch.zeros(2, 0), []), network(dims)(maps))
    assert painter.draw_noise((8,) * dims, [seeded(0)] * 2) == []
    assert (painter.style_size, painter.condition_size, painter.label_channels) == (0, 0, 3)


def test_networks_and_maps_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="at most 2 axes"):
        StylelessPainter(network(3), spatial_dims=2)
    with pytest.raises(InputError, match="2 channels"):
        StylelessPainter(ConditionalUNetGenerator(2, 3, out_channels=2, channels=(4, 4)), spatial_dims=2)
    with pytest.raises(ShapeError):
        StylelessPainter(network(), spatial_dims=3)(torch.rand(1, 3, 8, 8))
    with pytest.raises(ShapeError):
        StylelessPainter(network(), spatial_dims=3)(torch.rand(1, 3, 9, 8, 2))
