"""The distinct label patches of a batch of label maps: what SPADE's gamma and beta depend on, each once.

Two convolutions with kernels of 3 see patches with a side of 5. A heart's label map is piecewise constant, so of all
its patches only few are distinct; computing the SPADE branch on these and looking the result up for every pixel is
exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn import functional as F

#: Above this share of distinct patches the lookup costs more than the convolution that it saves ...
LARGEST_SHARE = 0.4
#: ... but for maps of so few pixels that a convolution is no better than its matrix product.
FEW_PIXELS = 2048
_SIDE = 5
_MARGIN = 2
#: Runs are numbered below this; sums and products of numbers then stay exact.
_LIMIT = 2**62


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

    @cached_property
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
        if count**_SIDE >= _LIMIT:
            numbers, found = _compact(numbers)
            count = len(found)
        if count**_SIDE >= _LIMIT:  # noise
            if count > most:
                return None
            numbers, count = _joined_runs(numbers, count, axis)
        else:
            numbers, count = _runs(numbers, count, axis), count**_SIDE
    patch, somewhere = _compact(numbers)
    if len(somewhere) > most:
        return None
    windows = padded
    for axis in range(1, dims + 1):
        windows = windows.unfold(axis, _SIDE, 1)
    patches = windows[torch.unravel_index(somewhere, numbers.shape)]
    every = torch.arange(len(patches), device=label.device)
    if len(label) == 1:
        return LabelPatches(patches, classes, every, torch.zeros_like(every), patch)
    row = torch.arange(len(label), device=label.device).view(-1, *[1] * dims)
    lookup, somewhere = _compact(patch * len(label) + row)
    if len(somewhere) > most:
        return None
    pixels = label[0].numel()
    return LabelPatches(patches, classes, patch.flatten()[somewhere], somewhere // pixels, lookup)


def _runs(numbers: torch.Tensor, count: int, axis: int) -> torch.Tensor:
    """Return the runs of five neighbours along an axis of `numbers`, in [0, count), as numbers of so many digits."""
    places = numbers.shape[axis] - _SIDE + 1
    runs = numbers.narrow(axis, 0, places).clone()
    for step in range(1, _SIDE):
        runs.mul_(count).add_(numbers.narrow(axis, step, places))
    return runs


def _joined_runs(numbers: torch.Tensor, count: int, axis: int) -> tuple[torch.Tensor, int]:
    """Return `_runs` without gaps, and how many there are, where so many digits would be too many."""
    places = numbers.shape[axis] - _SIDE + 1
    runs = numbers.narrow(axis, 0, places)
    for step in range(1, _SIDE):
        runs, found = _compact(runs * count + numbers.narrow(axis, step, places))
    return runs, len(found)


def _compact(numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Renumber values without gaps, in their order; return also where in `numbers.flatten()` each one stands."""
    if numbers.device.type == "cpu":  # NumPy's sort is several times faster than PyTorch's; equal neighbours count once
        every = numbers.numpy().ravel()
        starts = np.flatnonzero(np.diff(every, prepend=every[:1] - 1))
        _, first, inverse = np.unique(every[starts], return_index=True, return_inverse=True)
        places = np.repeat(inverse, np.diff(starts, append=len(every)))
        return torch.from_numpy(places).view(numbers.shape), torch.from_numpy(starts[first])
    values, inverse = torch.unique(numbers, return_inverse=True)
    somewhere = torch.empty_like(values)
    somewhere[inverse.flatten()] = torch.arange(inverse.numel(), device=numbers.device)
    return inverse, somewhere
