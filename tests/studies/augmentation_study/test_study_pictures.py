"""The worst cases of a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_study import small_settings

from monai_cardiacgen.data.slices import LABEL, ShortAxisGrid
from monai_cardiacgen.studies.augmentation_study.study import run_study, study_split
from monai_cardiacgen.studies.augmentation_study.study_pictures import worst_slices
from monai_cardiacgen.studies.augmentation_study.study_results import read_runs
from monai_cardiacgen.studies.augmentation_study.study_settings import StudySettings


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudySettings, Path]:
    settings = small_settings(
        tmp_path_factory.mktemp("acdc"), 5, seed=2, amounts=(1,), arms=("ordinary", "real"), iterations=2
    )
    out = tmp_path_factory.mktemp("study")
    run_study(settings, out)
    return settings, out


def test_the_worst_volume_is_shown_once_for_each_arm(finished: tuple[StudySettings, Path]) -> None:
    settings, out = finished
    shown = worst_slices(settings, out, volumes=1)
    assert len(shown) == 2
    dice: dict[tuple[str, str], list[float]] = {}
    for run in read_runs(out):
        for score in run.scores:
            dice.setdefault((score.patient, score.phase), []).append(score.dice)
    worst = min(dice, key=lambda volume: torch.tensor(dice[volume]).nanmean())
    assert all(one.title.startswith(f"{worst[0]} {worst[1]}, ") for one in shown)
    item = next(item for item in study_split(settings).testing if (item["patient"], item["phase"]) == worst)
    label = ShortAxisGrid((6.0, 6.0), (32, 32)).load(item)[LABEL].as_tensor()[0]
    assert any(torch.equal(shown[0].expert, plane) for plane in label.unbind(-1))
    assert shown[0].image.shape == shown[0].prediction.shape == (32, 32)


def test_nothing_is_shown_before_a_comparison_is_whole(finished: tuple[StudySettings, Path]) -> None:
    settings, out = finished
    assert worst_slices(replace(settings, arms=("ordinary", "fine_tuned")), out) == []
