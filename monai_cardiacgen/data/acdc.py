"""Read the ACDC challenge's folder: patients with two annotated frames each, as MONAI datalist items."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from ..errors import DataError

#: End diastole and end systole, as `Info.cfg` calls them.
PHASES = ("ED", "ES")


def read_acdc(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """List the annotated frames of every patient in an ACDC folder, without loading voxels.

    Args:
        folder: holds `patientNNN/Info.cfg`, `patientNNN_frameFF.nii.gz` and `patientNNN_frameFF_gt.nii.gz`.

    Returns:
        Two items a patient, by patient and phase: `image` and `label` (paths), `patient`, `phase` (`"ED"` or
        `"ES"`), `group` (the pathology, for example `"DCM"`), `spacing` (x, y, z in mm, from the header's
        voxel sizes: the challenge's affines do not hold them).

    Raises:
        DataError: one for the whole folder, which names every missing, odd or damaged file.

    Source:
        Bernard et al., IEEE TMI 2018, DOI 10.1109/TMI.2018.2837502.
    """
    root = Path(folder)
    patients = sorted(path for path in root.glob("patient*") if path.is_dir())
    if not patients:
        raise DataError(
            f"Expected folders patient001, patient002, ... in {root}, got none; "
            f"pass the folder that the challenge's archive unpacks to, for example ACDC/database/training."
        )
    items: list[dict[str, Any]] = []
    problems: list[str] = []
    for patient in patients:
        try:
            info = _read_info(patient / "Info.cfg")
        except DataError as error:
            problems.append(str(error))
            continue
        for phase in PHASES:
            try:
                items.append(_read_frame(patient, phase, info))
            except DataError as error:
                problems.append(str(error))
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise DataError(
            f"Expected whole ACDC patients in {root}, got {len(problems)} problem(s); "
            f"download these files again or move the patients away:\n{listed}"
        )
    return items


def _read_info(path: Path) -> dict[str, str]:
    """Return the entries of an `Info.cfg`; raise `DataError` where one that is needed lacks or is odd."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DataError(f"{path}: missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    info = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    for phase in PHASES:
        if not info.get(phase, "").isdecimal():
            raise DataError(f"{path}: expected a line '{phase}: <frame number>', got {info.get(phase)!r}")
    if not info.get("Group"):
        raise DataError(f"{path}: expected a line 'Group: <pathology>', got none")
    return info


def _read_frame(patient: Path, phase: str, info: dict[str, str]) -> dict[str, Any]:
    stem = f"{patient.name}_frame{int(info[phase]):02d}"
    image, label = patient / f"{stem}.nii.gz", patient / f"{stem}_gt.nii.gz"
    shape, spacing = _read_header(image)
    label_shape, _ = _read_header(label)
    if label_shape != shape:
        raise DataError(f"{label}: expected the image's shape {shape}, got {label_shape}")
    return {
        "image": str(image),
        "label": str(label),
        "patient": patient.name,
        "phase": phase,
        "group": info["Group"],
        "spacing": spacing,
    }


def _read_header(path: Path) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return a volume's shape and voxel size in mm; raise `DataError` when it is missing or damaged."""
    if not path.is_file():
        raise DataError(f"{path}: missing")
    try:
        volume = nib.load(path)
        header = volume.header
        shape = tuple(int(side) for side in header.get_data_shape())
        spacing = tuple(float(size) for size in header.get_zooms())
        expected = int(volume.dataobj.offset) + math.prod(shape) * header.get_data_dtype().itemsize
        _check_complete(path, expected)
    except (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, ValueError) as error:
        raise DataError(f"{path}: damaged ({error})") from error
    if len(shape) != 3 or not all(0 < size < float("inf") for size in spacing):
        raise DataError(f"{path}: expected 3 axes with positive voxel sizes, got {shape} with {spacing} mm")
    return shape, spacing


def _check_complete(path: Path, expected: int) -> None:
    """Raise `EOFError` when a gzip file unpacks to fewer than `expected` bytes.

    A whole file ends with its unpacked size, so a truncated one is told without unpacking it; where that
    number is another, the file is unpacked: a gzip file may also be made of several parts.
    """
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        if int.from_bytes(file.read(4), "little") == expected % 2**32:
            return
    with gzip.open(path) as file:
        unpacked = sum(len(chunk) for chunk in iter(lambda: file.read(2**20), b""))
    if unpacked < expected:
        raise EOFError(f"{unpacked} bytes of {expected}")
