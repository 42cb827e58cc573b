"""The augmentation study from settings to scores, on phantom patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_study import small_settings

from monai_cardiacgen.data.acdc import read_acdc
from monai_cardiacgen.data.files import read_csv, read_json
from monai_cardiacgen.data.split import split_by_patient, write_split
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.augmentation_study import study
from monai_cardiacgen.studies.augmentation_study.study import (
    PlannedRun,
    planned_runs,
    run_study,
    study_split,
    training_items,
)
from monai_cardiacgen.studies.augmentation_study.study_settings import StudySettings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StudySettings:
    return small_settings(tmp_path_factory.mktemp("acdc"), 6, seed=1, amounts=(1, 2), arms=("ordinary", "on_the_fly"))


def _patients(items: list[dict[str, object]]) -> set[object]:
    return {item["patient"] for item in items}


def test_nobody_is_in_two_parts_and_amounts_are_nested(settings: StudySettings) -> None:
    split = study_split(settings)
    parts = [_patients(part) for part in (split.training, split.validation, split.testing)]
    assert [len(part) for part in parts] == [3, 1, 2]
    assert len(set.union(*parts)) == 6
    small, large, all_of_them = (_patients(training_items(settings, split, amount, 0)) for amount in (1, 2, 3))
    assert small < large < all_of_them == parts[0]


def test_a_split_of_ones_own(settings: StudySettings, tmp_path: Path) -> None:
    items = read_acdc(settings.data_dir)
    mine = split_by_patient(items, 2, 2, seed=9)
    write_split(tmp_path / "mine.json", mine)
    split = study_split(replace(settings, split=str(tmp_path / "mine.json")))
    assert _patients(split.testing) == _patients(mine.testing)


def test_all_arms_are_trained_and_tested_and_a_stopped_study_goes_on(
    settings: StudySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    run_study(settings, tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 16)
    assert told[-1] == (16, 16)
    tests = _patients(study_split(settings).testing)
    for run in planned_runs(settings):
        rows = read_csv(run.folder(tmp_path) / "scores.csv")
        assert {row["patient"] for row in rows} == tests
        assert len(rows) == 2 * 2 * 3  # patients, phases, structures
        assert read_csv(run.folder(tmp_path) / "slices.csv")
    assert read_json(tmp_path / "settings.json")["arms"] == ["ordinary", "on_the_fly"]

    lost = PlannedRun("unet", 2, 0, "on_the_fly").folder(tmp_path)
    before = (lost / "scores.csv").read_bytes()
    (lost / "scores.csv").unlink()
    trained: list[PlannedRun] = []
    arm = study.run_arm
    monkeypatch.setattr(study, "run_arm", lambda run, *rest, **more: (trained.append(run), arm(run, *rest, **more)))
    run_study(settings, tmp_path)
    assert [run.arm for run in trained] == ["on_the_fly"]
    assert (lost / "scores.csv").read_bytes() == before


def test_two_workers_get_the_scores_of_one(settings: StudySettings, tmp_path: Path) -> None:
    few = replace(settings, amounts=(1,), iterations=2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run_study(few, tmp_path / "one")
    finally:
        torch.set_num_threads(threads)
    run_study(few, tmp_path / "two", workers=2)
    for run in planned_runs(few):
        one, two = ((run.folder(tmp_path / name) / "scores.csv").read_bytes() for name in ("one", "two"))
        assert one == two


def test_a_folder_keeps_its_settings(settings: StudySettings, tmp_path: Path) -> None:
    few = replace(settings, amounts=(1,), arms=("ordinary",), iterations=2)
    run_study(few, tmp_path)
    with pytest.raises(InputError, match="settings that"):
        run_study(replace(few, batch_size=4), tmp_path)


def test_too_few_patients_for_an_amount(settings: StudySettings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="patients"):
        run_study(replace(settings, amounts=(4,)), tmp_path)


def test_an_arm_trains_a_synthesizer_of_its_own_patients(settings: StudySettings, tmp_path: Path) -> None:
    arms = ("ordinary", "vaegan_on_the_fly")
    few = replace(settings, amounts=(2,), arms=arms, iterations=2, synthesis_iterations=50)
    run_study(few, tmp_path)
    assert (PlannedRun("unet", 2, 0, "vaegan_on_the_fly").folder(tmp_path) / "scores.csv").exists()
    assert len(list((tmp_path / "synthesizers").rglob("synthesis.csv"))) == 1
