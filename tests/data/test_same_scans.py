"""A scan under two names, made here; and the one in ACDC."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data import read_acdc, without_same_scans


def written(folder, contents):
    """Two frames a patient, filled with noise of the seeds that are given."""
    items = []
    for patient, seeds in contents.items():
        for phase, seed in zip(("ED", "ES"), seeds, strict=True):
            path = folder / f"{patient}_{phase}.nii.gz"
            voxels = np.random.default_rng(seed).integers(0, 500, (8, 8, 2)).astype(np.int16)
            nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
            items.append({"patient": patient, "phase": phase, "image": str(path)})
    return items


def test_the_second_name_of_a_scan_is_left_out_and_told(tmp_path):
    items = written(tmp_path, {"one": (0, 1), "two": (2, 3), "three": (0, 1), "four": (4, 5)})
    with pytest.warns(UserWarning, match=r"three \(the scan of one\)"):
        kept = without_same_scans(items)
    assert kept == [item for item in items if item["patient"] != "three"]


def test_different_scans_are_all_kept_without_a_word(tmp_path):
    items = written(tmp_path, {"one": (0, 1), "two": (2, 3)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert without_same_scans(items) == items


def test_one_frame_in_common_is_enough(tmp_path):
    items = written(tmp_path, {"one": (0, 1), "two": (7, 1)})
    with pytest.warns(UserWarning, match=r"two \(the scan of one\)"):
        assert {item["patient"] for item in without_same_scans(items)} == {"one"}


@pytest.mark.real_data
def test_acdc_holds_one_scan_twice(acdc_folder):
    items = [item for item in read_acdc(acdc_folder) if item["patient"] in ("patient073", "patient074", "patient076")]
    with pytest.warns(UserWarning, match=r"left out: patient076 \(the scan of patient074\)"):
        kept = without_same_scans(items)
    assert {item["patient"] for item in kept} == {"patient073", "patient074"}
