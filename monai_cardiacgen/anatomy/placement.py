"""Where a heart lies in its image: centred for the shape model, put back for the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..errors import LabelError


def heart_centre(label: torch.Tensor) -> torch.Tensor:
    """Return the centroid of all foreground pixels relative to the image's centre.

    Args:
        label: codes `(B, *spatial)`, 0 is background.

    Returns:
        Offsets in pixels `(B, spatial_dims)`, float32.

    Raises:
        LabelError: when a map has no foreground.
    """
    offsets = []
    middle = (torch.tensor(label.shape[1:], dtype=torch.float32, device=label.device) - 1) / 2
    for row, one in enumerate(label):
        where = torch.nonzero(one)
        if not len(where):
            raise LabelError(f"Expected a heart in every label map, got none in row {row}; leave such slices out.")
        offsets.append(where.to(torch.float32).mean(dim=0) - middle)
    return torch.stack(offsets)


def shift(label: torch.Tensor, offset: Sequence[int]) -> torch.Tensor:
    """Return `(*spatial)` moved by whole pixels, background (0) flowing in at the border.

    Args:
        label: one map `(*spatial)`.
        offset: pixels along each axis, positive towards higher indices.
    """
    moved = torch.zeros_like(label)
    source, target = [], []
    for side, step in zip(label.shape, offset, strict=True):
        step = max(-side, min(side, int(step)))
        source.append(slice(max(0, -step), side - max(0, step)))
        target.append(slice(max(0, step), side - max(0, -step)))
    moved[tuple(target)] = label[tuple(source)]
    return moved


def centre_heart(label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the maps `(B, *spatial)` with their hearts in the middle, and the offsets `(B, dims)` taken off.

    `place_heart` with these offsets puts every heart back where it was, unless a part of it lies more than half
    a side from its own centre: such a part is cut off.
    """
    # Halves go up: rounded to even, one heart at two places would be centred in two ways.
    offsets = (heart_centre(label) + 0.5).floor().to(torch.int64)
    centred = [shift(one, (-offset).tolist()) for one, offset in zip(label, offsets, strict=True)]
    return torch.stack(centred), offsets


def place_heart(label: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Return centred maps `(B, *spatial)` moved by whole-pixel `offsets` `(B, dims)`."""
    placed = [shift(one, offset.tolist()) for one, offset in zip(label, offsets, strict=True)]
    return torch.stack(placed)
