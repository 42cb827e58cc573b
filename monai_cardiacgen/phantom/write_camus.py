"""Write phantom patients as CAMUS ships its own, so that its reader reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Tensor

from .apical_heart import VIEWS, ApicalHeart
from .apical_patient import draw_apical_heart
from .echo import SPACING, ApicalEcho
from .patient_folders import patient_generator, write_patient_folders


def write_camus_phantom(
    folder: str | os.PathLike[str],
    patients: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Write phantom patients as the CAMUS dataset ships its own.

    `patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES}[_gt].nii.gz`, uint8 with x across the sector and y away from the
    probe, and `Info_2CH.cfg`, `Info_4CH.cfg`. A patient depends on the seed and its number only. Each is written
    beside its place and renamed when complete, so a stopped run goes on where it was and never leaves half a patient.

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
        _write_patient(beside, name, patient_generator(seed, number))

    return write_patient_folders(folder, patients, seed, "patient{:04d}", write, progress)


def _write_patient(folder: Path, name: str, generator: torch.Generator) -> None:
    heart = draw_apical_heart(generator)
    age = int(torch.randint(25, 92, (), generator=generator))
    for view in VIEWS:
        echo = ApicalEcho(heart, view, generator)
        for phase, contraction in (("ED", 0.0), ("ES", 1.0)):
            image, label = echo.image(contraction)
            _save(folder / f"{name}_{view}_{phase}.nii.gz", image)
            _save(folder / f"{name}_{view}_{phase}_gt.nii.gz", label)
        (folder / f"Info_{view}.cfg").write_text(_info(heart, age, echo, generator))


def _info(heart: ApicalHeart, age: int, echo: ApicalEcho, generator: torch.Generator) -> str:
    """Return the entries of a view; its sequence runs from end diastole to end systole."""
    frames = int(torch.randint(14, 29, (), generator=generator))
    rate = 40 + 25 * float(torch.rand((), generator=generator))
    return (
        f"ED: 1\nES: {frames}\nNbFrame: {frames}\nSex: {heart.sex}\nAge: {age}\n"
        f"ImageQuality: {echo.quality}\nEF: {100 * heart.ejection_fraction:.0f}\nFrameRate: {rate:.1f}\n"
    )


def _save(path: Path, array: Tensor) -> None:
    """Write `(X, Y)` with CAMUS's axes, to the patient's left and away from the probe."""
    image = nib.Nifti1Image(array.numpy(), np.diag((-SPACING, -SPACING, 1.0, 1.0)))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
