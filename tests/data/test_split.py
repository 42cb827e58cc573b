from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from monai_cardiacgen.data.split import Split, split_by_patient
from monai_cardiacgen.errors import DataError, InputError

GROUPS = ("DCM", "HCM", "MINF", "NOR", "RV")


def patients(number: int, groups: tuple[str, ...] = GROUPS) -> list[dict[str, Any]]:
    return [
        {"patient": f"patient{index:03d}", "phase": phase, "group": groups[index % len(groups)]}
        for index in range(number)
        for phase in ("ED", "ES")
    ]


def names(items: list[dict[str, Any]]) -> set[str]:
    return {item["patient"] for item in items}


def per_group(items: list[dict[str, Any]]) -> Counter[str]:
    return Counter(dict(sorted((item["patient"], item["group"]) for item in items)).values())


@pytest.mark.parametrize(("training", "validation"), [(20, 10), (7, 4), (1, 0), (93, 6)])
def test_every_patient_with_both_phases_is_in_exactly_one_part(training: int, validation: int):
    items = patients(100)
    split = split_by_patient(items, training, validation, seed=5)
    parts = (split.training, split.validation, split.testing)
    assert [len(names(part)) for part in parts] == [training, validation, 100 - training - validation]
    assert sorted(str(item) for part in parts for item in part) == sorted(map(str, items))
    assert len(set().union(*map(names, parts))) == 100


@pytest.mark.parametrize(("training", "validation"), [(20, 10), (7, 4), (13, 9)])
def test_groups_are_as_even_as_they_can_be(training: int, validation: int):
    split = split_by_patient(patients(100), training, validation, seed=1)
    for part in (split.training, split.validation, split.testing):
        counts = [per_group(part)[group] for group in GROUPS]
        assert max(counts) - min(counts) <= 1


def test_a_rare_group_is_shared_out_before_it_runs_dry():
    items = [*patients(40, ("NOR",)), {"patient": "rare", "group": "RV"}, {"patient": "rarer", "group": "RV"}]
    split = split_by_patient(items, 2, 2, seed=0)
    assert per_group(split.training)["RV"] == 1
    assert per_group(split.validation)["RV"] == 1


def test_seeds_repeat_and_differ_and_the_datalists_order_does_not_matter():
    items = patients(30)
    first = split_by_patient(items, 10, 5, seed=2)
    assert isinstance(first, Split)
    assert first == split_by_patient(items, 10, 5, seed=2)
    assert names(first.training) == names(split_by_patient(items[::-1], 10, 5, seed=2).training)
    assert names(first.training) != names(split_by_patient(items, 10, 5, seed=3).training)


@pytest.mark.parametrize(("training", "validation"), [(0, 1), (1, -1), (9, 1), (20, 0)])
def test_impossible_numbers_are_refused(training: int, validation: int):
    with pytest.raises(InputError, match="of 10 patients"):
        split_by_patient(patients(10), training, validation, seed=0)


def test_a_patient_with_two_groups_is_refused():
    items = [{"patient": "a", "group": "NOR"}, {"patient": "a", "group": "RV"}, {"patient": "b", "group": "RV"}]
    with pytest.raises(DataError, match="one group for a"):
        split_by_patient(items, 1, 0, seed=0)
