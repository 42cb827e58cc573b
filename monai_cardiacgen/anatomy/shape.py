"""Shape measurements of batches of 2-D masks: one number a mask, on the device of the input.

Every function takes boolean masks `(N, H, W)`, and returns `(N,)`; or, when several measurements follow each other,
`PackedMasks` `(*groups, N, H, W)`, and returns `(*groups, N)`. Counts are in pixels, lengths in mm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..checks import check_spacing
from .geometry import between, distance_to_background, distance_to_outside, hull_ends
from .morphology import check_masks, connected_components, dilate, erode, fill_holes, flood, holes, leaving
from .packed import PackedMasks

#: Boolean masks, or the same packed.
Masks = torch.Tensor | PackedMasks


def packed(*masks: Masks) -> tuple[PackedMasks, ...]:
    """Return masks packed; raise `ShapeError` unless those that are not are boolean `(N, H, W)` of one shape."""
    check_masks(*(mask for mask in masks if isinstance(mask, torch.Tensor)))
    return tuple(PackedMasks.pack(mask) if isinstance(mask, torch.Tensor) else mask for mask in masks)


def hole_pixels(mask: Masks) -> torch.Tensor:
    """Return the number of pixels in holes (8-connected background), `int64`."""
    (whole,) = packed(mask)
    return whole.with_bits(holes(whole.bits, connectivity=8)).pixels()


def disconnected_pixels(mask: Masks) -> torch.Tensor:
    """Return the number of pixels outside the largest 8-connected part, `int64`.

    Example:
        >>> disconnected_pixels(torch.tensor([[[True, True, False, True]]])).tolist()
        [1]
    """
    (whole,) = packed(mask)
    filled = whole.with_bits(fill_holes(whole.bits))
    # A mask that is one piece when its holes are filled is one piece unless a hole holds another.
    doubtful = ~(filled.plainly_one_piece() & (filled & ~whole).plainly_one_piece())
    stray = torch.zeros_like(doubtful, dtype=torch.int64)
    if bool(doubtful.any()):
        stray[doubtful] = _stray(whole.unpack()[doubtful])
    return stray


def _stray(mask: torch.Tensor) -> torch.Tensor:
    """Return the number of pixels outside the largest 8-connected part of boolean masks, `int64`."""
    # Most structures are one part: a flood from their first pixel shows it for less than telling parts apart.
    position = mask.flatten(1).to(torch.uint8).argmax(dim=1, keepdim=True)
    first = torch.zeros_like(mask).flatten(1).scatter(1, position, True).view_as(mask)
    stray = _count(mask & ~flood(first, mask, connectivity=8))
    parted = stray > 0
    if bool(parted.any()):
        stray[parted] = _count(mask[parted]) - _largest_part(mask[parted])
    return stray


def _largest_part(mask: torch.Tensor) -> torch.Tensor:
    """Return the number of pixels of the largest 8-connected part, `int64`."""
    count, bins = mask.shape[0], mask[0].numel() + 1
    numbers = connected_components(mask, connectivity=8).view(count, -1)
    numbers = numbers + bins * torch.arange(count, device=mask.device).unsqueeze(1)
    sizes = torch.bincount(numbers.flatten(), minlength=count * bins).view(count, bins)
    sizes[:, 0] = 0  # the background is no part
    return sizes.amax(dim=1)


def gap_pixels(first: Masks, second: Masks) -> torch.Tensor:
    """Return the number of pixels that two structures enclose between them, `int64`.

    A hole of one structure is no gap, unless it holds the other: then what is left of it is. Paths over the
    background go over sides only (4-connected), so structures that meet at a corner enclose.
    """
    one, other = packed(first, second)
    union = _fill_unless_it_holds(one.bits, other.bits) | _fill_unless_it_holds(other.bits, one.bits)
    return one.with_bits(holes(union, connectivity=4)).pixels()


def _fill_unless_it_holds(mask: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return `mask` with those of its holes filled that hold nothing of `other`; both packed."""
    inside = holes(mask, connectivity=4)
    held = other & inside
    return mask | leaving(inside & ~held, held, connectivity=4)


def frontier_pixels(first: Masks, second: Masks) -> torch.Tensor:
    """Return the number of pixels of `first` that touch `second` by a side or a corner, `int64`."""
    one, other = packed(first, second)
    return one.with_bits(one.bits & dilate(other.bits)).pixels()


def distance_between(first: Masks, second: Masks, spacing: Sequence[float]) -> torch.Tensor:
    """Return the distance in mm from `first`, grown by one pixel, to `second`: 0 where they touch.

    Args:
        first: boolean `(N, H, W)`, or packed.
        second: likewise.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(N,)`, NaN where one of the two is absent.
    """
    one, other = packed(first, second)
    grown = one.with_bits(dilate(one.bits))
    both = one.any() & other.any()
    distance = torch.where(both, 0.0, torch.nan)
    apart = both & ~(grown & other).any()
    if bool(apart.any()):  # rare, and the only case that needs a distance transform
        to_second = distance_to_background(~other.unpack()[apart], spacing)
        distance[apart] = to_second.masked_fill(~grown.unpack()[apart], torch.inf).amin(dim=(1, 2))
    return distance


