"""Intervals against normal theory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.studies import bootstrap_crossed, bootstrap_difference, bootstrap_mean


def test_covers_the_true_mean_of_normal_data_as_often_as_theory_says():
    rng = np.random.default_rng(1)
    size, repeats = 20, 400
    hits = 0
    for repeat in range(repeats):
        interval = bootstrap_mean(rng.normal(3.0, 2.0, size), seed=repeat, resamples=600)
        hits += interval.low <= 3.0 <= interval.high
    # The percentile interval is that of a normal with the biased standard deviation, without Student's widening.
    half_width = stats.norm.ppf(0.975) * math.sqrt((size - 1) / size)
    expected = 1 - 2 * stats.t.sf(half_width, df=size - 1)
    assert hits / repeats == pytest.approx(expected, abs=3.5 * math.sqrt(expected * (1 - expected) / repeats))


def test_ends_agree_with_scipy():
    values = np.random.default_rng(2).gamma(2.0, size=30)
    ours = bootstrap_mean(values, seed=0, resamples=20_000)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    # An end's own scatter over 20,000 resamples is .005 here.
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_pairing_takes_the_patients_own_variation_out():
    rng = np.random.default_rng(3)
    first = rng.normal(0.8, 0.2, 40)
    second = first + 0.02 + rng.normal(0, 0.01, 40)
    paired = bootstrap_difference(first, second)
    assert paired.excludes_zero
    assert paired.mean == pytest.approx(float((second - first).mean()))
    unpaired_error = math.sqrt(first.var() / 40 + second.var() / 40)
    assert paired.high - paired.low < 0.2 * unpaired_error * 2 * 1.96


def test_leaves_out_patients_without_a_value():
    interval = bootstrap_difference([0.5, math.nan, 0.7], [0.6, 0.9, 0.8])
    assert interval.patients == 2
    assert interval.mean == pytest.approx(0.1)


def test_too_few_patients_have_no_interval():
    one, none = bootstrap_mean([0.5]), bootstrap_mean([math.nan])
    assert one.mean == 0.5
    assert math.isnan(one.low)
    assert math.isnan(none.mean)
    assert not one.excludes_zero


def test_same_seed_same_interval():
    assert bootstrap_mean([1.0, 2.0, 4.0], seed=5) == bootstrap_mean([1.0, 2.0, 4.0], seed=5)


def test_refuses_other_shapes():
    with pytest.raises(ShapeError, match="average over volumes"):
        bootstrap_mean(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match="same patients"):
        bootstrap_difference([1.0], [1.0, 2.0])


def test_one_training_is_a_bootstrap_over_patients():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(2, 15))
    second[3] = math.nan
    assert bootstrap_crossed((second - first)[None], seed=7) == bootstrap_difference(first, second, seed=7)


def test_trainings_that_agree_leave_the_patients_luck_alone():
    values = np.random.default_rng(5).normal(size=20)
    assert bootstrap_crossed([values] * 4, seed=2) == bootstrap_mean(values, seed=2)


def test_patients_that_agree_leave_the_trainings_luck_alone():
    trainings = np.array([0.1, 0.4, 0.2, 0.9, 0.5])
    crossed = bootstrap_crossed(np.repeat(trainings[:, None], 8, axis=1), resamples=20_000)
    alone = bootstrap_mean(trainings, resamples=20_000)
    assert crossed.mean == pytest.approx(alone.mean)
    assert (crossed.low, crossed.high) == pytest.approx((alone.low, alone.high), abs=0.011)  # 1 / 100 of their range


def test_mean_over_trainings_comes_before_the_mean_over_patients():
    values = [[1.0, 0.0, math.nan], [3.0, math.nan, math.nan]]
    interval = bootstrap_crossed(values)
    assert (interval.mean, interval.patients) == (1.0, 2)  # (2 + 0) / 2, not 4 / 3


def test_covers_the_truth_where_patients_alone_do_not():
    rng = np.random.default_rng(6)
    trainings, patients, repeats = 8, 20, 200
    both, alone = 0, 0
    for repeat in range(repeats):
        luck, own = rng.normal(0, 1, (trainings, 1)), rng.normal(0, 1, (1, patients))
        values = luck + own + rng.normal(0, 0.3, (trainings, patients))
        interval = bootstrap_crossed(values, seed=repeat, resamples=500)
        both += interval.low <= 0 <= interval.high
        interval = bootstrap_mean(values.mean(axis=0), seed=repeat, resamples=500)
        alone += interval.low <= 0 <= interval.high
    assert 0.86 <= both / repeats <= 0.98
    assert alone / repeats < 0.8


def test_crossed_refuses_other_shapes():
    with pytest.raises(ShapeError, match=r"\(S, P\)"):
        bootstrap_crossed([1.0, 2.0])
    nothing = bootstrap_crossed([[math.nan, math.nan]])
    assert (math.isnan(nothing.mean), nothing.patients) == (True, 0)
