"""Write phantom patients in a public dataset's own layout, so that its reader reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Tensor

from .anatomy import GROUPS
from .cine_patient import draw_cine_patient
from .patient_folders import patient_generator, write_patient_folders


def write_acdc_phantom(
    folder: str | os.PathLike[str],
    patients: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write phantom patients as the ACDC challenge ships its own.

    `patientNNN/Info.cfg`, `patientNNN_frameFF.nii.gz` and `patientNNN_frameFF_gt.nii.gz` at end diastole and
    end systole; intensities are int16, labels uint8 with ACDC's codes. The groups take turns. A patient
    depends on the seed and its number only. Each is written beside its place and renamed when complete, so a
    stopped run goes on where it was and never leaves half a patient.

    Args:
        folder: made where it does not exist; patients that it already holds are kept.
        patients: how many patients the folder shall hold, at least 1.
        seed: 0 or greater.
        progress: called with the number of patients that exist, after each.

    Returns:
        The folder.

    Raises:
        InputError: when `patients` or `seed` is out of range.
    """

    def write(beside: Path, name: str, number: int) -> None:
        _write_patient(beside, name, number, patient_generator(seed, number))

    return write_patient_folders(folder, patients, seed, "patient{:03d}", write, progress)


def _write_patient(folder: Path, name: str, number: int, generator: torch.Generator) -> None:
    group = GROUPS[(number - 1) % len(GROUPS)]
    patient = draw_cine_patient(group, generator)

    frames = int(torch.randint(20, 36, (), generator=generator))
    systole = round(frames * (0.34 + 0.06 * float(torch.rand((), generator=generator))))
    height = 170 + 9 * float(torch.randn((), generator=generator).clamp(-2, 2))
    weight = 76 + 13 * float(torch.randn((), generator=generator).clamp(-2, 2))
    (folder / "Info.cfg").write_text(
        f"ED: 1\nES: {systole}\nGroup: {group}\nHeight: {height:.1f}\nNbFrame: {frames}\nWeight: {weight:.1f}\n"
    )
    for frame, contraction in ((1, 0.0), (systole, 1.0)):
        image, label = patient.image(contraction)
        _save(folder / f"{name}_frame{frame:02d}.nii.gz", image, np.int16, patient.stack.spacing)
        _save(folder / f"{name}_frame{frame:02d}_gt.nii.gz", label, np.uint8, patient.stack.spacing)


def _save(path: Path, array: Tensor, dtype: type[np.generic], spacing: tuple[float, float, float]) -> None:
    """Write `(X, Y, Z)` with ACDC's axes, x and y pointing to the patient's right and front."""
    affine = np.diag((-spacing[0], -spacing[1], spacing[2], 1.0))
    image = nib.Nifti1Image(array.numpy().astype(dtype), affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
