"""Tables are means over patients, and detection compares patches with themselves as they were."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monai_cardiacgen.studies.vessels.vessel_inpainting import BASELINES, METHODS, NEAREST, OURS, REAL
from monai_cardiacgen.studies.vessels.vessel_summary import (
    MEASURES,
    by_patient,
    detection,
    detection_table,
    exceeding,
    gains,
    summarise,
    table,
    threshold,
)

MORE = ("position_seen", "perimeter_bias", "position_spread", "perimeter_spread", "loss")


def row(patient: str, method: str, value: float) -> dict[str, object]:
    return {"patient": patient, "method": method, **dict.fromkeys((*MEASURES, *MORE), str(value))}


#: Two patches of patient a, one of b and c; the nearest patch is worse by 1, 2 and 3.
ROWS = [
    row(patient, method, value + extra * (method == NEAREST))
    for method in METHODS
    for patient, value, extra in (("a", 1, 0), ("a", 3, 2), ("b", 4, 2), ("c", 6, 3))
]


def test_a_patient_counts_once_however_many_patches():
    assert by_patient(ROWS, OURS, "position").tolist() == [2, 4, 6]
    found = next(one for one in summarise(ROWS) if one["method"] == OURS and one["measure"] == "position")
    assert found["mean"] == 4
    assert found["patients"] == 3
    assert found["low"] < 4 < found["high"]


def test_ours_less_a_baseline_is_paired_by_patient():
    found = {(one["method"], one["measure"]): one for one in summarise(ROWS)}
    nearest = found[NEAREST, "perimeter"]
    assert nearest["ours_less_it"] == pytest.approx(-2)
    assert (nearest["ours_less_low"], nearest["ours_less_high"]) == (-3, -1)
    assert math.isnan(found[REAL, "perimeter"]["ours_less_it"])


def test_the_tables_hold_all_methods_and_measures():
    summary = summarise(ROWS)
    lines = table(summary).splitlines()
    assert len(lines) == 2 + len(METHODS)
    assert all(line.count("|") == len(MEASURES) + 2 for line in lines)
    assert "| 4.00 (" in lines[2]
    assert [line.split(" | ")[0][2:] for line in gains(summary).splitlines()[2:]] == list(BASELINES)


def test_the_share_is_above_the_threshold():
    values = np.random.default_rng(0).normal(size=2000)
    assert exceeding(values, threshold(values)) == pytest.approx(0.05)
    assert math.isnan(exceeding([], 1.0))


def planted(scores: dict[float, list[float]]) -> list[dict[str, object]]:
    return [
        {"patient": f"p{number // 2}", "number": str(number), "by": str(by), "score": str(score)}
        for by, values in scores.items()
        for number, score in enumerate(values)
    ]


def test_detection_compares_with_the_healthy_patches_of_the_same_size():
    healthy = [1.0, 2.0, 3.0, 4.0]
    found = detection(planted({0.0: healthy, 3.0: [5.0, 6.0, 7.0, 8.0], 8.0: [1.5, 0.5]}), limit=5.5, resamples=50)
    wide, widest, narrow = (next(one for one in found if one["by"] == by) for by in (3.0, 8.0, -3.0))
    assert (wide["auc"], wide["patches"], wide["found"]) == (1, 4, 0.75)
    # Of 8 mm only the first two patches exist: 1.5 beats 1 of them, 0.5 none.
    assert (widest["auc"], widest["patches"]) == (0.25, 2)
    assert narrow["patches"] == 0
    assert math.isnan(narrow["auc"])
    assert len(detection_table(found).splitlines()) == 2 + len(found)
