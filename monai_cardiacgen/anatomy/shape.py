"""Shape measurements of batches of 2-D masks: one number a mask, on the device of the input.

Every function takes boolean masks `(N, H, W)`, and returns `(N,)`. Counts are in pixels, lengths in mm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .geometry import convex_hull, distance_to_background
from .morphology import check_masks, connected_components, dilate, erode, flood, holes


def hole_pixels(mask: torch.Tensor) -> torch.Tensor:
    """Return the number of pixels in holes (8-connected background), `int64`."""
    check_masks(mask)
    return _count(holes(mask, connectivity=8))


def disconnected_pixels(mask: torch.Tensor) -> torch.Tensor:
    """Return the number of pixels outside the largest 8-connected part, `int64`.

    Example:
        >>> disconnected_pixels(torch.tensor([[[True, True, False, True]]])).tolist()
        [1]
    """
    check_masks(mask)
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


def gap_pixels(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the number of pixels that two structures enclose between them, `int64`.

    A hole of one structure is no gap, unless it holds the other: then what is left of it is. Paths over the
    background go over sides only (4-connected), so structures that meet at a corner enclose.
    """
    check_masks(first, second)
    filled = [_fill_unless_it_holds(one, other) for one, other in ((first, second), (second, first))]
    return _count(holes(filled[0] | filled[1], connectivity=4))


def _fill_unless_it_holds(mask: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return `mask` with those of its holes filled that hold nothing of `other`."""
    inside = holes(mask, connectivity=4)
    return mask | (inside & ~flood(other & inside, inside, connectivity=4))


def frontier_pixels(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the number of pixels of `first` that touch `second` by a side or a corner, `int64`."""
    check_masks(first, second)
    return _count(first & dilate(second))


def distance_between(first: torch.Tensor, second: torch.Tensor, spacing: Sequence[float]) -> torch.Tensor:
    """Return the distance in mm from `first`, grown by one pixel, to `second`: 0 where they touch.

    Args:
        first: boolean `(N, H, W)`.
        second: boolean `(N, H, W)`.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(N,)`, NaN where one of the two is absent.
    """
    check_masks(first, second)
    grown = dilate(first)
    both = _any(first) & _any(second)
    distance = torch.where(both, 0.0, torch.nan)
    apart = both & ~_any(grown & second)
    if bool(apart.any()):  # rare, and the only case that needs a distance transform
        to_second = distance_to_background(~second[apart], spacing)
        distance[apart] = to_second.masked_fill(~grown[apart], torch.inf).amin(dim=(1, 2))
    return distance


def concavity(filled: torch.Tensor, spacing: Sequence[float]) -> torch.Tensor:
    """Return how deep the deepest bay of a mask is, in mm.

    The depth of a pixel is its distance to the outside of the mask's convex hull; counted are the pixels of
    the hull that lie outside the mask, without the outermost layer (3x3 erosion), which the grid
    alone can cause.

    Args:
        filled: boolean `(N, H, W)`, holes filled, for a hole counts as a bay.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(N,)`: 0 for a convex mask, NaN for an absent one.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240.
    """
    check_masks(filled)
    # One pixel of margin, so that there is an outside even where the mask touches the image's border.
    mask = F.pad(filled, (1, 1, 1, 1))
    depth = torch.where(_any(mask), 0.0, torch.nan)
    hull = convex_hull(mask)
    bay = erode(hull & ~mask)
    deep = _any(bay)
    if bool(deep.any()):
        distance = distance_to_background(hull[deep], spacing)
        depth[deep] = (distance * bay[deep]).amax(dim=(1, 2))
    return depth


def perimeter(mask: torch.Tensor) -> torch.Tensor:
    """Return the length in pixels of the contour through the centres of the border pixels, float32.

    A border pixel has a side on the background. It adds 1 where the contour goes straight through it, the
    square root of 2 where it goes through diagonally, and their mean where it turns from one to the other.

    Source:
        Benkrid and Crookes, "Design and FPGA implementation of a perimeter estimator", the estimator behind
        `skimage.measure.perimeter`.
    """
    check_masks(mask)
    border = F.pad((mask & ~erode(mask, connectivity=4)).to(torch.int32), (1, 1, 1, 1))
    sides = border[:, :-2, 1:-1] + border[:, 2:, 1:-1] + border[:, 1:-1, :-2] + border[:, 1:-1, 2:]
    corners = border[:, :-2, :-2] + border[:, :-2, 2:] + border[:, 2:, :-2] + border[:, 2:, 2:]
    kind = _contour_kinds(mask.device)[(5 * corners + sides).flatten()].view_as(sides) * border[:, 1:-1, 1:-1]
    # Counted in whole numbers before they are weighted, so that a sum does not depend on its order.
    straight, turn, diagonal = (_count(kind == number) for number in (1, 2, 3))
    return straight + turn * ((1 + math.sqrt(2)) / 2) + diagonal * math.sqrt(2)


def _contour_kinds(device: torch.device) -> torch.Tensor:
    """Return 1 (straight), 2 (turn), 3 (diagonal) or 0 by 5 * (border pixels at corners) + (at sides), `(25,)`."""
    kind = torch.zeros(5, 5, dtype=torch.int32)  # combinations that no contour has add nothing
    kind[:3, 2:4] = 1
    kind[1:3, 1] = 2
    kind[2, 0] = kind[3, 1] = 3
    return kind.flatten().to(device)


def circularity(filled: torch.Tensor) -> torch.Tensor:
    """Return 4 pi A / P^2, the isoperimetric ratio: about 1 for a disc, less for every other shape.

    Args:
        filled: boolean `(N, H, W)`, holes filled; pixels are taken as square.

    Returns:
        float32 `(N,)`, NaN for a mask that is absent or too small to have a contour.

    Example:
        >>> round(float(circularity(torch.ones(1, 21, 21, dtype=torch.bool))), 3)  # a square: about pi / 4
        0.866
    """
    length = perimeter(filled)
    ratio = 4 * math.pi * _count(filled) / length.square()
    return ratio.masked_fill(length == 0, torch.nan)


def _any(mask: torch.Tensor) -> torch.Tensor:
    return mask.flatten(1).any(dim=1)


def _count(mask: torch.Tensor) -> torch.Tensor:
    return mask.flatten(1).sum(dim=1)
