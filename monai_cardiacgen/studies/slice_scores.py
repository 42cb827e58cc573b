"""How well each slice was found: Dice by slice, and where between base and apex the slice lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..anatomy.labels import LabelScheme
from ..anatomy.schemes import ACDC
from ..data.files import read_csv, write_csv
from ..errors import DataError

#: Thirds of the slices in which the expert marked any part of a heart, from the base on.
POSITIONS = ("base", "middle", "apex")


@dataclass(frozen=True)
class SliceScore:
    """How well one structure was found in one slice.

    Attributes:
        patient: the patient's name.
        group: the pathology group.
        phase: `"ED"` or `"ES"`.
        slice: its number in the file, from 0.
        position: one of `POSITIONS`.
        structure: name in the label scheme.
        dice: in [0, 1]; NaN when neither expert nor network marked the structure in this slice, or the expert did not
            annotate it.
    """

    patient: str
    group: str
    phase: str
    slice: int
    position: str
    structure: str
    dice: float


def score_slices(
    prediction: torch.Tensor,
    label: torch.Tensor,
    case: tuple[str, str, str],
    scheme: LabelScheme = ACDC,
    annotated: Sequence[str] | None = None,
) -> list[SliceScore]:
    """Return one score a structure and slice in which the expert marked any part of a heart.

    What a network marks in slices above the base or below the apex counts in the volume's Dice, not here: such a slice
    has no position in the heart.

    Args:
        prediction: the network's codes `(X, Y, Z)`.
        label: the expert's codes `(X, Y, Z)`, slices from base to apex, as the readers and ACDC's files give them.
        case: the volume's patient, group and phase.
        scheme: the codes' label scheme.
        annotated: the structures that the expert marked, None for all; the others' scores are NaN.

    Example:
        >>> label = torch.zeros(4, 4, 3, dtype=torch.int64)
        >>> label[1:3, 1:3] = 3
        >>> [one.position for one in score_slices(label, label, ("p", "NOR", "ED")) if one.dice == 1]
        ['base', 'middle', 'apex']
    """
    known = scheme.known(scheme.names[1:] if annotated is None else annotated)
    found, truth = scheme.to_channels(prediction), scheme.to_channels(label)
    hearts = torch.nonzero((truth > 0).any(dim=0).any(dim=0)).flatten().tolist()
    rows = []
    for place, number in enumerate(hearts):
        position = POSITIONS[3 * place // len(hearts)]
        for channel, structure in enumerate(scheme.structures, start=1):
            one, other = found[..., number] == channel, truth[..., number] == channel
            marked = int(one.sum() + other.sum())
            dice = 2 * int((one & other).sum()) / marked if marked and known[channel] else math.nan
            rows.append(SliceScore(*case, number, position, structure.name, dice))
    return rows


def write_slice_scores(path: Path, scores: Sequence[SliceScore]) -> None:
    """Write the scores as CSV, one row a slice and structure."""
    write_csv(path, [asdict(score) for score in scores])


def read_slice_scores(path: Path) -> list[SliceScore]:
    """Read the scores that `write_slice_scores` wrote.

    Raises:
        DataError: when the file is missing, or is no table of such scores.
    """
    try:
        return [
            SliceScore(
                row["patient"],
                row["group"],
                row["phase"],
                int(row["slice"]),
                row["position"],
                row["structure"],
                float(row["dice"]),
            )
            for row in read_csv(path)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"Expected scores by slice in {path}, could not read them ({error}); test that arm again."
        ) from error
