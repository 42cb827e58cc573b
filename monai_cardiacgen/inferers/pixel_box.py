"""The part of an image that somebody needs, as a box, and pixels within it."""

from __future__ import annotations

import torch

#: Sides are multiples of this: boxes of few sizes, for each of which a convolution is prepared once.
_STEP = 32

#: Where a box lies along each axis.
Box = tuple[slice, ...]


def box_of(needed: torch.Tensor, margin: int) -> Box:
    """Return a box that holds all pixels of `(B, *spatial)` where `needed`, with `margin` pixels round them.

    It is a square or cube with sides of a multiple of 32 pixels, or as long as the image, and begins at an even pixel,
    with a parent's first child.
    """
    firsts, stops = [], []
    for axis in range(1, needed.ndim):
        others = [other for other in range(needed.ndim) if other != axis]
        where = needed.any(dim=others).nonzero().flatten().tolist() or [0]
        firsts.append(max(0, where[0] - margin) // 2 * 2)
        stops.append(where[-1] + margin + 1)
    longest = max(stop - first for first, stop in zip(firsts, stops, strict=True))
    side = -(-longest // _STEP) * _STEP
    begins = [max(0, min(first, whole - side)) for first, whole in zip(firsts, needed.shape[1:], strict=True)]
    return tuple(slice(begin, min(begin + side, whole)) for begin, whole in zip(begins, needed.shape[1:], strict=True))


def parents_of_box(shape: torch.Size, box: Box) -> tuple[torch.Size, Box]:
    """Return shape and box of the maps that maps of `shape` `(B, *spatial)` were enlarged from, twice a side."""
    halves = tuple(slice(side.start // 2, side.stop // 2) for side in box)
    return torch.Size((shape[0], *(side // 2 for side in shape[1:]))), halves


def within(pixels: torch.Tensor, shape: torch.Size, box: Box) -> torch.Tensor:
    """Return those pixels `(N, C)` of maps of `shape` `(B, *spatial)` that lie within the box."""
    return pixels.view(*shape, -1)[(slice(None), *box)].flatten(0, -2)
