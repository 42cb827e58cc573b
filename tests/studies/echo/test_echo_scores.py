"""Echo scores against SciPy's distances; comparisons paired by patient, with what was missed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree
from scipy.spatial.distance import directed_hausdorff

from monai_cardiacgen.anatomy.schemes import CAMUS_SECTOR
from monai_cardiacgen.errors import LabelError, ShapeError
from monai_cardiacgen.studies.echo.echo_scores import (
    EchoScore,
    compare_echo,
    read_echo_scores,
    score_echo,
    write_echo_scores,
)

ITEM = {"patient": "patient0001", "view": "4CH", "phase": "ED"}
SPACING = (0.5, 1.5)


def heart(rows: int = 0, columns: int = 0, wall: int = 5) -> torch.Tensor:
    row, column = torch.meshgrid(torch.arange(60), torch.arange(50), indexing="ij")
    away = ((row - 25 - rows) ** 2 + (column - 25 - columns) ** 2).float().sqrt()
    label = (away < 9 + wall).long() * 2
    label[away < 9] = 1
    label[45:55, 20:30] = 3
    return label


def scores(prediction, label, **more) -> dict[str, EchoScore]:
    return {one.contour: one for one in score_echo(prediction[None], label[None], [ITEM], SPACING, **more)}


@pytest.mark.parametrize("shift", [(0, 3), (4, 0), (-3, 5)])
def test_distances_are_those_of_scipy_in_mm(shift):
    found, truth = heart(*shift, wall=4), heart()
    measured = scores(found, truth)
    for contour, codes in (("endocardium", (1,)), ("epicardium", (1, 2))):
        masks = [np.isin(one.numpy(), codes) for one in (found, truth)]
        edges = [np.argwhere(mask & ~binary_erosion(mask)) * np.array(SPACING) for mask in masks]
        hd = max(directed_hausdorff(*edges)[0], directed_hausdorff(*edges[::-1])[0])
        there, back = (cKDTree(one).query(other)[0] for one, other in (edges, edges[::-1]))
        both = masks[0] & masks[1]
        assert measured[contour].hd == pytest.approx(hd, abs=1e-4)
        assert measured[contour].assd == pytest.approx((there.sum() + back.sum()) / (len(there) + len(back)), abs=1e-4)
        assert measured[contour].dice == pytest.approx(2 * both.sum() / (masks[0].sum() + masks[1].sum()))


def test_a_perfect_segmentation_and_a_thin_wall():
    perfect = scores(heart(), heart())
    assert {(one.dice, one.hd, one.assd) for one in perfect.values()} == {(1.0, 0.0, 0.0)}
    thin = scores(heart(wall=2), heart())  # the cavity is right, its wall is not
    assert thin["endocardium"].dice == 1
    assert thin["epicardium"].dice < 0.8


def test_what_nobody_or_one_side_marked():
    without = heart().masked_fill(heart() == 3, 0)
    missed = scores(without, heart())["left atrium"]
    assert missed.dice == 0
    assert math.isnan(missed.hd)
    assert math.isnan(missed.assd)
    assert math.isnan(scores(without, without)["left atrium"].dice)


def test_sector_counts_as_background():
    within = heart().masked_fill(heart() == 0, 4)
    assert scores(within, within, scheme=CAMUS_SECTOR) == scores(heart(), heart())
    with pytest.raises(LabelError, match="codes"):
        scores(within, within)


def arm(shift: float, patients: int = 6, missing: bool = False) -> list[EchoScore]:
    rng = np.random.default_rng(0)
    made = []
    for number in range(patients):
        level = 0.8 + 0.1 * rng.random()
        for view in ("2CH", "4CH"):
            for phase in ("ED", "ES"):
                gain = shift * (2 if phase == "ES" else 1)
                for contour in ("endocardium", "epicardium", "left atrium"):
                    hd = math.nan if missing and number == 0 and view == "2CH" else 5.0 - gain
                    made.append(EchoScore(f"p{number}", view, phase, contour, level + gain, hd, 1.5))
    return made


def test_difference_is_paired_and_by_view_and_phase():
    rows = compare_echo(arm(0.0), arm(0.01))
    assert len(rows) == 3 * 5
    for row in rows:
        expected = {"ED": 0.01, "ES": 0.02, "both": 0.015}[row.phase]
        # Patients differ by much more than the arms do; pairs do not.
        assert row.difference.mean == pytest.approx(expected)
        assert row.difference.low == pytest.approx(expected)
        assert row.first.high - row.first.low > 0.02
        assert row.first.patients == 6


def test_missed_images_are_counted_and_do_not_count_as_good():
    rows = compare_echo(arm(0.0), arm(0.0, missing=True), "hd")
    both = rows[0]
    assert (both.contour, both.view, both.missed) == ("endocardium", "both", (0, 2))
    assert both.second.patients == 6  # the other view of that patient is left
    of_2ch = next(row for row in rows if row.view == "2CH" and row.phase == "ED")
    assert (of_2ch.second.patients, of_2ch.difference.patients, of_2ch.missed) == (5, 5, (0, 1))


def test_scores_come_back_from_their_file(tmp_path):
    made = arm(0.02, missing=True)
    write_echo_scores(tmp_path / "scores.csv", made)
    read = read_echo_scores(tmp_path / "scores.csv")
    assert [str(one) for one in read] == [str(one) for one in made]  # NaN is not equal to itself


def test_arms_of_other_images_and_unfit_maps_are_refused():
    with pytest.raises(ShapeError, match="same patients"):
        compare_echo(arm(0.0), arm(0.0, patients=5))
    with pytest.raises(ShapeError, match="same patients"):
        compare_echo(arm(0.0) * 2, arm(0.0) * 2)
    with pytest.raises(ShapeError, match="an item for each"):
        score_echo(heart()[None], heart()[None], [], SPACING)
