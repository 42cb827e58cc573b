"""The table's rows and sentences follow from the scores."""

from __future__ import annotations

import dataclasses
import io
import math

import numpy as np
import pytest
from rich.console import Console

from monai_cardiacgen.studies.bootstrap import Interval
from monai_cardiacgen.studies.comparison import ALL, compare_arms, console_table, interval_text, reading
from monai_cardiacgen.studies.evaluation import Score

ARMS = ("plain", "helped")


def scores(gain, patients=10, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Score(f"p{patient}", "NOR", phase, structure, float(base + gain + rng.normal(0, 0.01)), 5.0 - 10 * gain)
        for patient in range(patients)
        for phase in ("ED", "ES")
        for structure, base in (("A", 0.6), ("B", 0.8))
    ]


def test_rows_are_means_over_patients():
    first, second = scores(0.0), scores(0.05, seed=1)
    rows = compare_arms(first, second)
    assert [row.structure for row in rows] == ["A", "B", ALL]
    assert rows[0].first.mean == pytest.approx(np.mean([s.dice for s in first if s.structure == "A"]))
    assert rows[2].difference.mean == pytest.approx(0.05, abs=0.01)
    assert rows[2].difference.patients == 10
    assert compare_arms(first, second, "hd95")[2].difference.mean == pytest.approx(-0.5)


def test_a_clear_gain_a_clear_loss_and_nothing():
    gain = reading(compare_arms(scores(0.0), scores(0.05, seed=1)), ARMS)
    assert "“helped” is better than “plain”" in gain[0]
    assert "excludes 0" in gain[0]
    assert len(gain) == 3
    loss = reading(compare_arms(scores(0.05), scores(0.0, seed=1)), ARMS)
    assert "“plain” is better than “helped”" in loss[0]
    nothing = reading(compare_arms(scores(0.0), scores(0.0)), ARMS)
    assert len(nothing) == 1
    assert "contains 0" in nothing[0]
    assert "neither gain nor loss" in nothing[0]


def test_one_patient_says_nothing():
    assert "too few" in reading(compare_arms(scores(0.0, 1), scores(0.1, 1)), ARMS)[0]


@pytest.mark.parametrize(
    ("interval", "signed", "text"),
    [
        (Interval(0.8123, 0.79, 0.8301, 9), False, "0.812 (0.790 to 0.830)"),
        (Interval(0.01, -0.02, 0.03, 9), True, "+0.010 (-0.020 to +0.030)"),
        (Interval(0.5, math.nan, math.nan, 1), False, "0.500"),
        (Interval(math.nan, math.nan, math.nan, 0), False, "–"),
    ],
)
def test_intervals_as_text(interval, signed, text):
    assert interval_text(interval, 3, signed) == text


def test_console_table_fits_80_columns():
    structures = {"A": "right ventricular cavity", "B": "left ventricular cavity"}
    first, second = (
        [dataclasses.replace(score, structure=structures[score.structure]) for score in scores(gain)]
        for gain in (0.0, 0.05)
    )
    rows = compare_arms(first, second)
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(console_table(rows, ("ordinary augmentation", "with RandCardiacSynthd")))
    text = console.export_text()
    assert "10 test patients" in text
    assert "right ventricular cavity" in text
    assert f"{rows[0].first.low:.3f} to {rows[0].first.high:.3f}" in text
    assert f"{rows[2].difference.low:+.3f} to {rows[2].difference.high:+.3f}" in text
