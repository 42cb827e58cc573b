"""The conditional discriminator: five layers, 32 x 32 patches, each of which sees its surroundings only."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.networks.nets import ConditionalPatchCritic


def test_the_papers_layers_and_patches():
    critic = ConditionalPatchCritic(2, in_channels=9)
    kinds = [type(module) for module in critic.modules()]
    assert kinds.count(nn.Conv2d) == 5
    assert kinds.count(nn.BatchNorm2d) == kinds.count(nn.LeakyReLU) == 4
    assert critic.eval()(torch.rand(1, 9, 256, 256)).shape == (1, 1, 32, 32)


def test_a_patch_sees_a_part_of_the_image():
    torch.manual_seed(0)
    critic = ConditionalPatchCritic(2, in_channels=1, channels=(4, 4, 4, 4)).eval()
    image = torch.rand(1, 1, 128, 128, requires_grad=True)
    critic(image)[0, 0, 8, 8].backward()
    seen = image.grad[0, 0].nonzero()
    # 4, 4 and 4 with strides of 2, then 3 and 3: 1 + 3 + 3 * 2 + 3 * 4 + 2 * 8 + 2 * 8 pixels a side
    assert (seen.max(dim=0).values - seen.min(dim=0).values + 1).tolist() == [54, 54]


def test_too_few_layers_are_refused():
    with pytest.raises(InputError, match="at least 3"):
        ConditionalPatchCritic(2, in_channels=1, channels=(4, 4))
