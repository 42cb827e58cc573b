"""Read the Sunnybrook Cardiac Data: DICOM slices with contours of the left ventricle in text files."""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from ..anatomy.schemes import LV_CAVITY, MYOCARDIUM, SUNNYBROOK
from ..errors import DataError
from .contour import coverage, read_contour
from .dicom_slice import DicomSlice, read_dicom_slice
from .problems import Problems

#: Coordinate of the first pixel's centre in the contour files: they count from 1. Cavity contours say so by four ways
#: of finding the image's edges, though not to the tenth of a pixel (docs/data.md); outer contours are too vague.
FIRST_PIXEL = 1.0
#: Share of a cavity that the outer contour of the same slice encloses at least, if both were drawn on one image.
LEAST_ENCLOSED = 0.95

_CONTOUR = re.compile(r"IM-\d+-(\d+)-icontour-manual\.txt")
_PATIENT = re.compile(r"SC-(HF-I|HF-NI|HYP|N)-\d+")
_LINKS = "link.csv"


@dataclass(frozen=True)
class _Slice:
    """A contoured slice: what the folder holds of it."""

    image: Path
    inner: Path
    outer: Path | None
    dicom: DicomSlice
    area: float  # of the cavity in pixels
    enclosed: float | None  # share of the cavity inside the outer contour

    @property
    def frame(self) -> int:
        """Its place in the cardiac cycle, 0 where the file does not say how long that is."""
        return (self.dicom.number - 1) % self.dicom.frames if self.dicom.frames else 0


def read_sunnybrook(folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """List every slice with an expert's contour of the left ventricle's cavity.

    The outer wall is drawn at end diastole only; elsewhere the myocardium is *unknown*, not absent, and the item says
    so in `annotated`. A patient whose outer contours leave out more than 5 % of a cavity has the outer contours of
    another patient: they are left aside (SC-HF-I-6, in a copy that is in wide use). An outer contour without an inner
    one is left aside, too.

    The phase follows from the outer contours: the frame of the cycle that bears them is the end of diastole, the other
    contoured frame the end of systole. Where a patient has no outer contours of its own, the frame with the larger
    mean cavity is the end of diastole.

    Args:
        folder: holds, at any depth, `SC-*` folders with `IM-NNNN-MMMM-icontour-manual.txt` and
            `...-ocontour-manual.txt` (together, or in `i-contours` and `o-contours`), and a folder a patient with
            `MMMM.dcm` or `IM-NNNN-MMMM.dcm`, named as the contours' folder or as `link.csv`
            (`patient_id,original_id`) says. Of several series only those in folders `CINESAX*` count.

    Returns:
        One item a slice, by patient, phase and place: `image` (path of the DICOM file), `inner_contour` and, where
        there is one that fits, `outer_contour` (paths), `patient` (`"SC-HF-I-1"`), `group` (`"HF-I"`, `"HF-NI"`,
        `"HYP"` or `"N"`), `phase` (`"ED"` or `"ES"`; absent where the files do not tell), `annotated` (names of the
        structures that are told apart), `spacing` (x, y, and from slice to slice, in mm), `slice` (0 for the
        contoured slice with the smallest image number, at the base) and `position` (in [0, 1], from there to the
        last contoured slice).

    Raises:
        DataError: one for the whole folder, which names every missing, odd or damaged file.

    Source:
        Radau et al., "Evaluation framework for algorithms segmenting short axis cardiac MRI", The MIDAS Journal 2009,
        http://hdl.handle.net/10380/3070.
    """
    root = Path(folder)
    contours = sorted(path for path in root.rglob("IM-*.txt") if _CONTOUR.fullmatch(path.name))
    if not contours:
        raise DataError(
            f"Expected contour files IM-0001-0048-icontour-manual.txt, ... in {root}, got none; "
            f"pass the folder that holds both the contours and the DICOM images."
        )
    problems = Problems("whole Sunnybrook patients", root)
    links = _read_links(root / _LINKS)
    images = _index_images(root)
    patients: dict[str, list[_Slice]] = defaultdict(list)
    for path in contours:
        with problems.noted():
            patient = _patient_of(path)
            patients[patient].append(_read_slice(path, images[links.get(patient, patient)]))
    problems.raise_any()
    return [item for patient in sorted(patients) for item in _items(patient, patients[patient])]


def load_sunnybrook(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item of `read_sunnybrook` with its image and its label map.

    A pixel belongs to a contour that covers more than half of it; the contours' whole numbers are pixel centres,
    counted from 1. The myocardium is what the outer contour holds beside the cavity.

    Returns:
        The item with `image` `(1, X, Y, 1)` float32 as stored and `label` `(1, X, Y, 1)` int64 in the codes of
        `SUNNYBROOK`, both `MetaTensor`s with the slice's affine in the patient (a stack of one slice: slices lie
        obliquely, and MONAI resamples such only in 3D), and `known` `(3,)` bool: the channels that the label map
        tells apart. Where the myocardium is not known, its pixels have the background's code.

    Raises:
        DataError: when a file is missing or damaged.
    """
    problems = Problems("a whole slice", Path(item["image"]))
    with problems.noted():
        dicom = read_dicom_slice(Path(item["image"]))
        label = np.zeros(dicom.pixels.shape, np.int64)
        if "outer_contour" in item:
            label[_inside(Path(item["outer_contour"]), dicom)] = SUNNYBROOK.code(MYOCARDIUM)
        label[_inside(Path(item["inner_contour"]), dicom)] = SUNNYBROOK.code(LV_CAVITY)
    problems.raise_any()
    return {
        **item,
        "image": _as_stack(torch.from_numpy(dicom.pixels), dicom, item["image"]),
        "label": _as_stack(torch.from_numpy(label), dicom, item["inner_contour"]),
        "known": torch.tensor(SUNNYBROOK.known(item["annotated"])),
    }


def _as_stack(plane: torch.Tensor, dicom: DicomSlice, path: str) -> MetaTensor:
    return MetaTensor(plane[None, ..., None], affine=torch.from_numpy(dicom.affine), meta={"filename_or_obj": path})


def _inside(path: Path, dicom: DicomSlice) -> NDArray[np.bool_]:
    """Return the pixels `(X, Y)` that a contour covers by more than half."""
    points = read_contour(path) - FIRST_PIXEL
    if (points < -0.5).any() or (points > np.array(dicom.pixels.shape) - 0.5).any():
        raise DataError(f"{path}: expected points inside the image {dicom.pixels.shape}, got some outside")
    inside: NDArray[np.bool_] = coverage(points, dicom.pixels.shape) > 0.5
    return inside


def _read_links(path: Path) -> dict[str, str]:
    """Return from a contour folder's name to its DICOM folder's; empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["original_id"].strip(): row["patient_id"].strip() for row in csv.DictReader(file)}
    except (KeyError, AttributeError, UnicodeDecodeError, csv.Error):
        raise DataError(
            f"Expected a table with the columns patient_id and original_id in {path}, got another; get it again."
        ) from None


