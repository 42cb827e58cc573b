"""Labelled images that no scanner made, and the real ones that they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..checks import check_batch
from ..errors import ShapeError


@dataclass(frozen=True)
class SyntheticCases:
    """Labelled images that no scanner made.

    Attributes:
        image: `(n, 1, H, W)`, float32 in [0, 1].
        label: `(n, H, W)`, int64, codes of the synthesizer's label scheme.
        condition: `(n, K)`, what each was made as, such as its view and phase; None where nothing is told.
    """

    image: torch.Tensor
    label: torch.Tensor
    condition: torch.Tensor | None = None


def check_pair(image: torch.Tensor, label: torch.Tensor, spatial_size: Sequence[int], spacing: Sequence[float]) -> None:
    """Raise `ShapeError` unless there are images `(B, 1, *spatial_size)` with label maps `(B, *spatial_size)`."""
    check_batch(image, 1, len(spatial_size), "the image")
    if image.shape[2:] != tuple(spatial_size) or label.shape != (len(image), *spatial_size):
        raise ShapeError(
            f"Expected images (B, 1, {', '.join(map(str, spatial_size))}) and label maps of the same "
            f"size without a channel axis, got {tuple(image.shape)} and {tuple(label.shape)}; "
            f"resample to {tuple(spacing)} mm and crop or pad, as RandCardiacSynth does."
        )


__all__ = ["SyntheticCases", "check_pair"]
