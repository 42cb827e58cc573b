from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from monai_cardiacgen.data.split import Split, folds_by_patient, read_split, split_by_patient, write_split
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


def test_without_groups_all_are_of_one():
    items = [{"patient": str(number)} for number in range(9)]
    split = split_by_patient(items, 3, 2, seed=0)
    assert [len(part) for part in (split.training, split.validation, split.testing)] == [3, 2, 4]


@pytest.mark.parametrize(("number", "folds"), [(100, 5), (100, 7), (23, 4), (5, 5)])
def test_folds_test_each_patient_once_and_share_out_the_groups(number: int, folds: int):
    items = patients(number)
    splits = folds_by_patient(items, folds, seed=3)
    assert len(splits) == folds
    assert sorted(name for split in splits for name in names(split.testing)) == sorted(names(items))
    for split in splits:
        assert names(split.training) == names(items) - names(split.testing)
        assert len(split.training) + len(split.testing) == len(items)
        assert split.validation == []
    for group in GROUPS:
        counts = [per_group(split.testing)[group] for split in splits]
        assert max(counts) - min(counts) <= 1
    assert splits == folds_by_patient(items, folds, seed=3)
    assert number == 5 or splits != folds_by_patient(items, folds, seed=4)


@pytest.mark.parametrize("folds", [0, 1, 11])
def test_impossible_folds_are_refused(folds: int):
    with pytest.raises(InputError, match="2 folds or more"):
        folds_by_patient(patients(10), folds, seed=0)


def test_a_written_split_comes_back(tmp_path):
    items = patients(20)
    split = split_by_patient(items, 9, 4, seed=1)
    write_split(tmp_path / "sub" / "split.json", split)
    assert read_split(tmp_path / "sub" / "split.json", items) == split
    content = json.loads((tmp_path / "sub" / "split.json").read_text())
    assert {part: len(content[part]) for part in content} == {"training": 9, "validation": 4, "testing": 7}
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["split.json"]


def test_a_split_with_a_patient_in_two_parts_is_not_written(tmp_path):
    items = patients(4)
    with pytest.raises(DataError, match="every patient once in the split to write, got more of patient001"):
        write_split(tmp_path / "split.json", Split(items, [], items[2:4]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "could not read it"),
        ("{", "could not read it"),
        ('{"training": ["a"], "testing": ["b"]}', "Expected the lists training, validation, testing"),
        ('{"training": ["a"], "validation": {}, "testing": ["b"]}', "Expected the lists"),
        ('{"training": ["a"], "validation": [], "testing": ["b"], "more": []}', "Expected the lists"),
        ('{"training": ["a"], "validation": [1], "testing": ["b"]}', "names of patients"),
        ('{"training": ["a"], "validation": ["a"], "testing": ["b"]}', "got more of a"),
        ('{"training": ["a", "a"], "validation": [], "testing": ["b"]}', "got more of a"),
        ('{"training": ["a"], "validation": ["c"], "testing": ["b"]}', "the datalist lacks c"),
        ('{"training": ["a"], "validation": [], "testing": []}', "lacks b; leave these items out"),
    ],
)
def test_files_that_are_no_split_of_the_datalist(tmp_path, content: str | None, sentence: str):
    if content is not None:
        (tmp_path / "split.json").write_text(content)
    with pytest.raises(DataError, match=sentence):
        read_split(tmp_path / "split.json", [{"patient": "a"}, {"patient": "b"}])
