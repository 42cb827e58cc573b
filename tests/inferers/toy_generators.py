"""Generators and critics whose optima are known."""

from __future__ import annotations

import torch
from torch import nn


class Linear(nn.Module):
    """G(z) = A z + b, of float64."""

    def __init__(self, latent_size: int, shape: tuple[int, ...], seed: int = 0) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(seed)
        pixels = int(torch.tensor(shape).prod())
        self.a = nn.Parameter(torch.randn(pixels, latent_size, generator=draws, dtype=torch.float64) / 10)
        self.b = nn.Parameter(torch.full((pixels,), 0.5, dtype=torch.float64))
        self.shape = shape

    def forward(self, z):
        return (z @ self.a.T + self.b).reshape(-1, *self.shape)


class Identity(nn.Module):
    """G(z) = z as an image: each pixel is a latent of its own."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, z):
        return z.reshape(-1, *self.shape)


class Indifferent(nn.Module):
    """D(x) = 0."""

    def forward(self, x):
        return 0 * x.flatten(1).sum(dim=1)


class Bowl(nn.Module):
    """D(x) = -½ ‖x - centre‖²."""

    def __init__(self, centre: float) -> None:
        super().__init__()
        self.centre = centre

    def forward(self, x):
        return -(x - self.centre).square().flatten(1).sum(dim=1) / 2


class Convolutions(nn.Module):
    """A small network with a batch norm and a dropout, which must not be heard."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(6, 8 * 16)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(8), nn.Tanh(), nn.Dropout(0.5), nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, padding=1)
        )

    def forward(self, z):
        return self.layers(self.first(z).reshape(-1, 8, 4, 4)).sigmoid()


class Scores(nn.Module):
    """A small critic."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 1))

    def forward(self, x):
        return self.layers(x)[:, 0]
