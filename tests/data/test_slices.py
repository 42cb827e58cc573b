"""From files to slices: geometry, intensities, what is kept."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.data.slices import ShortAxisGrid, load_slices, slices_of
from monai_cardiacgen.errors import DataError, IntensityError


def write_item(folder, shape=(50, 40, 3), spacing=(1.5, 1.5, 8.0), constant=False, **changes):
    rng = np.random.default_rng(0)
    image = ndimage.gaussian_filter(rng.random(shape), (4, 4, 0)) * 1000
    image = np.full(shape, 7.0) if constant else image
    label = np.zeros(shape, dtype=np.uint8)
    label[20:30, 15:25, 1:] = 3
    for name, content in (("image", image.astype(np.float32)), ("label", label)):
        nib.save(
            nib.Nifti1Image(content, np.diag([-spacing[0], -spacing[1], spacing[2], 1])), folder / f"{name}.nii.gz"
        )
    item = {"image": str(folder / "image.nii.gz"), "label": str(folder / "label.nii.gz"), "spacing": spacing}
    return {**item, "patient": "p", "phase": "ED", "group": "NOR", **changes}


def test_in_plane_only_and_centred(tmp_path):
    volume = ShortAxisGrid((3.0, 3.0), (32, 32)).load(write_item(tmp_path))
    image, label = volume["image"], volume["label"]
    assert image.shape == label.shape == (1, 32, 32, 3)
    assert image.pixdim.tolist() == pytest.approx([3.0, 3.0, 8.0])
    assert label.dtype == torch.int64
    # The box of 10 x 10 pixels of 1.5 mm about pixel 24.5, 19.5: the middle of the file stays in the middle.
    centre = ndimage.center_of_mass(label[0, :, :, 1].numpy())
    np.testing.assert_allclose(centre, [15.5, 15.5], atol=0.51)
    assert int((label[0, :, :, 1] == 3).sum()) * 9 == pytest.approx(100 * 2.25, rel=0.25)


def test_percentiles_become_0_and_1(tmp_path):
    item = write_item(tmp_path)
    image = ShortAxisGrid((1.5, 1.5), (50, 40)).load(item)["image"][0].numpy()
    raw = nib.load(item["image"]).get_fdata()
    low, high = np.percentile(raw, [0.5, 99.5])
    np.testing.assert_allclose(image, np.clip((raw - low) / (high - low), 0, 1), atol=1e-4)


def test_slices_carry_their_place(tmp_path):
    volume = ShortAxisGrid((1.5, 1.5), (48, 48)).load(write_item(tmp_path))
    slices = slices_of(volume)
    assert [one["slice"] for one in slices] == [0, 1, 2]
    assert [one["position"] for one in slices] == [0.0, 0.5, 1.0]
    assert slices[1]["patient"] == "p"
    assert slices[1]["image"].shape == (1, 48, 48)
    assert torch.equal(slices[2]["image"].as_tensor(), volume["image"][..., 2].as_tensor())
    corner = volume["image"].affine @ torch.tensor([0.0, 0.0, 2.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(slices[2]["image"].affine[:, 3], corner)


def test_hearts_only_drops_empty_slices(tmp_path):
    item = write_item(tmp_path)
    seen = []
    every = load_slices(
        [item, item], ShortAxisGrid((2.0, 2.0), (32, 32)), progress=lambda done, total: seen.append((done, total))
    )
    hearts = load_slices([item], ShortAxisGrid((2.0, 2.0), (32, 32)), hearts_only=True)
    assert (len(every), len(hearts)) == (6, 2)
    assert seen == [(1, 2), (2, 2)]


def test_refuses_odd_files(tmp_path):
    with pytest.raises(DataError, match="repair the file's header"):
        ShortAxisGrid((2.0, 2.0), (32, 32)).load(
            write_item(tmp_path, spacing=(1.5, 1.5, 8.0)) | {"spacing": (1.0, 1.0, 8.0)}
        )
    damaged = write_item(tmp_path)
    with open(damaged["image"], "r+b") as file:
        file.truncate(500)
    with pytest.raises(DataError, match="get them again"):
        ShortAxisGrid((2.0, 2.0), (32, 32)).load(damaged)
    with pytest.raises(IntensityError, match="constant"):
        ShortAxisGrid((2.0, 2.0), (32, 32)).load(write_item(tmp_path, constant=True))


@pytest.mark.real_data
def test_the_challenges_headers_are_read_with_their_true_spacing(acdc_folder):
    # Their affine says 1 mm; the true spacing is in the header's pixel sizes only.
    path = acdc_folder / "patient001" / "patient001_frame01.nii.gz"
    item = {"image": str(path), "label": str(path).replace(".nii", "_gt.nii"), "spacing": (1.5625, 1.5625, 10.0)}
    volume = ShortAxisGrid((2.0, 2.0), (96, 96)).load(item)
    assert volume["image"].pixdim.tolist() == pytest.approx([2.0, 2.0, 10.0])
    raw = nib.load(item["label"])
    millilitres = (np.asarray(raw.dataobj) == 3).sum() * np.prod(raw.header.get_zooms()) / 1000
    found = float((volume["label"] == 3).sum()) * 2 * 2 * 10 / 1000
    assert found == pytest.approx(millilitres, rel=0.03)
