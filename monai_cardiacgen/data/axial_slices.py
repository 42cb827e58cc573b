"""A dataset of all axial slices with a heart below an MM-WHS folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from monai.data import Dataset, MetaTensor
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    Lambdad,
    LoadImaged,
    Orientationd,
    Resized,
    ScaleIntensityRanged,
    ScaleIntensityRangePercentilesd,
)

from ..checks import check_spatial_size
from ..errors import DataError, InputError
from .mmwhs import correct_mmwhs_codes, read_mmwhs
from .preprocessing import BOTH, IMAGE, LABEL, Preprocessing, check_window

#: Hounsfield units that become 0 and 1: from below fat to above contrast-filled chambers.
CT_WINDOW = (-200.0, 600.0)
_LABELS = (("L", "R"), ("P", "A"), ("I", "S"))


class AxialSlices(Dataset):
    """The labelled axial slices of a folder in MM-WHS's layout, in memory, as a MONAI dataset.

    Whole slices are resized, whatever their field of view: by area, labels to the nearest pixel. The first axis runs to
    the patient's left, the second to the back, so that a transposed slice is seen as radiologists see it.

    Each element has plain tensors `image` `(1, H, W)`, float32 in [0, 1], and `label` `(1, H, W)`, int16 in MM-WHS's
    codes; `patient`; `slice`, its number from the feet; and `spacing`, mm from pixel to pixel. Slices without any
    labelled pixel are left out.

    Args:
        folder: as the challenge ships it, see `read_mmwhs`; volumes of the other modality are left out.
        spatial_size: pixels `(H, W)`.
        modality: CT in a window, or MR, whose 0.5 and 99.5 percentiles of a volume become 0 and 1.
        window: the Hounsfield units that become 0 and 1; beyond, CT is clipped.
        step: every how many slices of a volume one is taken.
        patients: at most as many, the first ones; all by default.
        progress: called with the number of volumes read, after each.

    Attributes:
        elements: the same as a list.

    Raises:
        DataError: when a file is missing or damaged, or no slice shows a heart.
        InputError: for a step below 1, or a window that does not rise.
    """

    def __init__(
        self,
        folder: str | Path,
        spatial_size: Sequence[int],
        modality: Literal["CT", "MR"] = "CT",
        window: Sequence[float] = CT_WINDOW,
        step: int = 1,
        patients: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        if step < 1:
            raise InputError(f"Expected a step of at least 1 from slice to slice, got {step}; 1 takes all.")
        preprocessing = axial_preprocessing(spatial_size, modality, window)
        items = [item for item in read_mmwhs(folder) if item["modality"] == modality]
        self.elements: list[dict[str, Any]] = []
        for number, item in enumerate(items[:patients], 1):
            self.elements += slices_with_hearts(preprocessing(item), step)
            if progress is not None:
                progress(number)
        if not self.elements:
            raise DataError(f"Expected {modality} volumes with labelled hearts in {folder}, got none; pass another.")
        super().__init__(self.elements)


def axial_preprocessing(
    spatial_size: Sequence[int], modality: Literal["CT", "MR"] = "CT", window: Sequence[float] = CT_WINDOW
) -> Preprocessing:
    """Return the steps from MM-WHS's files to volumes of whole axial slices, and their way back; see `AxialSlices`.

    Raises:
        InputError: for another modality, or a window that does not rise.
    """
    low, high = check_window(window)
    if modality not in ("CT", "MR"):
        raise InputError(f"Expected the modality CT or MR, got {modality!r}; choose one of these.")
    scaled = (
        ScaleIntensityRanged(IMAGE, a_min=low, a_max=high, b_min=0.0, b_max=1.0, clip=True, allow_missing_keys=True)
        if modality == "CT"
        else ScaleIntensityRangePercentilesd(
            IMAGE, lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True, allow_missing_keys=True
        )
    )
    size = (*check_spatial_size(spatial_size, 2), -1)
    return Preprocessing(
        Compose(
            [
                LoadImaged(BOTH, allow_missing_keys=True),
                EnsureChannelFirstd(BOTH, allow_missing_keys=True),
                Lambdad(LABEL, correct_mmwhs_codes, track_meta=False, allow_missing_keys=True),
                Orientationd(BOTH, axcodes="LPS", labels=_LABELS, allow_missing_keys=True),
                Resized(BOTH, size, mode=("area", "nearest-exact"), allow_missing_keys=True),
                scaled,
            ]
        )
    )


def slices_with_hearts(volume: Mapping[str, Any], step: int = 1) -> list[dict[str, Any]]:
    """Return the elements of `AxialSlices` of one loaded volume `(1, H, W, D)` with its label."""
    image, label = (torch.as_tensor(volume[key]).as_subclass(torch.Tensor) for key in (IMAGE, LABEL))
    loaded: MetaTensor = volume[IMAGE]
    return [
        {
            IMAGE: image[..., number].to(torch.float32).contiguous(),
            LABEL: label[..., number].to(torch.int16).contiguous(),
            "patient": volume["patient"],
            "slice": number,
            "spacing": tuple(float(side) for side in loaded.pixdim[:2]),
        }
        for number in range(0, image.shape[-1], step)
        if bool((label[..., number] > 0).any())
    ]


__all__ = ["CT_WINDOW", "AxialSlices", "axial_preprocessing", "slices_with_hearts"]
