"""A feature space that needs no download: the encoder of an autoencoder that was trained on the data at hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import nn

from ..errors import InputError
from ..metrics.feature_space import FeatureSpace
from ..seeding import seeded

#: Number of features: few, because a covariance needs several times as many images.
FEATURES = 32
_CHANNELS = (1, 16, 32, 48, FEATURES)


def train_feature_space(
    images: torch.Tensor,
    what: str,
    iterations: int = 300,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> FeatureSpace:
    """Return the encoder of a small convolutional autoencoder that was trained on images for a moment.

    Four convolutions of stride 2 down to 32 maps of a sixteenth of the size, and back; the features are the maps'
    means, standardised over the images. Images are flipped and changed in brightness while it is trained. Distances
    compare with others in the very same space only.

    Args:
        images: real images `(N, 1, H, W)` in [0, 1], sides of at least 32 pixels.
        what: the images in words, for the name of the space.
        iterations: steps of 16 images.
        seed: of weights and batches.
        progress: called with the number of steps done and their total.

    Raises:
        InputError: for fewer than 16 images or sides too short.

    Example:
        >>> images = torch.rand(16, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        >>> space = train_feature_space(images, "16 images of noise", iterations=2)
        >>> space.name, space(images).shape
        ('encoder of an autoencoder, 2 steps on 16 images of noise, seed 0', torch.Size([16, 32]))
    """
    if len(images) < 16 or images.ndim != 4 or min(images.shape[2:]) < 32:
        raise InputError(
            f"Expected at least 16 images (N, 1, H, W) with sides of at least 32 pixels, got {tuple(images.shape)}."
        )
    size = [16 * (side // 16) for side in images.shape[2:]]
    with torch.random.fork_rng(devices=[]):  # the caller's own draws stay as they are
        torch.manual_seed(seed)
        encoder, decoder = _encoder(), _decoder()
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
    generator = seeded(seed)
    for done in range(1, iterations + 1):
        batch = _varied(images[torch.randint(len(images), (16,), generator=generator)], generator)
        batch = batch[..., : size[0], : size[1]]
        loss = (decoder(encoder(batch)) - batch).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress is not None:
            progress(done, iterations)
    name = f"encoder of an autoencoder, {iterations} steps on {what}, seed {seed}"
    encoder.requires_grad_(False).eval()
    return FeatureSpace(name, _Standardised(encoder, FeatureSpace(name, encoder)(images)))


class _Standardised(nn.Module):
    """The means of an encoder's maps with mean 0 and deviation 1 over known features: no map outweighs the others."""

    def __init__(self, encoder: nn.Module, known: torch.Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("mean", known.mean(dim=0))
        self.register_buffer("deviation", known.std(dim=0).clamp_min(1e-6))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = (self.encoder(images).mean(dim=(2, 3)) - self.mean) / self.deviation
        return features


def _encoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(_CHANNELS):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.ELU()]
    return nn.Sequential(*layers[:-1])


def _decoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(reversed(_CHANNELS)):
        layers += [nn.ELU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
    return nn.Sequential(*layers, nn.Sigmoid())


def _varied(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return images flipped at random, with contrast and brightness changed a little."""
    for axis in (-1, -2):
        flipped = torch.rand(len(batch), 1, 1, 1, generator=generator) < 0.5
        batch = torch.where(flipped, batch.flip(axis), batch)
    gain, offset = (0.2 * (torch.rand(2, len(batch), 1, 1, 1, generator=generator) - 0.5)).unbind(0)
    return ((1 + gain) * batch + offset).clamp(0, 1)


__all__ = ["FEATURES", "train_feature_space"]
