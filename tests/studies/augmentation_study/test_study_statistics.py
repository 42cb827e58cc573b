"""Means and differences against direct computations on made-up values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_up_study import GAINS, write_made_up_study

from monai_cardiacgen.anatomy.schemes import LV_CAVITY
from monai_cardiacgen.studies.augmentation_study.study_results import read_runs
from monai_cardiacgen.studies.augmentation_study.study_statistics import (
    WHOLE,
    Estimate,
    Part,
    arm_differences,
    arm_means,
    difference_sentence,
    patient_values,
)
from monai_cardiacgen.studies.bootstrap import Interval, bootstrap_difference


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return read_runs(write_made_up_study(tmp_path_factory.mktemp("study"), seeds=(0, 1, 2)))


def find(estimates, amount, arm):
    (one,) = [one for one in estimates if (one.amount, one.arm) == (amount, arm)]
    return one


def test_mean_over_seeds_then_patients(runs):
    own = [run for run in runs if (run.amount, run.arm) == (10, "on_the_fly")]
    direct = np.mean([score.dice for run in own for score in run.scores])  # all cells hold as many values
    estimate = find(arm_means(runs), 10, "on_the_fly")
    assert estimate.interval.mean == pytest.approx(direct)
    assert (estimate.seeds, estimate.interval.patients) == ((0, 1, 2), 12)
    assert estimate.interval.low < direct < estimate.interval.high


@pytest.mark.parametrize("part", [Part(LV_CAVITY), Part(phase="ES"), Part(LV_CAVITY, "ED"), Part(position="apex")])
def test_parts_are_what_they_say(runs, part):
    run = next(run for run in runs if (run.amount, run.arm, run.seed) == (5, "on_the_fly", 1))
    rows = run.slices if part.position else run.scores
    expected = np.mean(
        [
            row.dice
            for row in rows
            if row.patient == "patient004"
            and part.structure in (None, row.structure)
            and part.phase in (None, row.phase)
            and (part.position is None or row.position == part.position)
        ]
    )
    assert patient_values([run], "dice", part)[1]["patient004"] == pytest.approx(expected)


@pytest.mark.parametrize("arm", ["on_the_fly", "synthetic_only"])
@pytest.mark.parametrize("place", [0, 1])
def test_differences_find_the_gain_that_was_put_in(runs, arm, place):
    structure = Part(LV_CAVITY)  # which was missed nowhere
    estimate = find(arm_differences(runs, part=structure), (5, 10)[place], arm)
    assert estimate.interval.mean == pytest.approx(GAINS[arm][place], abs=0.006)  # noise .01 over 72 volumes a side
    assert estimate.interval.excludes_zero


def test_one_seed_is_the_paired_bootstrap_over_patients(runs):
    one = [run for run in runs if run.seed == 1]
    estimate = find(arm_differences(one, seed=3), 5, "on_the_fly")
    pair = [
        list(patient_values([run for run in one if (run.amount, run.arm) == (5, arm)], "dice")[1].values())
        for arm in ("ordinary", "on_the_fly")
    ]
    assert estimate.interval == bootstrap_difference(*pair, seed=3)
    assert estimate.seeds == (1,)


def test_only_common_seeds_are_paired(runs):
    some = [run for run in runs if not (run.arm == "ordinary" and run.seed == 0)]
    assert find(arm_differences(some), 5, "on_the_fly").seeds == (1, 2)
    assert find(arm_means(some), 5, "on_the_fly").seeds == (0, 1, 2)
    assert arm_differences([run for run in runs if run.arm != "ordinary"]) == []


def test_missed_structures_have_no_distance(runs):
    values = patient_values(
        [run for run in runs if (run.amount, run.arm) == (5, "ordinary")], "hd", Part("right ventricular cavity")
    )
    assert math.isnan(values[0]["patient001"])
    assert not math.isnan(values[1]["patient001"])


def estimate(interval, seeds=(0, 1)):
    return Estimate("unet", 5, "on_the_fly", "dice", WHOLE, seeds, interval)


def test_sentences_say_no_more_than_the_interval():
    better = difference_sentence(estimate(Interval(0.05, 0.01, 0.09, 30)))
    assert better == (
        "U-Net, 5 training patients: “real + synthetic on the fly” is better than “real + ordinary augmentation” by "
        "+0.050 (+0.010 to +0.090) Dice; the 95 % interval excludes 0. It holds the luck of 30 test patients and 2 "
        "trainings of each arm."
    )
    assert "is worse than" in difference_sentence(estimate(Interval(-0.05, -0.09, -0.01, 30)))
    unclear = difference_sentence(estimate(Interval(0.05, -0.01, 0.09, 30), seeds=(0,)))
    assert "contains 0, so neither gain nor loss shows" in unclear
    assert "but not of the training" in unclear
    assert "nothing can be said" in difference_sentence(estimate(Interval(0.05, math.nan, math.nan, 1)))
