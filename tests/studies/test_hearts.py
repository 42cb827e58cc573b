"""Drawing maps and patients from a folder of patients, with autoencoders that are written out."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import torch
from disc_hearts import DiscVAE, disc_sampler
from monai.data import MetaTensor
from rich.console import Console
from stack_hearts import SPACING, StackVAE, disc_patients, training_patients

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.data.files import read_csv, save_checkpoint
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies import hearts
from monai_cardiacgen.studies.hearts import HeartsSettings, draw_maps, draw_patients, patient_stacks, run_hearts

SETTINGS = HeartsSettings("nowhere", count=30, patients=2, frames=6, ejection_fraction=0.5)


def nobody(done: int, total: int) -> None:
    """Tell nobody."""


def slices_and_items():
    slices, items = [], []
    for number, pair in enumerate(training_patients(5)):
        for phase, stack in zip(("ED", "ES"), pair, strict=True):
            about = {"patient": f"p{number}", "phase": phase, "group": "DCM" if number % 2 else "NOR"}
            items.append({**about, "spacing": stack.spacing})
            for place, label in enumerate(stack.label.movedim(2, 0)):
                affine = torch.diag(torch.tensor([2.0, 2.0, 1.0, 1.0]))
                slices.append(
                    {**about, "label": MetaTensor(label[None], affine=affine), "slice": place, "position": 0.1}
                )
    return slices, items


def test_maps_are_drawn_once_checked_and_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(hearts, "_PART", 12)
    report = draw_maps(disc_sampler(), 30, 7, tmp_path, nobody)
    first, kept = report.splitlines()[0], report.splitlines()[-1]
    assert first.startswith("30 label maps in ")
    assert "100.0%" in kept
    parts = [torch.load(path, weights_only=True)["label"] for path in sorted(tmp_path.glob("maps_*.pt"))]
    assert [len(part) for part in parts] == [12, 12, 6]
    assert AnatomyCheck()(torch.cat(parts).long(), (2.0, 2.0)).valid.all()
    rows = read_csv(tmp_path / "maps.csv")
    areas = (torch.cat(parts) == 3).flatten(1).sum(1) * 4.0
    assert [float(row["cavity area"]) for row in rows] == areas.tolist()
    before = (tmp_path / "maps_001.pt").stat().st_mtime_ns
    (tmp_path / "maps_002.pt").unlink()
    assert draw_maps(disc_sampler(), 30, 7, tmp_path, nobody) == report
    assert (tmp_path / "maps_001.pt").stat().st_mtime_ns == before


def test_the_table_would_show_a_map_that_breaks_a_criterion(tmp_path):
    """What is on the disk is checked, not what the sampler says."""
    draw_maps(disc_sampler(), 3, 7, tmp_path, nobody)
    state = torch.load(tmp_path / "maps_000.pt", weights_only=True)
    state["label"][1, 20, 20] = 0
    save_checkpoint(tmp_path / "maps_000.pt", state)
    assert "2/3" in draw_maps(disc_sampler(), 3, 7, tmp_path, nobody).splitlines()[-1]
    with pytest.raises(InputError, match="Expected 4 maps"):
        draw_maps(disc_sampler(), 4, 7, tmp_path, nobody)


def test_stacks_are_put_together_by_patient_and_phase():
    slices, items = slices_and_items()
    slices = [one for one in slices if one["patient"] != "p4" or one["phase"] == "ED"]
    pairs, told = patient_stacks(slices, items)
    assert told == {"group": ["NOR", "DCM", "NOR", "DCM"]}
    for pair, expected in zip(pairs, training_patients(4), strict=True):
        for stack, other in zip(pair, expected, strict=True):
            assert torch.equal(stack.label, other.label)
            assert stack.spacing == pytest.approx(other.spacing)


def test_patients_come_as_files_that_say_the_same(tmp_path):
    report = draw_patients(disc_patients(), SETTINGS, tmp_path, nobody)
    assert "patient_002: " in report
    expected = {f"patient_00{n}{end}" for n in (1, 2) for end in ("_ED.nii.gz", "_ES.nii.gz", ".png", ".gif")}
    assert {path.name for path in tmp_path.iterdir()} == expected | {"volumes.png", "patients.json"}
    volumes = []
    for phase in ("ED", "ES"):
        image = nib.load(tmp_path / f"patient_001_{phase}.nii.gz")
        assert image.header.get_zooms()[:2] == SPACING
        volumes.append((np.asarray(image.dataobj) == 3).sum() * np.prod(image.header.get_zooms()) / 1000)
    assert 1 - volumes[1] / volumes[0] == pytest.approx(0.5, abs=0.011)


def test_the_whole_way(tmp_path, monkeypatch):
    slices, items = slices_and_items()
    monkeypatch.setattr(hearts, "read_acdc", lambda folder: items)
    monkeypatch.setattr(hearts, "load_slices", lambda *_, **__: slices)

    def trained(maps, folder, **_):
        if "condition" in maps[0]:
            return StackVAE()
        return DiscVAE(side=64)

    monkeypatch.setattr(hearts, "train_shape_model", trained)
    console = Console(record=True, width=200)
    run_hearts(SETTINGS, tmp_path, console)
    report = (tmp_path / "report.txt").read_text()
    assert report.splitlines()[0].startswith("30 label maps in")
    assert "ejection fraction 0.5" in report or "ejection fraction 0.49" in report
    assert "patient_002: " in console.export_text()
    with pytest.raises(InputError, match="settings that"):
        run_hearts(HeartsSettings("elsewhere"), tmp_path, console)
