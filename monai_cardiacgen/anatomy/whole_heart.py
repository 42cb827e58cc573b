"""The criteria of a whole heart in CT or MR: the seven structures of MM-WHS, all required.

No published list exists; these follow from anatomy, and `docs/anatomy.md` gives the reason and the source of each:
every structure is one part without holes; blood flows from chamber to vessel through openings no narrower than a
severe stenosis (1 cm², the guidelines' limit); septa part the left heart from the right; the myocardium is a cup round
the left cavity; volumes lie within limits well outside the reference ranges of healthy adults, of either sex and phase,
so that a diseased heart keeps them and only what no adult's heart has is refused.

The limits were checked on drawn hearts only: no expert labels of MM-WHS were at hand.

Source:
    Zhuang et al., Medical Image Analysis 2019, DOI 10.1016/j.media.2019.101537 (the structures);
    Vahanian et al., European Heart Journal 2022, DOI 10.1093/eurheartj/ehab395 (stenoses);
    Kawel-Boehm et al., JCMR 2020, DOI 10.1186/s12968-020-00683-3 (volumes and diameters of adults).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from ..checks import check_spacing
from ..errors import LabelError
from .criterion import Criterion
from .volume_morphology import (
    bounding_box,
    check_volumes,
    contact_areas,
    enclosed,
    hull_by_slices,
    outside_largest_part,
)

#: The structures in short: cavities of both ventricles and both atria, myocardium, ascending aorta, pulmonary artery.
WHOLE_HEART_PARTS = ("LV", "RV", "LA", "RA", "MYO", "AO", "PA")

#: Structures that blood, or the wall, joins.
_JOINED = {
    ("LV", "MYO"): "the wall encloses the left cavity",
    ("RV", "MYO"): "the right cavity leans on the septum",
    ("LA", "LV"): "the mitral valve joins left atrium and ventricle",
    ("RA", "RV"): "the tricuspid valve joins right atrium and ventricle",
    ("LV", "AO"): "the left ventricle opens into the aorta",
    ("RV", "PA"): "the right ventricle opens into the pulmonary artery",
}
#: Structures that a septum or the wall parts. They may touch over 1 cm², for the membranous septum is thinner than a
#: voxel, which faces of voxels overstate by up to the square root of 3.
_PARTED = {
    ("LV", "RV"): "the interventricular septum parts the ventricles",
    ("LV", "RA"): "the atrioventricular septum parts left ventricle and right atrium",
    ("LA", "RV"): "the septa part left atrium and right ventricle",
    ("LV", "PA"): "the pulmonary artery rises from the right ventricle",
}
#: mL: least and most that is accepted of each structure.
_VOLUMES = {
    "LV": (10, 550),
    "RV": (15, 550),
    "LA": (10, 300),
    "RA": (15, 400),
    "MYO": (30, 400),
    "AO": (5, 250),
    "PA": (4, 150),
}
#: Accepted ratios of two volumes: of one and the same heart they are tighter bound than the volumes.
_RATIOS = {
    ("MYO", "LV"): (0.25, 8.0, "a dilated ventricle has a thin wall, a hypertrophied one a small cavity"),
    ("RV", "LV"): (0.25, 4.0, "both ventricles pump the same blood"),
    ("RA", "LA"): (0.25, 4.0, "both atria receive the same blood"),
}


def _criteria() -> tuple[Criterion, ...]:
    one_part = (
        Criterion(f"{part} disconnected", "mm³", 30, "the structure is one piece") for part in WHOLE_HEART_PARTS
    )
    solid = (
        Criterion(f"{part} holes", "mm³", 30, "the wall is solid" if part == "MYO" else "blood fills it")
        for part in WHOLE_HEART_PARTS
    )
    joined = (
        Criterion(f"{first}-{second} contact", "mm²", 100, why, at_least=True)
        for (first, second), why in _JOINED.items()
    )
    parted = (Criterion(f"{first}-{second} contact", "mm²", 175, why) for (first, second), why in _PARTED.items())
    cup = (
        Criterion("LV bare surface", "", 0.15, "but for its two valves the left cavity lies in the wall"),
        Criterion("LV inside MYO hull", "", 0.75, "the left cavity fills the cup of the wall", at_least=True),
    )
    volumes = (
        criterion
        for part, (least, most) in _VOLUMES.items()
        for criterion in (
            Criterion(f"{part} least volume", "mL", least, "no adult's is so small", at_least=True, required=True),
            Criterion(f"{part} greatest volume", "mL", most, "no adult's is so large"),
        )
    )
    ratios = (
        criterion
        for (first, second), (least, most, why) in _RATIOS.items()
        for criterion in (
            Criterion(f"{first} to {second} least ratio", "", least, why, at_least=True),
            Criterion(f"{first} to {second} greatest ratio", "", most, why),
        )
    )
    return (*one_part, *solid, *joined, *parted, *cup, *volumes, *ratios)


WHOLE_HEART_CRITERIA = _criteria()


def measure_whole_heart(masks: Mapping[str, torch.Tensor], spacing: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return the value of every criterion of `WHOLE_HEART_CRITERIA` by its name.

    Volumes are measured one after the other, structure by structure in its own box, to bound the memory.

    Args:
        masks: the structures of `WHOLE_HEART_PARTS`, boolean `(B, H, W, D)`.
        spacing: mm between voxels along H, W and D.

    Returns:
        `(B,)` float32 tensors; NaN where a structure that the quantity needs is absent.

    Raises:
        LabelError: when a structure is missing from `masks`.
        ShapeError: when the masks are not boolean `(B, H, W, D)` of one shape.
        SpacingError: when `spacing` is not three positive numbers.
    """
    missing = [part for part in WHOLE_HEART_PARTS if part not in masks]
    if missing:
        raise LabelError(f"Expected masks of all of {WHOLE_HEART_PARTS}, got none of {missing}; pass an empty mask.")
    spacing = check_spacing(spacing, 3)
    check_volumes(*(masks[part] for part in WHOLE_HEART_PARTS))
    rows = [
        _measure_one({part: masks[part][row : row + 1] for part in WHOLE_HEART_PARTS}, spacing)
        for row in range(len(masks["LV"]))
    ]
    device = masks["LV"].device
    values = torch.stack(rows) if rows else torch.zeros(0, len(WHOLE_HEART_CRITERIA), device=device)
    return {criterion.name: values[:, column] for column, criterion in enumerate(WHOLE_HEART_CRITERIA)}


