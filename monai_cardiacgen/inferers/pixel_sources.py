"""Of which values the pixels of an enlarged and modulated image are made: fewer than there are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from ..networks.blocks.label_patches import subsampled

#: Above this share of pixels with a value of their own, computing all of them costs no more.
_LARGEST_SHARE = 0.125
#: Of fewer pixels, too: there reading the weights of a convolution takes the time, not its products.
_FEWEST = 4096


class PixelSources(NamedTuple):
    """What the pixels of a level are made of: values of the level's input, each with an entry of the norms' tables.

    Attributes:
        parent: `(P,)`, the input's pixel of each value; none where they are the same.
        lookup: `(P,)`, the table entry of each value.
        value: `(M,)`, the value of each pixel; none where they are the same.
        own: `(K,)`, the pixels to which the last K values belong; the values before are the parents', and those of all
            other pixels. None where every pixel has its own.
    """

    parent: torch.Tensor | None
    lookup: torch.Tensor
    value: torch.Tensor | None = None
    own: torch.Tensor | None = None


def pixel_sources(lookup: torch.Tensor, parent: torch.Tensor) -> PixelSources:
    """Return what pixels with the table entries `lookup` `(B, *spatial)` that `parent` `(M,)` enlarges are made of.

    Most siblings have one entry, hence one value: that of their parent with its first child's entry. A pixel with
    another entry has a value of its own. Where there are many such pixels, all have.
    """
    first, every = subsampled(lookup, 2, lookup.ndim - 1).flatten(), lookup.flatten()
    own = (every != first.index_select(0, parent)).nonzero().squeeze(1)
    if len(every) < _FEWEST or len(own) > _LARGEST_SHARE * len(every):
        return PixelSources(parent, every)
    value = parent.clone()
    value[own] = torch.arange(len(first), len(first) + len(own), device=own.device)
    parents = torch.arange(len(first), device=own.device)
    return PixelSources(torch.cat([parents, parent[own]]), torch.cat([first, every[own]]), value, own)


def parents_of(batch: int, size: Sequence[int], device: torch.device) -> torch.Tensor:
    """Return for every pixel of maps of `size` the number of the pixel that it was enlarged from, twice a side."""
    parent = torch.arange(batch, device=device)
    for side in size:
        parent = parent.unsqueeze(-1) * (side // 2) + torch.arange(side, device=device) // 2
    return parent.flatten()
