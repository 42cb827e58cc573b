"""Read the ACDC challenge's folder: patients with two annotated frames each, as MONAI datalist items."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ..errors import DataError
from .image_header import read_pair
from .problems import Problems

#: End diastole and end systole, as `Info.cfg` calls them.
PHASES = ("ED", "ES")
_FRAME = re.compile("[0-9]{1,4}")


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
    problems = Problems("whole ACDC patients", root)
    for patient in patients:
        with problems.noted():
            info = _read_info(patient / "Info.cfg")
            for phase in PHASES:
                with problems.noted():
                    items.append(_read_frame(patient, phase, info))
    problems.raise_any()
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
        if not _FRAME.fullmatch(info.get(phase, "")):
            raise DataError(f"{path}: expected a line '{phase}: <frame number>', got {info.get(phase)!r}")
    if len({int(info[phase]) for phase in PHASES}) < len(PHASES):
        raise DataError(f"{path}: expected two frames, got frame {info[PHASES[0]]} as both {' and '.join(PHASES)}")
    if not info.get("Group") or not info["Group"].isprintable():
        raise DataError(f"{path}: expected a line 'Group: <pathology>', got {info.get('Group')!r}")
    return info


def _read_frame(patient: Path, phase: str, info: dict[str, str]) -> dict[str, Any]:
    stem = f"{patient.name}_frame{int(info[phase]):02d}"
    image, label = patient / f"{stem}.nii.gz", patient / f"{stem}_gt.nii.gz"
    _, spacing = read_pair(image, label, axes=(3,))
    return {
        "image": str(image),
        "label": str(label),
        "patient": patient.name,
        "phase": phase,
        "group": info["Group"],
        "spacing": spacing,
    }
