"""A DICOM file of one slice, as a scanner writes it, for tests of readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

#: An oblique slice: two orthogonal unit vectors.
ALONG_X, ALONG_Y = np.array([0.6, 0.8, 0.0]), np.array([0.0, 0.0, -1.0])


def write_dicom(path: Path, pixels: np.ndarray, number: int, **changes: Any) -> Path:
    """Write `(rows, columns)`; a change of None leaves the attribute out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
    dataset.Modality = "MR"
    attributes: dict[str, Any] = {
        "InstanceNumber": number,
        "CardiacNumberOfImages": 20,
        "PixelSpacing": [1.5, 1.25],
        "ImagePositionPatient": [10.0, -20.0, 30.0],
        "ImageOrientationPatient": [*ALONG_X, *ALONG_Y],
        "SpacingBetweenSlices": 8,
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        **changes,
    }
    for name, value in attributes.items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.PixelData = pixels.astype("<i2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
