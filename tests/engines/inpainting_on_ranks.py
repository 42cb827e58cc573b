"""A small training of the inpainting GAN that a test runs in its own process and, by `torchrun`, on two ranks."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import distributed

from monai_cardiacgen.engines import InpaintingGANTrainer
from monai_cardiacgen.networks.nets import InpaintingGenerator, WGANCritic
from monai_cardiacgen.ranks import rank, world_size
from monai_cardiacgen.seeding import seeded

WHOLE_BATCH = 4


def batches(count: int = 3) -> list[dict[str, torch.Tensor]]:
    """This rank's rows of whole batches, in float64; all masks hide as many pixels, as a mean of ranks needs."""
    draws = seeded(1)
    rows = slice(rank(), None, world_size())
    made = []
    for _ in range(count):
        image = torch.rand(WHOLE_BATCH, 1, 8, 8, generator=draws, dtype=torch.float64)
        mask = torch.zeros_like(image)
        for one, corner in zip(mask, torch.randint(4, (WHOLE_BATCH, 2), generator=draws).tolist(), strict=True):
            one[:, corner[0] : corner[0] + 3, corner[1] : corner[1] + 4] = 1
        structure = (image > 0.6).double()
        made.append({"image": image[rows], "label": torch.cat([mask, structure], dim=1)[rows]})
    return made


def small_trainer(epochs: int) -> InpaintingGANTrainer:
    torch.manual_seed(0)
    network = InpaintingGenerator(2, channels=(2, 4)).double()
    critic = WGANCritic(2, 8, in_channels=2, features=2).double()
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.01) for one in (network, critic)]
    return InpaintingGANTrainer("cpu", epochs, batches(), network, critic, *optimizers, ema_decay=0.5, amp=False)


def result(one: InpaintingGANTrainer) -> dict[str, torch.Tensor]:
    """Run, and return weights, averages and gradients."""
    one.run()
    parts = {"network": one.network, "critic": one.critic, "average": one.average}
    tensors = {f"{part}.{name}": value for part, module in parts.items() for name, value in module.state_dict().items()}
    for part in ("network", "critic"):
        tensors |= {f"gradient of {part}.{name}": value.grad for name, value in parts[part].named_parameters()}
    return tensors


if __name__ == "__main__":
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    torch.save(result(small_trainer(2)), Path(sys.argv[1]) / f"rank{rank()}.pt")
    distributed.destroy_process_group()
