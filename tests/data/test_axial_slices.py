"""Axial slices of MM-WHS's files against nibabel's own reading, and what is refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.data import AxialSlices
from monai_cardiacgen.errors import DataError, InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two small volumes whose axes point right, front and head, as CT, and one as MR; the second lacks a heart."""
    root, generator = tmp_path_factory.mktemp("mmwhs"), np.random.default_rng(0)
    affine = np.diag([2.0, 2.0, 5.0, 1.0])
    for name in ("ct_train_1001", "ct_train_1002", "mr_train_1001"):
        image = generator.integers(-1000, 1000, (16, 24, 7)).astype(np.int16)
        label = np.zeros((16, 24, 7), np.int16)
        if name != "ct_train_1002":
            label[4:8, 3:9, 2:6] = 500
            label[9:12, 3:9, 4:6] = 421  # the stray code
        for kind, volume in (("image", image), ("label", label)):
            nib.save(nib.Nifti1Image(volume, affine), root / f"{name}_{kind}.nii.gz")
    return root


def test_slices_are_the_files_own_turned_to_the_left_and_the_back(folder):
    slices = AxialSlices(folder, (16, 24))
    image, label = (nib.load(folder / f"ct_train_1001_{kind}.nii.gz").get_fdata() for kind in ("image", "label"))
    assert [one["slice"] for one in slices] == [2, 3, 4, 5]
    for one in slices:
        expected = np.clip((image[::-1, ::-1, one["slice"]] + 200) / 800, 0, 1)
        np.testing.assert_allclose(one["image"][0].numpy(), expected, atol=1e-6)
        codes = label[::-1, ::-1, one["slice"]].copy()
        codes[codes == 421] = 420
        np.testing.assert_array_equal(one["label"][0].numpy(), codes)
        assert (one["patient"], one["spacing"]) == ("ct_train_1001", (2.0, 2.0))
        assert type(one["image"]) is type(one["label"]) is torch.Tensor
        MM_WHS.to_channels(one["label"])


def test_halved_slices_are_means_over_four_pixels(folder):
    wide = (-2000.0, 2000.0)  # nothing is clipped
    whole, half = (AxialSlices(folder, size, window=wide) for size in ((16, 24), (8, 12)))
    for one, other in zip(whole, half, strict=True):
        torch.testing.assert_close(other["image"], one["image"].reshape(1, 8, 2, 12, 2).mean(dim=(2, 4)))
        assert other["label"].shape == (1, 8, 12)
        assert other["spacing"] == (4.0, 4.0)


def test_mr_is_scaled_by_its_percentiles_and_steps_leave_slices_out(folder):
    slices = AxialSlices(folder, (16, 24), "MR", step=3)
    assert [one["slice"] for one in slices] == [3]
    volume = nib.load(folder / "mr_train_1001_image.nii.gz").get_fdata()
    low, high = np.percentile(volume, (0.5, 99.5))
    expected = np.clip((volume[::-1, ::-1, 3] - low) / (high - low), 0, 1)
    np.testing.assert_allclose(slices[0]["image"][0].numpy(), expected, atol=1e-5)


def test_patients_are_told_and_may_be_fewer(folder):
    told = []
    AxialSlices(folder, (16, 24), progress=told.append)
    assert told == [1, 2]
    told.clear()
    AxialSlices(folder, (16, 24), patients=1, progress=told.append)
    assert told == [1]


def test_wrong_arguments_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="step"):
        AxialSlices(folder, (16, 24), step=0)
    with pytest.raises(InputError, match="lower to higher"):
        AxialSlices(folder, (16, 24), window=(600, -200))
    for path in folder.glob("mr_*"):
        (tmp_path / path.name.replace("mr_", "ct_")).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="MR volumes"):
        AxialSlices(tmp_path, (16, 24), "MR")
