"""A small stack with a heart, as a file would give it."""

from __future__ import annotations

import torch
from monai.data import MetaTensor
from small_hearts import hearts


def heart_stack(depth: int = 3, margin: int = 6) -> tuple[MetaTensor, MetaTensor]:
    """Return an image and a label `(44, 44, depth)` of 2 x 2 x 8 mm, the last slice without a heart."""
    images, labels = hearts(depth)
    labels[-1] = 0
    affine = torch.diag(torch.tensor([2.0, 2.0, 8.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([10.0, -20.0, 30.0])
    pad = (0, 0, margin, margin, margin, margin)
    image = torch.nn.functional.pad(100 * images[:, 0].movedim(0, -1) + 5, pad)
    label = torch.nn.functional.pad(labels[:, 0].movedim(0, -1), pad)
    return MetaTensor(image, affine=affine, meta=_meta(affine)), MetaTensor(label, affine=affine, meta=_meta(affine))


def _meta(affine: torch.Tensor) -> dict:
    return {"original_channel_dim": "no_channel", "original_affine": affine}
