"""Figures show what they are given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.studies.bootstrap import Interval
from monai_cardiacgen.studies.comparison import Comparison
from monai_cardiacgen.studies.figures import (
    Cases,
    arms_figure,
    dice_figure,
    hearts_figure,
    losses_figure,
    pairs_figure,
)


@pytest.fixture
def cases():
    label = torch.zeros(3, 24, 32, dtype=torch.int64)
    label[:2, 4:12, 6:20] = 2
    return Cases(torch.rand(3, 1, 24, 32, generator=torch.Generator().manual_seed(0)), label)


def pictures(figure):
    return [axis for axis in figure.axes if axis.images]


def test_pairs_stand_side_by_side_with_contours(cases):
    figure = pairs_figure(cases, {"vary": cases, "new": cases}, ACDC)
    left, middle, right = figure.subfigs
    assert [part.get_suptitle() for part in (left, middle, right)] == ["real", "vary", "new"]
    assert len(left.axes) == len(middle.axes) == len(right.axes) == 6
    plain, contoured = left.axes[:2]
    np.testing.assert_allclose(plain.images[0].get_array(), cases.image[0, 0].T)  # the first axis runs to the right
    assert not plain.collections
    path = contoured.collections[0].get_paths()[0].vertices
    assert (path[:, 0].min(), path[:, 0].max()) == (3.5, 11.5)
    assert (path[:, 1].min(), path[:, 1].max()) == (5.5, 19.5)
    assert tuple(contoured.collections[0].get_edgecolor()[0][:3]) == ACDC.structures[1].colour


def test_sheet_holds_every_heart(cases):
    figure = hearts_figure(cases, ACDC, columns=2)
    assert len(pictures(figure)) == 3
    assert not pictures(figure)[2].collections  # no label, no contour


def test_curves_are_the_histories():
    history = [
        {"iteration": "10", "loss": "2.0", "validation dice": "0.5"},
        {"iteration": 20, "loss": 1.0, "validation dice": 0.4},
    ]
    figure = losses_figure(history)
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[10, 2], [20, 1]]
    both = arms_figure({"one": history, "other": history})
    assert [axis.get_title() for axis in both.axes] == ["loss", "validation Dice"]
    marked = [line for line in both.axes[1].lines if line.get_marker() == "o"]
    assert [line.get_xydata().tolist() for line in marked] == [[[10, 0.5]]] * 2


def test_dots_and_whiskers():
    one, other = Interval(0.7, 0.6, 0.75, 9), Interval(0.8, 0.75, 0.9, 9)
    rows = [Comparison("A", "dice", one, other, Interval(0.1, float("nan"), float("nan"), 1))]
    values, differences = dice_figure(rows, ("one", "other")).axes
    ends = [
        segment[:, 0].tolist()
        for axis in (values, differences)
        for c in axis.collections
        for segment in c.get_segments()
    ]
    np.testing.assert_allclose(ends, [[0.6, 0.75], [0.75, 0.9], [0.1, 0.1]])
