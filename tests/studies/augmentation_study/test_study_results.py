"""Runs are read from their folders."""

from __future__ import annotations

import pytest
from made_up_study import write_made_up_study

from monai_cardiacgen.errors import DataError
from monai_cardiacgen.studies.augmentation_study.study_results import arm_title, by_condition, network_title, read_runs


@pytest.fixture
def out(tmp_path):
    return write_made_up_study(tmp_path, seeds=(10, 9), patients=3)


def test_finished_runs_in_order(out):
    stopped = out / "unet" / "10_patients" / "seed_9" / "on_the_fly"
    (stopped / "scores.csv").unlink()
    odd = out / "unet" / "all_patients" / "seed_9" / "ordinary"
    odd.mkdir(parents=True)
    (odd / "scores.csv").write_text("")
    runs = read_runs(out)
    expected = [
        (amount, arm, seed)
        for amount in (5, 10)
        for arm in ("ordinary", "synthetic_only", "on_the_fly")
        for seed in (9, 10)
        if (amount, arm, seed) != (10, "on_the_fly", 9)
    ]
    assert [(run.amount, run.arm, run.seed) for run in runs] == expected
    assert len(runs[0].scores) == 3 * 2 * 3
    assert len(runs[0].slices) == 3 * 2 * 3 * 9
    assert runs[0].history()[-1]["iteration"] == "100"
    (runs[0].folder / "history.csv").unlink()
    assert runs[0].history() == []


def test_runs_by_condition(out):
    conditions = by_condition(read_runs(out))
    assert list(conditions) == [("unet", 5), ("unet", 10)]
    assert [run.seed for run in conditions["unet", 10]["on_the_fly"]] == [9, 10]


def test_a_damaged_run_is_named(out):
    (out / "unet" / "5_patients" / "seed_9" / "ordinary" / "slices.csv").unlink()
    with pytest.raises(DataError, match="seed_9"):
        read_runs(out)


def test_titles():
    assert (network_title("unet"), network_title("mine")) == ("U-Net", "mine")
    assert (arm_title("on_the_fly"), arm_title("my_arm")) == ("real + synthetic on the fly", "my arm")
