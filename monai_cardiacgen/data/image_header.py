"""Shape and spacing of NIfTI and MetaImage files from their headers, with damaged files told from whole ones."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Collection
from pathlib import Path, PurePath

import itk
import nibabel as nib
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from ..errors import DataError

#: The endings of the files that `read_header` reads.
NIFTI, METAIMAGE = (".nii.gz", ".nii"), (".mhd", ".mha")
#: How many bytes one byte of a deflated file can become at most; a header that claims more is told before unpacking.
MOST_DEFLATED = 1032


def read_header(path: Path, axes: Collection[int]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return an image's shape and its voxel size in mm, both in the order of its axes, without loading voxels.

    Args:
        path: `.nii`, `.nii.gz`, `.mhd` or `.mha`.
        axes: how many axes it may have.

    Raises:
        DataError: when the file is missing, damaged, shorter than its header says, or has other axes.
    """
    if not path.is_file():
        raise DataError(f"{path}: missing")
    try:
        shape, spacing = _read_nifti(path) if path.name.endswith(NIFTI) else _read_metaimage(path)
    except (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, ValueError, RuntimeError) as error:
        raise DataError(f"{path}: damaged ({' '.join(str(error).split())})") from error
    if len(shape) not in axes or not all(0 < size < float("inf") for size in spacing):
        wanted = " or ".join(map(str, sorted(axes)))
        raise DataError(f"{path}: expected {wanted} axes with positive voxel sizes, got {shape} with {spacing} mm")
    return shape, spacing


def read_pair(image: Path, label: Path, axes: Collection[int]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return shape and voxel size of an image whose label map has the same shape.

    Raises:
        DataError: see `read_header`; also when the shapes differ.
    """
    shape, spacing = read_header(image, axes)
    label_shape, _ = read_header(label, axes)
    if label_shape != shape:
        raise DataError(f"{label}: expected the image's shape {shape}, got {label_shape}")
    return shape, spacing


def check_voxels(path: Path) -> None:
    """See that a NIfTI file is as long as its header says, before memory is taken for its voxels.

    Raises:
        OSError, ValueError: nibabel's or ours, when it is not, or its header is none.
    """
    _read_nifti(path)


def _read_nifti(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    volume = nib.load(path)
    header = volume.header
    shape = tuple(int(side) for side in header.get_data_shape())
    spacing = tuple(float(size) for size in header.get_zooms())
    expected = int(volume.dataobj.offset) + math.prod(shape) * header.get_data_dtype().itemsize
    if path.suffix == ".gz":
        _check_gzip(path, expected)
    else:
        _check_size(path, expected)
    return shape, spacing


def _read_metaimage(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """ITK reads the header; the voxels of a `.mhd` lie in the file that it names."""
    reader = itk.ImageIOFactory.CreateImageIO(str(path), itk.CommonEnums.IOFileMode_ReadMode)
    if reader is None:
        raise ValueError("ITK does not know this format")
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    shape = tuple(int(reader.GetDimensions(axis)) for axis in range(reader.GetNumberOfDimensions()))
    spacing = tuple(float(reader.GetSpacing(axis)) for axis in range(len(shape)))
    entries = _metaimage_entries(path)
    voxels = entries.get("ElementDataFile", "")
    if PurePath(voxels).is_absolute() or ".." in PurePath(voxels).parts:
        raise ValueError(f"its voxels lie outside of its folder: {voxels}")
    compressed, local = entries.get("CompressedData", "False") == "True", voxels == "LOCAL"
    expected = math.prod(shape) * int(reader.GetComponentSize()) * int(reader.GetNumberOfComponents())
    _check_size(path if local else path.parent / voxels, -(-expected // MOST_DEFLATED) if compressed else expected)
    if compressed or local:
        itk.imread(str(path))
    return shape, spacing


def _metaimage_entries(path: Path) -> dict[str, str]:
    """Return the `key = value` lines of a header, which ends with `ElementDataFile`."""
    entries: dict[str, str] = {}
    with path.open("rb") as file:
        for line in file:
            key, _, value = line.decode("latin-1").partition("=")
            entries[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":
                break
    return entries


def _check_size(path: Path, expected: int) -> None:
    """Raise `EOFError` when a file is shorter than `expected` bytes, `ValueError` when it is none."""
    if not path.is_file():
        raise ValueError(f"its voxels are missing: {path.name}")
    if path.stat().st_size < expected:
        raise EOFError(f"{path.stat().st_size} bytes of {expected} in {path.name}")


def _check_gzip(path: Path, expected: int) -> None:
    """Raise `EOFError` when a gzip file unpacks to fewer than `expected` bytes.

    A whole file ends with its unpacked size, so a truncated one is told without unpacking it; where that
    number is another, the file is unpacked: a gzip file may also be made of several parts.
    """
    if expected > MOST_DEFLATED * path.stat().st_size:
        raise EOFError(f"{path.stat().st_size} packed bytes cannot hold {expected}")
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        if int.from_bytes(file.read(4), "little") == expected % 2**32:
            return
    unpacked = 0
    with gzip.open(path) as file:
        while unpacked < expected and (chunk := file.read(2**20)):  # not the rest, which may go on for hours
            unpacked += len(chunk)
    if unpacked < expected:
        raise EOFError(f"{unpacked} bytes of {expected}")
