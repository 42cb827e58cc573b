"""A small conditional GAN that the tests of its engine share."""

from __future__ import annotations

import torch
from torch import nn

from monai_cardiacgen.anatomy import ACDC, StructureCondition
from monai_cardiacgen.engines import ConditionalGANTrainer
from monai_cardiacgen.networks.nets import ConditionalPatchCritic, ConditionalUNetGenerator
from monai_cardiacgen.seeding import seeded

LEVELS = torch.tensor([0.1, 0.9, 0.4, 0.7])


def batches(sizes=(4, 4, 3), side: int = 16) -> list[dict[str, torch.Tensor]]:
    """Boxes of ACDC's structures, each class with a grey level of its own."""
    made = []
    for seed, size in enumerate(sizes):
        label = torch.zeros(size, 1, side, side, dtype=torch.int64)
        for row in range(size):
            x, y = torch.randint(2, side - 8, (2,), generator=seeded(10 * seed + row)).tolist()
            label[row, 0, x : x + 6, y : y + 6] = 2
            label[row, 0, x + 2 : x + 4, y + 2 : y + 4] = 3
        made.append({"image": LEVELS[label], "label": label})
    return made


def trainer(max_epochs: int = 1, loader=None, network=None, discriminator=None, rate=1e-3, **changes):
    torch.manual_seed(0)
    network = network or ConditionalUNetGenerator(2, ACDC.num_classes, channels=(8, 8, 8))
    discriminator = discriminator or ConditionalPatchCritic(2, 1 + ACDC.num_classes, channels=(4, 8, 8))
    arguments = {"to_condition": StructureCondition(ACDC), "amp": False, **changes}
    return ConditionalGANTrainer(
        "cpu", max_epochs, batches() if loader is None else loader, network, discriminator,
        adam(network, rate), adam(discriminator, rate), **arguments,
    )  # fmt: skip


def adam(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), lr=rate)
