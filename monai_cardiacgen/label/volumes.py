"""Stacks and label maps as files: read with one sentence for whatever is wrong, written whole or not at all."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImage
from nibabel.spatialimages import HeaderDataError

from ..anatomy.labels import LabelScheme
from ..data.files import whole_file
from ..data.image_header import NIFTI, read_header
from ..errors import DataError, LabelError, ShapeError

#: Told in the header of every file that no scanner made.
SYNTHETIC_MARK = "synthetic, made by monai_cardiacgen"
#: Voxels of the largest volume that is read, 512 x 512 x 1024, and bytes before its voxels: a packed file of a few MiB
#: can claim, and unpack to, far more than the memory that there is.
MOST_VOXELS, MOST_HEADER = 2**28, 2**20


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
        small = _claims_little(path)
        shape = read_header(path, axes=range(1, 8))[0] if small else ()
    except (DataError, EOFError, OSError, zlib.error, ValueError, HeaderDataError) as error:
        raise DataError(
            f"Expected a whole NIfTI file as {what}, got an empty or damaged one; send it again."
        ) from error
    if not small:
        raise ShapeError(
            f"Expected at most {MOST_VOXELS} voxels after {MOST_HEADER} bytes in {what}, its header claims more; "
            f"crop it."
        )
    if len(shape) != 3:
        raise ShapeError(
            f"Expected three axes (X, Y, Z) in {what}, got {len(shape)}; save a single slice as a stack of one."
        )
    try:
        volume = LoadImage(reader="NibabelReader", image_only=True)(path)
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        raise DataError(f"Expected a whole NIfTI file as {what}, could not read its voxels; send it again.") from error
    return MetaTensor(volume)


def is_marked_synthetic(path: Path) -> bool:
    """Tell whether a NIfTI file's header says that no scanner made it."""
    told = bytes(_first_header(path)["descrip"].item())
    return told.rstrip(b"\0") == SYNTHETIC_MARK.encode()


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


def _claims_little(path: Path) -> bool:
    """Tell whether a header claims no more than is read; nothing else of the file is looked at."""
    header = _first_header(path)
    axes = min(max(int(header["dim"][0]), 0), 7)
    voxels = math.prod(max(int(side), 1) for side in header["dim"][1 : 1 + axes])
    return voxels <= MOST_VOXELS and 0 <= float(header["vox_offset"]) <= MOST_HEADER


def _first_header(path: Path) -> nib.Nifti1Header:
    """Return a header of either version from the file's first bytes, without what follows it."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        start = file.read(nib.Nifti2Header.sizeof_hdr)
    for kind in (nib.Nifti1Header, nib.Nifti2Header):
        if kind.sizeof_hdr in (int.from_bytes(start[:4], order) for order in ("little", "big")):
            return kind(start[: kind.sizeof_hdr], check=False)
    raise DataError("no NIfTI header")


__all__ = ["SYNTHETIC_MARK", "check_has_heart", "is_marked_synthetic", "read_label", "read_volume", "write_volume"]
