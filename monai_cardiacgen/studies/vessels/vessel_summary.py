"""From measured patches to the tables: means over patients with their intervals, thresholds, areas under the curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..bootstrap import Interval, bootstrap_difference, bootstrap_mean
from .planted_vessels import area_under_curve
from .vessel_inpainting import BASELINES, METHODS, OURS, PLANTED

Rows = Sequence[Mapping[str, Any]]

#: Columns of the table, with their names in it and their digits.
MEASURES = {
    "l1": ("L1 in the mask", 3),
    "ssim": ("SSIM in the mask", 3),
    "position": ("position (mm)", 2),
    "perimeter": ("perimeter (mm)", 2),
    "perimeter_percent": ("perimeter (%)", 1),
    "perimeter_seen": ("perimeter, against the circle seen (mm)", 2),
    "clear": ("clear circle", 2),
}


def by_patient(rows: Rows, method: str, measure: str) -> np.ndarray:
    """Return a method's mean of a measure for each patient `(P,)`, patients in order."""
    patients = sorted({str(row["patient"]) for row in rows})
    means = []
    for patient in patients:
        values = [float(row[measure]) for row in rows if row["patient"] == patient and row["method"] == method]
        means.append(float(np.mean(values)) if values else math.nan)
    return np.array(means)


def summarise(
    rows: Rows, methods: Sequence[str] = METHODS, ours: str = OURS, baselines: Sequence[str] = BASELINES
) -> list[dict[str, Any]]:
    """Return a row for each method and measure: the mean over patients, its interval, and that of ours less it.

    Args:
        rows: of patches, with `patient`, `method` and the measures.
        methods: in the order wanted.
        ours: the method that is compared.
        baselines: with which it is compared.
    """
    summary: list[dict[str, Any]] = []
    measures = [*MEASURES, "position_seen", "perimeter_bias", "position_spread", "perimeter_spread", "loss"]
    for method in methods:
        for measure in measures:
            values = by_patient(rows, method, measure)
            interval = bootstrap_mean(values)
            row = {"method": method, "measure": measure, **_told(interval)}
            if method in baselines:
                gain = bootstrap_difference(values, by_patient(rows, ours, measure))
                row |= {"ours_less_it": gain.mean, "ours_less_low": gain.low, "ours_less_high": gain.high}
            else:
                row |= {"ours_less_it": math.nan, "ours_less_low": math.nan, "ours_less_high": math.nan}
            summary.append(row)
    return summary


def table(summary: Rows) -> str:
    """Return the summary as a Markdown table: mean (95 % interval over patients)."""
    lines = [
        "| method | " + " | ".join(name for name, _ in MEASURES.values()) + " |",
        "| --- " * (len(MEASURES) + 1) + "|",
    ]
    for method in dict.fromkeys(str(row["method"]) for row in summary):
        cells = [method]
        for measure, (_, digits) in MEASURES.items():
            row = next(one for one in summary if one["method"] == method and one["measure"] == measure)
            cells.append(_cell(row["mean"], row["low"], row["high"], digits))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gains(summary: Rows, measures: Sequence[str] = ("position", "perimeter", "perimeter_seen")) -> str:
    """Return ours less each baseline as a Markdown table; below 0, ours is nearer to the real vessel."""
    lines = [
        "| ours less ... | " + " | ".join(MEASURES[one][0] for one in measures) + " |",
        "| --- " * (len(measures) + 1) + "|",
    ]
    compared = (str(row["method"]) for row in summary if not math.isnan(row["ours_less_it"]))
    for method in dict.fromkeys(compared):
        cells = [method]
        for measure in measures:
            row = next(one for one in summary if one["method"] == method and one["measure"] == measure)
            cells.append(_cell(row["ours_less_it"], row["ours_less_low"], row["ours_less_high"], 2))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def threshold(healthy: Sequence[float], share: float = 0.05) -> float:
    """Return what this share of healthy values exceeds."""
    return float(np.quantile(np.asarray(healthy, dtype=float), 1 - share))


def exceeding(values: Sequence[float], limit: float) -> float:
    """Return the share of values above a limit; NaN of none."""
    return float((np.asarray(values, dtype=float) > limit).mean()) if len(values) else math.nan


def detection(planted: Rows, limit: float, resamples: int = 2000, seed: int = 0) -> list[dict[str, Any]]:
    """Return a row for each planted size: how well its patches are told from healthy ones.

    Args:
        planted: rows with `patient`, `number`, `by` and `score`, `by` 0 for the patch as it is.
        limit: score above which a patch is called abnormal, from other patients.
        resamples: how many times patients are drawn for the interval of the area.
        seed: of the draws.
    """
    return [_detected(planted, by, limit, resamples, seed) for by in PLANTED]


def _detected(planted: Rows, by: float, limit: float, resamples: int, seed: int) -> dict[str, Any]:
    pairs: dict[str, list[tuple[float, float]]] = {}
    healthy = {row["number"]: float(row["score"]) for row in planted if float(row["by"]) == 0}
    for row in planted:
        if float(row["by"]) == by:
            pairs.setdefault(str(row["patient"]), []).append((healthy[row["number"]], float(row["score"])))
    patients = sorted(pairs)
    empty = {"auc": math.nan, "auc_low": math.nan, "auc_high": math.nan, "found": math.nan}
    if not patients:
        return {"by": by, "patches": 0, **empty}

    def area(drawn: Sequence[str]) -> float:
        scores = [pair for patient in drawn for pair in pairs[patient]]
        return area_under_curve([pair[0] for pair in scores], [pair[1] for pair in scores])

    draws = np.random.default_rng(seed).integers(len(patients), size=(resamples, len(patients)))
    low, high = np.quantile([area([patients[one] for one in draw]) for draw in draws], (0.025, 0.975))
    scores = [pair[1] for patient in patients for pair in pairs[patient]]
    return {
        "by": by,
        "patches": len(scores),
        "auc": area(patients),
        "auc_low": float(low),
        "auc_high": float(high),
        "found": exceeding(scores, limit),
    }


def detection_table(rows: Rows) -> str:
    """Return `detection`'s rows as a Markdown table."""
    lines = [
        "| radius changed by (mm) | patches | area under the curve | called abnormal |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        area = _cell(row["auc"], row["auc_low"], row["auc_high"], 2)
        lines.append(f"| {row['by']:+g} | {row['patches']} | {area} | {100 * row['found']:.0f} % |")
    return "\n".join(lines)


def _told(interval: Interval) -> dict[str, Any]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high, "patients": interval.patients}


def _cell(mean: float, low: float, high: float, digits: int) -> str:
    if math.isnan(mean):
        return "–"
    if math.isnan(low):
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
