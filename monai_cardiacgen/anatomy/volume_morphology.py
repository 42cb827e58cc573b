"""Binary morphology of batches of 3-D masks in plain torch, on the device of the input.

Every function takes boolean masks `(N, H, W, D)` and treats what lies beyond the volume as background. Memory is a few
`int64` volumes a mask: crop to the structure first (`bounding_box`), as the whole-heart criteria do.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..checks import check_spacing
from ..errors import ShapeError
from .geometry import convex_hull


def check_volumes(*masks: torch.Tensor) -> None:
    """Raise `ShapeError` unless all masks are boolean `(N, H, W, D)` of one shape."""
    for mask in masks:
        if mask.ndim != 4 or mask.dtype != torch.bool or mask.shape != masks[0].shape:
            raise ShapeError(
                f"Expected boolean masks (N, H, W, D) of one shape, got {tuple(mask.shape)} of {mask.dtype}; "
                f"compare the label map with a code, for example label == 500."
            )


def bounding_box(mask: torch.Tensor) -> tuple[slice, slice, slice]:
    """Return the slices along H, W and D that hold everything of all masks `(N, H, W, D)`; empty for empty masks.

    Example:
        >>> mask = torch.zeros(1, 5, 6, 7, dtype=torch.bool)
        >>> mask[0, 1:3, 2, 4:] = True
        >>> bounding_box(mask)
        (slice(1, 3, None), slice(2, 3, None), slice(4, 7, None))
    """
    check_volumes(mask)
    sides = []
    for dim in (1, 2, 3):
        others = [other for other in (0, 1, 2, 3) if other != dim]
        present = torch.nonzero(mask.any(dim=others[2]).any(dim=others[1]).any(dim=others[0])).flatten()
        sides.append(slice(int(present[0]), int(present[-1]) + 1) if len(present) else slice(0, 0))
    return sides[0], sides[1], sides[2]


def enclosed(mask: torch.Tensor) -> torch.Tensor:
    """Return the background voxels from which no path over faces leads out of the volume (6-connected).

    The outside grows line by line: along every axis in turn it runs until the mask stops it, until nothing changes.

    Args:
        mask: boolean `(N, H, W, D)`.

    Example:
        >>> shell = torch.ones(1, 3, 3, 3, dtype=torch.bool)
        >>> shell[0, 1, 1, 1] = False
        >>> int(enclosed(shell).sum())
        1
    """
    check_volumes(mask)
    background = F.pad(~mask, (1, 1, 1, 1, 1, 1), value=True)
    outside = torch.ones_like(background)
    outside[:, 1:-1, 1:-1, 1:-1] = False
    while True:
        before = outside
        for dim in (1, 2, 3):
            outside = _run(outside, background, dim)
        if torch.equal(before, outside):
            return (background & ~outside)[:, 1:-1, 1:-1, 1:-1]


def _run(reached: torch.Tensor, allowed: torch.Tensor, dim: int) -> torch.Tensor:
    """Return `reached` spread along `dim`, both ways, over `allowed`."""
    shape = [1, 1, 1, 1]
    shape[dim] = -1
    here = torch.arange(reached.shape[dim], dtype=torch.int32, device=reached.device).view(shape)
    spread = reached
    for flip in (False, True):
        seed, free = (tensor.flip(dim) if flip else tensor for tensor in (reached, allowed))
        last_seed = torch.where(seed, here, -1).cummax(dim=dim).values
        last_wall = torch.where(free, -1, here).cummax(dim=dim).values
        found = free & (last_seed > last_wall)
        spread = spread | (found.flip(dim) if flip else found)
    return spread


def outside_largest_part(mask: torch.Tensor) -> torch.Tensor:
    """Return the voxels outside the largest 26-connected part.

    Every voxel takes the largest voxel number in its neighbourhood, then the number that the voxel of that number
    bears by now (pointer jumping), until nothing changes.

    Args:
        mask: boolean `(N, H, W, D)`.

    Example:
        >>> int(outside_largest_part(torch.tensor([True, True, False, True]).view(1, 1, 1, 4)).sum())
        1
    """
    check_volumes(mask)
    if mask.numel() == 0:  # the box of an absent structure
        return mask.clone()
    count, voxels = mask.shape[0], mask[0].numel()
    number = torch.arange(1, voxels + 1, device=mask.device).view(1, *mask.shape[1:]) * mask
    while True:
        largest = number
        for dim in (1, 2, 3):
            largest = _maximum_along(largest, dim)
        largest = largest * mask
        # Voxel number p stands at flat index p - 1; the column in front catches the background's 0.
        flat = F.pad(largest.flatten(1), (1, 0))
        jumped = flat.gather(1, largest.flatten(1)).view_as(largest)
        if torch.equal(jumped, number):
            break
        number = jumped
    flat = number.flatten(1)
    sizes = torch.zeros(count, voxels + 1, dtype=torch.int64, device=mask.device)
    sizes.scatter_add_(1, flat, torch.ones_like(flat))
    sizes[:, 0] = -1  # the background is no part
    return mask & (flat != sizes.argmax(dim=1, keepdim=True)).view_as(mask)


def _maximum_along(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Return the largest of every voxel and its two neighbours along `dim`."""
    largest, size = values.clone(), values.shape[dim]
    inner, outer = largest.narrow(dim, 1, size - 1), largest.narrow(dim, 0, size - 1)
    torch.maximum(inner, values.narrow(dim, 0, size - 1), out=inner)
    torch.maximum(outer, values.narrow(dim, 1, size - 1), out=outer)
    return largest


