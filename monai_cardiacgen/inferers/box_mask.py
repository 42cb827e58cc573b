"""Masks of a box, such as the 25 x 25 pixels round an aorta."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..errors import InputError, ShapeError


def box_mask(
    spatial_size: Sequence[int], size: int | Sequence[int] = 25, centre: Sequence[float] | None = None
) -> torch.Tensor:
    """Return a mask that is True in a box and False round it.

    Args:
        spatial_size: of the image, pixels.
        size: sides of the box, pixels; one number for a square or cube.
        centre: of the box, in pixels from the middle of the first one, moved by up to half a pixel so that the box
            falls on whole pixels; the middle of the image by default.

    Returns:
        bool `(*spatial_size)`.

    Raises:
        ShapeError: when the numbers of axes differ.
        InputError: when a side is not positive or the box does not lie within the image.

    Example:
        >>> box_mask((5, 6), size=2, centre=(1.5, 4.5)).int()
        tensor([[0, 0, 0, 0, 0, 0],
                [0, 0, 0, 0, 1, 1],
                [0, 0, 0, 0, 1, 1],
                [0, 0, 0, 0, 0, 0],
                [0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    """
    sides = [size] * len(spatial_size) if isinstance(size, int) else [int(side) for side in size]
    middle = [(whole - 1) / 2 for whole in spatial_size] if centre is None else [float(at) for at in centre]
    if not len(sides) == len(middle) == len(spatial_size):
        raise ShapeError(
            f"Expected a size and a centre of {len(spatial_size)} numbers, got {len(sides)} and {len(middle)}."
        )
    if min(sides) < 1 or not all(torch.isfinite(torch.tensor(middle))):
        raise InputError(f"Expected a box with positive sides and a finite centre, got {sides} and {middle}.")
    begins = [math.floor(at - side / 2 + 1) for at, side in zip(middle, sides, strict=True)]
    for begin, side, whole in zip(begins, sides, spatial_size, strict=True):
        if begin < 0 or begin + side > whole:
            raise InputError(
                f"Expected a box within the image of {tuple(spatial_size)}, got sides {tuple(sides)} round "
                f"{tuple(middle)}; move the box, make it smaller, or cut the image round it."
            )
    mask = torch.zeros(tuple(spatial_size), dtype=torch.bool)
    mask[tuple(slice(begin, begin + side) for begin, side in zip(begins, sides, strict=True))] = True
    return mask