def _measure_one(masks: Mapping[str, torch.Tensor], spacing: tuple[float, ...]) -> torch.Tensor:
    """Return the values of one heart in the order of the criteria, float32 `(criteria,)`."""
    voxel = math.prod(spacing)
    channels = torch.zeros_like(masks["LV"], dtype=torch.int64)
    for number, part in enumerate(WHOLE_HEART_PARTS, start=1):
        channels[masks[part]] = number
    touching = contact_areas(channels[(slice(None), *bounding_box(channels > 0))], len(WHOLE_HEART_PARTS) + 1, spacing)[
        0
    ]
    number_of = {part: number for number, part in enumerate(WHOLE_HEART_PARTS, start=1)}
    # One wait for the device: from here on there are only numbers of Python.
    counts = torch.bincount(channels.flatten(), minlength=len(WHOLE_HEART_PARTS) + 1).tolist()
    areas = touching.tolist()
    volume = {part: counts[number_of[part]] * voxel / 1000 or math.nan for part in WHOLE_HEART_PARTS}

    values: dict[str, float] = {}
    for part in WHOLE_HEART_PARTS:
        there = masks[part][(slice(None), *bounding_box(masks[part]))]
        absent = math.nan if math.isnan(volume[part]) else 0.0
        values[f"{part} disconnected"] = int(outside_largest_part(there).sum()) * voxel + absent
        values[f"{part} holes"] = int(hole_voxels(part, masks).sum()) * voxel + absent
        values[f"{part} least volume"] = values[f"{part} greatest volume"] = volume[part]
    for first, second in (*_JOINED, *_PARTED):
        both = volume[first] > 0 and volume[second] > 0
        values[f"{first}-{second} contact"] = areas[number_of[first]][number_of[second]] if both else math.nan
    surface = sum(areas[number_of["LV"]])
    covered = sum(areas[number_of["LV"]][number_of[part]] for part in ("MYO", "LA", "AO"))
    values["LV bare surface"] = 1 - covered / surface if surface else math.nan
    outside = int(outside_cup(masks["LV"], masks["MYO"]).sum())
    both = volume["LV"] > 0 and volume["MYO"] > 0
    values["LV inside MYO hull"] = 1 - outside / counts[number_of["LV"]] if both else math.nan
    for first, second in _RATIOS:
        ratio = volume[first] / volume[second]
        values[f"{first} to {second} least ratio"] = values[f"{first} to {second} greatest ratio"] = ratio
    ordered = [values[criterion.name] for criterion in WHOLE_HEART_CRITERIA]
    return torch.tensor(ordered, dtype=torch.float32, device=channels.device)


def hole_voxels(part: str, masks: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the voxels that a structure encloses, boolean `(B, h, w, d)` in the structure's box.

    The myocardium and the left cavity are taken together, without what the cavity encloses alone: a gap between the
    two, or a hole of the wall, is a hole of the myocardium.
    """
    whole = masks["LV"] | masks["MYO"] if part == "MYO" else masks[part]
    box = (slice(None), *bounding_box(whole))
    found = enclosed(whole[box])
    return found & ~enclosed(masks["LV"][box]) if part == "MYO" else found


def outside_cup(lv: torch.Tensor, myo: torch.Tensor) -> torch.Tensor:
    """Return the voxels of the left cavity outside the hull of the myocardium, in the box of both."""
    box = (slice(None), *bounding_box(lv | myo))
    return lv[box] & ~hull_by_slices(myo[box])