def contact_areas(channels: torch.Tensor, classes: int, spacing: Sequence[float]) -> torch.Tensor:
    """Return the area over which every two classes touch by faces of voxels.

    Faces overstate an oblique area, up to the square root of 3 times. Beyond the volume is class 0.

    Args:
        channels: class numbers in 0 ... classes - 1, `int64` `(N, H, W, D)`.
        classes: number of classes, background included.
        spacing: mm between voxels along H, W and D.

    Returns:
        mm², float64 `(N, classes, classes)`, symmetric, with a zero diagonal. A row's sum is the class's surface.

    Example:
        >>> contact_areas(torch.tensor([1, 2]).view(1, 1, 1, 2), 3, (1.0, 2.0, 3.0))[0, 1, 2].item()
        2.0
    """
    spacing = check_spacing(spacing, 3)
    volume = spacing[0] * spacing[1] * spacing[2]
    padded = F.pad(channels, (1, 1, 1, 1, 1, 1))
    count = padded.shape[0]
    row = torch.arange(count, device=channels.device).view(-1, 1, 1, 1) * classes**2
    areas = torch.zeros(count * classes**2, dtype=torch.float64, device=channels.device)
    for dim, mm in zip((1, 2, 3), spacing, strict=True):
        size = padded.shape[dim]
        first, second = padded.narrow(dim, 0, size - 1), padded.narrow(dim, 1, size - 1)
        pairs = torch.bincount((row + classes * first + second).flatten(), minlength=len(areas))
        areas += pairs * (volume / mm)
    square = areas.view(count, classes, classes)
    square = square + square.transpose(1, 2)
    return square - torch.diag_embed(square.diagonal(dim1=1, dim2=2))


def hull_by_slices(mask: torch.Tensor) -> torch.Tensor:
    """Return the voxels that lie in the convex hull of the mask's section with a slice, along any of the three axes.

    It lies inside the 3-D convex hull, so what it holds the hull holds too, and it is quick.

    Args:
        mask: boolean `(N, H, W, D)`.

    Example:
        >>> corners = torch.zeros(1, 3, 3, 3, dtype=torch.bool)
        >>> corners[0, 0, 0, 0] = corners[0, 2, 2, 0] = True
        >>> hull_by_slices(corners)[0, 1, 1].tolist()
        [True, False, False]
    """
    check_volumes(mask)
    hull = mask.clone()
    if mask.numel() == 0:  # the box of an absent structure
        return hull
    for dim in (1, 2, 3):
        slices = mask.movedim(dim, 1)
        filled = convex_hull(slices.flatten(0, 1).contiguous())
        hull |= filled.view(slices.shape).movedim(1, dim)
    return hull
