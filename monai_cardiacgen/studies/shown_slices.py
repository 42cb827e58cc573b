"""Slices by which a training is followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..errors import InputError


def evenly_shown(slices: Sequence[Mapping[str, Any]], count: int = 4) -> dict[str, torch.Tensor]:
    """Return images and label maps of slices as far from each other as from the first and the last one.

    Args:
        slices: elements with `image` and `label`, `(1, H, W)`, as many as wanted at least.
        count: of slices.

    Returns:
        `image` and `label`, each `(count, 1, H, W)`.

    Raises:
        InputError: when there are fewer slices.

    Example:
        >>> slices = [{"image": torch.full((1, 2, 2), float(n)), "label": torch.ones(1, 2, 2)} for n in range(10)]
        >>> evenly_shown(slices)["image"][:, 0, 0, 0].tolist()
        [2.0, 4.0, 6.0, 8.0]
    """
    if not 0 < count <= len(slices):
        raise InputError(f"Expected at least {count} slices to show, got {len(slices)}; add patients.")
    chosen = [slices[number * len(slices) // (count + 1)] for number in range(1, count + 1)]
    return {key: torch.stack([torch.as_tensor(one[key]) for one in chosen]) for key in ("image", "label")}


__all__ = ["evenly_shown"]
