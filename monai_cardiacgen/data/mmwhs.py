"""Read the MM-WHS challenge's folder: whole hearts in CT and in MR, seven structures each."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import torch

from ..anatomy.schemes import LEFT_ATRIUM, MM_WHS
from ..errors import DataError
from .image_header import read_pair
from .problems import Problems

#: A code that some released MR labels hold in a few pixels of the left atrium.
STRAY_LEFT_ATRIUM = 421

_IMAGE = re.compile(r"((ct|mr)_train_\d+)_image\.nii\.gz")


def read_mmwhs(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """List the labelled volumes of the MM-WHS challenge, without loading voxels.

    Args:
        folder: holds `ct_train_1001_image.nii.gz`, `ct_train_1001_label.nii.gz`, ... and `mr_train_1001_...`, or
            folders with these, such as `ct_train` and `mr_train`.

    Returns:
        One item a volume, by patient: `image` and `label` (paths; pass label maps through `correct_mmwhs_codes`),
        `patient` (`"ct_train_1001"`: the patients of the two modalities are others), `modality` (`"CT"` or `"MR"`),
        `group` (the modality), `spacing` (mm, in the order of the file's axes).

    Raises:
        DataError: one for the whole folder, which names every missing or damaged file.

    Source:
        Zhuang et al., Medical Image Analysis 2019, DOI 10.1016/j.media.2019.101537.
    """
    root = Path(folder)
    images = [path for pattern in ("*", "*/*") for path in root.glob(f"{pattern}_train_*_image.nii.gz")]
    found = sorted((matched[1], matched[2], path) for path in images if (matched := _IMAGE.fullmatch(path.name)))
    if not found:
        raise DataError(
            f"Expected files ct_train_1001_image.nii.gz, ... or mr_train_1001_image.nii.gz, ... in {root}, got none; "
            f"pass the folder that the challenge's archive unpacks to."
        )
    problems = Problems("whole MM-WHS volumes", root)
    items: list[dict[str, Any]] = []
    for patient, modality, image in found:
        with problems.noted():
            if items and items[-1]["patient"] == patient:
                raise DataError(f"{image}: expected one volume of {patient}, got another at {items[-1]['image']}")
            label = image.with_name(f"{patient}_label.nii.gz")
            _, spacing = read_pair(image, label, axes=(3,))
            items.append(
                {
                    "image": str(image),
                    "label": str(label),
                    "patient": patient,
                    "modality": modality.upper(),
                    "group": modality.upper(),
                    "spacing": spacing,
                }
            )
    problems.raise_any()
    return items


def correct_mmwhs_codes(label: torch.Tensor) -> torch.Tensor:
    """Return an MM-WHS label map with its stray code 421 as the left atrium's 420.

    Args:
        label: the codes as released, any shape.

    Returns:
        `int64`, same shape and device; a `MetaTensor` stays one.

    Raises:
        LabelError: when a value is neither one of the challenge's codes nor 421.

    Example:
        >>> correct_mmwhs_codes(torch.tensor([0.0, 420.0, 421.0, 850.0])).tolist()
        [0, 420, 420, 850]
    """
    wide = label if label.is_floating_point() else label.to(torch.int64)  # 420 does not fit into 8 bits
    corrected = wide.masked_fill(wide == STRAY_LEFT_ATRIUM, MM_WHS.code(LEFT_ATRIUM))
    MM_WHS.to_channels(corrected)
    return corrected.to(torch.int64)
