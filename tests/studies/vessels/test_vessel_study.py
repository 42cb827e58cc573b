"""The whole study in small: it writes its tables and pictures, and goes on where it was."""

from __future__ import annotations

import json

import pytest
import torch
from vessel_patches import patch

from monai_cardiacgen.data.files import read_csv, save_checkpoint
from monai_cardiacgen.studies.vessels.vessel_inpainting import METHODS, SearchSettings
from monai_cardiacgen.studies.vessels.vessel_networks import VesselBudget
from monai_cardiacgen.studies.vessels.vessel_study import VesselStudySettings, run_vessel_study, windows

SETTINGS = VesselStudySettings(
    patients=(3, 2, 2),
    compared=70,
    budget=VesselBudget(iterations=2, iterations_per_round=2, batch_size=3, features=2, latent_size=5),
    search=SearchSettings(starts=2, candidates=3, steps=3, fitting_steps=2),
)
FILES = {
    "tables.md",
    "summary.csv",
    "detection.csv",
    "results.json",
    "patches.png",
    "spectrum.png",
    "critic.png",
    "comparison.png",
    "inpainting.png",
    "descent.gif",
    "anomalies.png",
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    parts = {
        part: [patch(number) for number in range(first, first + 4)]
        for part, first in (("training", 0), ("validation", 4), ("testing", 8))
    }
    save_checkpoint(out / "patches.pt", parts)  # as an earlier run wrote them
    told = []
    return out, run_vessel_study(out, SETTINGS, progress=lambda *one: told.append(one)), told


def test_tables_and_pictures_are_written(done):
    out, text, _ = done
    assert {path.name for path in out.iterdir()} >= FILES
    assert all((out / name).stat().st_size > 0 for name in FILES)
    assert (out / "tables.md").read_text(encoding="utf-8").strip() == text.strip()
    assert all(f"| {method} | " in text for method in METHODS)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["settings"]["search"]["starts"] == 2
    assert set(results["limits"]) == set(results["false_positives"]) == {"pixel", "patch"}
    assert results["realism"]["generated"]["fid"] > results["realism"]["training"]["fid"]
    assert results["realism"]["testing"]["nearest_training"] > 0


def test_the_limits_come_from_the_validation_patients(done):
    out, _, _ = done
    limits = json.loads((out / "results.json").read_text(encoding="utf-8"))["limits"]
    scores = [float(row["score"]) for row in read_csv(out / "validation_planted.csv") if float(row["by"]) == 0]
    assert min(scores) < limits["patch"] <= max(scores)


def test_stages_are_told_and_a_second_run_repeats_the_tables_without_them(done):
    out, text, told = done
    assert {stage for stage, _, _ in told} == {"training", "validation: inpainting", "testing: inpainting"}
    again = []
    # The networks come from the files, too: those of a bundle are tested in the same way.
    assert run_vessel_study(out, SETTINGS, bundle=out / "training", progress=lambda *one: again.append(one)) == text
    assert again == []


def test_windows_follow_from_the_seed():
    patches = [patch(number) for number in range(3)]
    first = windows(patches, 64, 5, seed=1)
    assert first.shape == (5, 1, 64, 64)
    assert torch.equal(windows(patches, 64, 5, seed=1), first)
    assert not torch.equal(windows(patches, 64, 5, seed=2), first)
