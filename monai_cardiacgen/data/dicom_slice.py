"""One DICOM image of one slice: its place in the patient and its pixels."""

from __future__ import annotations

import math
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from ..errors import DataError

#: Attributes that place a slice, and how many numbers each has.
_GEOMETRY = {"PixelSpacing": 2, "ImagePositionPatient": 3, "ImageOrientationPatient": 6}

#: Cosine between rows and columns up to which they count as at right angles: files round their numbers.
_SHEAR = 1e-2


@dataclass(frozen=True)
class DicomSlice:
    """A slice with its axes as MONAI has them: the first along a row of the image (x), the second down a column (y).

    Attributes:
        pixels: `(X, Y)` float32, rescaled as the file says.
        affine: `(4, 4)` from pixel indices to mm in the patient, positive to the right, the front and the head as
            in NIfTI files; the third column is the slice's normal times the distance between slices.
        spacing: mm along x and y, and from slice to slice.
        number: the file's instance number.
        frames: images of one cardiac cycle, 0 where the file does not say.
    """

    pixels: NDArray[np.float32]
    affine: NDArray[np.float64]
    spacing: tuple[float, float, float]
    number: int
    frames: int

    @property
    def height(self) -> float:
        """Place along the slice's own normal in mm."""
        normal = self.affine[:3, 2] / np.linalg.norm(self.affine[:3, 2])
        return float(normal @ self.affine[:3, 3])


def read_dicom_slice(path: Path) -> DicomSlice:
    """Read an uncompressed greyscale DICOM image of one frame.

    Raises:
        DataError: when the file is missing, no DICOM image, cut short, or does not say where it lies.

    Source:
        DICOM PS3.3 C.7.6.2.1.1 (image position and orientation).
    """
    try:
        # Values that break DICOM's rules for identifiers and dates, as in anonymised files, do no harm here.
        with disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            dataset = pydicom.dcmread(path)
            geometry = {name: _numbers(dataset, name, count) for name, count in _GEOMETRY.items()}
            pixels = _rescaled(dataset)
            rows, columns = geometry["PixelSpacing"]  # between rows (along y), then between columns (along x)
            spacing = (float(columns), float(rows), _slice_distance(dataset))
            affine = _affine(geometry, spacing)
            number, frames = int(dataset.InstanceNumber), int(dataset.get("CardiacNumberOfImages") or 0)
    except FileNotFoundError:
        raise DataError(f"{path}: missing") from None
    except InvalidDicomError:
        raise DataError(f"{path}: expected a DICOM file, got something else") from None
    except (OSError, EOFError, ValueError, AttributeError, KeyError, TypeError, RuntimeError, zlib.error) as error:
        raise DataError(f"{path}: damaged or incomplete ({' '.join(str(error).split())})") from error
    if pixels.ndim != 2:
        raise DataError(f"{path}: expected one greyscale image, got an array of shape {pixels.shape}")
    return DicomSlice(np.ascontiguousarray(pixels.T, dtype=np.float32), affine, spacing, number, frames)


def _rescaled(dataset: Dataset) -> NDArray[np.float64]:
    """Return the stored values in the units of the file's modality (DICOM PS3.3 C.11.1.1.2).

    pydicom's own function has another place in each of its versions 2, 3 and 4.
    """
    stored = np.asarray(dataset.pixel_array, dtype=np.float64)
    if "RescaleSlope" not in dataset or "RescaleIntercept" not in dataset:
        return stored
    return stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def _numbers(dataset: Dataset, name: str, count: int) -> NDArray[np.float64]:
    value = dataset.get(name)
    numbers = np.array([] if value is None else value, dtype=np.float64).ravel()
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ValueError(f"expected {count} numbers as {name}, got {'none' if value is None else value}")
    return numbers


def _slice_distance(dataset: Dataset) -> float:
    """Return the distance between slices in mm: the spacing, else the thickness."""
    for name in ("SpacingBetweenSlices", "SliceThickness"):
        value = dataset.get(name)
        if value is not None and 0 < float(value) < math.inf:
            return float(value)
    raise ValueError("expected a positive SpacingBetweenSlices or SliceThickness, got none")


def _affine(geometry: dict[str, NDArray[np.float64]], spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    along_x, along_y = geometry["ImageOrientationPatient"].reshape(2, 3)
    if min(spacing) <= 0 or not np.allclose(np.linalg.norm((along_x, along_y), axis=1), 1, atol=1e-3):
        raise ValueError("expected a positive PixelSpacing and an ImageOrientationPatient of two unit vectors")
    if abs(along_x @ along_y) > _SHEAR:
        raise ValueError("expected rows and columns at right angles in ImageOrientationPatient")
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack((along_x, along_y, np.cross(along_x, along_y))) * spacing
    affine[:3, 3] = geometry["ImagePositionPatient"]
    return np.diag((-1.0, -1.0, 1.0, 1.0)) @ affine  # DICOM counts towards the left and the back
