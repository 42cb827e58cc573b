"""Read the CAMUS dataset: apical echocardiograms of two chambers and of four, at end diastole and end systole."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from ..errors import DataError
from .acdc import PHASES
from .image_header import read_pair
from .problems import Problems

#: The apical views of two chambers and of four.
VIEWS = ("2CH", "4CH")
#: Entries of `Info_2CH.cfg` that items carry: their key, how the file's versions call it, and its type.
_ENTRIES: tuple[tuple[str, tuple[str, ...], type], ...] = (
    ("ejection_fraction", ("EF", "LVef"), float),
    ("age", ("Age",), float),
    ("sex", ("Sex",), str),
)


def read_camus(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """List the annotated frames of every patient in a CAMUS folder, without loading pixels.

    **The spacing is the header's.** Copies of the dataset go about that were resampled to a square without keeping the
    aspect ratio, and whose headers say 1 mm: lengths, areas and ratios of such images have no meaning in mm.

    Args:
        folder: holds `patientNNNN/patientNNNN_{2CH,4CH}_{ED,ES}.nii.gz` with their `..._gt.nii.gz`, or the older
            `.mhd` with their `.raw`, and, where the dataset has them, `Info_2CH.cfg` and `Info_4CH.cfg`.

    Returns:
        Four items a patient, by patient, view and phase: `image` and `label` (paths), `patient`, `view` (`"2CH"` or
        `"4CH"`), `phase` (`"ED"` or `"ES"`), `group` (the image quality, `"Good"`, `"Medium"` or `"Poor"`, of the
        patient's worse view; `"unknown"` without `Info_*.cfg`), `spacing` (lateral, axial in mm, as the header says)
        and, from the view's `Info_*.cfg` as far as it has them, `quality`, `ejection_fraction` (%), `age` (years)
        and `sex`. `.mhd` files have a third axis of one pixel.

    Raises:
        DataError: one for the whole folder, which names every missing, odd or damaged file.

    Source:
        Leclerc et al., IEEE TMI 2019, DOI 10.1109/TMI.2019.2900516.
    """
    root = Path(folder)
    patients = sorted(path for path in root.glob("patient*") if path.is_dir())
    if not patients:
        raise DataError(
            f"Expected folders patient0001, patient0002, ... in {root}, got none; "
            f"pass the folder that holds the patients, for example CAMUS/database_nifti."
        )
    problems = Problems("whole CAMUS patients", root)
    items: list[dict[str, Any]] = []
    for patient in patients:
        infos: dict[str, dict[str, Any]] = {}
        for view in VIEWS:
            with problems.noted():
                infos[view] = _read_info(patient / f"Info_{view}.cfg")
        group = _worse_quality([info["quality"] for info in infos.values() if "quality" in info])
        for view, info in infos.items():
            for phase in PHASES:
                with problems.noted():
                    items.append({**_read_frame(patient, view, phase), "group": group, **info})
    problems.raise_any()
    return items


#: From worse to better, in the dataset's own words.
_QUALITIES = ("Poor", "Medium", "Good")


def _worse_quality(qualities: list[str]) -> str:
    return min(qualities, key=_QUALITIES.index, default="unknown")


def _read_info(path: Path) -> dict[str, Any]:
    """Return the entries of a view's `Info_*.cfg` that items carry; none where there is no such file."""
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    entries = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    quality = entries.get("ImageQuality", "").capitalize()
    if quality not in _QUALITIES:
        raise DataError(f"{path}: expected a line 'ImageQuality: Good', Medium or Poor, got {quality!r}")
    info: dict[str, Any] = {"quality": quality}
    for key, names, kind in _ENTRIES:
        value = next((entries[name] for name in names if name in entries), None)
        if value is not None:
            try:
                info[key] = kind(value)
            except ValueError:
                info[key] = math.nan
            if kind is float and not math.isfinite(info[key]):
                raise DataError(f"{path}: expected a number as {names[0]}, got {value!r}")
    return info


def _read_frame(patient: Path, view: str, phase: str) -> dict[str, Any]:
    stem = f"{patient.name}_{view}_{phase}"
    ending = ".mhd" if not (patient / f"{stem}.nii.gz").exists() and (patient / f"{stem}.mhd").exists() else ".nii.gz"
    image, label = patient / f"{stem}{ending}", patient / f"{stem}_gt{ending}"
    shape, spacing = read_pair(image, label, axes=(2, 3))
    if shape[2:] not in ((), (1,)):
        raise DataError(f"{image}: expected one frame, got an image of shape {shape}")
    return {
        "image": str(image),
        "label": str(label),
        "patient": patient.name,
        "view": view,
        "phase": phase,
        "spacing": spacing[:2],
    }
