"""Patients whose images are another's: a data set may hold one scan under two names."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from typing import Any

import nibabel as nib
import numpy as np


def without_same_scans(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a datalist without patients whose images are those of a patient before them, voxel by voxel.

    A split by patient is none where one scan stands under two names: ACDC's training set has patient074 again as
    patient076, outlined by another hand. What is left out is told by a warning.

    Args:
        items: of `read_acdc` or `read_camus`: `patient` and `image`, the path of a NIfTI file.

    Returns:
        The other items in their own order.
    """
    images: dict[str, set[str]] = {}
    for item in items:
        images.setdefault(item["patient"], set()).add(_digest(item["image"]))
    owner: dict[str, str] = {}
    same = {}
    for patient, digests in images.items():
        known = next((owner[one] for one in sorted(digests) if one in owner), None)
        if known is None:
            owner.update(dict.fromkeys(digests, patient))
        else:
            same[patient] = known
    if same:
        told = ", ".join(f"{patient} (the scan of {known})" for patient, known in same.items())
        warnings.warn(f"One scan stands under two names; left out: {told}.", stacklevel=2)
    return [item for item in items if item["patient"] not in same]


def _digest(path: str) -> str:
    voxels = np.ascontiguousarray(nib.load(path).dataobj)
    return hashlib.sha256(str((voxels.shape, voxels.dtype)).encode() + voxels.tobytes()).hexdigest()


__all__ = ["without_same_scans"]
