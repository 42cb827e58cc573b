"""The strongest bright ring of each of many patches: a coarse, quick look where the Hough transform would take long."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

#: mm between the radii that are tried.
_STEP = 1.0
#: Half the width in mm of the rings just within and just without a circle that are compared.
_WIDTH = 2.0
#: How sharply the strongest circle is weighted against its neighbours, whose mean is taken.
_SHARPNESS = 60.0


def strongest_rings(
    images: torch.Tensor,
    middle: Sequence[float],
    spacing: float,
    reach: float = 12.0,
    radii: tuple[float, float] = (7.0, 17.0),
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the circle of each image on which brightness falls most outwards.

    A circle's strength is the mean intensity just within it less that just without. The strongest circle is made finer
    than a pixel by the mean over its neighbours, weighted by their strength.

    Args:
        images: `(N, H, W)` with intensities in [0, 1].
        middle: pixels, near which the centre lies.
        spacing: mm a pixel.
        reach: mm from the middle to the centre at most.
        radii: smallest and largest radius in mm.

    Returns:
        Centres `(N, 2)` in pixels, radii `(N,)` in mm, and strengths `(N,)`, in units of intensity.

    Example:
        >>> away = torch.hypot(torch.arange(40.0)[:, None] - 21, torch.arange(40.0) - 18)
        >>> centre, radius, _ = strongest_rings((away < 5.5).float()[None], (20, 20), 2.0)
        >>> [round(value) for value in centre[0].tolist()], round(radius.item())
        ([21, 18], 11)
    """
    tried = torch.arange(radii[0], radii[1] + _STEP / 2, _STEP)
    kernels = _kernels(tried, spacing)
    half, room = kernels.shape[-1] // 2, int(reach / spacing)
    corner = [round(place) - room for place in middle]
    padded = F.pad(images[:, None], (half,) * 4, mode="replicate")
    side = 2 * (room + half) + 1
    strengths = F.conv2d(padded[..., corner[0] : corner[0] + side, corner[1] : corner[1] + side], kernels)
    places = torch.arange(2.0 * room + 1)
    rows, columns = (places + at for at in corner)
    off = torch.hypot(rows[:, None] - middle[0], columns[None] - middle[1]) * spacing
    strengths = strengths.masked_fill(off > reach, -torch.inf)
    best, where = strengths.flatten(1).max(dim=1)
    _, row, column = torch.unravel_index(where, strengths.shape[1:])
    beside = [(places - at[:, None]).square() for at in (row, column)]
    near = beside[0][:, :, None] + beside[1][:, None, :] <= 2
    share = torch.softmax((_SHARPNESS * strengths).flatten(1), dim=1).view_as(strengths) * near[:, None]
    share = share / share.sum((1, 2, 3), keepdim=True)
    centres = torch.stack([share.sum((1, 3)) @ rows, share.sum((1, 2)) @ columns], dim=1)
    return centres, share.sum((2, 3)) @ tried, best


def _kernels(radii: torch.Tensor, spacing: float) -> torch.Tensor:
    """Return what gives the mean just within a circle less that just without, `(R, 1, K, K)`."""
    half = int((float(radii[-1]) + 2.5 * _WIDTH) / spacing)
    axis = torch.arange(-half, half + 1) * spacing
    off = torch.hypot(axis[:, None], axis) - radii[:, None, None]
    within, without = ((1 - (off - by).abs() / _WIDTH).clamp_min(0) for by in (-0.75 * _WIDTH, 0.75 * _WIDTH))
    return (within / within.sum((1, 2), keepdim=True) - without / without.sum((1, 2), keepdim=True))[:, None]


__all__ = ["strongest_rings"]
