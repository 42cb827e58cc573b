"""Where 2-D masks are at fault: the pixels behind the counts of `shape.py`, on the device of the input.

Every function takes boolean masks `(N, H, W)` and returns boolean `(N, H, W)`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from .geometry import convex_hull, distance_to_background
from .morphology import check_masks, connected_components, dilate, erode, flood, holes


def hole_region(mask: torch.Tensor) -> torch.Tensor:
    """Return the pixels in holes (8-connected background)."""
    check_masks(mask)
    return holes(mask, connectivity=8)


def stray_region(mask: torch.Tensor) -> torch.Tensor:
    """Return the pixels outside the largest 8-connected part.

    Example:
        >>> stray_region(torch.tensor([[[True, True, False, True]]])).int().tolist()
        [[[0, 0, 0, 1]]]
    """
    check_masks(mask)
    count, bins = mask.shape[0], mask[0].numel() + 1 if len(mask) else 1
    numbers = connected_components(mask, connectivity=8).flatten(1)
    sizes = torch.zeros(count, bins, dtype=torch.int64, device=mask.device)
    sizes.scatter_add_(1, numbers, torch.ones_like(numbers))
    sizes[:, 0] = -1  # the background is no part
    return mask & (numbers != sizes.argmax(dim=1, keepdim=True)).view_as(mask)


def gap_region(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the pixels that two structures enclose between them, as `gap_pixels` counts them."""
    check_masks(first, second)
    filled = []
    for one, other in ((first, second), (second, first)):
        inside = holes(one, connectivity=4)
        filled.append(one | (inside & ~flood(other & inside, inside, connectivity=4)))
    return holes(filled[0] | filled[1], connectivity=4)


def frontier_region(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the pixels of `first` that touch `second` by a side or a corner."""
    check_masks(first, second)
    return first & dilate(second)


def nearest_region(first: torch.Tensor, second: torch.Tensor, spacing: Sequence[float]) -> torch.Tensor:
    """Return, of two structures, the pixels that lie nearest to the other one; none where one is absent."""
    check_masks(first, second)
    found = torch.zeros_like(first)
    for one, other in ((first, second), (second, first)):
        away = distance_to_background(~other, spacing).masked_fill(~one, torch.inf)
        least = away.amin(dim=(1, 2), keepdim=True)
        found |= one & (away == least) & least.isfinite()
    return found


def deepest_region(filled: torch.Tensor, spacing: Sequence[float]) -> torch.Tensor:
    """Return the deepest points of a mask's bays: where its `concavity` is measured; none in a convex mask.

    Args:
        filled: boolean `(N, H, W)`, holes filled.
        spacing: mm between pixels along H and W.
    """
    check_masks(filled)
    mask = F.pad(filled, (1, 1, 1, 1))
    hull = convex_hull(mask)
    depth = distance_to_background(hull, spacing) * erode(hull & ~mask)
    return ((depth == depth.amax(dim=(1, 2), keepdim=True)) & (depth > 0))[:, 1:-1, 1:-1]


def border_region(mask: torch.Tensor) -> torch.Tensor:
    """Return the pixels of a mask that have a side on its outside."""
    check_masks(mask)
    return mask & ~erode(mask, connectivity=4)
