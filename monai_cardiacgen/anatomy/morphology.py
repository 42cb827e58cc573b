"""Binary morphology of batches of 2-D masks in plain torch, on the device of the input.

Every function takes boolean masks `(N, H, W)` and treats what lies beyond the image as background.
Connectivity is 4 (pixels that share a side) or 8 (a corner is enough). But for the numbering of components, the same
functions take and return `PackedMasks.bits`, eight masks to a byte; boolean masks are packed for floods.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from ..errors import InputError, ShapeError
from .packed import PackedMasks, up_to_here

#: Steps between two looks at whether a flood has come to rest: each look waits for the device.
_STEPS_PER_LOOK = 4


def check_masks(*masks: torch.Tensor) -> None:
    """Raise `ShapeError` unless all masks are boolean `(N, H, W)` of one shape."""
    for mask in masks:
        if mask.ndim != 3 or mask.dtype != torch.bool or mask.shape != masks[0].shape:
            raise ShapeError(
                f"Expected boolean masks (N, H, W) of one shape, got {tuple(mask.shape)} of {mask.dtype}; "
                f"compare the label map with a code, for example label == 3."
            )


def _check_connectivity(connectivity: int) -> None:
    if connectivity not in (4, 8):
        raise InputError(f"Expected connectivity 4 or 8, got {connectivity!r}.")


def dilate(mask: torch.Tensor, connectivity: int = 8) -> torch.Tensor:
    """Return the masks grown by one pixel: by a 3x3 square (8) or a cross (4).

    Example:
        >>> mask = torch.zeros(1, 3, 3, dtype=torch.bool)
        >>> mask[0, 1, 1] = True
        >>> int(dilate(mask).sum()), int(dilate(mask, connectivity=4).sum())
        (9, 5)
    """
    _check_connectivity(connectivity)
    grown = mask.clone()
    grown[..., 1:, :] |= mask[..., :-1, :]
    grown[..., :-1, :] |= mask[..., 1:, :]
    # A square is a column grown sideways; a cross grows the single pixel sideways.
    source = grown.clone() if connectivity == 8 else mask
    grown[..., 1:] |= source[..., :-1]
    grown[..., :-1] |= source[..., 1:]
    return grown


def erode(mask: torch.Tensor, connectivity: int = 8) -> torch.Tensor:
    """Return the masks shrunk by one pixel, at the image's border too: beyond it is background."""
    _check_connectivity(connectivity)
    shrunk = mask & ~dilate(~mask, connectivity)
    for dim in (-1, -2):
        for border in (0, mask.shape[dim] - 1):
            shrunk.select(dim, border).zero_()
    return shrunk


def flood(seed: torch.Tensor, allowed: torch.Tensor, connectivity: int) -> torch.Tensor:
    """Return every pixel of `allowed` that a path inside `allowed` joins to `seed`; runs until rest."""
    _check_connectivity(connectivity)
    if allowed.dtype == torch.bool:
        return _packed(lambda first, second: flood(first, second, connectivity), seed, allowed)
    started = seed & allowed
    reached = started.flatten(0, -3)
    # Only where something begins is there anything to do: often nowhere at all.
    active = torch.nonzero(reached.flatten(1).amax(dim=1)).squeeze(1) if reached.numel() else reached
    if active.numel():
        spread = _spread(reached[active], allowed.flatten(0, -3)[active], connectivity)
        reached = reached.index_copy(0, active, spread)
    return reached.view_as(started)


def _spread(seed: torch.Tensor, allowed: torch.Tensor, connectivity: int) -> torch.Tensor:
    # With a forbidden rim round every map the whole batch is one line of pixels: a step down is a step of one
    # row's length, whole-line operations are fast, and what runs over a line's end lands on the rim.
    closed = F.pad(allowed, (1, 1, 1, 1))
    stride = closed.shape[2]
    line = closed.flatten()
    reached = F.pad(seed, (1, 1, 1, 1)).flatten()
    while True:
        before = reached
        for _ in range(_STEPS_PER_LOOK):
            grown = _reach(reached, reached, stride)
            reached = _reach(grown, grown if connectivity == 8 else reached, 1) & line
        if torch.equal(before, reached):
            return reached.view_as(closed)[:, 1:-1, 1:-1]


