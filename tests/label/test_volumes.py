"""Files in and out: whatever is wrong with them is one sentence."""

from __future__ import annotations

import gzip
from time import process_time

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.anatomy import ACDC
from monai_cardiacgen.errors import DataError, LabelError, ShapeError
from monai_cardiacgen.label.volumes import (
    SYNTHETIC_MARK,
    check_has_heart,
    is_marked_synthetic,
    read_label,
    read_volume,
    write_volume,
)

AFFINE = np.diag([1.5, 1.25, 8.0, 1.0])


def saved(path, values):
    nib.save(nib.Nifti1Image(values, AFFINE), path)
    return path


@pytest.fixture
def image(tmp_path):
    return saved(tmp_path / "image.nii.gz", np.arange(60, dtype=np.int16).reshape(5, 4, 3))


def test_a_volume_comes_with_its_grid(image):
    volume = read_volume(image)
    assert volume.shape == (5, 4, 3)
    np.testing.assert_allclose(volume.affine, AFFINE)
    np.testing.assert_array_equal(volume.numpy(), nib.load(image).get_fdata())


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_what_is_no_image_is_refused(tmp_path, content, ending):
    path = tmp_path / f"x{ending}"
    path.write_bytes(content)
    with pytest.raises(DataError, match="send it again") as told:
        read_volume(path)
    assert str(tmp_path) not in str(told.value)


def test_a_file_that_was_cut_is_refused(image):
    image.write_bytes(image.read_bytes()[:-20])
    with pytest.raises(DataError, match="send it again"):
        read_volume(image)


def claiming(path, shape, voxels_at=352, kind=nib.Nifti1Header):
    """A header that claims more than its file has."""
    header = kind()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    header["vox_offset"] = voxels_at
    block = header.binaryblock + b"\0" * 100_000
    path.write_bytes(gzip.compress(block) if path.suffix == ".gz" else block)
    return path


@pytest.mark.parametrize("kind", [nib.Nifti1Header, nib.Nifti2Header])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("shape", "voxels_at"), [((4096, 4096, 17), 544), ((4, 4, 4), 2**30), ((32,) * 7, 544)])
def test_a_claim_of_more_than_is_read_is_refused_before_anything_is_unpacked(
    tmp_path, monkeypatch, kind, ending, shape, voxels_at
):
    monkeypatch.setattr(nib, "load", lambda path: pytest.fail("it was read on"))
    with pytest.raises(ShapeError, match="claims more"):
        read_volume(claiming(tmp_path / f"x{ending}", shape, voxels_at, kind))


def test_a_bomb_is_unpacked_only_as_far_as_its_header_says(tmp_path):
    """A header of few voxels, and then parts that unpack to four gibibytes, which takes a processor many seconds."""
    few = claiming(tmp_path / "x.nii.gz", (4, 4, 4))
    few.write_bytes(few.read_bytes() + gzip.compress(b"\0" * 2**24) * 256)
    begun = process_time()
    assert read_volume(few).shape == (4, 4, 4)
    assert process_time() - begun < 3


def test_a_synthetic_file_is_told_by_its_header(tmp_path, image):
    made = tmp_path / "made.nii.gz"
    write_volume(made, read_volume(image), synthetic=True)
    assert is_marked_synthetic(made)
    assert not is_marked_synthetic(image)


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(DataError, match="NIfTI"):
        read_volume(tmp_path / "x.png")


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2, 2)])
def test_other_axes_are_refused(tmp_path, shape):
    with pytest.raises(ShapeError, match="three axes"):
        read_volume(saved(tmp_path / "x.nii.gz", np.zeros(shape, np.int16)))


def test_labels_fit_their_image_and_scheme(tmp_path, image):
    codes = np.random.default_rng(0).integers(0, 4, (5, 4, 3)).astype(np.int16)
    label = read_label(saved(tmp_path / "label.nii.gz", codes), ACDC, read_volume(image))
    np.testing.assert_array_equal(label.numpy(), codes)
    with pytest.raises(LabelError, match="codes"):
        read_label(saved(tmp_path / "label.nii.gz", codes + 5), ACDC, read_volume(image))
    with pytest.raises(ShapeError, match="draw it on this image"):
        read_label(saved(tmp_path / "label.nii.gz", codes[1:]), ACDC, read_volume(image))


def test_an_empty_label_has_no_heart():
    check_has_heart(torch.tensor([0, 2]))
    with pytest.raises(LabelError, match="empty"):
        check_has_heart(torch.zeros(3))


@pytest.mark.parametrize(
    ("values", "kind"), [(torch.rand(3, 4, 2), np.float32), (torch.tensor([[[0, 850]]]), np.int16)]
)
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_what_is_written_comes_back(tmp_path, values, kind, ending):
    path = tmp_path / f"made{ending}"
    write_volume(path, MetaTensor(values, affine=torch.from_numpy(AFFINE)), synthetic=True)
    file = nib.load(path)
    assert file.get_data_dtype() == kind
    np.testing.assert_array_equal(file.get_fdata(), values.numpy())
    np.testing.assert_allclose(file.affine, AFFINE)
    assert file.header["descrip"].item().decode() == SYNTHETIC_MARK
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    def cut(file, path):
        path.write_bytes(b"half")
        raise OSError("no room")

    monkeypatch.setattr(nib, "save", cut)
    with pytest.raises(OSError, match="no room"):
        write_volume(tmp_path / "x.nii.gz", MetaTensor(torch.zeros(2, 2, 2)), synthetic=False)
    assert not list(tmp_path.iterdir())
