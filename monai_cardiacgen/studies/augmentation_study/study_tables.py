"""The tables of an augmentation study: rows for CSV files, cells for its page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..comparison import ALL, HEADINGS, Measure, interval_text
from ..evaluation import Score
from ..slice_scores import POSITIONS
from .study_results import Run, arm_title, by_condition
from .study_statistics import WHOLE, Estimate, Part

#: Estimates of all runs for one measure and part, as `arm_means` and `arm_differences` give them.
Estimator = Callable[..., list[Estimate]]


def all_estimates(runs: Sequence[Run], estimator: Estimator) -> list[Estimate]:
    """Return the estimates by measure and structure, and of Dice also by phase and by position of the slice."""
    structures: list[str | None] = [None, *structure_names(runs)]
    estimates: list[Estimate] = []
    for measure in measures(runs):
        for structure in structures:
            estimates += estimator(runs, measure, Part(structure))
    for structure in structures:
        for phase in dict.fromkeys(score.phase for score in runs[0].scores):
            estimates += estimator(runs, "dice", Part(structure, phase=phase))
        for position in positions(runs):
            estimates += estimator(runs, "dice", Part(structure, position=position))
    return estimates


def measures(runs: Sequence[Run]) -> list[Measure]:
    """Return the measures that any score has a value of: echo has no HD95."""
    return [
        measure
        for measure in HEADINGS
        if any(not math.isnan(getattr(score, measure)) for run in runs for score in run.scores)
    ]


def positions(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the positions of slices in the heart; none where volumes are single frames."""
    return POSITIONS if runs[0].slices else ()


def structure_names(runs: Sequence[Run]) -> list[str]:
    """Return the names of the structures in the scores' order."""
    return list(dict.fromkeys(score.structure for score in runs[0].scores))


def csv_rows(estimates: Sequence[Estimate]) -> list[dict[str, Any]]:
    """Return one row an estimate, with its interval's ends; empty cells mean all."""
    return [
        {
            "network": one.network,
            "patients": one.amount,
            "arm": one.arm,
            "measure": one.measure,
            "structure": one.part.structure or ALL,
            "phase": one.part.phase or "",
            "position": one.part.position or "",
            "mean": one.interval.mean,
            "low": one.interval.low,
            "high": one.interval.high,
            "test patients": one.interval.patients,
            "seeds": " ".join(str(seed) for seed in one.seeds),
        }
        for one in estimates
    ]


def select(estimates: Sequence[Estimate], network: str, measure: str = "dice", part: Part = WHOLE) -> list[Estimate]:
    """Return the estimates of one network, measure and part, in their order."""
    return [one for one in select_dice(estimates, network, measure) if one.part == part]


def select_dice(estimates: Sequence[Estimate], network: str, measure: str = "dice") -> list[Estimate]:
    """Return the estimates of one network and measure, of all parts."""
    return [one for one in estimates if (one.network, one.measure) == (network, measure)]


