"""Test a segmentation network on whole stacks, on the grid of the files."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from monai.data import MetaTensor
from monai.metrics.utils import get_mask_edges, get_surface_distance
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged
from torch import nn

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ACDC
from ..data.files import read_csv, write_csv
from ..data.slices import IMAGE, LABEL, ShortAxisGrid
from ..errors import DataError
from .slice_scores import SliceScore, score_slices


@dataclass(frozen=True)
class Score:
    """How well one structure was found in one volume.

    Attributes:
        patient: the patient's name.
        group: the pathology group.
        phase: `"ED"` or `"ES"`.
        structure: name in the label scheme.
        dice: in [0, 1]; NaN when neither expert nor network marked the structure, or the expert did not annotate it.
        hd95: 95th percentile of the distances from one surface to the other in mm, through the stack in 3D, the larger
            of both directions; NaN when the expert or the network marked nothing, as there is no distance to an
            empty surface.
        hd: the largest of these distances in mm (Hausdorff distance); NaN likewise, or where it was not measured.
        assd: mean of these distances over both surfaces in mm (average symmetric surface distance); NaN likewise.
    """

    patient: str
    group: str
    phase: str
    structure: str
    dice: float
    hd95: float
    hd: float = math.nan
    assd: float = math.nan


class Agreement(NamedTuple):
    """How well one structure was found; the attributes are those of `Score`."""

    structure: str
    dice: float
    hd95: float
    hd: float
    assd: float


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
) -> list[Agreement]:
    """Return Dice and distances in mm for each structure of the codes `(X, Y, Z)` of the network and of the expert.

    Args:
        prediction: the network's codes.
        label: the expert's codes.
        spacing: mm along the three axes.
        scheme: the codes' label scheme.
        annotated: the structures that the expert marked, None for all; the others' scores are NaN, whatever the
            network found.
    """
    known = scheme.known(scheme.names[1:] if annotated is None else annotated)
    found, truth = scheme.to_channels(prediction).numpy(), scheme.to_channels(label).numpy()
    rows = []
    for channel, structure in enumerate(scheme.structures, start=1):
        one, other = found == channel, truth == channel
        marked = int(one.sum()) + int(other.sum())
        if not known[channel] or not marked:
            rows.append(Agreement(structure.name, math.nan, math.nan, math.nan, math.nan))
            continue
        dice = 2 * int((one & other).sum()) / marked
        rows.append(Agreement(structure.name, dice, *surface_distances(one, other, spacing)))
    return rows


def surface_distances(one: np.ndarray, other: np.ndarray, spacing: Sequence[float]) -> tuple[float, float, float]:
    """Return HD95, HD and ASSD in mm of two masks; NaN when one of them is empty.

    The surface is the mask's voxels with a neighbour (one of six in 3D) outside it, as in MONAI; its distances are
    found once for all three measures.

    Args:
        one: `(X, Y, Z)` or `(X, Y)`, bool.
        other: the same.
        spacing: mm along the axes.
    """
    if not one.any() or not other.any():
        return math.nan, math.nan, math.nan
    for axis in range(one.ndim):  # an exact crop to the box of both, far cheaper than MONAI's own
        inside = np.flatnonzero((one | other).any(axis=tuple(k for k in range(one.ndim) if k != axis)))
        box = (slice(None),) * axis + (slice(inside[0], inside[-1] + 1),)
        one, other = one[box], other[box]
    with warnings.catch_warnings():  # MONAI 1.6 warns about an argument's default
        warnings.simplefilter("ignore", FutureWarning)
        edges = get_mask_edges(one, other, crop=False)
    mm = [float(value) for value in spacing]
    there = np.asarray(get_surface_distance(edges[0], edges[1], spacing=mm))
    back = np.asarray(get_surface_distance(edges[1], edges[0], spacing=mm))
    hd95 = max(float(np.quantile(distances, 0.95)) for distances in (there, back))
    return hd95, float(max(there.max(), back.max())), float(np.concatenate((there, back)).mean())


def evaluate_segmentation(
    network: nn.Module,
    volumes: Sequence[dict[str, Any]],
    grid: ShortAxisGrid,
    *,
    scheme: LabelScheme = ACDC,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[list[Score], list[SliceScore]]:
    """Return one score a volume and structure, and one a slice and structure.

    Args:
        network: `(B, 1, H, W)` in [0, 1] to logits `(B, C, H, W)`.
        volumes: from `load_test_volumes` with the same grid; a volume's `annotated` names the structures that its
            expert marked, where that is not all.
        grid: the study's.
        scheme: label scheme of the codes.
        progress: called with the number of volumes done and their total.
    """
    scores: list[Score] = []
    slices: list[SliceScore] = []
    for done, volume in enumerate(volumes, start=1):
        prediction = predict_volume(network, volume, grid, scheme)
        mm = [float(value) for value in volume[LABEL].pixdim]
        label = volume[LABEL].as_tensor()[0]
        patient, group, phase = volume["patient"], volume["group"], volume["phase"]
        annotated = volume.get("annotated")
        for row in score_volume(prediction, label, mm, scheme, annotated):
            scores.append(Score(patient, group, phase, row.structure, row.dice, row.hd95, row.hd, row.assd))
        slices += score_slices(prediction, label, (patient, group, phase), scheme, annotated)
        if progress is not None:
            progress(done, len(volumes))
    return scores, slices


def write_scores(path: Path, scores: Sequence[Score]) -> None:
    """Write the scores as CSV, one row a volume and structure."""
    write_csv(path, [asdict(score) for score in scores])


def read_scores(path: Path) -> list[Score]:
    """Read the scores that `write_scores` wrote; a measure that an older file lacks is NaN.

    Raises:
        DataError: when the file is missing, or is no table of scores.
    """
    try:
        return [
            Score(
                row["patient"],
                row["group"],
                row["phase"],
                row["structure"],
                dice=float(row["dice"]),
                hd95=float(row["hd95"]),
                hd=float(row.get("hd", math.nan)),
                assd=float(row.get("assd", math.nan)),
            )
            for row in read_csv(path)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"Expected scores in {path}, could not read them ({error}); test that arm again.") from error


def by_patient(
    scores: Sequence[Score] | Sequence[SliceScore], measure: str, structure: str | None = None
) -> dict[str, float]:
    """Return each patient's mean of a measure over phases, and over structures where `structure` is None.

    Args:
        scores: of one arm; of slices, the mean is over slices too.
        measure: `"dice"`, `"hd95"`, `"hd"` or `"assd"`.
        structure: name in the label scheme, or None for all.

    Returns:
        Patient to mean, sorted by patient; NaN for a patient without any value.
    """
    values: dict[str, list[float]] = {}
    for score in scores:
        if structure is None or score.structure == structure:
            values.setdefault(score.patient, []).append(getattr(score, measure))
    known = {patient: [value for value in row if not math.isnan(value)] for patient, row in sorted(values.items())}
    return {patient: math.fsum(row) / len(row) if row else math.nan for patient, row in known.items()}
