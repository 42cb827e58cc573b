"""Ordinary augmentation of 2D slices, a whole batch at once: what every arm of a study gets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..seeding import seeded


@dataclass(frozen=True)
class AugmentationDraw:
    """What was drawn for a batch of B slices; see `OrdinaryAugmentation` for the ranges.

    Attributes:
        matrix: `(B, 2, 3)`, output to input coordinates, both in [-1, 1] along each axis.
        gamma: `(B, 1, 1, 1)`, the exponent of the intensities.
        contrast: `(B, 1, 1, 1)`, the factor about the middle grey.
        brightness: `(B, 1, 1, 1)`, added.
        noise: `(B, 1, 1, 1)`, standard deviation of the noise.
        seed: of the noise itself.
    """

    matrix: torch.Tensor
    gamma: torch.Tensor
    contrast: torch.Tensor
    brightness: torch.Tensor
    noise: torch.Tensor
    seed: int


class OrdinaryAugmentation:
    """Rotate, flip, shift and scale slices with their labels; change contrast and brightness; add noise.

    Rotations, flips and shifts are paper 1's ordinary augmentation; the rest is today's habit. Flips are off unless
    asked for: a mirrored heart is another organ. Everything is drawn on the CPU, so that a seed gives the same
    slices on every device, then computed for the whole batch: sample by sample, MONAI's transforms take 16 times as
    long.

    Args:
        rotation: largest angle in degrees, uniform in both directions.
        shift: largest shift as a fraction of the side.
        scale: largest change of size; the factor is uniform in [1 - scale, 1 + scale].
        flip: probability of a flip along each in-plane axis, 0.5 in paper 1.
        gamma: largest absolute logarithm of the gamma exponent.
        contrast: largest relative change of contrast.
        brightness: largest shift of the intensities, which lie in [0, 1].
        noise: largest standard deviation of Gaussian noise.

    Example:
        >>> import torch
        >>> image, label = torch.rand(2, 1, 8, 8), torch.zeros(2, 1, 8, 8, dtype=torch.int64)
        >>> augment = OrdinaryAugmentation()
        >>> [tuple(x.shape) for x in augment(image, label, torch.Generator().manual_seed(0))]
        [(2, 1, 8, 8), (2, 1, 8, 8)]

    Source: ordinary augmentation of Skandarani et al., DOI 10.48550/arXiv.2005.09026.
    """

    def __init__(
        self,
        rotation: float = 20.0,
        shift: float = 0.1,
        scale: float = 0.15,
        flip: float = 0.0,
        gamma: float = 0.3,
        contrast: float = 0.2,
        brightness: float = 0.1,
        noise: float = 0.03,
    ) -> None:
        self.rotation, self.shift, self.scale, self.flip = rotation, shift, scale, flip
        self.gamma, self.contrast, self.brightness, self.noise = gamma, contrast, brightness, noise

    def sample(self, batch_size: int, generator: torch.Generator) -> AugmentationDraw:
        """Draw the parameters of `batch_size` slices, on the CPU."""

        def uniform(*shape: int) -> torch.Tensor:
            return 2 * torch.rand(batch_size, *shape, generator=generator) - 1

        angle = uniform() * math.radians(self.rotation)
        scale = 1 + uniform() * self.scale
        flips = torch.where(torch.rand(batch_size, 2, generator=generator) < self.flip, -1.0, 1.0)
        cosine, sine = angle.cos() / scale, angle.sin() / scale
        rows = [torch.stack([cosine, -sine], dim=1), torch.stack([sine, cosine], dim=1)]
        linear = torch.stack(rows, dim=1) * flips[:, None, :]  # (B, 2, 2)
        matrix = torch.cat([linear, 2 * self.shift * uniform(2, 1)], dim=2)  # sides are 2 long
        return AugmentationDraw(
            matrix,
            gamma=(uniform(1, 1, 1) * self.gamma).exp(),
            contrast=1 + uniform(1, 1, 1) * self.contrast,
            brightness=uniform(1, 1, 1) * self.brightness,
            noise=uniform(1, 1, 1).abs() * self.noise,
            seed=int(torch.randint(2**31, (), generator=generator)),
        )

    def apply(
        self, image: torch.Tensor, label: torch.Tensor, draw: AugmentationDraw
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the slices `(B, 1, H, W)` in [0, 1] and label maps `(B, 1, H, W)` as drawn; nothing is random."""
        # Rotation is rigid only in equal units along both axes: scale the coordinates by the sides.
        height, width = image.shape[2:]
        aspect = torch.tensor([[1.0, height / width, 1.0], [width / height, 1.0, 1.0]])
        matrix = (draw.matrix * aspect).to(image)
        grid = F.affine_grid(matrix, list(image.shape), align_corners=False)
        moved = F.grid_sample(image, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        moved_label = F.grid_sample(label.to(image), grid, mode="nearest", padding_mode="zeros", align_corners=False)
        moved = moved.clamp(0, 1) ** draw.gamma.to(image)
        moved = (moved - 0.5) * draw.contrast.to(image) + 0.5 + draw.brightness.to(image)
        noise = torch.randn(image.shape, generator=seeded(draw.seed)).to(image)
        return (moved + draw.noise.to(image) * noise).clamp(0, 1), moved_label.to(label.dtype)

    def __call__(
        self, image: torch.Tensor, label: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw and apply; see `sample` and `apply`."""
        return self.apply(image, label, self.sample(len(image), generator))
