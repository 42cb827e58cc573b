"""Read images and label maps of one's own: a plain folder, or a MONAI `dataset.json`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monai.data import load_decathlon_datalist

from ..errors import DataError, InputError
from .files import read_json
from .image_header import METAIMAGE, NIFTI, read_header, read_pair
from .problems import Problems

#: Numbers of axes that images may have.
_AXES = (2, 3)
#: The rule by which every file is a patient of its own.
EVERY_FILE = "(.+)"


def read_folder(folder: str | os.PathLike[str], patient: str = EVERY_FILE) -> list[dict[str, Any]]:
    """List the pairs of image and label map in a folder, without loading voxels.

    Args:
        folder: holds either folders `images` and `labels` with files of the same names, or files `NAME_image.*` and
            `NAME_label.*`; NIfTI (`.nii.gz`, `.nii`) or MetaImage (`.mhd`, `.mha`).
        patient: regular expression that matches the start of NAME (the file's name without ending and suffix), whose
            first group is the patient; the default makes every file a patient. With several images of a patient, say
            so, or a split puts one patient into two parts: `"(p[0-9]+)_"` for `p01_base`, `p01_apex`.

    Returns:
        One item a pair, by name: `image`, `label` (paths), `patient`, `group` (`"unknown"`), `spacing` (mm, in the
        order of the file's axes).

    Raises:
        InputError: when `patient` is no regular expression with a group.
        DataError: one for the whole folder, which names every missing, odd or damaged file.
    """
    root, rule = Path(folder), _patient_rule(patient)
    problems = Problems("pairs of images and label maps", root)
    items: list[dict[str, Any]] = []
    for name, image, label in _pairs(root):
        with problems.noted():
            _, spacing = read_pair(image, label, _AXES)
            items.append(
                {
                    "image": str(image),
                    "label": str(label),
                    "patient": _patient_of(name, rule, image),
                    "group": "unknown",
                    "spacing": spacing,
                }
            )
    problems.raise_any()
    return items


def read_decathlon(
    path: str | os.PathLike[str], section: str = "training", patient: str = EVERY_FILE
) -> list[dict[str, Any]]:
    """List a section of a `dataset.json` as the Medical Segmentation Decathlon and MONAI have it.

    Args:
        path: the JSON file; the paths in it are relative to its folder.
        section: the name of the list, for example `"training"`, `"validation"` or `"test"`.
        patient: the rule for items without a `patient`, on the name of the image's file without its ending; see
            `read_folder`.

    Returns:
        The items in their own order, with all their keys: `image` and, where the list has it, `label` (paths),
        `patient`, `group` (`"unknown"` where the list has none), `spacing` (mm, in the order of the file's axes).

    Raises:
        InputError: when `patient` is no regular expression with a group.
        DataError: when the file is missing or has no such list; one that names every missing, odd or damaged image.

    Source:
        Antonelli et al., Nature Communications 2022, DOI 10.1038/s41467-022-30695-9.
    """
    source, rule = Path(path), _patient_rule(patient)
    _check_section(source, section)
    problems = Problems("whole images and label maps", source)
    items: list[dict[str, Any]] = []
    for entry in load_decathlon_datalist(source, is_segmentation=True, data_list_key=section):
        with problems.noted():
            image = Path(entry["image"])
            if "label" in entry:
                _, spacing = read_pair(image, Path(entry["label"]), _AXES)
            else:
                _, spacing = read_header(image, _AXES)
            named = {"patient": str(entry["patient"]) if "patient" in entry else _patient_of(_stem(image), rule, image)}
            items.append({"group": "unknown", **entry, **named, "spacing": spacing})
    problems.raise_any()
    return items


def _pairs(root: Path) -> list[tuple[str, Path, Path]]:
    """Return (name, image, label) of every image and of every label map, whether the other exists or not."""
    images, labels = root / "images", root / "labels"
    if images.is_dir() and labels.is_dir():
        names = {path.name for folder in (images, labels) for path in _image_files(folder)}
        found = {_stem(Path(name)): (images / name, labels / name) for name in names}
    else:
        found = {}
        for path in _image_files(root):
            name, _, kind = _stem(path).rpartition("_")
            if name and kind in ("image", "label"):
                ending = path.name[len(_stem(path)) :]
                found[name] = (root / f"{name}_image{ending}", root / f"{name}_label{ending}")
    if not found:
        raise DataError(
            f"Expected folders images and labels, or files NAME_image.nii.gz and NAME_label.nii.gz, in {root}, "
            f"got none with images; pass the folder that holds them."
        )
    return [(name, *found[name]) for name in sorted(found)]


def _image_files(folder: Path) -> Iterable[Path]:
    """Return the images in a folder; files whose name begins with a dot are some system's own."""
    files = folder.iterdir() if folder.is_dir() else ()
    return (path for path in files if path.name.endswith(NIFTI + METAIMAGE) and not path.name.startswith("."))


def _stem(path: Path) -> str:
    for ending in NIFTI + METAIMAGE:
        if path.name.endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def _patient_rule(pattern: str) -> re.Pattern[str]:
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise InputError(f"Expected a regular expression as patient, got {pattern!r} ({error}).") from error
    if rule.groups < 1:
        raise InputError(f"Expected a group in the rule for patients, got {pattern!r}; put brackets round the patient.")
    return rule


def _patient_of(name: str, rule: re.Pattern[str], image: Path) -> str:
    matched = rule.match(name)
    if matched is None or not matched[1]:
        raise DataError(f"{image}: expected a name that the patient's rule {rule.pattern!r} matches, got {name!r}")
    return matched[1]


def _check_section(source: Path, section: str) -> None:
    """Raise `DataError` unless the section is a list that MONAI reads without a fault."""
    content = read_json(source)
    entries = content.get(section)
    if not isinstance(entries, list) or not entries:
        raise DataError(f"Expected a list {section!r} of images in {source}, got none; it holds {sorted(content)}.")
    if section == "test" and all(isinstance(entry, str) for entry in entries):
        return
    for number, entry in enumerate(entries):
        paths = [entry.get(key, "") for key in ("image", "label")] if isinstance(entry, dict) else []
        if not paths or not all(isinstance(one, str) for one in paths) or not paths[0]:
            raise DataError(
                f"Expected one path as image and at most one as label in every item of {section!r} in {source}, "
                f"got {entry!r} as item {number}; correct the file."
            )
