"""Phantom patients as DICOM MR series, to look at in a viewer.

```
python -m benchmarks.phantom_dicom FOLDER --patients 2
```
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from monai_cardiacgen.phantom import write_acdc_phantom

_DAY, _TIME = "20260101", "120000"
_BRIGHTEST = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the end-diastolic stack of every patient, a folder each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=2)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        for number in range(1, given.patients + 1):
            write_acdc_phantom(Path(made), number, 0)
        for stack in sorted(Path(made).glob("patient*/*_frame01.nii.gz")):
            write_series(stack, given.folder / stack.parent.name, stack.parent.name)
    return 0


def write_series(stack: Path, folder: Path, patient: str) -> None:
    """Write a NIfTI stack as the slices of one series; grey values from 0 to 1000.

    Source:
        DICOM PS3.3 A.4 (MR image), C.7.6.2 (image plane).
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = nib.load(stack)
    to_patient = np.diag([-1.0, -1.0, 1.0, 1.0]) @ file.affine  # DICOM's axes point to the left, the back, the head
    values = file.get_fdata()
    pixels = np.round(_BRIGHTEST * (values - values.min()) / np.ptp(values)).astype(np.uint16)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for level in range(pixels.shape[2]):
        one = _of_patient(patient, stack.name.split(".")[0])
        one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = study, series, frame
        one.InstanceNumber = level + 1
        _place(one, to_patient, level)
        _fill(one, pixels[:, :, level])
        one.save_as(folder / f"{level:02}.dcm", enforce_file_format=True)


def _of_patient(patient: str, series: str) -> Dataset:
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID, one.Modality = MRImageStorage, generate_uid(), "MR"
    one.PatientName, one.PatientID, one.PatientBirthDate, one.PatientSex = f"Phantom^{patient}", patient, "", "O"
    one.StudyDate = one.SeriesDate = one.ContentDate = _DAY
    one.StudyTime = one.SeriesTime = one.ContentTime = _TIME
    one.AccessionNumber, one.StudyID, one.SeriesNumber, one.ReferringPhysicianName = "", "1", 1, ""
    one.StudyDescription, one.SeriesDescription, one.Manufacturer = "Phantom", series, "monai_cardiacgen"
    one.ImageType, one.PositionReferenceIndicator = ["DERIVED", "SECONDARY"], ""
    one.ScanningSequence, one.SequenceVariant, one.ScanOptions, one.MRAcquisitionType = "GR", "SS", "", "2D"
    one.EchoTime, one.EchoTrainLength, one.RepetitionTime = 1.5, 1, 3.0
    return one


def _place(one: Dataset, to_patient: np.ndarray, level: int) -> None:
    x, y, z = np.linalg.norm(to_patient[:3, :3], axis=0)
    one.PixelSpacing, one.SliceThickness, one.SpacingBetweenSlices = [float(y), float(x)], float(z), float(z)
    one.ImageOrientationPatient = [*map(float, to_patient[:3, 0] / x), *map(float, to_patient[:3, 1] / y)]
    one.ImagePositionPatient = [*map(float, (to_patient @ [0, 0, level, 1])[:3])]


def _fill(one: Dataset, pixels: np.ndarray) -> None:
    one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 0
    one.Columns, one.Rows = pixels.shape
    one.BitsAllocated, one.BitsStored, one.HighBit = 16, 12, 11
    one.WindowCenter, one.WindowWidth = _BRIGHTEST // 2, _BRIGHTEST
    one.PixelData = pixels.T.tobytes()
    one.file_meta = FileMetaDataset()
    one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = MRImageStorage, one.SOPInstanceUID
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


if __name__ == "__main__":
    sys.exit(main())
