"""The distinct label patches of a batch of label maps: what SPADE's gamma and beta depend on, each once.

Two convolutions with kernels of 3 see patches with a side of 5. A heart's label map is piecewise constant, so of all
its patches only few are distinct; computing the SPADE branch on these and looking the result up for every pixel is
exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

#: Above this share of distinct patches the lookup costs more than the convolution that it saves ...
LARGEST_SHARE = 0.4
#: ... but for maps of so few pixels that a convolution is no better than its matrix product.
FEW_PIXELS = 2048
_SIDE = 5
_MARGIN = 2
#: Numbers are counted in a table, which is quicker than sorting them, where it has at most this many entries a pixel.
_TABLE = 4


@dataclass(frozen=True)
class LabelPatches:
    """The distinct patches of one level, and the distinct (row, patch) pairs, each with the style of its row.

    What lies outside the image counts as one more class.

    Attributes:
        label: `(V, 5, 5)` or `(V, 5, 5, 5)`, int64, the channels of the patches' pixels; `classes` outside the image.
        classes: number of classes.
        patch: `(U,)`, the patch of each pair.
        row: `(U,)`, the row of the batch of each pair.
        lookup: `(B, *spatial)`, the pair of every pixel.
    """

    label: torch.Tensor
    classes: int
    patch: torch.Tensor
    row: torch.Tensor
    lookup: torch.Tensor

    @property
    def one_hot(self) -> torch.Tensor:
        """The patches as a zero-padded convolution sees them, `(V, classes, 5, ...)`, float32, zero outside."""
        return F.one_hot(self.label, self.classes + 1)[..., :-1].movedim(-1, 1).to(torch.float32)

    @property
    def inside(self) -> torch.Tensor:
        """`(V, 1, 3, ...)`, float32: 0 where a hidden activation lies outside the image, else 1."""
        middle = self.label
        for axis in range(1, self.label.ndim):
            middle = middle.narrow(axis, 1, _SIDE - 2)
        return (middle != self.classes).unsqueeze(1).to(torch.float32)

    @property
    def centre(self) -> torch.Tensor:
        """`(U,)`, the class in the middle of each pair's patch."""
        return self.label.flatten(1)[self.patch, self.label[0].numel() // 2]


def is_hard(one_hot: torch.Tensor) -> bool:
    """Return whether every pixel of `(B, C, *spatial)` belongs to one class wholly."""
    return bool(((one_hot == 0) | (one_hot == 1)).all()) and bool((one_hot.sum(dim=1) == 1).all())


def channels_of(one_hot: torch.Tensor) -> torch.Tensor:
    """Return the channel of every pixel of hard label maps `(B, C, *spatial)`, int64, `(B, *spatial)`."""
    channels = torch.arange(one_hot.shape[1], dtype=one_hot.dtype, device=one_hot.device)
    label: torch.Tensor = torch.tensordot(channels, one_hot, dims=([0], [1]))  # ten times faster than argmax
    return label.to(torch.int64)


def subsampled(image: torch.Tensor, step: int, dims: int) -> torch.Tensor:
    """Return every `step`-th pixel along the last `dims` axes, as a view: nearest-neighbour resampling."""
    for axis in range(image.ndim - dims, image.ndim):
        image = image[(slice(None),) * axis + (slice(None, None, step),)]
    return image


def distinct_patches(label: torch.Tensor, classes: int) -> LabelPatches | None:
    """Return the distinct patches of label maps, or none where the lookup does not pay.

    Axis after axis, runs of five neighbours get a number; two runs have the same one only if they are equal.

    Args:
        label: `(B, *spatial)`, two- or three-dimensional, integers in [0, classes).
        classes: number of classes.
    """
    dims = label.ndim - 1
    most = label.numel() if label.numel() <= FEW_PIXELS else int(LARGEST_SHARE * label.numel())
    padded = F.pad(label, (_MARGIN, _MARGIN) * dims, value=classes)
    numbers, count = padded, classes + 1
    for axis in range(1, dims + 1):
        numbers, count = _numbered_runs(numbers, count, axis)
        if count > most:
            return None
    somewhere = torch.empty(count, dtype=torch.int64, device=label.device)
    somewhere[numbers.flatten()] = torch.arange(numbers.numel(), device=label.device)
    windows = padded
    for axis in range(1, dims + 1):
        windows = windows.unfold(axis, _SIDE, 1)
    patches = windows[torch.unravel_index(somewhere, numbers.shape)]
    if len(label) == 1:
        return LabelPatches(patches, classes, torch.arange(count, device=label.device), 0 * somewhere, numbers)
    row = torch.arange(len(label), device=label.device).view(-1, *[1] * dims)
    lookup, pairs = _compact(numbers + count * row, count * len(label))
    if len(pairs) > most:
        return None
    return LabelPatches(patches, classes, pairs % count, pairs // count, lookup)


def _numbered_runs(numbers: torch.Tensor, count: int, axis: int) -> tuple[torch.Tensor, int]:
    """Number the runs of five neighbours along an axis of `numbers`, which lie in [0, count); return how many."""
    places = numbers.shape[axis] - _SIDE + 1
    if count**_SIDE <= _TABLE * numbers.numel():
        runs = sum(numbers.narrow(axis, step, places) * count**step for step in range(_SIDE))
        joined, found = _compact(torch.as_tensor(runs), count**_SIDE)
        return joined, len(found)
    pairs, pair_count = _joined(numbers, numbers, count, axis, 1)
    fours, four_count = _joined(pairs, pairs, pair_count, axis, 2)
    return _joined(fours, numbers, max(four_count, count), axis, 4)


def _joined(
    first: torch.Tensor, second: torch.Tensor, count: int, axis: int, distance: int
) -> tuple[torch.Tensor, int]:
    """Number the pairs of a value of `first` and the one of `second` that lies `distance` further along an axis."""
    places = min(first.shape[axis], second.shape[axis] - distance)
    both = first.narrow(axis, 0, places) * count + second.narrow(axis, distance, places)
    joined, found = _compact(both, count * count)
    return joined, len(found)


def _compact(numbers: torch.Tensor, limit: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Renumber values in [0, limit) without gaps, in their order; return also the values."""
    if limit > _TABLE * numbers.numel():
        values, compact = torch.unique(numbers, return_inverse=True)
        return compact, values
    flat = numbers.flatten()
    there = torch.zeros(limit, dtype=torch.int64, device=numbers.device).scatter_(0, flat, 1)
    compact = (there.cumsum(0) - 1).index_select(0, flat)  # both are quicker than indexing
    return compact.view(numbers.shape), there.nonzero().squeeze(1)