def concavity(filled: Masks, spacing: Sequence[float]) -> torch.Tensor:
    """Return how deep the deepest bay of a mask is, in mm.

    The depth of a pixel is its distance to the outside of the mask's convex hull; counted are the pixels of
    the hull that lie outside the mask, without the outermost layer (3x3 erosion), which the grid
    alone can cause.

    Args:
        filled: boolean `(N, H, W)`, or packed, holes filled, for a hole counts as a bay.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(N,)`: 0 for a convex mask, NaN for an absent one.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """
    (whole,) = packed(filled)
    spacing = check_spacing(spacing, 2)
    # One pixel of margin, so that there is an outside even where the mask touches the image's border.
    mask = whole.with_bits(F.pad(whole.bits, (1, 1, 1, 1)))
    depth = torch.where(mask.any(), 0.0, torch.nan)
    start, stop = hull_ends(mask.unpack().flatten(0, -3))
    hull = PackedMasks.pack(between(start, stop, mask.bits.shape[-1]).unflatten(0, depth.shape))
    bay = whole.with_bits(erode((hull & ~mask).bits))
    number, row, column = bay.nonzero()
    if number.numel():
        inside = distance_to_outside(start, stop, number, row, column, spacing)
        deepest = torch.zeros(depth.numel(), device=depth.device).scatter_reduce(0, number, inside, "amax")
        depth = depth + deepest.view_as(depth)
    return depth


def perimeter(mask: Masks) -> torch.Tensor:
    """Return the length in pixels of the contour through the centres of the border pixels, float32.

    A border pixel has a side on the background. It adds 1 where the contour goes straight through it, the
    square root of 2 where it goes through diagonally, and their mean where it turns from one to the other.

    Source:
        Benkrid and Crookes, "Design and FPGA implementation of a perimeter estimator", the estimator behind
        `skimage.measure.perimeter`.
    """
    (whole,) = packed(mask)
    border = F.pad(whole.bits & ~erode(whole.bits, connectivity=4), (1, 1, 1, 1))
    here = border[..., 1:-1, 1:-1]
    above, below = border[..., :-2, :], border[..., 2:, :]
    sides = (above[..., 1:-1], below[..., 1:-1], border[..., 1:-1, :-2], border[..., 1:-1, 2:])
    corners = (above[..., :-2], above[..., 2:], below[..., :-2], below[..., 2:])
    # How many of a border pixel's four sides and four corners are border pixels too, as sets of pixels.
    (side0, side1, side2, side3, _), (corner0, corner1, corner2, corner3, _) = _exactly(*sides), _exactly(*corners)
    kinds = (
        (corner0 | corner1 | corner2) & (side2 | side3),  # straight
        (corner1 | corner2) & side1,  # turn
        (corner2 & side0) | (corner3 & side1),  # diagonal; what no contour has adds nothing
    )
    # Counted in whole numbers before they are weighted, so that a sum does not depend on its order.
    straight, turn, diagonal = (whole.with_bits(here & kind).pixels() for kind in kinds)
    return straight + turn * ((1 + math.sqrt(2)) / 2) + diagonal * math.sqrt(2)


def _exactly(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor, d: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the pixels at which exactly 0, 1, 2, 3 and 4 of four packed masks are set."""
    odd_ab, odd_cd, both_ab, both_cd = a ^ b, c ^ d, a & b, c & d
    odd, pairs = odd_ab ^ odd_cd, both_ab | both_cd
    two = (odd_ab & odd_cd) | (both_ab ^ both_cd) & ~odd_ab & ~odd_cd
    return ~(odd_ab | odd_cd | pairs), odd & ~pairs, two, odd & pairs, both_ab & both_cd


def circularity(filled: Masks) -> torch.Tensor:
    """Return 4 pi A / P^2, the isoperimetric ratio: about 1 for a disc, less for every other shape.

    Args:
        filled: boolean `(N, H, W)`, or packed, holes filled; pixels are taken as square.

    Returns:
        float32 `(N,)`, NaN for a mask that is absent or too small to have a contour.

    Example:
        >>> round(float(circularity(torch.ones(1, 21, 21, dtype=torch.bool))), 3)  # a square: about pi / 4
        0.866
    """
    (whole,) = packed(filled)
    length = perimeter(whole)
    ratio = 4 * math.pi * whole.pixels() / length.square()
    return ratio.masked_fill(length == 0, torch.nan)


def _count(mask: torch.Tensor) -> torch.Tensor:
    return mask.flatten(1).sum(dim=1)