def _reach(start: torch.Tensor, source: torch.Tensor, step: int) -> torch.Tensor:
    """Return the line `start` joined with `source` moved `step` pixels on and back."""
    joined = start.clone()
    joined[step:] |= source[:-step]
    joined[:-step] |= source[step:]
    return joined


def _packed(function: Callable[..., torch.Tensor], *masks: torch.Tensor) -> torch.Tensor:
    """Return what a function of packed masks makes of boolean ones."""
    count = masks[0].shape[0]
    return PackedMasks(function(*(PackedMasks.pack(mask).bits for mask in masks)), count).unpack()


def holes(mask: torch.Tensor, connectivity: int) -> torch.Tensor:
    """Return the background pixels from which no path over background leads out of the image.

    Args:
        mask: boolean `(N, H, W)`, or packed.
        connectivity: of the *background*'s paths: with 8, a mask whose pixels touch only at a corner leaks.

    Example:
        >>> ring = torch.ones(1, 3, 3, dtype=torch.bool)
        >>> ring[0, 1, 1] = ring[0, 0, 0] = False
        >>> int(holes(ring, connectivity=4).sum()), int(holes(ring, connectivity=8).sum())
        (1, 0)
    """
    _check_connectivity(connectivity)
    if mask.dtype == torch.bool:
        return _packed(lambda packed: holes(packed, connectivity), mask)
    # A hole has the mask on all four sides; whatever sees the border along a row or a column lies outside.
    inside = ~mask
    for dim in (-1, -2):
        inside &= up_to_here(mask, dim) & up_to_here(mask.flip(dim), dim).flip(dim)
    return leaving(inside, ~(mask | inside), connectivity)


def leaving(inside: torch.Tensor, outside: torch.Tensor, connectivity: int) -> torch.Tensor:
    """Return the pixels of packed masks `inside` that no path over `inside` leads to `outside`."""
    if not bool(inside.any()):  # most masks have no hole
        return inside
    return inside & ~flood(dilate(outside, connectivity) & inside, inside, connectivity)


def fill_holes(mask: torch.Tensor) -> torch.Tensor:
    """Return the masks without holes (4-connected background, as `scipy.ndimage.binary_fill_holes`)."""
    return mask | holes(mask, connectivity=4)


def connected_components(mask: torch.Tensor, connectivity: int = 8) -> torch.Tensor:
    """Return a number for every connected component of every mask.

    Every pixel takes the largest pixel number in its neighbourhood, then the number that the pixel of that
    number bears by now (pointer jumping), until nothing changes: a few rounds, whatever the shapes.

    Args:
        mask: boolean `(N, H, W)`.
        connectivity: 4 or 8.

    Returns:
        `int64` `(N, H, W)`: 0 off the mask, and on it 1 + the largest flat pixel index of its component, so
        numbers tell components apart but are not consecutive.

    Example:
        >>> connected_components(torch.tensor([[[True, True, False, True]]])).tolist()
        [[[2, 2, 0, 4]]]
    """
    check_masks(mask)
    _check_connectivity(connectivity)
    count, height, width = mask.shape
    number = torch.arange(1, height * width + 1, device=mask.device).view(1, height, width) * mask
    while True:
        largest = _neighbourhood_maximum(number, connectivity) * mask
        # Pixel number p stands at flat index p - 1; the column in front catches the background's 0.
        flat = F.pad(largest.view(count, -1), (1, 0))
        jumped = flat.gather(1, largest.view(count, -1)).view_as(largest)
        if torch.equal(jumped, number):
            return number
        number = jumped


def _neighbourhood_maximum(values: torch.Tensor, connectivity: int) -> torch.Tensor:
    """Return the largest of every pixel's non-negative 3x3 (8) or cross (4) neighbourhood."""
    largest = values.clone()
    largest[:, 1:] = torch.maximum(largest[:, 1:], values[:, :-1])
    largest[:, :-1] = torch.maximum(largest[:, :-1], values[:, 1:])
    source = largest.clone() if connectivity == 8 else values
    largest[:, :, 1:] = torch.maximum(largest[:, :, 1:], source[:, :, :-1])
    largest[:, :, :-1] = torch.maximum(largest[:, :, :-1], source[:, :, 1:])
    return largest
