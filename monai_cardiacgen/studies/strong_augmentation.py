"""Strong augmentation of 2D slices, a whole batch at once: nnU-Net's set, the opponent that synthesis has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional as F

#: Largest angle (radians), logarithms of scale and aspect ratio, shift and elastic displacement (of the side).
_ANGLE, _SCALE, _ASPECT, _SHIFT, _ELASTIC = math.pi / 6, 0.3, 0.12, 0.1, 0.03
#: Control points of the elastic displacement along each axis.
_CONTROL = 5
#: Largest absolute logarithm of the gamma exponent, and largest standard deviation of the noise.
_GAMMA, _NOISE = 0.45, 0.05
#: Half width of the blur's kernel in pixels.
_REACH = 3


class StrongAugmentation:
    """Rotate, scale, shift and bend; blur, coarsen, change brightness, contrast and gamma; add noise; cut the middle.

    The transforms are nnU-Net's, with elastic deformation and without mirroring (a mirrored heart is another organ),
    each with a probability of its own; rotation and scaling are drawn for 60 % of the slices, where nnU-Net takes 20 %,
    as suits few patients. All draws are made on the CPU, so that a seed gives the same slices on every device.

    Args:
        spatial_size: `(H, W)` of what comes out, about the middle; larger slices come in, so that turning shows what
            lies beyond instead of black corners.

    Example:
        >>> augment = StrongAugmentation((8, 8))
        >>> image, label = torch.rand(2, 1, 12, 12), torch.zeros(2, 1, 12, 12, dtype=torch.int64)
        >>> [tuple(x.shape) for x in augment(image, label, torch.Generator().manual_seed(0))]
        [(2, 1, 8, 8), (2, 1, 8, 8)]

    Source:
        Isensee et al., Nature Methods 2021, DOI 10.1038/s41592-020-01008-z, supplementary note 2.
    """

    def __init__(self, spatial_size: Sequence[int]) -> None:
        self.spatial_size = tuple(int(side) for side in spatial_size)

    def __call__(
        self, image: torch.Tensor, label: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return slices `(B, 1, H, W)` in [0, 1] and their label maps, drawn anew for each row."""
        grid = _draw_grid(len(image), image.shape[2:], self.spatial_size, generator).to(image)
        moved = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
        moved_label = F.grid_sample(label.to(image), grid, mode="nearest", align_corners=False)
        return _draw_intensities(moved, generator), moved_label.to(label.dtype)


def _draw_grid(rows: int, size: Sequence[int], new_size: Sequence[int], generator: torch.Generator) -> torch.Tensor:
    """Return where each new pixel looks, `(rows, *new_size, 2)`, in [-1, 1] over the old image as (x, y)."""
    angle = _uniform(rows, generator) * _ANGLE * _chosen(rows, 0.6, generator)
    scale = torch.exp(_uniform(rows, generator) * _SCALE * _chosen(rows, 0.6, generator))
    aspect = torch.exp(_uniform(rows, generator) * _ASPECT * _chosen(rows, 0.4, generator))
    shift = _SHIFT * torch.stack([_uniform(rows, generator), _uniform(rows, generator)], dim=1)
    cosine, sine = angle.cos() / scale, angle.sin() / scale
    across, down = torch.stack([cosine * aspect, -sine], dim=1), torch.stack([sine, cosine / aspect], dim=1)
    # In units of the new sides, then of the old ones: rotation is rigid only in equal units along both axes.
    (height, width), (new_height, new_width) = size, new_size
    units = torch.tensor([[new_width / width, new_height / width], [new_width / height, new_height / height]])
    linear = torch.stack([across, down], dim=1) * units
    grid = F.affine_grid(torch.cat([linear, shift[:, :, None]], dim=2), [rows, 1, *new_size], align_corners=False)
    strength = _ELASTIC * torch.rand(rows, generator=generator) * _chosen(rows, 0.5, generator)
    control = torch.randn(rows, 2, _CONTROL, _CONTROL, generator=generator) * strength[:, None, None, None]
    bend = F.interpolate(control, tuple(new_size), mode="bicubic", align_corners=True)
    return grid + 2 * bend.movedim(1, -1)


def _draw_intensities(image: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    rows = len(image)

    def each(values: torch.Tensor) -> torch.Tensor:
        return values[:, None, None, None].to(image)

    def factor(low: float, high: float, probability: float) -> torch.Tensor:
        drawn = low + (high - low) * torch.rand(rows, generator=generator)
        return each(torch.where(_chosen(rows, probability, generator) > 0, drawn, 1.0))

    def exponent(probability: float) -> torch.Tensor:
        return each(torch.exp(_uniform(rows, generator) * _GAMMA * _chosen(rows, probability, generator)))

    blur = each(_chosen(rows, 0.2, generator))
    image = torch.lerp(image, _blurred(image, 0.5 + torch.rand(rows, generator=generator)), blur)
    coarse = _chosen(rows, 0.2, generator)
    zoom = 0.5 + 0.5 * torch.rand(rows, generator=generator)
    image = torch.cat(
        [
            _coarsened(one, float(share)) if chosen else one
            for one, share, chosen in zip(image.split(1), zoom, coarse, strict=True)
        ]
    )
    image = image * factor(0.7, 1.25, 0.3)
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    image = ((image - mean) * factor(0.65, 1.5, 0.3) + mean).clamp(0, 1)
    image = image ** exponent(0.4)
    image = 1 - (1 - image) ** exponent(0.1)  # gamma of the inverted image
    noise = _NOISE * torch.rand(rows, generator=generator) * _chosen(rows, 0.3, generator)
    return (image + each(noise) * torch.randn(image.shape, generator=generator).to(image)).clamp(0, 1)


def _blurred(image: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Return each row `(B, 1, H, W)` under a Gaussian of its own width in pixels `(B,)`."""
    weight = torch.exp(-(torch.arange(-_REACH, _REACH + 1) ** 2) / (2 * sigma[:, None] ** 2))
    weight = (weight / weight.sum(dim=1, keepdim=True)).to(image)[:, None, :, None]
    padded = F.pad(image, (_REACH,) * 4, mode="replicate").transpose(0, 1)  # rows as channels
    down = F.conv2d(padded, weight, groups=len(image))
    return F.conv2d(down, weight.transpose(2, 3), groups=len(image)).transpose(0, 1)


def _coarsened(image: torch.Tensor, share: float) -> torch.Tensor:
    """Return an image `(1, 1, H, W)` as if measured on `share` of its pixels along each axis."""
    coarse = F.interpolate(image, scale_factor=share, mode="nearest")
    return F.interpolate(coarse, tuple(image.shape[2:]), mode="bicubic").clamp(0, 1)


def _uniform(rows: int, generator: torch.Generator) -> torch.Tensor:
    """Return draws in [-1, 1], `(rows,)`."""
    return 2 * torch.rand(rows, generator=generator) - 1


def _chosen(rows: int, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Return 1 for the rows that are chosen, 0 for the others, `(rows,)`."""
    return (torch.rand(rows, generator=generator) < probability).to(torch.float32)


__all__ = ["StrongAugmentation"]
