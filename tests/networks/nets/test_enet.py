"""ENet by its paper's numbers and by learning something small."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.networks.nets.enet import ENet
from monai_cardiacgen.seeding import seeded


def test_has_the_papers_third_of_a_million_parameters():
    """The paper's table reports 0.37 M; colour images and 19 classes need 0.36 M."""
    parameters = sum(p.numel() for p in ENet(2, in_channels=3, out_channels=19).parameters())
    assert round(parameters / 1e6, 2) == 0.36


def test_stages_have_the_papers_sizes():
    """Table 1 of the paper, for an image of 512 x 512: sizes and channels of every stage."""
    net = ENet(2, in_channels=3, out_channels=12).eval()
    seen = {}
    for name, module in net.named_children():
        module.register_forward_hook(
            lambda _, __, out, name=name: seen.update({name: (out[0] if isinstance(out, tuple) else out).shape[1:]})
        )
    with torch.no_grad():
        net(torch.rand(1, 3, 128, 128))
    expected = {
        "initial": (16, 256),
        "down1": (64, 128),
        "stage1": (64, 128),
        "down2": (128, 64),
        "stage2": (128, 64),
        "stage3": (128, 64),
        "up4": (64, 128),
        "stage4": (64, 128),
        "up5": (16, 256),
        "stage5": (16, 256),
        "classify": (12, 512),
    }
    assert {name: (shape[0], 4 * shape[1]) for name, shape in seen.items()} == expected


def test_learns_to_find_a_bright_square():
    torch.manual_seed(0)
    net = ENet(2, 1, 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    generator = seeded(0)
    for _ in range(25):
        image = 0.3 * torch.rand(8, 1, 24, 24, generator=generator)
        label = torch.zeros(8, 24, 24, dtype=torch.int64)
        for row, (y, x) in enumerate(torch.randint(14, (8, 2), generator=generator).tolist()):
            label[row, y : y + 10, x : x + 10] = 1
        image[:, 0] += 0.5 * label
        loss = F.cross_entropy(net(image), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.35


@pytest.mark.parametrize("channels", [0, 16])
def test_too_many_channels_for_the_first_block_are_refused(channels):
    with pytest.raises(InputError, match="1 to 15"):
        ENet(2, channels, 4)


def test_other_dimensions_are_refused():
    with pytest.raises(InputError, match="spatial_dims"):
        ENet(1, 1, 4)
