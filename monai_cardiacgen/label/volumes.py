"""Stacks and label maps as files: read with one sentence for whatever is wrong, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage

from ..anatomy.labels import LabelScheme
from ..data.files import whole_file
from ..data.image_header import NIFTI, read_header
from ..errors import DataError, LabelError, ShapeError

#: Told in the header of every file that no scanner made.
SYNTHETIC_MARK = "synthetic, made by monai_cardiacgen"


def read_volume(path: Path, what: str = "the image") -> MetaTensor:
    """Return a NIfTI stack or volume `(X, Y, Z)`, float32, with the file's affine, as MONAI loads it.

    Args:
        path: `.nii` or `.nii.gz`.
        what: the file is called in an error, whose path is nobody's business.

    Raises:
        DataError: when the file is empty, damaged or something else.
        ShapeError: when it has not three axes.
    """
    if not path.name.endswith(NIFTI):
        raise DataError(
            f"Expected a NIfTI file (.nii or .nii.gz) as {what}, got {path.suffix or 'another'}; convert it."
        )
    try:
        shape, _ = read_header(path, axes=range(1, 8))
    except DataError as error:
        raise DataError(
            f"Expected a whole NIfTI file as {what}, got an empty or damaged one; send it again."
        ) from error
    if len(shape) != 3:
        raise ShapeError(
            f"Expected three axes (X, Y, Z) in {what}, got {len(shape)}; save a single slice as a stack of one."
        )
    try:
        volume = LoadImage(reader="NibabelReader", image_only=True)(path)
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        raise DataError(f"Expected a whole NIfTI file as {what}, could not read its voxels; send it again.") from error
    return MetaTensor(volume)


def read_label(path: Path, scheme: LabelScheme, image: MetaTensor) -> MetaTensor:
    """Return the label map `(X, Y, Z)` of an image, int64 codes, on the image's grid.

    Raises:
        DataError: see `read_volume`.
        ShapeError: when it has not the image's size.
        LabelError: for codes that the scheme does not know.
    """
    label = read_volume(path, "the label")
    if label.shape != image.shape:
        raise ShapeError(
            f"Expected a label of the image's size {tuple(image.shape)}, got {tuple(label.shape)}; "
            f"draw it on this image."
        )
    codes = scheme.to_codes(scheme.to_channels(label.as_tensor()))
    return MetaTensor(codes, meta=dict(image.meta))  # the affine is in it


def check_has_heart(label: torch.Tensor) -> None:
    """Raise `LabelError` for a label map without any structure."""
    if not bool((label != 0).any()):
        raise LabelError("Expected a label with a heart, got an empty one; draw it, or choose another image.")


def write_volume(path: Path, volume: MetaTensor, synthetic: bool) -> None:
    """Write `(X, Y, Z)` as NIfTI: whole numbers as int16, all else as float32; voxel sizes follow from the affine."""
    values = volume.as_tensor().cpu().numpy()
    kind = np.float32 if np.issubdtype(values.dtype, np.floating) else np.int16
    affine = volume.affine.to(torch.float64).cpu().numpy()
    file = nib.Nifti1Image(values.astype(kind), affine)
    if synthetic:
        file.header["descrip"] = SYNTHETIC_MARK.encode()
    ending = ".nii.gz" if path.name.endswith(".nii.gz") else ".nii"
    with whole_file(path) as beside:
        named = beside.with_name(beside.name + ending)  # nibabel chooses the format by the ending
        try:
            nib.save(file, named)
            named.replace(beside)
        finally:
            named.unlink(missing_ok=True)


__all__ = ["SYNTHETIC_MARK", "check_has_heart", "read_label", "read_volume", "write_volume"]
