"""The demo from end to end on tiny patients, with a synthesizer that needs no training."""

from __future__ import annotations

import io
import json

import nibabel as nib
import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from monai_cardiacgen import demo
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data.files import write_csv
from monai_cardiacgen.demo import DemoSettings, run_demo
from monai_cardiacgen.errors import InputError
from monai_cardiacgen.studies.evaluation import read_scores
from monai_cardiacgen.studies.figures import Cases

SIDE = 32


def disc(height, width):
    y, x = np.mgrid[:height, :width]
    far = np.hypot(y - height / 2, x - width / 2)
    return np.select([far < 4, far < 7, far < 10], [3, 2, 1], 0)


class Discs(nn.Module):
    """Draws the same heart again and again."""

    scheme, spacing, spatial_size, provenance = ACDC, (3.0, 3.0), (SIDE, SIDE), {"name": "discs"}

    def __init__(self):
        super().__init__()
        self.register_buffer("styles", torch.zeros(1, 2))

    def sample(self, n, generator):
        label = torch.from_numpy(disc(SIDE, SIDE)).expand(n, -1, -1).clone()
        return Cases(label[:, None].float() / 3, label)

    def vary(self, image, label, strength, generator):
        return Cases(image, label)

    def restyle(self, image, label, generator):
        return Cases(image, label)

    def to_bundle(self, folder):
        folder.mkdir()

    @classmethod
    def from_bundle(cls, folder):
        assert folder.is_dir()
        return cls()


@pytest.fixture
def patients(tmp_path):
    """Four patients in ACDC's layout."""
    rng = np.random.default_rng(0)
    for number in range(1, 5):
        folder = tmp_path / "acdc" / f"patient{number:03d}"
        folder.mkdir(parents=True)
        (folder / "Info.cfg").write_text("ED: 1\nES: 9\nGroup: NOR\nHeight: 170.0\nNbFrame: 30\nWeight: 70.0\n")
        label = np.repeat(disc(36, 34)[..., None], 2, axis=2).astype(np.uint8)
        grey = (label * 60.0 + rng.normal(0, 4, label.shape)).astype(np.float32)
        for frame in ("01", "09"):
            for name, array in ((f"frame{frame}", grey), (f"frame{frame}_gt", label)):
                nib.save(nib.Nifti1Image(array, np.diag([3, 3, 8, 1.0])), folder / f"{folder.name}_{name}.nii.gz")
    return tmp_path / "acdc"


@pytest.fixture
def trained(monkeypatch):
    """Stand-ins for the synthesizer's training and its bundle; gives the slices that it was trained on."""
    seen = []

    def train(slices, folder, **settings):
        seen.append((slices, settings))
        write_csv(folder / "synthesis.csv", [{"iteration": 1, "vae": 0.5}])
        return Discs()

    monkeypatch.setattr(demo, "train_synthesizer", train)
    monkeypatch.setattr(demo, "CardiacSynthesizer", Discs)
    monkeypatch.setattr(demo, "_SHEET", 2)
    monkeypatch.setattr(demo, "_PAIRS", 1)
    return seen


def settings(patients, **changes):
    return DemoSettings(
        **{
            "data": "acdc", "data_dir": str(patients), "training": 1, "validation": 1, "spacing": 3.0, "side": SIDE,
            "margin": 4, "synthesis_iterations": 2, "segmentation_iterations": 4, "iterations_per_round": 2, **changes,
        }
    )  # fmt: skip


def run(wanted, out):
    console = Console(file=io.StringIO(), width=200)
    page = run_demo(wanted, out, console)
    return page, console.file.getvalue()


def test_end_to_end_with_a_stop_and_again(patients, trained, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "evaluate_segmentation", stop)
        with pytest.raises(KeyboardInterrupt):
            run(settings(patients), tmp_path / "out")
    assert not (tmp_path / "out" / "index.html").exists()

    page, printed = run(settings(patients), tmp_path / "out")
    assert page.read_text(encoding="utf-8").count("data:image/png") == 5
    assert str(page) in printed
    assert "Dice on 2 test patients" in printed

    split = json.loads((tmp_path / "out" / "split.json").read_text())
    everyone = sorted(patient for part in split.values() for patient in part)
    assert everyone == [f"patient{number:03d}" for number in range(1, 5)]
    for arm in ("ordinary", "with_synthesis"):
        scores = read_scores(tmp_path / "out" / arm / "scores.csv")
        assert {score.patient for score in scores} == set(split["testing"])
    slices, given = trained[0]
    assert {one["patient"] for one in slices} == set(split["training"])
    assert slices[0]["image"].shape == (1, SIDE + 8, SIDE + 8)
    assert given["spatial_size"] == (SIDE, SIDE)

    again, _ = run(settings(patients), tmp_path / "out")
    assert len(trained) == 1  # nothing is trained twice
    assert again.read_text(encoding="utf-8") == page.read_text(encoding="utf-8")


def test_other_settings_need_another_folder(patients, tmp_path):
    wanted = settings(patients, training=4)
    with pytest.raises(InputError, match="left for testing"):
        run(wanted, tmp_path / "out")
    with pytest.raises(InputError, match=r"seed 0 \(now 1\); choose another folder"):
        run(settings(patients, training=4, seed=1), tmp_path / "out")


def test_data_and_its_folder_go_together():
    with pytest.raises(InputError, match="--data-dir"):
        DemoSettings(data="acdc")
