"""Small networks and distributions that the tests of the WGAN's engines share."""

from __future__ import annotations

import math

import torch
from torch import nn

from monai_cardiacgen.engines import WGANGPTrainer
from monai_cardiacgen.seeding import seeded

LATENT = 3


def perceptron(inputs: int, outputs: int, width: int = 64) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before in (inputs, width, width):
        layers += [nn.Linear(before, width), nn.ReLU()]
    return [*layers, nn.Linear(width, outputs)]


def small_network(outputs: int = 2, latent_size: int = LATENT) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(*perceptron(latent_size, outputs))


def small_critic(inputs: int = 2) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(*perceptron(inputs, 1), nn.Flatten(0))


def adam(module: nn.Module, rate: float = 1e-3) -> torch.optim.Optimizer:
    return torch.optim.Adam(module.parameters(), lr=rate, betas=(0.0, 0.9))


def points(rows: int, seed: int, columns: int = 2) -> torch.Tensor:
    return torch.randn(rows, columns, generator=seeded(seed))


def batches(sizes=(4, 4, 3)) -> list[dict[str, torch.Tensor]]:
    """Batches that are all different."""
    return [{"image": points(size, seed) + 2} for seed, size in enumerate(sizes)]


def trainer(max_epochs: int = 1, loader=None, network=None, critic=None, rate=1e-3, **changes) -> WGANGPTrainer:
    network = small_network() if network is None else network
    critic = small_critic() if critic is None else critic
    arguments = {
        "network_optimizer": adam(network, rate),
        "critic_optimizer": adam(critic, rate),
        "latent_size": LATENT,
        "amp": False,
        **changes,
    }
    return WGANGPTrainer("cpu", max_epochs, batches() if loader is None else loader, network, critic, **arguments)


def ring(modes: int = 8) -> torch.Tensor:
    """The middles of normal distributions on a circle with radius 2, `(modes, 2)`."""
    angles = 2 * math.pi * torch.arange(modes) / modes
    return 2 * torch.stack((angles.cos(), angles.sin()), dim=1)