def amounts_table(estimates: Sequence[Estimate], signed: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of a table with an arm a row and an amount a column, means with intervals.

    Args:
        estimates: of one network, measure and part.
        signed: for differences.
    """
    amounts = sorted({one.amount for one in estimates})
    rows = []
    for arm in dict.fromkeys(one.arm for one in estimates):
        own = {one.amount: one for one in estimates if one.arm == arm}
        decimals = HEADINGS[estimates[0].measure][1]
        cells = [interval_text(own[one].interval, decimals, signed) if one in own else "–" for one in amounts]
        rows.append([arm_title(arm), *cells])
    return ["arm", *(f"{amount} patients" for amount in amounts)], rows


def measures_table(
    means: Sequence[Estimate], runs: Sequence[Run], network: str
) -> tuple[list[tuple[str, int]], list[str], list[list[str]]]:
    """Return groups, head and rows of all means: a row an amount and arm, a column a measure and structure."""
    parts = [Part(name) for name in structure_names(runs)] + [WHOLE]
    known = measures(runs)
    groups = [("", 1), *((HEADINGS[measure][0], len(parts)) for measure in known)]
    head = ["patients, arm", *(short_name(part.structure) for _ in known for part in parts)]
    found = {(one.amount, one.arm, one.measure, one.part): one for one in means if one.network == network}
    rows = []
    for amount, arm in dict.fromkeys((amount, arm) for amount, arm, *_ in found):
        cells = []
        for measure in known:
            decimals = HEADINGS[measure][1]
            for part in parts:
                mean = found[amount, arm, measure, part].interval.mean
                cells.append("–" if math.isnan(mean) else f"{mean:.{decimals}f}")
        rows.append([f"{amount}, {arm_title(arm)}", *cells])
    return groups, head, rows


def short_name(structure: str | None) -> str:
    """Return a structure's abbreviation for the head of a narrow column.

    Example:
        >>> short_name("right ventricular cavity"), short_name("myocardium"), short_name(None)
        ('RV', 'MYO', 'all')
    """
    if structure is None:
        return "all"
    words = structure.replace("-", " ").split()
    return "".join(word[0] for word in words[:2]).upper() if len(words) > 1 else structure[:3].upper()


def parts_table(
    estimates: Sequence[Estimate], runs: Sequence[Run], network: str, signed: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of Dice by phase, and by position of the slice: an amount and arm a row.

    Args:
        estimates: of the whole study.
        runs: of the whole study.
        network: whose.
        signed: for differences.
    """
    phases = list(dict.fromkeys(score.phase for score in runs[0].scores))
    parts = [Part(phase=phase) for phase in phases] + [Part(position=position) for position in positions(runs)]
    found = {(one.amount, one.arm, one.part): one for one in select_dice(estimates, network)}
    rows = [
        [
            f"{amount}, {arm_title(arm)}",
            *(interval_text(found[amount, arm, part].interval, 3, signed) for part in parts),
        ]
        for amount, arm in dict.fromkeys((amount, arm) for amount, arm, _ in found)
    ]
    return ["patients, arm", *phases, *positions(runs)], rows


def missed_structures(runs: Sequence[Run]) -> list[list[str]]:
    """Return for each network, amount and arm how many structures the network found nothing of, of how many."""
    rows = []
    for (network, amount), arms in by_condition(runs).items():
        for arm, own in arms.items():
            scores = [score for run in own for score in run.scores if not math.isnan(score.dice)]
            missed = sum(math.isnan(score.hd95) and math.isnan(score.hd) for score in scores)
            rows.append([f"{network}, {amount}, {arm_title(arm)}", f"{missed} of {len(scores)}"])
    return rows


def worst_cases(
    arms: Mapping[str, Sequence[Run]], baseline: str, count: int = 5
) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Return head, the volumes with the lowest Dice, and those where an arm falls farthest below the baseline.

    A volume's Dice is the mean over structures and seeds.

    Args:
        arms: the runs of one network and amount by arm.
        baseline: the arm that the others are compared with.
        count: how many of each.
    """
    dice = {arm: _by_volume([score for run in own for score in run.scores]) for arm, own in arms.items()}
    volumes = set.intersection(*(set(own) for own in dice.values()))
    others = [arm for arm in dice if arm != baseline]

    def mean(volume: tuple[str, str, str]) -> float:
        return float(np.mean([own[volume] for own in dice.values()]))

    def loss(volume: tuple[str, str, str]) -> float:
        return min(dice[arm][volume] - dice[baseline][volume] for arm in others)

    def row(volume: tuple[str, str, str]) -> list[str]:
        patient, group, phase = volume
        return [f"{patient}, {phase}, {group}", *(f"{own[volume]:.3f}" for own in dice.values())]

    losing = [one for one in sorted(volumes, key=loss) if loss(one) < 0] if baseline in dice and others else []
    return (
        ["patient, phase, group", *(arm_title(arm) for arm in dice)],
        [row(one) for one in sorted(volumes, key=mean)[:count]],
        [row(one) for one in losing[:count]],
    )


def _by_volume(scores: Sequence[Score]) -> dict[tuple[str, str, str], float]:
    values: dict[tuple[str, str, str], list[float]] = {}
    for score in scores:
        if not math.isnan(score.dice):
            values.setdefault((score.patient, score.group, score.phase), []).append(score.dice)
    return {volume: float(np.mean(row)) for volume, row in values.items()}
