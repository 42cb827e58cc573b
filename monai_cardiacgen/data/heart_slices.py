"""A dataset of all slices with a heart below an ACDC folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monai.data import Dataset

from .acdc import read_acdc
from .slices import ShortAxisGrid, load_slices


class HeartSlices(Dataset):
    """The labelled slices of a folder in ACDC's layout, in memory, as a MONAI dataset.

    Each element is that of `slices_of`: `image` `(1, H, W)` in [0, 1], `label` `(1, H, W)` in ACDC's codes, and where
    the slice comes from. Slices without any labelled pixel are left out.

    Args:
        folder: as the challenge ships it, `patientNNN/Info.cfg` and so on.
        spacing: in-plane pixel size in mm.
        spatial_size: pixels `(H, W)`, about the image's centre.

    Raises:
        DataError: when the folder is not as expected; see `read_acdc`.
    """

    def __init__(self, folder: str | Path, spacing: Sequence[float], spatial_size: Sequence[int]) -> None:
        grid = ShortAxisGrid(spacing, spatial_size)
        super().__init__(load_slices(read_acdc(folder), grid, hearts_only=True))
