"""The conditional generator: seven and seven layers, skips that count, and a condition that is used everywhere."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.networks.nets import ConditionalUNetGenerator


def test_the_papers_layers():
    generator = ConditionalUNetGenerator(2, in_channels=8)
    kinds = [type(module) for module in generator.modules()]
    assert kinds.count(nn.ConvTranspose2d) == 7
    assert kinds.count(nn.Conv2d) == 7 + 1
    assert kinds.count(nn.BatchNorm2d) == kinds.count(nn.LeakyReLU) == 14
    last = [module for module in generator.modules() if isinstance(module, nn.Conv2d)][-1]
    assert last.stride == (1, 1)
    sizes = []
    for layer in generator.down:
        layer.register_forward_hook(lambda module, given, out: sizes.append(out.shape[-1]))
    assert generator.eval()(torch.rand(1, 8, 256, 256)).shape == (1, 1, 256, 256)
    assert sizes == [128, 64, 32, 16, 8, 4, 2]


@pytest.mark.parametrize("skip", [True, False])
def test_skips_carry_detail_past_the_coarsest_level(skip):
    torch.manual_seed(0)
    generator = ConditionalUNetGenerator(2, in_channels=2, channels=(4, 4, 4), skip=skip).eval()
    condition = torch.rand(1, 2, 32, 32)
    with torch.no_grad():
        generator.up[0][0].weight.zero_()  # nothing comes through the coarsest level
        generator.up[0][1].bias.zero_()
        changed = generator(condition) - generator(1 - condition)
    assert bool(changed.any()) == skip


def test_images_are_in_range_and_follow_from_the_condition_alone():
    torch.manual_seed(0)
    generator = ConditionalUNetGenerator(3, in_channels=2, out_channels=2, channels=(4, 4))
    condition = 100 * torch.randn(2, 2, 8, 8, 8)
    one, other = generator(condition), generator(condition)
    assert torch.equal(one, other)
    assert 0 <= float(one.detach().min()) <= float(one.detach().max()) <= 1


def test_a_single_pixel_cannot_be_normalised_in_training():
    generator = ConditionalUNetGenerator(2, in_channels=1, channels=(2, 2, 2))
    with pytest.raises(ShapeError, match="more than one row"):
        generator(torch.rand(1, 1, 8, 8))
    assert generator(torch.rand(2, 1, 8, 8)).shape == (2, 1, 8, 8)
    assert generator.eval()(torch.rand(1, 1, 8, 8)).shape == (1, 1, 8, 8)


def test_too_few_levels_are_refused():
    with pytest.raises(InputError, match="at least 2 levels"):
        ConditionalUNetGenerator(2, in_channels=1, channels=(4,))
