"""The evaluation of the CT bundle: CT of patients' label maps beside their own CT."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from bundle_runs import BUNDLES, run_bundle

from monai_cardiacgen.networks.nets import ConditionalUNetGenerator
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.studies.whole_heart.conditional_painter import ConditionalPainter

NAME = "ct_whole_heart_cgan"


def test_the_command_scores_each_volume_on_its_own_grid(tmp_path):
    patients = write_mmwhs_phantom(tmp_path / "mmwhs", 1, 3, "ct", size=(104, 96, 6), spacing=(2.4, 2.6, 9.0))
    root = tmp_path / "bundle"
    shutil.copytree(BUNDLES / NAME / "configs", root / "configs")
    torch.manual_seed(0)
    painter = ConditionalPainter(ConditionalUNetGenerator(2, 8, channels=(2,) * 7))
    painter.about = {"side": 128, "window": [-200.0, 600.0]}
    painter.to_bundle(root)
    run_bundle(root, {"dataset_dir": patients}, "['configs/inference.json','configs/evaluate.json']")
    folder = root / "evaluation"
    (made,) = folder.glob("*_ct.nii.gz")
    image = Path(patients / "ct_train_1001_image.nii.gz")
    real = np.clip(np.asarray(nibabel.load(image).dataobj, dtype=float), -200, 600)
    expected = np.abs(np.asarray(nibabel.load(made).dataobj, dtype=float) - real)
    with (folder / "error_in_hu_raw.csv").open() as file:
        (row,) = [one for one in list(csv.reader(file))[1:] if one]
    assert float(row[-1]) == pytest.approx(expected.mean(), abs=1)
    scores = dict(line.split(",") for line in (folder / "metrics.csv").read_text().splitlines())
    assert set(scores) == {"error_in_hu", "psnr_in_db"}
    assert float(scores["psnr_in_db"]) == pytest.approx(10 * np.log10(800**2 / (expected**2).mean()), abs=0.1)
