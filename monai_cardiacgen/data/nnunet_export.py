"""Export a synthetic set as a raw dataset of nnU-Net, version 2."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ..errors import DataError, InputError
from .case_files import read_nifti, write_nifti
from .files import read_json, write_json
from .memorisation_record import MemorisationRecord, read_memorisation
from .set_description import SetDescription
from .synthetic_set import SyntheticSet

FILE_ENDING = ".nii.gz"
#: Says beside nnU-Net's own files which set was exported.
ORIGIN = "synthetic_set.json"
#: What becomes of a set in which a memorisation test found copies of training images.
Copies = Literal["refuse", "export"]


def export_nnunet(
    source: SyntheticSet,
    raw_folder: str | os.PathLike[str],
    dataset_id: int,
    name: str,
    progress: Callable[[int, int], None] | None = None,
    copies: Copies = "refuse",
) -> Path:
    """Write the cases of a set as `DatasetNNN_Name` below nnU-Net's raw folder.

    `imagesTr/case_000000_0000.nii.gz`, `labelsTr/case_000000.nii.gz` and, last, `dataset.json`. Labels are numbered
    in the order of the scheme, 0 the background, whatever the dataset's codes are. Slices become volumes
    `(H, W, 1)`, as nnU-Net's NIfTI readers take them. The channel bears the name of the modality, so that nnU-Net
    normalises CT by its intensities' own scale and everything else case by case. A set that has grown is exported
    again over what is there; its old `dataset.json` goes first, so that a stopped export is not taken for a whole one.

    Args:
        source: the set, with at least one case.
        raw_folder: nnU-Net's `nnUNet_raw`.
        dataset_id: 1 to 999; nnU-Net's own examples use 1 to 10.
        name: letters, digits, `_` and `-`.
        progress: called with the number of cases done and their total.
        copies: `"refuse"` does not export a set with cases that `cardiacgen card` found to be copies of training
            images; `"export"` does, and says so in `synthetic_set.json` and `dataset.json`.

    Returns:
        The dataset's folder.

    Raises:
        InputError: for an id or a name that nnU-Net does not take, an id that the raw folder has under another
            name, an empty set, a set with copies of training images, or a folder that holds another dataset.
        DataError: when a case is missing or damaged.

    Source:
        Isensee et al., Nature Methods 2021, DOI 10.1038/s41592-020-01008-z; the file format is documented with
        nnU-Net, version 2, `dataset_format.md`.
    """
    target = _target(Path(raw_folder), dataset_id, name)
    if not len(source):
        raise InputError(f"Expected at least one case in {source.folder} to export, got none; make some first.")
    verdict = read_memorisation(source)
    if verdict.copies and copies == "refuse":
        raise InputError(
            f"Expected a set without copies of training images, but {source.folder} was {verdict.sentence}; look at "
            f"its card, and export it by force only where you may pass the training images on."
        )
    _claim(target, source.description, verdict)
    (target / "dataset.json").unlink(missing_ok=True)
    for sub in ("imagesTr", "labelsTr"):
        (target / sub).mkdir(exist_ok=True)
        for left in (target / sub).glob(".*.part"):
            left.unlink()
    for done, entry in enumerate(source.entries, start=1):
        case = entry.record.case
        image, image_affine = read_nifti(entry.image)
        label, _ = read_nifti(entry.label)
        dims = source.description.spatial_dims
        if image.shape != label.shape or image.ndim != dims:
            raise DataError(
                f"Expected an image and a label of {dims} axes for {case} in {source.folder}, got {image.shape} and "
                f"{label.shape}; write this case again."
            )
        channels = source.description.scheme.to_channels(torch.from_numpy(label.astype(np.int64))).numpy()
        volume = (*image.shape, 1)[:3]
        write_nifti(target / "imagesTr" / f"{case}_0000{FILE_ENDING}", image.reshape(volume), image_affine)
        write_nifti(
            target / "labelsTr" / f"{case}{FILE_ENDING}", channels.astype(np.uint8).reshape(volume), image_affine
        )
        if progress is not None:
            progress(done, len(source))
    write_json(target / "dataset.json", nnunet_description(source, verdict))
    return target


def nnunet_description(source: SyntheticSet, verdict: MemorisationRecord) -> dict[str, Any]:
    """Return the content of nnU-Net's `dataset.json` for a set, with the verdict of the memorisation test."""
    one = source.description
    return {
        "channel_names": {"0": one.modality},
        "labels": {name: channel for channel, name in enumerate(one.scheme.names)},
        "numTraining": len(source),
        "file_ending": FILE_ENDING,
        "description": f"synthetic cases made by {one.bundle} {one.version}; {verdict.sentence}",
    }


def _target(raw_folder: Path, dataset_id: int, name: str) -> Path:
    if not 1 <= dataset_id <= 999 or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InputError(
            f"Expected a dataset id from 1 to 999 and a name of letters, digits, _ and -, got {dataset_id!r} and "
            f"{name!r}."
        )
    target = raw_folder / f"Dataset{dataset_id:03d}_{name}"
    others = [path.name for path in raw_folder.glob(f"Dataset{dataset_id:03d}_*") if path.name != target.name]
    if others:
        raise InputError(
            f"Expected an id that {raw_folder} does not have, but there is {others[0]}; choose another id."
        )
    return target


def _claim(target: Path, description: SetDescription, verdict: MemorisationRecord) -> None:
    """Write into an empty folder which set it holds and what is known of it, or see that it holds this one."""
    path = target / ORIGIN
    if target.exists() and not path.exists() and any(target.iterdir()):
        raise InputError(f"Expected {target} to be free, but it holds another dataset; choose another id and name.")
    if path.exists() and SetDescription.from_json(read_json(path), path) != description:
        raise InputError(f"Expected {target} to hold this set, but it holds another one; choose another id and name.")
    write_json(path, {**description.to_json(), "memorisation": verdict.to_json()})
