"""Test a segmentation network on whole stacks, on the grid of the files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.metrics import compute_dice, compute_hausdorff_distance
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged
from torch import nn

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ACDC
from ..data.files import read_csv, write_csv
from ..data.slices import IMAGE, LABEL, ShortAxisGrid


@dataclass(frozen=True)
class Score:
    """How well one structure was found in one volume.

    Attributes:
        patient: the patient's name.
        group: the pathology group.
        phase: `"ED"` or `"ES"`.
        structure: name in the label scheme.
        dice: in [0, 1]; NaN when neither expert nor network marked the structure, or the expert did not annotate it.
        hd95: 95th percentile of the symmetric surface distance in mm, through the stack in 3D; NaN when the
            expert or the network marked nothing, as there is no distance to an empty surface.
    """

    patient: str
    group: str
    phase: str
    structure: str
    dice: float
    hd95: float


def load_test_volumes(
    items: Sequence[dict[str, Any]],
    grid: ShortAxisGrid,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Return the volumes with `image` `(1, H, W, Z)` on the study's grid and `label` `(1, X, Y, Z)` on the file's.

    The expert's label is never resampled: what a study's grid loses counts against the network.
    """
    native = Compose([LoadImaged(LABEL), EnsureChannelFirstd(LABEL)])
    volumes = []
    for done, item in enumerate(items, start=1):
        volume = grid.load({key: value for key, value in item.items() if key != LABEL})
        label = native({LABEL: item[LABEL]})[LABEL]
        volumes.append({**volume, LABEL: MetaTensor(label.as_tensor().to(torch.uint8), affine=label.affine)})
        if progress is not None:
            progress(done, len(items))
    return volumes


def predict_volume(
    network: nn.Module, volume: dict[str, Any], grid: ShortAxisGrid, scheme: LabelScheme = ACDC
) -> torch.Tensor:
    """Return the predicted codes `(X, Y, Z)` on the grid of the volume's file.

    Class probabilities are carried back, then the most probable class is taken; outside the study's field of view
    everything is background.
    """
    image = volume[IMAGE]
    device = next(network.parameters()).device
    network.eval()
    with torch.no_grad():
        slices = image.as_tensor().movedim(-1, 0).to(device)  # (Z, 1, H, W)
        probabilities = network(slices).softmax(dim=1).cpu().movedim(0, -1)  # (C, H, W, Z)
    return scheme.to_codes(grid.to_file_grid(probabilities, image).argmax(dim=0))


def score_volume(
    prediction: torch.Tensor,
    label: torch.Tensor,
    spacing: Sequence[float],
    scheme: LabelScheme = ACDC,
    annotated: Sequence[str] | None = None,
) -> list[tuple[str, float, float]]:
    """Return (structure, Dice, HD95 in mm) of the codes `(X, Y, Z)` of the network and of the expert.

    Args:
        prediction: the network's codes.
        label: the expert's codes.
        spacing: mm along the three axes.
        scheme: the codes' label scheme.
        annotated: the structures that the expert marked, None for all; the others' scores are NaN, whatever the
            network found.
    """
    known = scheme.known(scheme.names[1:] if annotated is None else annotated)
    found, truth = scheme.one_hot(prediction[None]), scheme.one_hot(label[None])
    dice = compute_dice(found, truth, include_background=False, ignore_empty=False)[0]
    rows = []
    for channel, structure in enumerate(scheme.structures, start=1):
        if not known[channel]:
            rows.append((structure.name, math.nan, math.nan))
            continue
        one, other = found[:, channel : channel + 1], truth[:, channel : channel + 1]
        in_found, in_truth = bool(one.any()), bool(other.any())
        hd95 = math.nan
        if in_found and in_truth:
            with warnings.catch_warnings():  # MONAI 1.6 warns about an argument that it passes to itself
                warnings.simplefilter("ignore", FutureWarning)
                distance = compute_hausdorff_distance(
                    one, other, include_background=True, percentile=95, spacing=[float(mm) for mm in spacing]
                )
            hd95 = float(distance)
        value = float(dice[channel - 1]) if in_found or in_truth else math.nan
        rows.append((structure.name, value, hd95))
    return rows


def evaluate_segmentation(
    network: nn.Module,
    volumes: Sequence[dict[str, Any]],
    grid: ShortAxisGrid,
    *,
    scheme: LabelScheme = ACDC,
    progress: Callable[[int, int], None] | None = None,
) -> list[Score]:
    """Return one score a volume and structure.

    Args:
        network: `(B, 1, H, W)` in [0, 1] to logits `(B, C, H, W)`.
        volumes: from `load_test_volumes` with the same grid; a volume's `annotated` names the structures that its
            expert marked, where that is not all.
        grid: the study's.
        scheme: label scheme of the codes.
        progress: called with the number of volumes done and their total.
    """
    scores = []
    for done, volume in enumerate(volumes, start=1):
        prediction = predict_volume(network, volume, grid, scheme)
        mm = [float(value) for value in volume[LABEL].pixdim]
        label = volume[LABEL].as_tensor()[0]
        for structure, dice, hd95 in score_volume(prediction, label, mm, scheme, volume.get("annotated")):
            scores.append(Score(volume["patient"], volume["group"], volume["phase"], structure, dice, hd95))
        if progress is not None:
            progress(done, len(volumes))
    return scores


def write_scores(path: Path, scores: Sequence[Score]) -> None:
    """Write the scores as CSV, one row a volume and structure."""
    write_csv(path, [asdict(score) for score in scores])


def read_scores(path: Path) -> list[Score]:
    """Read the scores that `write_scores` wrote."""
    return [
        Score(row["patient"], row["group"], row["phase"], row["structure"], float(row["dice"]), float(row["hd95"]))
        for row in read_csv(path)
    ]


def by_patient(scores: Sequence[Score], measure: str, structure: str | None = None) -> dict[str, float]:
    """Return each patient's mean of a measure over phases, and over structures where `structure` is None.

    Args:
        scores: of one arm.
        measure: `"dice"` or `"hd95"`.
        structure: name in the label scheme, or None for all.

    Returns:
        Patient to mean, sorted by patient; NaN for a patient without any value.
    """
    values: dict[str, list[float]] = {}
    for score in scores:
        if structure is None or score.structure == structure:
            values.setdefault(score.patient, []).append(getattr(score, measure))
    return {
        patient: float(np.nanmean(row)) if not np.isnan(row).all() else math.nan
        for patient, row in sorted(values.items())
    }
