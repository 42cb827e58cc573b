"""A painter that leaves a grid is told from one that does not, beside the real images."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.metrics import checkerboard_score
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.echo.checkerboard_table import TrainedOn, checkerboard_by_training, checkerboard_markdown

REAL = torch.rand(12, 1, 64, 128, generator=seeded(0))
CLEAN = torch.rand(12, 1, 64, 128, generator=seeded(1))
PATIENTS = [f"patient{number // 2}" for number in range(12)]
FEW, MANY = TrainedOn(900, 4), TrainedOn(1800, 16)


@pytest.fixture(scope="module")
def rows():
    gridded = CLEAN.clone()
    gridded[..., :64] += 0.2 * (-1.0) ** torch.arange(64)  # near the probe alone
    return checkerboard_by_training({MANY: CLEAN, FEW: gridded}, REAL, PATIENTS)


def row(rows, painter, part, period):
    (found,) = [one for one in rows if (one.painter, one.part, one.period) == (painter, part, period)]
    return found


def test_the_painter_the_part_and_the_period_are_found(rows):
    assert [(one.painter, one.part, one.period) for one in rows] == [
        (painter, part, period)
        for part in ("whole image", "near field")
        for painter in (FEW, MANY)
        for period in (2, 4, 8)
    ]
    for one in rows:
        has_grid = (one.painter, one.period) == (FEW, 2)
        assert (one.excess.mean > 5) == has_grid
        assert one.excess.excludes_zero or not has_grid
    assert row(rows, FEW, "near field", 2).excess.mean > row(rows, FEW, "whole image", 2).excess.mean


def test_scores_are_means_over_patients_of_the_metric(rows):
    scores = checkerboard_score(CLEAN)[:, 1]
    one = row(rows, MANY, "whole image", 4)
    assert one.score.patients == 6
    assert one.score.mean == pytest.approx(float(scores.mean()), abs=1e-5)
    assert one.real.mean == pytest.approx(float(checkerboard_score(REAL)[:, 1].mean()), abs=1e-5)
    assert one.excess.mean == pytest.approx(one.score.mean - one.real.mean, abs=1e-5)
    assert one.excess.low < one.excess.mean < one.excess.high


def test_real_images_against_themselves_have_no_excess():
    for one in checkerboard_by_training({FEW: REAL}, REAL, PATIENTS):
        assert (one.excess.mean, one.excess.low, one.excess.high) == (0, 0, 0)


def test_periods_that_a_part_cannot_hold_are_left_out():
    rows = checkerboard_by_training({FEW: CLEAN[..., :64]}, REAL[..., :64], PATIENTS)
    assert [(one.part, one.period) for one in rows] == [
        ("whole image", 2),
        ("whole image", 4),
        ("whole image", 8),
        ("near field", 2),
        ("near field", 4),
    ]


def test_the_table_names_settings_and_units(rows):
    lines = checkerboard_markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert lines[2].startswith("| 900 | 4 | whole image | 2 | ")
    assert {line.count("|") for line in lines} == {8}


def test_sets_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="paint the label maps"):
        checkerboard_by_training({FEW: CLEAN[:6]}, REAL, PATIENTS)
    with pytest.raises(ShapeError, match="patients"):
        checkerboard_by_training({FEW: CLEAN}, REAL, PATIENTS[:3])
    with pytest.raises(InputError, match="at least one painter"):
        checkerboard_by_training({}, REAL, PATIENTS)
    with pytest.raises(InputError, match="score larger images"):
        checkerboard_by_training({FEW: CLEAN}, REAL, PATIENTS, periods=(16,))
