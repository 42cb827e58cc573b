"""Convex hulls and Euclidean distances of batches of 2-D masks: exact, in plain torch, on any device."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..checks import check_spacing
from .morphology import check_masks

#: Numbers (4 bytes each) of one intermediate result that are held at once: bounds the memory of large batches.
_AT_ONCE = 2**20

#: Stands for "no point in this row": far below every point, and three times it is still an int32.
_NOWHERE = -(2**28)


def convex_hull(mask: torch.Tensor) -> torch.Tensor:
    """Return every mask's convex hull, filled.

    The hull goes round the midpoints of the pixels' sides, as in `skimage.morphology.convex_hull_image`, so
    that a line of pixels keeps its width.

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
    return between(*hull_ends(mask), mask.shape[2])


def between(first: torch.Tensor, last: torch.Tensor, width: int) -> torch.Tensor:
    """Return the masks `(N, H, width)` that in every row go from column `first` to `last` `(N, H)`."""
    columns = torch.arange(width, dtype=first.dtype, device=first.device)
    return (columns >= first.unsqueeze(2)) & (columns <= last.unsqueeze(2))


def hull_ends(mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first and last column of every mask's convex hull in every row.

    Only the first and the last pixel of each row matter: a row holds a corner of the hull's right side when no
    slope that leaves it downwards exceeds a slope that reaches it from above. All slopes between rows that may
    hold a corner are compared at once: they are quotients of small integers, which float32 tells apart and
    repeats exactly up to sides of 1,024 pixels. Sides are filled in whole numbers.

    Args:
        mask: boolean `(N, H, W)`.

    Returns:
        Two `int16` `(N, H)`; in a row without hull the first column lies beyond the last.
    """
    count, _, width = mask.shape
    columns = torch.arange(1, width + 1, dtype=torch.int16, device=mask.device)
    # Distances of the outermost pixels from the far border, 0 in an empty row; the left side is mirrored.
    reach = torch.cat(((mask * columns.flip(0)).amax(dim=2), (mask * columns).amax(dim=2))).to(torch.int32)
    inside = _last_inside(reach - 1, reach == 0).to(torch.int16)
    mirrored, last = inside[:count], inside[count:]
    return (width - 1 - mirrored).masked_fill(mirrored < 0, width), last


def _last_inside(last: torch.Tensor, empty: torch.Tensor) -> torch.Tensor:
    """Return the hull's last column in every row, -1 outside, from the mask's last columns `(N, H)` and empty rows.

    Works in half pixels: pixel (i, j) owns the points (2i, 2j + 1), (2i - 1, 2j) and (2i + 1, 2j).
    """
    count, height = last.shape
    size = 2 * height + 1
    points = torch.full((count, size), _NOWHERE, dtype=last.dtype, device=last.device)
    ends = torch.where(empty, _NOWHERE, 2 * last)
    points[:, 1::2] = torch.where(empty, _NOWHERE, 2 * last + 1)
    points[:, 0:-1:2] = ends
    points[:, 2::2] = torch.maximum(points[:, 2::2], ends)

    here = torch.arange(size, device=last.device)
    corner = _corners(points)
    before = torch.where(corner, here, -1).cummax(dim=1).values[:, 1::2]
    after = torch.where(corner, here, size).flip(1).cummin(dim=1).values.flip(1)[:, 1::2]
    inside = (before >= 0) & (after < size)
    before, after = before.clamp(min=0), after.clamp(max=size - 1)
    low, high = points.gather(1, before), points.gather(1, after)
    steps = (after - before).clamp(min=1)
    numerator = low * steps + (high - low) * (here[1::2] - before)
    return torch.where(inside, torch.div(numerator, 2 * steps, rounding_mode="floor"), -1)


def _corners(points: torch.Tensor) -> torch.Tensor:
    """Return which of `points` `(N, K)`, one a row, lie on the upper convex envelope; of points on a line, some."""
    row, place = _candidates(points).nonzero(as_tuple=True)
    order = torch.arange(len(row), device=row.device) - torch.searchsorted(row, row)
    shape = (points.shape[0], int(order.max()) + 1 if len(row) else 1)
    # Behind a row's last candidate stand points so far down that the slopes to them never decide.
    places = torch.full(shape, points.shape[1], device=row.device)
    places[row, order] = place
    values = torch.full(shape, float(_NOWHERE), device=row.device)
    values[row, order] = points[row, place].to(torch.float32)
    later = torch.ones(shape[1], shape[1], dtype=torch.bool, device=row.device).triu(1)
    upper = torch.zeros(shape, dtype=torch.bool, device=row.device)
    rows = max(1, _AT_ONCE // max(1, shape[1]) ** 2)
    for value, x, result in zip(values.split(rows), places.split(rows), upper.split(rows), strict=True):
        slopes = (value.unsqueeze(1) - value.unsqueeze(2)) / (x.unsqueeze(1) - x.unsqueeze(2))
        leaving = slopes.where(later, -torch.inf).amax(dim=2)
        result.copy_(slopes.where(later, torch.inf).amin(dim=1) >= leaving)
    corner = torch.zeros_like(points, dtype=torch.bool)
    corner[row, place] = upper[row, order]
    return corner


def _candidates(points: torch.Tensor) -> torch.Tensor:
    """Return the points that lie above the middle of any two others: few, and all corners among them."""
    candidate = points > _NOWHERE
    step = 1
    while 2 * step < points.shape[1]:
        chord = points[:, : -2 * step] + points[:, 2 * step :]
        candidate[:, step:-step] &= 2 * points[:, step:-step] > chord
        step *= 2
    return candidate


def distance_to_outside(
    first: torch.Tensor,
    last: torch.Tensor,
    number: torch.Tensor,
    row: torch.Tensor,
    column: torch.Tensor,
    spacing: Sequence[float],
) -> torch.Tensor:
    """Return the distance in mm of pixels to the nearest one outside masks that are one run in every row.

    Args:
        first: first column of every mask in every row, `(N, H)`; beyond the last where the row is empty.
        last: last column, likewise.
        number: to which mask each pixel belongs, `(P,)`.
        row: each pixel's row `(P,)`.
        column: each pixel's column `(P,)`.
        spacing: mm between pixels along H and W.

    Returns:
        float32 `(P,)`: 0 for a pixel outside its mask.
    """
    along_rows, along_columns = check_spacing(spacing, 2)
    height = first.shape[1]
    steps = torch.arange(height, dtype=torch.float32, device=first.device)
    down = ((steps - steps.unsqueeze(1)) * along_rows).square()  # (H, H), squared mm between two rows
    first, last = first.to(torch.float32) - 1, last.to(torch.float32) + 1
    parts = []
    for n, i, j in zip(*(part.split(max(1, _AT_ONCE // height)) for part in (number, row, column)), strict=True):
        # In every row the nearest pixel outside is the run's end on either side, or right above or below.
        sideways = torch.minimum(j.unsqueeze(1) - first[n], last[n] - j.unsqueeze(1)).clamp(min=0)
        parts.append((down[i] + (sideways * along_columns).square()).amin(dim=1).sqrt())
    return torch.cat(parts)


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
