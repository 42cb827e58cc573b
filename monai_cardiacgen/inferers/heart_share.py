"""Where an image is repainted when its heart moves."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F


def heart_share(before: torch.Tensor, after: torch.Tensor, feather: int) -> torch.Tensor:
    """Return how much of each pixel is to be repainted when a heart moves.

    Args:
        before: label maps `(B, *spatial)`, 0 is background.
        after: the same, with the new hearts.
        feather: pixels over which the share falls from 1 at the hearts to 0.

    Returns:
        `(B, 1, *spatial)` in [0, 1]: 1 on both hearts and one pixel round them.
    """
    hearts = ((before > 0) | (after > 0))[:, None]
    share = torch.zeros(hearts.shape, device=hearts.device)
    where = hearts.nonzero()[:, 2:]
    if not len(where):
        return share
    # What the share of a pixel near a heart is made of lies within this reach, and all else is 0.
    reach = 3 * feather + 1
    starts, stops = (where.amin(dim=0) - reach).clamp(min=0), where.amax(dim=0) + reach + 1
    sides = (slice(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True))
    box = (slice(None), slice(None), *sides)
    near = hearts[box].to(torch.float32)
    largest, average = (F.max_pool2d, _average_2d) if before.ndim == 3 else (F.max_pool3d, _average_3d)
    grown = _along_each_axis(largest, near, feather + 1)
    share[box] = torch.maximum(_along_each_axis(average, grown, feather), _along_each_axis(largest, near, 1))
    return share


def _along_each_axis(pool: Callable[..., torch.Tensor], image: torch.Tensor, reach: int) -> torch.Tensor:
    """Pool over boxes that reach so many pixels to every side: axis after axis, which is the same at less cost."""
    dims = image.ndim - 2
    for axis in range(dims):
        sides, padding = [1] * dims, [0] * dims
        sides[axis], padding[axis] = 2 * reach + 1, reach
        image = pool(image, sides, stride=1, padding=padding)
    return image


def _average_2d(image: torch.Tensor, sides: list[int], stride: int, padding: list[int]) -> torch.Tensor:
    return F.avg_pool2d(image, sides, stride, padding, count_include_pad=False)


def _average_3d(image: torch.Tensor, sides: list[int], stride: int, padding: list[int]) -> torch.Tensor:
    return F.avg_pool3d(image, sides, stride, padding, count_include_pad=False)
