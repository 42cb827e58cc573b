"""ENet's parts against torch's own operations and by the reach of their convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from monai_cardiacgen.networks.blocks.enet_blocks import (
    ENetBottleneck,
    ENetDownsampling,
    ENetInitialBlock,
    ENetUpsampling,
    asymmetric_conv,
    dilated_conv,
    max_unpool,
)
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize("dims", [2, 3])
def test_unpooling_is_torchs_own_with_its_gradient(dims):
    pool, unpool = (F.max_pool2d, F.max_unpool2d) if dims == 2 else (F.max_pool3d, F.max_unpool3d)
    pooled, indices = pool(torch.rand(2, 3, *(8, 6, 4)[:dims], generator=seeded(0)), 2, return_indices=True)
    ours, torchs = pooled.clone().requires_grad_(), pooled.clone().requires_grad_()
    filled, expected = max_unpool(ours, indices), unpool(torchs, indices, 2)
    assert torch.equal(filled, expected)
    weight = torch.rand(filled.shape, generator=seeded(1))
    (filled * weight).sum().backward()
    (expected * weight).sum().backward()
    assert torch.equal(ours.grad, torchs.grad)


@pytest.mark.parametrize(("dilation", "reach"), [(1, 3), (4, 9), (16, 33)])
def test_dilation_widens_the_reach(dilation, reach):
    x = torch.zeros(1, 1, 65, 65)
    x[..., 32, 32] = 1
    touched = dilated_conv(2, 1, dilation)(x)[0, 0].abs().sum(dim=0).nonzero()
    assert int(touched.max() - touched.min()) + 1 == reach


def test_asymmetric_pair_reaches_as_far_as_one_convolution_with_fewer_weights():
    conv = asymmetric_conv(2, 4, 5)
    x = torch.zeros(1, 4, 11, 11)
    x[..., 5, 5] = 1
    assert int((conv(x).abs().sum(dim=1) > 0).sum()) == 25
    assert sum(p.numel() for p in conv.parameters()) == 4 * 4 * (5 + 5)


def test_initial_block_carries_the_pooled_image():
    block = ENetInitialBlock(2, 3, 16).eval()
    x = torch.rand(1, 3, 8, 8, generator=seeded(2))
    pooled = F.max_pool2d(x, 2)
    # A fresh batch norm in evaluation divides by sqrt(1 + eps); PReLU keeps positive values.
    torch.testing.assert_close(block(x)[:, 13:], pooled / (1 + 1e-3) ** 0.5)


def test_a_bottleneck_with_a_silent_branch_is_its_activation():
    block = ENetBottleneck(2, 8, dilated_conv(2, 2)).eval()
    nn.init.zeros_(block.branch.expand.weight)
    x = torch.randn(1, 8, 4, 4, generator=seeded(3))
    torch.testing.assert_close(block(x), F.prelu(x, block.activation.weight))


def test_down_then_up_brings_maxima_back_to_their_places():
    down, up = ENetDownsampling(2, 4, 8, 0.0).eval(), ENetUpsampling(2, 8, 4).eval()
    x = torch.rand(1, 4, 8, 8, generator=seeded(4))
    y, indices = down(x)
    assert y.shape == (1, 8, 4, 4)
    nn.init.zeros_(up.branch.expand.weight)
    nn.init.constant_(up.main[0].weight, 1.0)
    out = up(torch.rand(1, 8, 4, 4, generator=seeded(5)) + 0.1, indices)
    is_maximum = F.interpolate(F.max_pool2d(x, 2), scale_factor=2) == x
    assert torch.equal(out > 0, is_maximum)


def test_dropout_drops_whole_channels_only_in_training():
    block = ENetBottleneck(2, 64, dilated_conv(2, 16), dropout=0.5)
    x = torch.randn(1, 64, 8, 8, generator=seeded(6))
    torch.manual_seed(0)
    branch = block.branch(x).flatten(2)
    empty = (branch == 0).all(dim=2)
    assert 0.2 < float(empty.float().mean()) < 0.8
    assert bool((branch != 0).all(dim=2)[~empty].all())
    assert not (block.eval().branch(x) == 0).all(dim=-1).any()
