"""The figures of a study show its numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_up_study import write_made_up_study

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.studies.augmentation_study.study_figures import (
    SegmentedSlice,
    amounts_figure,
    boxes_figure,
    cases_figure,
    differences_figure,
    validation_figure,
)
from monai_cardiacgen.studies.augmentation_study.study_results import read_runs
from monai_cardiacgen.studies.augmentation_study.study_statistics import arm_differences, arm_means

TITLES = ["real + ordinary augmentation", "synthetic only + ordinary augmentation", "real + synthetic on the fly"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return read_runs(write_made_up_study(tmp_path_factory.mktemp("study"), ("enet", "unet"), seeds=(0, 1), patients=4))


def legend(figure):
    return [entry.get_text() for entry in figure.legends[0].get_texts()]


def test_a_line_an_arm_with_its_intervals(runs):
    means = arm_means(runs)
    figure = amounts_figure(means)
    assert [axis.get_title() for axis in figure.axes] == ["ENet", "U-Net"]
    assert legend(figure) == TITLES
    drawn = [container.lines[0].get_ydata().tolist() for container in figure.axes[1].containers]
    arms = ("ordinary", "synthetic_only", "on_the_fly")
    wanted = [[one.interval.mean for one in means if (one.network, one.arm) == ("unet", arm)] for arm in arms]
    np.testing.assert_allclose(drawn, wanted)
    ends = figure.axes[1].containers[0].lines[2][0].get_segments()[0][:, 1]
    first = next(one.interval for one in means if (one.network, one.arm) == ("unet", "ordinary"))
    np.testing.assert_allclose(ends, [first.low, first.high])
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["5", "10"]


def test_a_row_an_amount_and_arm(runs):
    differences = arm_differences(runs)
    figure = differences_figure(differences)
    assert legend(figure) == TITLES[1:]
    for axis, network in zip(figure.axes, ("enet", "unet"), strict=True):
        drawn = [container.lines[0].get_xydata()[0].tolist() for container in axis.containers]
        wanted = [one.interval.mean for one in differences if one.network == network]
        np.testing.assert_allclose(drawn, [[mean, -row] for row, mean in enumerate(wanted)])
    named = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]  # the right panel's are the left's
    assert named == ["5 patients"] * 2 + ["10 patients"] * 2


def test_boxes_hold_the_patients_means(runs):
    figure = boxes_figure(runs, "unet")
    assert [axis.get_title() for axis in figure.axes] == list(ACDC.names[1:])
    medians = [line.get_ydata()[0] for line in figure.axes[2].lines if line.get_linewidth() == 1.4]
    own = [run for run in runs if (run.network, run.amount, run.arm) == ("unet", 5, "ordinary")]
    by_patient = {}
    for score in (score for run in own for score in run.scores if score.structure == ACDC.names[3]):
        by_patient.setdefault(score.patient, []).append(score.dice)
    assert medians[0] == pytest.approx(np.median([np.mean(row) for row in by_patient.values()]))
    assert len(medians) == 6


def test_curves_of_each_training_and_their_mean(runs):
    figure = validation_figure(runs, "enet")
    assert [axis.get_title() for axis in figure.axes] == ["5 training patients", "10 training patients"]
    first, second, mean = figure.axes[0].lines[:3]
    np.testing.assert_allclose(mean.get_ydata(), (first.get_ydata() + np.array(second.get_ydata())) / 2)
    assert first.get_xdata()[-1] == 100


def test_cases_beside_the_expert():
    label = torch.zeros(12, 10, dtype=torch.int64)
    label[3:6, 3:6] = 3
    case = SegmentedSlice("patient 1", torch.rand(12, 10), label, torch.zeros_like(label))
    figure = cases_figure([case] * 3, ACDC)
    pictures = [axis for axis in figure.axes if axis.images]
    assert [len(axis.collections) for axis in pictures] == [1, 0] * 3
    assert [axis.texts[0].get_text() for axis in pictures] == ["expert", "network"] * 3
    assert pictures[0].get_title(loc="left") == "patient 1"
