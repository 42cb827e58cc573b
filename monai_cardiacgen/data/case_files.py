"""One synthetic case as a pair of NIfTI files: what may be written, and how it comes back."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from ..anatomy.labels import LabelScheme
from ..checks import check_finite
from ..errors import DataError, InputError, IntensityError, ShapeError
from .files import whole_file
from .image_header import check_voxels

_BLOCK = 2**20


def checked_pair(
    image: torch.Tensor, label: torch.Tensor, scheme: LabelScheme, spatial_dims: int
) -> tuple[NDArray[np.float32], NDArray[np.uint16]]:
    """Return image and label of one case without channels, as they go into a file.

    Args:
        image: `(*spatial)` or `(1, *spatial)`, any floating point or integer type.
        label: the same shape or that without the channel; codes of the scheme.
        scheme: of the label.
        spatial_dims: 2 or 3.

    Raises:
        ShapeError: when the shapes are others, or nothing is in them.
        IntensityError: when the image is not finite as float32, or complex.
        LabelError: when the label holds a code that the scheme does not know.
        InputError: when a code does not fit into 16 bits.
    """
    pair = []
    for name, tensor in (("the image", image), ("the label", label)):
        plain = torch.as_tensor(tensor).detach().as_subclass(torch.Tensor).cpu()
        if plain.ndim == spatial_dims + 1 and len(plain) == 1:
            plain = plain[0]
        if plain.ndim != spatial_dims:
            raise ShapeError(
                f"Expected {name} of one case with {spatial_dims} spatial axes and at most one channel, as many as "
                f"the set's spacing has, got {tuple(tensor.shape)}; add the cases of a batch one by one."
            )
        pair.append(plain)
    pixels, codes = pair
    if pixels.shape != codes.shape:
        raise ShapeError(f"Expected image and label of one size, got {tuple(pixels.shape)} and {tuple(codes.shape)}.")
    if not pixels.numel():
        raise ShapeError(f"Expected a case with pixels, got the size {tuple(pixels.shape)}; leave it out.")
    if pixels.is_complex():
        raise IntensityError("Expected real intensities, got complex ones; write their magnitude.")
    pixels = pixels.to(torch.float32)
    check_finite(pixels, "the image of a synthetic case")
    scheme.to_channels(codes)
    if not 0 <= min(scheme.codes) <= max(scheme.codes) < 2**16:
        raise InputError(f"Expected codes from 0 to 65535 in a file, got {scheme.codes}; remap the labels.")
    return pixels.numpy(), codes.to(torch.int64).numpy().astype(np.uint16)


def checked_affine(affine: Any, spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return a 4 x 4 affine from voxels to mm, in NIfTI's and MONAI's orientation (right, front, head).

    Args:
        affine: 4 x 4 numbers (3 x 3 will do for slices); None gives axes that point to the patient's left, back
            and head, as DICOM stores axial slices, from the origin.
        spacing: how long, in mm, its columns must be, two or three; the third of a slice is taken as it is.

    Raises:
        InputError: for another shape, numbers that are not finite, or another spacing.
    """
    dims = len(spacing)
    if affine is None:
        return np.diag((-spacing[0], -spacing[1], spacing[2] if dims == 3 else 1.0, 1.0))
    try:
        given = np.asarray(affine, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Expected a 4 x 4 affine of numbers, got {affine!r}; pass a matrix.") from None
    matrix = np.eye(4)
    if given.shape == (3, 3) and dims == 2:
        matrix[np.ix_((0, 1, 3), (0, 1, 3))] = given
    elif given.shape == (4, 4):
        matrix = given
    else:
        raise InputError(
            f"Expected a 4 x 4 affine of a case with {dims} axes, got the shape {given.shape}; pass another."
        )
    lengths = np.linalg.norm(matrix[:3, :dims], axis=0)
    if not np.isfinite(matrix).all() or not np.allclose(lengths, spacing, rtol=1e-3):
        raise InputError(
            f"Expected an affine of the set's spacing {tuple(spacing)} mm, got {tuple(lengths.tolist())} mm; write "
            f"cases of another spacing to a set of their own."
        )
    return matrix


def write_nifti(path: Path, array: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write voxels in mm, whole or not at all; the same voxels give the same bytes.

    Raises:
        DataError: when nothing can be written there, or the disk is full.
    """
    volume = nib.Nifti1Image(array, affine)
    volume.header.set_xyzt_units("mm")
    with whole_file(path) as beside:
        beside.write_bytes(gzip.compress(volume.to_bytes(), compresslevel=6, mtime=0))


def read_nifti(path: str | Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return a file's voxels and affine.

    Raises:
        DataError: when the file is missing or damaged, or its header claims more than there is.
    """
    try:
        check_voxels(Path(path))
        volume = nib.load(path)
        return np.asarray(volume.dataobj), np.asarray(volume.affine, dtype=np.float64)
    except (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, ValueError) as error:
        raise DataError(f"Expected a NIfTI file at {path}, could not read it ({error}); write it again.") from error


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits.

    Raises:
        DataError: when the file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(_BLOCK), b""):
                digest.update(block)
    except OSError as error:
        raise DataError(f"Expected a file at {path}, could not read it ({error}); write the set again.") from error
    return digest.hexdigest()
