"""Convex hulls and Euclidean distances of batches of 2-D masks: exact, in plain torch, on any device."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..checks import check_spacing
from .morphology import check_masks

#: Slopes between rows that are held at once (4 bytes each): bounds the memory of large batches.
_SLOPES_AT_ONCE = 2**20


def convex_hull(mask: torch.Tensor) -> torch.Tensor:
    """Return every mask's convex hull, filled.

    The hull goes round the midpoints of the pixels' sides, as in `skimage.morphology.convex_hull_image`, so
    that a line of pixels keeps its width. Only the first and the last pixel of each row matter: a row holds a
    corner of the hull's right side when no slope that leaves it downwards exceeds a slope that reaches it
    from above. All slopes between rows are compared at once: they are quotients of small integers, which
    float32 tells apart and repeats exactly up to sides of 1,024 pixels. Sides are filled in whole numbers.

    Args:
        mask: boolean `(N, H, W)`.

    Returns:
        Boolean `(N, H, W)`; an empty mask stays empty.

    Example:
        >>> mask = torch.tensor([[[1, 0, 0], [0, 0, 0], [1, 0, 1]]]).bool()
        >>> convex_hull(mask)[0].int().tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    check_masks(mask)
    rows = max(1, _SLOPES_AT_ONCE // (2 * mask.shape[1] + 1) ** 2)
    return torch.cat([_hull(part) for part in mask.split(rows)])


def _hull(mask: torch.Tensor) -> torch.Tensor:
    width = mask.shape[2]
    columns = torch.arange(width, device=mask.device)
    first = torch.where(mask, columns, width).amin(dim=2)  # (N, H), `width` where the row is empty
    last = torch.where(mask, columns, -1).amax(dim=2)
    start = -_last_inside(-first, ~mask.any(dim=2))  # mirrored: the left side is the right side of the mirror image
    stop = _last_inside(last, ~mask.any(dim=2))
    return (columns >= start.unsqueeze(2)) & (columns <= stop.unsqueeze(2))


def _last_inside(last: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    """Return the hull's last column in every row, from the mask's last columns `(N, H)` and the empty rows.

    Works in half pixels: pixel (i, j) owns the points (2i, 2j + 1), (2i - 1, 2j) and (2i + 1, 2j).
    """
    count, height = last.shape
    lowest = -(2**30)  # stands for "no point in this row"
    middle = torch.where(empty, lowest, 2 * last + 1)
    ends = torch.where(empty, lowest, 2 * last)
    points = torch.full((count, 2 * height + 1), lowest, dtype=last.dtype, device=last.device)
    points[:, 1::2] = middle
    points[:, 0:-1:2] = ends
    points[:, 2::2] = torch.maximum(points[:, 2::2], ends)

    here = torch.arange(2 * height + 1, device=last.device)
    corner = _corners(points, points > lowest)
    before = torch.where(corner, here, -1).cummax(dim=1).values
    after = torch.where(corner, here, 2 * height + 1).flip(1).cummin(dim=1).values.flip(1)
    inside = (before >= 0) & (after <= 2 * height)
    before, after = before.clamp(min=0), after.clamp(max=2 * height)
    low, high = points.gather(1, before), points.gather(1, after)
    steps = (after - before).clamp(min=1)
    numerator = low * steps + (high - low) * (here - before)
    column = torch.div(numerator, 2 * steps, rounding_mode="floor")
    return torch.where(inside, column, lowest)[:, 1::2]


def _corners(points: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return which of `points` `(N, K)`, one a row, lie on the upper convex envelope.

    A row without a point lies so far below that the slopes to and from it never decide.
    """
    here = torch.arange(points.shape[1], device=points.device)
    steps = here - here.unsqueeze(1)  # (K, K), from row a down to row b
    upwards = torch.where(steps > 0, 0.0, torch.inf)
    values = points.to(torch.float32)
    slopes = (values.unsqueeze(1) - values.unsqueeze(2)) / steps.clamp(min=1)  # (N, K, K)
    leaving = (slopes - upwards).amax(dim=2)
    arriving = (slopes + upwards).amin(dim=1)
    return present & (arriving >= leaving)


def distance_to_background(mask: torch.Tensor, spacing: Sequence[float]) -> torch.Tensor:
    """Return every pixel's Euclidean distance in mm to the nearest background pixel.

    Exact, in two passes: down the columns, then, over a growing distance along the rows, the smallest sum of
    squares; it stops when a step alone is longer than every distance found. Beyond the image there is neither
    mask nor background.

    Args:
        mask: boolean `(N, H, W)`.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(N, H, W)`: 0 on the background, infinity in a mask without any background.

    Example:
        >>> distance_to_background(torch.tensor([[[False, True, True]]]), (1.0, 1.5)).tolist()
        [[[0.0, 1.5, 3.0]]]
    """
    check_masks(mask)
    along_rows, along_columns = check_spacing(spacing, 2)
    height, width = mask.shape[1:]
    here = torch.arange(height, device=mask.device).view(1, height, 1)
    far = 2 * (height + width) * 2**10
    above = torch.where(mask, -far, here).cummax(dim=1).values
    below = torch.where(mask, far, here).flip(1).cummin(dim=1).values.flip(1)
    column = torch.minimum(here - above, below - here)
    squared = (column.to(torch.float32) * along_rows).square().masked_fill(column >= far // 2, torch.inf)
    best = squared.clone()
    for step in range(1, width):
        reach = (step * along_columns) ** 2
        if best.numel() == 0 or float(best.max()) <= reach:
            break
        best[:, :, step:] = torch.minimum(best[:, :, step:], squared[:, :, :-step] + reach)
        best[:, :, :-step] = torch.minimum(best[:, :, :-step], squared[:, :, step:] + reach)
    return best.sqrt()
