"""Scores of echo segmentation as the field reports them: endocardium and epicardium, by view and phase."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from monai.metrics import compute_average_surface_distance, compute_dice, compute_hausdorff_distance

from ...anatomy.labels import LabelScheme
from ...anatomy.schemes import CAMUS, LEFT_ATRIUM, LV_CAVITY, MYOCARDIUM
from ...checks import check_spacing
from ...data.files import read_csv, write_csv
from ...errors import ShapeError
from ..bootstrap import Interval, bootstrap_difference, bootstrap_mean

EchoMeasure = Literal["dice", "hd", "assd"]

#: What is scored, and the structures that lie inside of its contour.
CONTOURS = {"endocardium": (LV_CAVITY,), "epicardium": (LV_CAVITY, MYOCARDIUM), "left atrium": (LEFT_ATRIUM,)}


@dataclass(frozen=True)
class EchoScore:
    """How well one contour was found in one image.

    Attributes:
        patient: the patient's name.
        view: `"2CH"` or `"4CH"`.
        phase: `"ED"` or `"ES"`.
        contour: `"endocardium"`, `"epicardium"` (around cavity and wall) or `"left atrium"`.
        dice: of the areas inside, in [0, 1]; NaN when expert and network both marked nothing.
        hd: Hausdorff distance of the contours in mm; NaN when either marked nothing.
        assd: average symmetric surface distance in mm; NaN likewise.
    """

    patient: str
    view: str
    phase: str
    contour: str
    dice: float
    hd: float
    assd: float


@dataclass(frozen=True)
class EchoComparison:
    """Two arms on the same images, one value a patient: the mean over that patient's images.

    Attributes:
        contour: see `EchoScore`.
        view: of the images, or `"both"`.
        phase: of the images, or `"both"`.
        first: the first arm's mean over patients.
        second: the second arm's.
        difference: second minus first, paired.
        missed: images without a value in the first and in the second arm: where an arm marked nothing, it has no
            distance, and means alone would flatter it.
    """

    contour: str
    view: str
    phase: str
    first: Interval
    second: Interval
    difference: Interval
    missed: tuple[int, int]


def score_echo(
    prediction: torch.Tensor,
    label: torch.Tensor,
    items: Sequence[Mapping[str, Any]],
    spacing: Sequence[float],
    scheme: LabelScheme = CAMUS,
) -> list[EchoScore]:
    """Return three scores an image.

    Args:
        prediction: the network's codes `(B, H, W)`.
        label: the expert's.
        items: of the datalist, with `patient`, `view` and `phase`.
        spacing: mm between pixels along H and W.
        scheme: of the codes; the ultrasound sector counts as background.

    Raises:
        ShapeError: when the numbers or sizes do not fit.
        LabelError: for unknown codes.
        SpacingError: unless the spacing has two positive values.
    """
    if prediction.ndim != 3 or prediction.shape != label.shape or len(items) != len(label):
        raise ShapeError(
            f"Expected codes (B, H, W) of network and expert and an item for each, got {tuple(prediction.shape)}, "
            f"{tuple(label.shape)} and {len(items)} items."
        )
    mm = list(check_spacing(spacing, 2))
    found, truth = (_inside(codes, scheme) for codes in (prediction, label))
    with warnings.catch_warnings():
        # What is empty is told by NaN here; and MONAI 1.6 warns about an argument that it passes to itself.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", FutureWarning)
        dice = compute_dice(found, truth, ignore_empty=False)
        hd = compute_hausdorff_distance(found, truth, include_background=True, spacing=mm)
        assd = compute_average_surface_distance(found, truth, include_background=True, symmetric=True, spacing=mm)
    in_found, in_truth = found.flatten(2).any(dim=2), truth.flatten(2).any(dim=2)
    dice = dice.masked_fill(~(in_found | in_truth), math.nan)
    hd, assd = (distance.masked_fill(~(in_found & in_truth), math.nan) for distance in (hd, assd))
    return [
        EchoScore(
            str(item["patient"]),
            str(item["view"]),
            str(item["phase"]),
            contour,
            float(dice[row, place]),
            float(hd[row, place]),
            float(assd[row, place]),
        )
        for row, item in enumerate(items)
        for place, contour in enumerate(CONTOURS)
    ]


def compare_echo(
    first: Sequence[EchoScore], second: Sequence[EchoScore], measure: EchoMeasure = "dice", seed: int = 0
) -> list[EchoComparison]:
    """Return a row for each contour on all images, and for each view and phase.

    Args:
        first: scores of one arm.
        second: scores of the other on the same images.
        measure: which.
        seed: of the bootstrap over patients.

    Raises:
        ShapeError: when the arms do not have the same images.
    """
    keys = [{(one.patient, one.view, one.phase, one.contour) for one in arm} for arm in (first, second)]
    if keys[0] != keys[1] or len(keys[0]) != len(first) or len(first) != len(second):
        raise ShapeError(
            f"Expected each image once in both arms, got {len(first)} and {len(second)} scores, of which "
            f"{len(keys[0] & keys[1])} are of the same images; test both arms on the same patients."
        )
    parts = [("both", "both"), *sorted({(one.view, one.phase) for one in first})]
    rows = []
    for contour in CONTOURS:
        for view, phase in parts:
            arms = [_by_patient(arm, measure, contour, view, phase) for arm in (first, second)]
            one, other = ([float(np.nanmean(v)) if not np.isnan(v).all() else math.nan for v in arm] for arm in arms)
            missed = [int(sum(np.isnan(values).sum() for values in arm)) for arm in arms]
            rows.append(
                EchoComparison(
                    contour,
                    view,
                    phase,
                    bootstrap_mean(one, seed=seed),
                    bootstrap_mean(other, seed=seed),
                    bootstrap_difference(one, other, seed=seed),
                    (missed[0], missed[1]),
                )
            )
    return rows


def write_echo_scores(path: Path, scores: Sequence[EchoScore]) -> None:
    """Write the scores as CSV, one row an image and contour."""
    write_csv(path, [asdict(score) for score in scores])


def read_echo_scores(path: Path) -> list[EchoScore]:
    """Read the scores that `write_echo_scores` wrote."""
    return [
        EchoScore(
            row["patient"],
            row["view"],
            row["phase"],
            row["contour"],
            float(row["dice"]),
            float(row["hd"]),
            float(row["assd"]),
        )
        for row in read_csv(path)
    ]


def _inside(codes: torch.Tensor, scheme: LabelScheme) -> torch.Tensor:
    """Return what lies inside of each contour, `(B, contours, H, W)` float32."""
    one_hot = scheme.one_hot(codes)
    return torch.stack(
        [one_hot[:, [scheme.channel(name) for name in names]].sum(dim=1) for names in CONTOURS.values()], dim=1
    )


def _by_patient(scores: Sequence[EchoScore], measure: str, contour: str, view: str, phase: str) -> list[np.ndarray]:
    """Return each patient's values in the patients' order."""
    values: dict[str, list[float]] = {}
    for score in scores:
        if score.contour == contour and view in (score.view, "both") and phase in (score.phase, "both"):
            values.setdefault(score.patient, []).append(getattr(score, measure))
    return [np.array(row) for _, row in sorted(values.items())]


__all__ = [
    "CONTOURS",
    "EchoComparison",
    "EchoMeasure",
    "EchoScore",
    "compare_echo",
    "read_echo_scores",
    "score_echo",
    "write_echo_scores",
]
