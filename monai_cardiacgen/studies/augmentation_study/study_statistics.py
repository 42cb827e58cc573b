"""What the runs of a study say: means of the arms and their differences to the baseline, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..bootstrap import Interval, bootstrap_crossed
from ..comparison import Measure, interval_text
from ..evaluation import Score, by_patient
from ..slice_scores import SliceScore
from .study_results import Run, arm_title, by_condition, network_title
from .study_settings import BASELINE


@dataclass(frozen=True)
class Part:
    """Which of the scores count; None for all.

    Attributes:
        structure: name in the label scheme; None for the mean over all.
        phase: `"ED"` or `"ES"`; None for the mean over both.
        position: `"base"`, `"middle"` or `"apex"`: Dice by slice, where the others are of whole volumes.
    """

    structure: str | None = None
    phase: str | None = None
    position: str | None = None


#: Whole volumes, both phases, the mean over structures.
WHOLE = Part()


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of means, with its interval.

    Attributes:
        network: name of its folder.
        amount: number of real training patients.
        arm: name of its folder.
        measure: `"dice"`, `"hd"`, `"hd95"` or `"assd"`.
        part: which scores counted.
        seeds: of the trainings, those of both arms for a difference.
        interval: over patients and trainings; over patients alone where there is one training.
    """

    network: str
    amount: int
    arm: str
    measure: Measure
    part: Part
    seeds: tuple[int, ...]
    interval: Interval


def patient_values(runs: Sequence[Run], measure: Measure, part: Part = WHOLE) -> dict[int, dict[str, float]]:
    """Return for each seed each patient's mean over the phases, structures and slices that count.

    Args:
        runs: of one arm, network and amount.
        measure: `"dice"`, `"hd"`, `"hd95"` or `"assd"`.
        part: which scores count; positions know Dice only.
    """
    values = {}
    for run in runs:
        scores: list[Score] | list[SliceScore]
        if part.position is None:
            scores = [score for score in run.scores if part.phase in (None, score.phase)]
        else:
            scores = [
                score for score in run.slices if score.position == part.position and part.phase in (None, score.phase)
            ]
        values[run.seed] = by_patient(scores, measure, part.structure)
    return values


def arm_means(runs: Sequence[Run], measure: Measure = "dice", part: Part = WHOLE, seed: int = 0) -> list[Estimate]:
    """Return each arm's mean over trainings and patients, for each network and amount, in the runs' order.

    Args:
        runs: of the whole study.
        measure: what is averaged.
        part: which scores count.
        seed: of the bootstrap.
    """
    return [
        Estimate(network, amount, arm, measure, part, *_interval(patient_values(own, measure, part), None, seed))
        for (network, amount), arms in by_condition(runs).items()
        for arm, own in arms.items()
    ]


def arm_differences(
    runs: Sequence[Run], measure: Measure = "dice", part: Part = WHOLE, seed: int = 0, baseline: str = BASELINE
) -> list[Estimate]:
    """Return each other arm's paired difference to the baseline, arm minus baseline.

    Values are paired by seed and patient: runs of the same seed share training patients, weights and batches. Seeds
    that only one of both arms has are left out; without a common one there is no estimate.

    Args:
        runs: of the whole study.
        measure: what is compared.
        part: which scores count.
        seed: of the bootstrap.
        baseline: the arm that the others are compared with.
    """
    estimates = []
    for (network, amount), arms in by_condition(runs).items():
        first = patient_values(arms.get(baseline, []), measure, part)
        for arm, own in arms.items():
            if arm == baseline:
                continue
            seeds, interval = _interval(patient_values(own, measure, part), first, seed)
            if seeds:
                estimates.append(Estimate(network, amount, arm, measure, part, seeds, interval))
    return estimates


def difference_sentence(difference: Estimate, baseline: str = BASELINE) -> str:
    """Return what may be said of a difference in Dice, and of what its interval holds."""
    interval, trainings = difference.interval, len(difference.seeds)
    patients = "patient" if difference.amount == 1 else "patients"
    where = f"{network_title(difference.network)}, {difference.amount} training {patients}:"
    arm, other = f"“{arm_title(difference.arm)}”", f"“{arm_title(baseline)}”"
    if math.isnan(interval.low):
        return f"{where} there are too few test patients for an interval; nothing can be said about {arm}."
    value = interval_text(interval, 3, signed=True)
    holds = (
        f"{interval.patients} test patients and {trainings} trainings of each arm"
        if trainings > 1
        else f"{interval.patients} test patients but not of the training, as there is one of each arm"
    )
    if not interval.excludes_zero:
        verdict = (
            f"{arm} differs from {other} by {value} Dice; the 95 % interval contains 0, so neither gain nor loss shows"
        )
    else:
        kind = "better" if interval.mean > 0 else "worse"
        verdict = f"{arm} is {kind} than {other} by {value} Dice; the 95 % interval excludes 0"
    return f"{where} {verdict}. It holds the luck of {holds}."


def _interval(
    values: dict[int, dict[str, float]], less: dict[int, dict[str, float]] | None, seed: int
) -> tuple[tuple[int, ...], Interval]:
    """Return the seeds that count and the interval of the values, less others of the same seed and patient."""
    seeds = tuple(sorted(one for one in values if less is None or one in less))
    patients = sorted({patient for one in seeds for patient in values[one]})
    table = np.full((len(seeds), len(patients)), math.nan)
    for row, one in enumerate(seeds):
        for column, patient in enumerate(patients):
            off = 0.0 if less is None else less[one].get(patient, math.nan)
            table[row, column] = values[one].get(patient, math.nan) - off
    return seeds, bootstrap_crossed(table, seed=seed)
