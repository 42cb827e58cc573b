"""Tables hold the estimates that they name."""

from __future__ import annotations

import pytest
from made_up_study import write_made_up_study

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.studies.augmentation_study.study_results import by_condition, read_runs
from monai_cardiacgen.studies.augmentation_study.study_statistics import Part, arm_differences, arm_means
from monai_cardiacgen.studies.augmentation_study.study_tables import (
    all_estimates,
    amounts_table,
    csv_rows,
    measures_table,
    missed_structures,
    parts_table,
    select,
    short_name,
    structure_names,
    worst_cases,
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out = write_made_up_study(tmp_path_factory.mktemp("study"), arms=("ordinary", "on_the_fly"), seeds=(0,), patients=4)
    return read_runs(out)


@pytest.fixture(scope="module")
def means(runs):
    return all_estimates(runs, arm_means)


def test_every_measure_structure_phase_and_position(runs, means):
    rows = csv_rows(means)
    # 4 structures with "all": 4 measures, 2 phases and 3 positions each; 2 amounts, 2 arms
    assert len(rows) == 4 * (4 + 2 + 3) * 2 * 2
    assert len({(row["patients"], row["arm"], *list(row.values())[3:7]) for row in rows}) == len(rows)
    row = rows[0]
    assert (row["structure"], row["phase"], row["test patients"], row["seeds"]) == ("all structures", "", 4, "0")
    assert structure_names(runs) == list(ACDC.names[1:])


def test_arms_by_amount(means):
    (mean,) = [one for one in select(means, "unet") if (one.amount, one.arm) == (10, "on_the_fly")]
    head, rows = amounts_table(select(means, "unet"))
    assert head == ["arm", "5 patients", "10 patients"]
    assert rows[1][0] == "real + synthetic on the fly"
    assert rows[1][2].startswith(f"{mean.interval.mean:.3f} ({mean.interval.low:.3f} to ")


def test_all_measures(runs, means):
    groups, head, rows = measures_table(means, runs, "unet")
    assert sum(span for _, span in groups) == len(head) == len(rows[0]) == 17
    assert head[1:5] == ["RV", "MYO", "LV", "all"]
    assert groups[1:] == [("Dice", 4), ("HD in mm", 4), ("HD95 in mm", 4), ("ASSD in mm", 4)]
    cell = select(means, "unet", "assd", Part(ACDC.names[2]))[0]
    assert rows[0][14] == f"{cell.interval.mean:.2f}"


def test_phases_and_positions(runs):
    differences = all_estimates(runs, arm_differences)
    head, rows = parts_table(differences, runs, "unet", signed=True)
    assert head == ["patients, arm", "ED", "ES", "base", "middle", "apex"]
    apex = select(differences, "unet", "dice", Part(position="apex"))
    assert [row[5].split()[0] for row in rows] == [f"{one.interval.mean:+.3f}" for one in apex]


def test_missed_structures_are_counted(runs):
    # patient 0's right ventricle in both phases, of 4 patients, 2 phases, 3 structures
    assert [row[1] for row in missed_structures(runs)] == ["2 of 24", "0 of 24", "2 of 24", "0 of 24"]


def test_worst_volumes_first(runs):
    head, lowest, losing = worst_cases(by_condition(runs)["unet", 5], "ordinary", count=3)
    assert head[1:] == ["real + ordinary augmentation", "real + synthetic on the fly"]
    sums = [sum(float(cell) for cell in row[1:]) for row in lowest]
    assert sums == sorted(sums)
    assert losing == []  # the arm gains everywhere
    _, _, losing = worst_cases(by_condition(runs)["unet", 5], "on_the_fly", count=3)
    falls = [float(row[1]) - float(row[2]) for row in losing]
    assert len(falls) == 3
    assert falls == sorted(falls)
    assert losing[0][0].startswith("patient001")  # whose right ventricle was missed


def test_short_names():
    assert [short_name(name) for name in (*ACDC.names[1:], None)] == ["RV", "MYO", "LV", "all"]