def _index_images(root: Path) -> dict[str, dict[int, list[Path]]]:
    """Return from a folder's name to the DICOM files in it, at any depth, by their number."""
    found: dict[str, dict[int, list[Path]]] = defaultdict(lambda: defaultdict(list))
    files = sorted(root.rglob("*.dcm"))
    cines = [path for path in files if path.parent.name.startswith("CINESAX")]
    for path in cines or files:
        number = path.stem.rpartition("-")[2]
        if number.isdecimal():
            for folder in path.relative_to(root).parent.parts:
                found[folder][int(number)].append(path)
    return found


def _patient_of(path: Path) -> str:
    for folder in reversed(path.parent.parts):
        if _PATIENT.fullmatch(folder):
            return folder
    raise DataError(f"{path}: expected a folder SC-HF-I-1, SC-HF-NI-1, SC-HYP-1 or SC-N-1 above it, got none")


def _read_slice(inner: Path, images: dict[int, list[Path]]) -> _Slice:
    matched = _CONTOUR.fullmatch(inner.name)
    number = int(matched[1]) if matched else -1
    candidates = images.get(number, [])
    if len(candidates) != 1:
        raise DataError(f"{inner}: expected one DICOM image with the number {number}, got {len(candidates)}")
    dicom = read_dicom_slice(candidates[0])
    cavity = _inside(inner, dicom)
    if not cavity.any():
        raise DataError(f"{inner}: expected a contour that encloses pixels, got none")
    name = inner.name.replace("icontour", "ocontour")
    outer = next(
        (path for path in (inner.with_name(name), inner.parents[1] / "o-contours" / name) if path.exists()), None
    )
    enclosed = float(_inside(outer, dicom)[cavity].mean()) if outer else None
    return _Slice(candidates[0], inner, outer, dicom, float(cavity.sum()), enclosed)


def _items(patient: str, slices: list[_Slice]) -> list[dict[str, Any]]:
    """Return the patient's items; what its slices tell only together is decided here."""
    shares = [one.enclosed for one in slices if one.enclosed is not None]
    fits = bool(shares) and min(shares) >= LEAST_ENCLOSED
    phases = _phases(slices, fits)
    order = sorted(slices, key=lambda one: one.dicom.number)
    heights = [round(one.dicom.height, 1) for one in order]
    # Base first: along the normal in the direction in which the image numbers grow.
    places = sorted(set(heights), reverse=heights[0] > heights[-1])
    group = _PATIENT.fullmatch(patient)
    items = []
    for one, height in zip(order, heights, strict=True):
        with_wall = one.outer is not None and fits
        items.append(
            {
                "image": str(one.image),
                "inner_contour": str(one.inner),
                **({"outer_contour": str(one.outer)} if with_wall else {}),
                "patient": patient,
                "group": group[1] if group else "unknown",
                **({"phase": phases[one.frame]} if one.frame in phases else {}),
                "annotated": (MYOCARDIUM, LV_CAVITY) if with_wall else (LV_CAVITY,),
                "spacing": one.dicom.spacing,
                "slice": places.index(height),
                "position": places.index(height) / max(1, len(places) - 1),
            }
        )
    return sorted(items, key=lambda item: (item.get("phase", ""), item["slice"]))


def _phases(slices: list[_Slice], outer_fits: bool) -> dict[int, str]:
    """Return the phase of each frame of the cycle, as far as the contours tell."""
    if any(one.dicom.frames == 0 for one in slices):
        return {}
    frames = {one.frame for one in slices}
    diastole = {one.frame for one in slices if one.outer is not None} if outer_fits else set()
    if not diastole:
        if len(frames) != 2:
            return {}
        sizes = {frame: np.mean([one.area for one in slices if one.frame == frame]) for frame in frames}
        diastole = {max(sizes, key=lambda frame: sizes[frame])}
    return {frame: "ED" if frame in diastole else "ES" for frame in frames}
