"""A study's networks on another hospital's patients."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from write_sunnybrook import write_patient

from monai_cardiacgen.anatomy.schemes import LV_CAVITY, MYOCARDIUM
from monai_cardiacgen.data.files import save_checkpoint, write_json
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.augmentation_study.elsewhere import SCORES, elsewhere_section, score_on_sunnybrook
from monai_cardiacgen.studies.augmentation_study.study_results import read_runs
from monai_cardiacgen.studies.augmentation_study.study_settings import StudySettings
from monai_cardiacgen.studies.evaluation import Score, read_scores, write_scores
from monai_cardiacgen.studies.slice_scores import write_slice_scores


@pytest.fixture
def study(tmp_path: Path) -> tuple[StudySettings, Path]:
    """Two runs of a network that takes bright pixels for the cavity; the other arm's takes nothing for it."""
    network = tmp_path / "bright.json"
    write_json(network, {"_target_": "torch.nn.Conv2d", "in_channels": 1, "out_channels": 4, "kernel_size": 1})
    out = tmp_path / "study"
    for arm, slope in (("ordinary", -20.0), ("on_the_fly", 20.0)):
        bright = nn.Conv2d(1, 4, 1)
        with torch.no_grad():
            bright.weight.copy_(torch.tensor([0, 0, 0, slope])[:, None, None, None])
            bright.bias.copy_(torch.tensor([0.0, -99, -99, -slope / 2 - 1]))
        folder = out / "bright" / "5_patients" / "seed_0" / arm
        save_checkpoint(folder / "best.pt", {"network": bright.state_dict()})
        write_scores(folder / "scores.csv", [Score("p", "g", "ED", LV_CAVITY, 0.5, math.nan)])
        write_slice_scores(folder / "slices.csv", [])
    settings = StudySettings("acdc", networks=(str(network),), amounts=(5,), seeds=(0,), spacing=0.5, side=160)
    return settings, out


def test_bright_cavities_are_found_and_nobody_is_asked_for_an_unknown_wall(
    study: tuple[StudySettings, Path], tmp_path: Path
) -> None:
    settings, out = study
    for number in (1, 2):
        write_patient(tmp_path / "sunnybrook", f"SC-HF-I-{number}", f"SCD000010{number}")
    score_on_sunnybrook(settings, out, tmp_path / "sunnybrook", None)
    found = {arm: read_scores(out / f"bright/5_patients/seed_0/{arm}" / SCORES) for arm in ("ordinary", "on_the_fly")}
    cavity = [one.dice for one in found["on_the_fly"] if one.structure == LV_CAVITY]
    assert len(cavity) == 12  # 2 patients of 6 slices
    assert min(cavity) > 0.9
    wall = {phase: [one.dice for one in found["on_the_fly"] if (one.structure, one.phase) == (MYOCARDIUM, phase)]
            for phase in ("ED", "ES")}  # fmt: skip
    assert wall["ED"] == [0.0] * 6
    assert all(math.isnan(dice) for dice in wall["ES"])  # its outer contour is drawn at end diastole alone
    assert max(one.dice for one in found["ordinary"] if one.structure == LV_CAVITY) < 0.1
    page = " ".join(elsewhere_section(read_runs(out)))
    assert "2 patients of the Sunnybrook Cardiac Data" in page
    # Where the other arm finds nothing, Dice itself is the difference.
    gain = sum(cavity) / len(cavity)
    assert f"{gain:+.3f} (" in page


def test_without_such_a_test_there_is_no_section(study: tuple[StudySettings, Path]) -> None:
    assert elsewhere_section(read_runs(study[1])) == []


def test_echo_is_not_tested_on_stacks(study: tuple[StudySettings, Path], tmp_path: Path) -> None:
    settings, out = study
    with pytest.raises(InputError, match="camus"):
        score_on_sunnybrook(replace(settings, dataset="camus"), out, tmp_path, None)
