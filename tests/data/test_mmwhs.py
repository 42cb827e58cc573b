"""MM-WHS's volumes, whole and broken, and its stray code."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data.mmwhs import correct_mmwhs_codes, read_mmwhs
from monai_cardiacgen.errors import DataError, LabelError

SHAPE, SPACING = (12, 10, 8), (0.35, 0.4, 0.625)


def write_volume(folder: Path, patient: str, shape: tuple[int, ...] = SHAPE) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    codes = np.random.default_rng(0).choice(MM_WHS.codes, shape).astype(np.int16)
    for suffix in ("image", "label"):
        nib.save(nib.Nifti1Image(codes, np.diag((*SPACING, 1))), folder / f"{patient}_{suffix}.nii.gz")


@pytest.mark.parametrize("parts", [("", ""), ("ct_train", "mr_train")])
def test_items(tmp_path, parts):
    for part, modality in zip(parts, ("ct", "mr"), strict=True):
        for number in (1002, 1001):
            write_volume(tmp_path / part, f"{modality}_train_{number}")
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.int16), np.eye(4)), tmp_path / "ct_test_2001_image.nii.gz")
    items = read_mmwhs(tmp_path)
    assert [item["patient"] for item in items] == [
        f"{modality}_train_{number}" for modality in ("ct", "mr") for number in (1001, 1002)
    ]
    assert items[2] == {
        "image": str(tmp_path / parts[1] / "mr_train_1001_image.nii.gz"),
        "label": str(tmp_path / parts[1] / "mr_train_1001_label.nii.gz"),
        "patient": "mr_train_1001",
        "modality": "MR",
        "group": "MR",
        "spacing": pytest.approx(SPACING),
    }


def test_one_error_names_every_problem(tmp_path):
    for number in range(1001, 1006):
        write_volume(tmp_path, f"ct_train_{number}")
    write_volume(tmp_path / "again", "ct_train_1005")
    (tmp_path / "ct_train_1001_label.nii.gz").unlink()
    whole = tmp_path / "ct_train_1002_image.nii.gz"
    whole.write_bytes(whole.read_bytes()[:-40])
    nib.save(nib.Nifti1Image(np.zeros((12, 10, 7), np.int16), np.eye(4)), tmp_path / "ct_train_1003_label.nii.gz")
    with pytest.raises(DataError) as caught:
        read_mmwhs(tmp_path)
    message = str(caught.value)
    assert "4 problem(s)" in message
    for expected in (
        "ct_train_1001_label.nii.gz: missing",
        "ct_train_1002_image.nii.gz: damaged",
        "ct_train_1003_label.nii.gz: expected the image's shape (12, 10, 8), got (12, 10, 7)",
        "ct_train_1005_image.nii.gz: expected one volume of ct_train_1005, got another at",
    ):
        assert expected in message
    assert "ct_train_1004" not in message


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_volumes_says_what_to_pass(tmp_path, folder):
    with pytest.raises(DataError, match="pass the folder that the challenge's archive unpacks to"):
        read_mmwhs(tmp_path / folder)


def test_the_stray_code_is_the_left_atriums():
    affine = torch.diag(torch.tensor([0.5, 0.5, 2.0, 1.0], dtype=torch.float64))
    label = MetaTensor(torch.tensor([[0.0, 421.0], [420.0, 205.0]])[None], affine=affine)
    corrected = correct_mmwhs_codes(label)
    assert corrected.tolist() == [[[0, 420], [420, 205]]]
    assert corrected.dtype == torch.int64
    assert torch.equal(corrected.affine, affine)
    assert label.max() == 421


@pytest.mark.parametrize("code", [1, 419, 422, -1])
def test_other_unknown_codes_are_refused(code):
    with pytest.raises(LabelError, match="label scheme 'MM-WHS'"):
        correct_mmwhs_codes(torch.tensor([0, 500, code]))
