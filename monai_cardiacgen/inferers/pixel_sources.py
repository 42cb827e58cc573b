"""Of which values the pixels of an enlarged and modulated image are made: fewer than there are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from ..networks.blocks.label_patches import subsampled


class PixelSources(NamedTuple):
    """What the pixels of a level are made of: values of the level's input, each with an entry of the norms' tables.

    Attributes:
        parent: `(P,)`, the input's pixel of each value; None where they are the same.
        lookup: `(P,)`, the table entry of each value.
        value: `(M,)`, the value of each pixel; None where they are the same.
    """

    parent: torch.Tensor | None
    lookup: torch.Tensor
    value: torch.Tensor | None


def pixel_sources(lookup: torch.Tensor, parent: torch.Tensor) -> PixelSources:
    """Return what pixels with the table entries `lookup` `(B, *spatial)` that `parent` `(M,)` enlarges are made of.

    Most siblings have one entry, hence one value: a pixel is computed with its parent's first child, and by itself
    only where its entry is another.
    """
    first, every = subsampled(lookup, 2, lookup.ndim - 1).flatten(), lookup.flatten()
    own = (every != first.index_select(0, parent)).nonzero().squeeze(1)
    if 2 * (len(first) + len(own)) > len(every):
        return PixelSources(parent, every, None)
    value = parent.clone()
    value[own] = torch.arange(len(first), len(first) + len(own), device=own.device)
    parents = torch.arange(len(first), device=own.device)
    return PixelSources(torch.cat([parents, parent[own]]), torch.cat([first, every[own]]), value)


def parents_of(batch: int, size: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return for every pixel of maps of `size` the number of the pixel that it was enlarged from, twice a side."""
    half = [side // 2 for side in size]
    parent = torch.arange(batch * torch.Size(half).numel(), device=device).view(batch, *half)
    for axis in range(1, parent.ndim):
        parent = parent.repeat_interleave(2, dim=axis)
    return parent.flatten()
