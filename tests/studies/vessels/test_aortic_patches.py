"""Patches lie on the aorta of phantom volumes, whose truth is known; a seed is all that other volumes need."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import SaveImage

from monai_cardiacgen.data.files import read_csv, write_csv
from monai_cardiacgen.errors import DataError, InputError
from monai_cardiacgen.phantom import write_mmwhs_phantom
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.vessels.aortic_patches import AorticPatches, MovedPatches, located, window

SIZE, SPACING = (104, 104, 12), (2.4, 2.4, 4.0)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("volumes")
    for modality in ("mr", "ct"):
        write_mmwhs_phantom(folder, 1, 7, modality, size=SIZE, spacing=SPACING)
    return folder


@pytest.fixture(scope="module")
def patches(volumes) -> AorticPatches:
    return AorticPatches(volumes, side=40, spacing=2.0, between=4.0, step=3)


def test_every_element_has_the_vessel_where_the_phantom_put_it(patches):
    assert {one["patient"] for one in patches} == {"mr_train_1001", "ct_train_1001"}
    assert len(patches) >= 6
    for one in patches:
        assert one["image"].shape == (1, 40, 40)
        assert type(one["image"]) is torch.Tensor
        assert 0 <= float(one["image"].min()) < float(one["image"].max()) <= 1
        assert float((one["centre"] - one["true_centre"]).norm()) * 2 < 2.5
        assert abs(one["radius"] - one["true_radius"]) < 2


def test_the_truth_is_the_table_in_the_world(volumes, patches):
    one = next(patch for patch in patches if patch["patient"] == "mr_train_1001")
    image = nib.load(volumes / "mr_train_1001_image.nii.gz")
    rows = read_csv(volumes / "mr_train_1001_descending_aorta.csv")
    line = np.array([[float(row[key]) for key in ("x", "y", "slice")] for row in rows])
    world = (image.affine @ np.c_[line, np.ones(len(line))].T)[:3].T
    row, column = one["true_centre"].tolist()
    at = (one["affine"].numpy() @ [row, column, 0, 1])[:3]
    # On the centre line to a fraction of its steps of 4 mm.
    assert np.linalg.norm(world - at, axis=1).min() < 2.1
    above, below = (np.linalg.norm(world - at, axis=1).argsort()[:2]).tolist()
    along = world[above] - world[below]
    across = np.linalg.norm(np.cross(at - world[below], along)) / np.linalg.norm(along)
    assert across < 0.1


def test_the_first_axis_runs_to_the_left_and_the_second_to_the_back(patches):
    for one in patches:
        axes = one["affine"].numpy()[:3, :2]
        assert axes[0, 0] < 0 > axes[1, 1]
        assert np.abs(axes).max() == pytest.approx(2, abs=0.1)


def test_one_row_with_a_seed_is_enough_and_gives_no_truth(volumes, patches, tmp_path):
    name = "mr_train_1001"
    for ending in ("image.nii.gz", "label.nii.gz"):
        shutil.copy(volumes / f"{name}_{ending}", tmp_path)
    row = read_csv(volumes / f"{name}_descending_aorta.csv")[6]
    write_csv(tmp_path / f"{name}_descending_aorta.csv", [{key: row[key] for key in ("slice", "x", "y")}])
    found = AorticPatches(tmp_path, side=40, spacing=2.0, between=4.0, step=3)
    expected = [one for one in patches if one["patient"] == name]
    assert len(found) == len(expected)
    assert all(math.isnan(one["true_radius"]) for one in found)
    for one, same in zip(found, expected, strict=True):
        assert float((one["centre"] - same["centre"]).norm()) < 0.5


def test_missing_and_wrong_seeds_are_told_together(volumes, tmp_path):
    for name in ("mr_train_1001", "ct_train_1001"):
        for ending in ("image.nii.gz", "label.nii.gz"):
            shutil.copy(volumes / f"{name}_{ending}", tmp_path)
    write_csv(tmp_path / "ct_train_1001_descending_aorta.csv", [{"slice": 5, "x": 2, "y": 2}])
    with pytest.raises(DataError, match="2 problem") as told:
        AorticPatches(tmp_path, side=40)
    assert "mr_train_1001_descending_aorta.csv" in str(told.value)
    assert "move the seed" in str(told.value)
    write_csv(tmp_path / "ct_train_1001_descending_aorta.csv", [{"slice": "nan", "x": 2, "y": 2}])
    with pytest.raises(DataError, match="got none; add a row"):
        AorticPatches(tmp_path, side=40)
    write_csv(tmp_path / "ct_train_1001_descending_aorta.csv", [{"x": 2, "y": 2}])
    with pytest.raises(DataError, match="columns slice, x and y"):
        AorticPatches(tmp_path, side=40)


def test_a_located_patch_is_written_where_it_was_cut(patches, tmp_path):
    one = located(patches[0])
    SaveImage(tmp_path, output_postfix="", separate_folder=False, squeeze_end_dims=False, print_log=False)(one["image"])
    written = nib.load(tmp_path / f"{one['name']}.nii.gz")
    assert np.allclose(written.affine, one["affine"].numpy(), atol=1e-4)


def test_windows_lie_at_every_place_and_follow_from_the_generator():
    moved = MovedPatches(8)
    image = torch.arange(100.0).reshape(1, 1, 10, 10).expand(400, 1, 10, 10)
    moved.generator = seeded(1)
    first = moved({"image": image}, "cpu")
    moved.generator = seeded(1)
    assert torch.equal(moved({"image": image}), first)
    corners, counts = first[:, 0, 0, 0].unique(return_counts=True)
    assert corners.tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert counts.min() > 20
    assert torch.equal(first[0, :, 1:, 1:] - first[0, :, :-1, :-1], torch.full((1, 7, 7), 11.0))


def test_a_window_of_the_patchs_size_is_the_patch_and_a_larger_one_is_refused():
    image = torch.rand(3, 1, 8, 8)
    assert torch.equal(MovedPatches(8)({"image": image}), image)
    assert torch.equal(window(image[0], (2, 3), 4), image[0, :, 2:6, 3:7])
    with pytest.raises(InputError, match="at least 9"):
        MovedPatches(9)({"image": image})
