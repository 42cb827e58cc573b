"""Dice by slice, and the slice's third of the heart."""

from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import LV_CAVITY, MYOCARDIUM, RV_CAVITY
from monai_cardiacgen.errors import DataError
from monai_cardiacgen.studies.slice_scores import SliceScore, read_slice_scores, score_slices, write_slice_scores

CASE = ("p1", "NOR", "ED")


@pytest.fixture
def label():
    label = torch.zeros(8, 8, 10, dtype=torch.int64)
    label[2:4, 2:4, 2:9] = 3  # seven slices with a heart
    label[5:7, 2:4, 2:5] = 1
    return label


def test_thirds_of_the_slices_with_a_heart(label):
    rows = [one for one in score_slices(label, label, CASE) if one.structure == LV_CAVITY]
    assert [one.slice for one in rows] == [2, 3, 4, 5, 6, 7, 8]
    assert [one.position for one in rows] == ["base"] * 3 + ["middle"] * 2 + ["apex"] * 2
    assert {(one.patient, one.group, one.phase) for one in rows} == {CASE}


def test_dice_of_each_slice(label):
    found = label.clone()
    found[2, 2:4, 3] = 0  # half of the cavity missed: 2 * 2 / (2 + 4)
    found[5:7, 2:4, 4] = 0  # the right ventricle missed
    found[0, 0, 6] = 2  # a wall that is not there
    found[:, :, 0] = 3  # above the base: no slice of the heart
    dice = {(one.slice, one.structure): one.dice for one in score_slices(found, label, CASE)}
    assert dice[2, LV_CAVITY] == 1
    assert dice[3, LV_CAVITY] == pytest.approx(2 / 3)
    assert dice[4, RV_CAVITY] == 0
    assert dice[6, MYOCARDIUM] == 0
    assert math.isnan(dice[7, MYOCARDIUM])
    assert math.isnan(dice[7, RV_CAVITY])
    assert min(slice_ for slice_, _ in dice) == 2


def test_a_structure_that_was_not_annotated_has_no_score(label):
    rows = score_slices(label, label, CASE, annotated=(LV_CAVITY,))
    assert all(math.isnan(one.dice) != (one.structure == LV_CAVITY) for one in rows)


def test_scores_survive_their_file(tmp_path):
    scores = [SliceScore(*CASE, 3, "apex", LV_CAVITY, 0.25), SliceScore(*CASE, 4, "apex", LV_CAVITY, math.nan)]
    write_slice_scores(tmp_path / "slices.csv", scores)
    loaded = read_slice_scores(tmp_path / "slices.csv")
    assert loaded[0] == scores[0]
    assert math.isnan(loaded[1].dice)
    (tmp_path / "slices.csv").write_text("patient\np1\n")
    with pytest.raises(DataError, match="test that arm again"):
        read_slice_scores(tmp_path / "slices.csv")
