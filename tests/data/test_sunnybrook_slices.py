"""Sunnybrook's whole label maps as a dataset."""

from __future__ import annotations

import shutil

import pytest
import torch
from write_sunnybrook import SIZE, write_patient

from monai_cardiacgen.anatomy.schemes import SUNNYBROOK
from monai_cardiacgen.data import SunnybrookSlices, load_sunnybrook, read_sunnybrook
from monai_cardiacgen.errors import DataError


def test_slices_with_both_contours_come_on_the_grid(tmp_path):
    write_patient(tmp_path)
    slices = SunnybrookSlices(tmp_path, (1.25, 1.5), (SIZE, SIZE))  # the files' own grid
    assert [(one["patient"], one["phase"], one["slice"], one["position"]) for one in slices] == [
        ("SC-HF-I-1", "ED", place, place / 2) for place in range(3)
    ]
    stored = load_sunnybrook(read_sunnybrook(tmp_path)[0])
    assert (slices[0]["image"].dtype, slices[0]["label"].dtype) == (torch.float32, torch.int64)
    assert torch.equal(slices[0]["label"], stored["label"].as_tensor()[..., 0])
    assert torch.allclose(slices[0]["image"] * 100, stored["image"].as_tensor()[..., 0], atol=1e-3)


def test_pixels_of_another_size_keep_the_areas(tmp_path):
    write_patient(tmp_path)
    fine, coarse = (SunnybrookSlices(tmp_path, (mm, mm), (96, 96))[1]["label"] for mm in (0.75, 1.5))
    for code in SUNNYBROOK.codes[1:]:
        areas = [int((label == code).sum()) * mm**2 for label, mm in ((fine, 0.75), (coarse, 1.5))]
        assert areas[0] == pytest.approx(areas[1], rel=0.1)


def test_a_folder_without_walls_is_refused(tmp_path):
    write_patient(tmp_path)
    shutil.rmtree(tmp_path / "contourfiles" / "SC-HF-I-1" / "o-contours")
    with pytest.raises(DataError, match="both contours"):
        SunnybrookSlices(tmp_path, (1.5, 1.5), (SIZE, SIZE))
