"""The distinct label patches of a batch of label maps: what SPADE's gamma and beta depend on, each once.

Two 3x3 convolutions see 5x5 pixels. A heart's label map is piecewise constant, so of all its 5x5 patches only few
are distinct; computing the SPADE branch on these and looking the result up for every pixel is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

#: Above this share of distinct patches the lookup costs more than the convolution that it saves.
LARGEST_SHARE = 0.4
_SIDE = 5
_PIXELS = _SIDE * _SIDE


@dataclass(frozen=True)
class LabelPatches:
    """The distinct patches of one level, and the distinct (row, patch) pairs, each with the style of its row.

    What lies outside the image counts as one more class.

    Attributes:
        one_hot: `(V, C, 5, 5)`, all zero outside the image, as a zero-padded convolution sees it.
        inside: `(V, 1, 3, 3)`, 0 where the hidden activation lies outside the image, else 1.
        patch: `(U,)`, the patch of each pair.
        row: `(U,)`, the row of the batch of each pair.
        centre: `(U,)`, the class in the middle of each pair's patch.
        lookup: `(B, H, W)`, the pair of every pixel.
    """

    one_hot: torch.Tensor
    inside: torch.Tensor
    patch: torch.Tensor
    row: torch.Tensor
    centre: torch.Tensor
    lookup: torch.Tensor


def is_hard(one_hot: torch.Tensor) -> bool:
    """Return whether every pixel of `(B, C, *spatial)` belongs to one class wholly."""
    return bool(((one_hot == 0) | (one_hot == 1)).all()) and bool((one_hot.sum(dim=1) == 1).all())


def distinct_patches(one_hot: torch.Tensor) -> LabelPatches | None:
    """Return the distinct patches of hard 2D label maps `(B, C, H, W)`, or none where the lookup does not pay.

    It does not pay for 3D maps, for so many classes that a patch has no 63-bit number, and where more than
    `LARGEST_SHARE` of the patches are distinct.
    """
    batch, classes = one_hot.shape[:2]
    base = classes + 1  # the class `classes` is outside the image
    if one_hot.ndim != 4 or base**_PIXELS >= 2**63:
        return None
    numbers, patch_of_pixel = torch.unique(_patch_numbers(one_hot.argmax(dim=1), base), return_inverse=True)
    rows = torch.arange(batch, device=numbers.device).view(-1, 1, 1)
    pairs, lookup = torch.unique(patch_of_pixel + len(numbers) * rows, return_inverse=True)
    if len(pairs) > LARGEST_SHARE * lookup.numel():
        return None
    places = base ** torch.arange(_PIXELS, device=numbers.device)
    patches = ((numbers[:, None] // places) % base).view(-1, _SIDE, _SIDE)
    pixels = F.one_hot(patches, base)[..., :classes].to(one_hot.dtype)  # (V, 5, 5, C)
    patch = pairs % len(numbers)
    return LabelPatches(
        one_hot=pixels.movedim(-1, 1),
        inside=(patches[:, None, 1:4, 1:4] != classes).to(one_hot.dtype),
        patch=patch,
        row=pairs // len(numbers),
        centre=patches[patch, 2, 2],
        lookup=lookup,
    )


def _patch_numbers(label: torch.Tensor, base: int) -> torch.Tensor:
    """Return for every pixel of `(B, H, W)` its 5x5 patch read as a number of 25 digits."""
    height, width = label.shape[1:]
    padded = F.pad(label, (2, 2, 2, 2), value=base - 1)
    across = sum(padded[:, :, k : k + width] * base**k for k in range(_SIDE))
    return torch.as_tensor(sum(across[:, k : k + height] * base ** (_SIDE * k) for k in range(_SIDE)))
