"""Write whole-heart phantom patients in the layout of the MM-WHS challenge."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .ct import ct_image, draw_ct_scan
from .patient_folders import check_patients, empty_beside, patient_generator
from .volume_grid import VolumeGrid, axial_grid
from .whole_heart import WHOLE_HEART_GROUPS
from .whole_heart_mr import draw_whole_heart_mr_scan, whole_heart_mr_image
from .whole_heart_patient import WholeHeartPatient, draw_whole_heart_patient

Modality = Literal["ct", "mr"]

#: RAS mm of a volume's middle: from the liver's dome to below the aortic arch.
_MIDDLE = (-10.0, -5.0, -4.0)
_FIRST_NUMBER = 1001


def whole_heart_phantom(seed: int, number: int) -> tuple[str, WholeHeartPatient]:
    """Return a patient's group and the patient; they depend on nothing but `seed` and `number`.

    The CT and the MR of the same seed and number show the same heart in the same chest. Groups take turns.

    Args:
        seed: 0 or greater.
        number: 1 for the first patient.
    """
    group = WHOLE_HEART_GROUPS[(number - 1) % len(WHOLE_HEART_GROUPS)]
    return group, draw_whole_heart_patient(group, patient_generator(seed, number, 0))


def write_mmwhs_phantom(
    folder: str | os.PathLike[str],
    patients: int,
    seed: int,
    modality: Modality = "ct",
    progress: Callable[[int], None] | None = None,
    size: Sequence[int] = (128, 128, 96),
    spacing: Sequence[float] = (2.0, 2.0, 2.0),
) -> Path:
    """Write phantom patients as the MM-WHS challenge ships its own.

    `ct_train_1001_image.nii.gz` and `ct_train_1001_label.nii.gz` (or `mr_train_...`) and so on; CT in HU, MR in
    arbitrary units, both int16, labels int16 with MM-WHS's codes. MR volumes are slightly oblique, CT volumes
    axial; the affines say where they lie, so that both of one patient fit on each other.
    `..._descending_aorta.csv` has the truth that MM-WHS leaves out: in each slice the voxel index of the
    descending aorta's centre and its radius in mm. Files get their names when all three of a patient are
    complete, the image last, so a stopped run goes on where it was and no image lacks its label.

    Args:
        folder: made where it does not exist; patients that it already holds are kept.
        patients: how many patients the folder shall hold, at least 1.
        seed: 0 or greater; see `whole_heart_phantom` for paired volumes.
        modality: `"ct"` or `"mr"`.
        progress: called with the number of patients that exist, after each.
        size: voxels to the left, the back and the head; 2 mm of spacing need at least the default ones to hold
            all of a large heart.
        spacing: mm.

    Returns:
        The folder.

    Raises:
        InputError: when `patients`, `seed` or `modality` is out of range.
        ShapeError: when a side is shorter than 2.
        SpacingError: when the spacing is not three positive numbers.
    """
    check_patients(patients, seed)
    if modality not in ("ct", "mr"):
        raise InputError(f"Expected modality 'ct' or 'mr', got {modality!r}; choose one of them.")
    axial_grid(size, spacing)  # a bad size or spacing is refused before anything is made
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    for number in range(1, patients + 1):
        name = f"{modality}_train_{_FIRST_NUMBER + number - 1}"
        if not (root / f"{name}_image.nii.gz").exists():
            beside = empty_beside(root / name)
            _write_patient(beside, name, seed, number, modality, (size, spacing))
            for ending in ("descending_aorta.csv", "label.nii.gz", "image.nii.gz"):
                (beside / f"{name}_{ending}").replace(root / f"{name}_{ending}")
            beside.rmdir()
        if progress is not None:
            progress(number)
    return root


def _write_patient(
    folder: Path,
    name: str,
    seed: int,
    number: int,
    modality: Modality,
    sampling: tuple[Sequence[int], Sequence[float]],
) -> None:
    _, patient = whole_heart_phantom(seed, number)
    generator = patient_generator(seed, number, 1 if modality == "ct" else 2)
    shift = 6 * torch.rand(3, generator=generator) - 3
    middle = [at + float(by) for at, by in zip(_MIDDLE, shift, strict=True)]
    turn = (0.1 * (2 * torch.rand(3, generator=generator) - 1)).tolist() if modality == "mr" else (0.0, 0.0, 0.0)
    grid = axial_grid(*sampling, middle, turn)
    painting = patient.on(grid)
    if modality == "ct":
        image = ct_image(painting, draw_ct_scan(generator), generator)
    else:
        image = whole_heart_mr_image(painting, draw_whole_heart_mr_scan(generator), generator)
    with (folder / f"{name}_descending_aorta.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("slice", "x", "y", "radius_mm"))
        for index, (x, y, radius) in enumerate(patient.descending_aorta_in_slices(grid).tolist()):
            rows.writerow((index, f"{x:.2f}", f"{y:.2f}", f"{radius:.2f}"))
    _save(folder / f"{name}_label.nii.gz", painting.label(), grid)
    _save(folder / f"{name}_image.nii.gz", image, grid)


def _save(path: Path, volume: Tensor, grid: VolumeGrid) -> None:
    image = nib.Nifti1Image(volume.clamp(-32768, 32767).numpy().astype(np.int16), grid.affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
