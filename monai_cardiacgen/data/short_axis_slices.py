"""A dataset of all slices of short-axis stacks, those without a heart among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monai.data import Dataset

from .slices import ShortAxisGrid, load_slices


class ShortAxisSlices(Dataset):
    """The slices of labelled stacks, in memory, as a MONAI dataset: what a segmentation network is trained on.

    Each element is that of `slices_of`. `HeartSlices` has those with a heart alone, for shape models.

    Args:
        data: items with `image` and `label` (paths of stacks), for example of `read_acdc`.
        spacing: in-plane pixel size in mm.
        spatial_size: pixels `(H, W)`, about the image's centre.

    Raises:
        DataError: when a file cannot be read.
    """

    def __init__(self, data: Sequence[dict[str, Any]], spacing: Sequence[float], spatial_size: Sequence[int]) -> None:
        super().__init__(load_slices(data, ShortAxisGrid(spacing, spatial_size)))


__all__ = ["ShortAxisSlices"]
