"""Is there more of a checkerboard after training with small batches, or on few images? Scores beside real images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...errors import InputError, ShapeError
from ...metrics import checkerboard_score
from ..bootstrap import Interval, bootstrap_difference, bootstrap_mean

#: Repeats of a period that a part of an image must hold, as `checkerboard_score` asks.
_REPEATS = 8


@dataclass(frozen=True, order=True)
class TrainedOn:
    """What a painter was trained on.

    Attributes:
        images: number of training images.
        batch_size: images a step.
    """

    images: int
    batch_size: int


@dataclass(frozen=True)
class CheckerboardRow:
    """How much of a grid of one period one painter leaves, in dB; see `checkerboard_score`.

    Attributes:
        painter: what it was trained on.
        part: `"whole image"`, or `"near field"`, the half of the depth that is nearer to the probe.
        period: of the grid in pixels.
        score: mean over patients of the painted images' score.
        real: of the real images with the same label maps.
        excess: painted minus real, paired.
    """

    painter: TrainedOn
    part: str
    period: int
    score: Interval
    real: Interval
    excess: Interval


def checkerboard_by_training(
    painted: Mapping[TrainedOn, torch.Tensor],
    real: torch.Tensor,
    patients: Sequence[str],
    periods: Sequence[int] = (2, 4, 8),
    seed: int = 0,
) -> list[CheckerboardRow]:
    """Return for each painter, part and period how much of a checkerboard its images hold beside the real ones.

    One value a patient, the mean over that patient's images; intervals are of a bootstrap over patients. Periods with
    fewer than 8 repeats in a part are left out.

    Args:
        painted: by painter, images `(B, 1, H, W)` in [0, 1] painted on the label maps of the real ones.
        real: `(B, 1, H, W)` in [0, 1], across the beam, then along the depth.
        patients: whose each image is.
        periods: in pixels, powers of 2.
        seed: of the bootstrap.

    Raises:
        ShapeError: when the sets differ in number or size.
        InputError: without a painter, or for a period that no part is large enough for.
        IntensityError: for constant images.

    Source:
        Annexes C (subsets) and D (batch sizes) of Rançon, Vannier and Bernard, "cardiGAN", show such images.
    """
    shapes = {tuple(images.shape) for images in painted.values()} | {tuple(real.shape)}
    if len(shapes) > 1 or len(patients) != len(real):
        raise ShapeError(
            f"Expected as many images of one size from every painter as there are real ones, and their patients, got "
            f"{sorted(shapes)} and {len(patients)} patients; paint the label maps of the real images."
        )
    if not painted:
        raise InputError("Expected at least one painter's images, got none.")
    rows = []
    for part, depth in (("whole image", real.shape[3]), ("near field", real.shape[3] // 2)):
        fitting = [period for period in periods if _REPEATS * period <= min(real.shape[2], depth)]
        if not fitting:
            continue
        truth = checkerboard_score(real[..., :depth], fitting)
        for painter, images in sorted(painted.items()):
            scores = checkerboard_score(images[..., :depth], fitting)
            for place, period in enumerate(fitting):
                one, other = (_by_patient(some[:, place], patients) for some in (truth, scores))
                rows.append(
                    CheckerboardRow(
                        painter,
                        part,
                        period,
                        bootstrap_mean(other, seed=seed),
                        bootstrap_mean(one, seed=seed),
                        bootstrap_difference(one, other, seed=seed),
                    )
                )
    if not rows:
        raise InputError(
            f"Expected images of at least {_REPEATS} repeats of a period, got {tuple(real.shape[2:])} pixels for the "
            f"periods {tuple(periods)}; score larger images."
        )
    return rows


def checkerboard_markdown(rows: Sequence[CheckerboardRow]) -> str:
    """Return the rows as a Markdown table, in dB with 95 % intervals."""
    lines = [
        "| training images | batch size | part | period | painted | real | painted − real (95 % interval) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in rows:
        more = f"{one.excess.mean:+.1f} ({one.excess.low:+.1f} to {one.excess.high:+.1f})"
        lines.append(
            f"| {one.painter.images} | {one.painter.batch_size} | {one.part} | {one.period} | {one.score.mean:.1f} | "
            f"{one.real.mean:.1f} | {more} |"
        )
    return "\n".join(lines)


def _by_patient(scores: torch.Tensor, patients: Sequence[str]) -> np.ndarray:
    values: dict[str, list[float]] = {}
    for patient, score in zip(patients, scores.tolist(), strict=True):
        values.setdefault(patient, []).append(score)
    return np.array([np.mean(of_one) for of_one in values.values()])


__all__ = ["CheckerboardRow", "TrainedOn", "checkerboard_by_training", "checkerboard_markdown"]
