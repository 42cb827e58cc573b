"""Two arms side by side: means with intervals, their paired difference, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .bootstrap import Interval, bootstrap_difference, bootstrap_mean
from .evaluation import Score, by_patient

Measure = Literal["dice", "hd", "hd95", "assd"]

#: The row of the mean over all structures.
ALL = "all structures"

#: How each measure is headed, and with how many decimals it is printed.
HEADINGS: dict[Measure, tuple[str, int]] = {
    "dice": ("Dice", 3),
    "hd": ("HD in mm", 1),
    "hd95": ("HD95 in mm", 1),
    "assd": ("ASSD in mm", 2),
}


@dataclass(frozen=True)
class Comparison:
    """One row of the table.

    Attributes:
        structure: name in the label scheme, or `ALL`.
        measure: `"dice"`, `"hd"`, `"hd95"` or `"assd"`.
        first: the first arm's mean over test patients.
        second: the second arm's.
        difference: of the patients' values, second minus first, paired.
    """

    structure: str
    measure: Measure
    first: Interval
    second: Interval
    difference: Interval


def compare_arms(
    first: Sequence[Score], second: Sequence[Score], measure: Measure = "dice", seed: int = 0
) -> list[Comparison]:
    """Return a row for each structure in the scores' order, and last one for all structures together.

    Args:
        first: scores of one arm.
        second: scores of the other on the same volumes.
        measure: `"dice"`, `"hd"`, `"hd95"` or `"assd"`.
        seed: of the bootstrap.
    """
    structures: list[str | None] = [*dict.fromkeys(score.structure for score in first), None]
    rows = []
    for structure in structures:
        one, other = by_patient(first, measure, structure), by_patient(second, measure, structure)
        patients = [patient for patient in one if patient in other]
        pair = [[arm[patient] for patient in patients] for arm in (one, other)]
        rows.append(
            Comparison(
                structure or ALL,
                measure,
                bootstrap_mean(pair[0], seed=seed),
                bootstrap_mean(pair[1], seed=seed),
                bootstrap_difference(*pair, seed=seed),
            )
        )
    return rows


def cells(row: Comparison) -> tuple[str, str, str, str]:
    """Return structure, both arms and their difference as text, each mean with its interval."""
    decimals = HEADINGS[row.measure][1]
    return (
        row.structure,
        interval_text(row.first, decimals),
        interval_text(row.second, decimals),
        interval_text(row.difference, decimals, signed=True),
    )


def interval_text(interval: Interval, decimals: int, signed: bool = False) -> str:
    """Return `mean (low to high)`, or a dash where there is no value."""
    if math.isnan(interval.mean):
        return "–"
    form = f"{'+' if signed else ''}.{decimals}f"
    if math.isnan(interval.low):
        return f"{interval.mean:{form}}"
    return f"{interval.mean:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def console_table(rows: Sequence[Comparison], arms: tuple[str, str]) -> Table:
    """Return the rows of one measure as a table for the console."""
    heading = HEADINGS[rows[0].measure][0]
    table = Table(
        title=f"{heading} on {rows[-1].first.patients} test patients: mean, 95 % interval",
        box=SIMPLE_HEAD,
        padding=0,
    )
    table.add_column("structure", no_wrap=True)
    for name in (*arms, "difference"):
        table.add_column(name, justify="right")
    for row in rows:
        name, *values = cells(row)
        # The interval stands below its mean, so that the table fits 80 columns.
        below = [value.rstrip(")").replace(" (", "\n") for value in values]
        table.add_row(name, *below, style="bold" if row.structure == ALL else None)
    return table


def reading(rows: Sequence[Comparison], arms: tuple[str, str]) -> list[str]:
    """Return what the Dice rows say, in sentences: for all structures together, then for each that stands out."""
    total = rows[-1]
    difference = total.difference
    if math.isnan(difference.low):
        return ["There are too few test patients for an interval: nothing can be said about a difference."]
    text = interval_text(difference, 3, signed=True)
    if not difference.excludes_zero:
        verdict = (
            f"Over all structures, “{arms[1]}” differs from “{arms[0]}” by {text} Dice. The 95 % interval contains "
            f"0: with these {difference.patients} test patients, this run shows neither gain nor loss."
        )
    else:
        higher, lower = (arms[1], arms[0]) if difference.mean > 0 else (arms[0], arms[1])
        verdict = (
            f"Over all structures, “{higher}” is better than “{lower}”: the difference is {text} Dice and its 95 % "
            f"interval excludes 0."
        )
    sentences = [verdict]
    for row in rows[:-1]:
        if row.difference.excludes_zero:
            better = arms[1] if row.difference.mean > 0 else arms[0]
            sentences.append(
                f"For the {row.structure}, “{better}” is better: {interval_text(row.difference, 3, signed=True)}."
            )
    return sentences
