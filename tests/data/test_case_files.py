"""One case as NIfTI files."""

from __future__ import annotations

import hashlib

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import LoadImage

from monai_cardiacgen.anatomy.labels import LabelScheme, Structure
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.data.case_files import checked_affine, checked_pair, read_nifti, sha256_of, write_nifti
from monai_cardiacgen.errors import DataError, InputError, IntensityError, LabelError, ShapeError


@pytest.mark.parametrize("size", [(7, 5), (7, 5, 3)])
def test_monai_and_nibabel_read_what_was_written(tmp_path, size):
    spacing = (1.5, 2.0, 8.0)[: len(size)]
    voxels = np.random.default_rng(0).random(size).astype(np.float32)
    path = tmp_path / "a" / "x.nii.gz"
    write_nifti(path, voxels, checked_affine(None, spacing))
    loaded = LoadImage(ensure_channel_first=True)(path)
    np.testing.assert_array_equal(loaded[0].numpy(), voxels)
    assert loaded.pixdim.tolist()[: len(size)] == pytest.approx(spacing)
    volume = nib.load(path)
    assert volume.header.get_xyzt_units()[0] == "mm"
    assert nib.aff2axcodes(volume.affine)[:2] == ("L", "P")
    assert volume.header.get_zooms() == pytest.approx(spacing)
    again, affine = read_nifti(path)
    np.testing.assert_array_equal(again, voxels)
    np.testing.assert_allclose(affine, volume.affine)
    before = sha256_of(path)
    write_nifti(path, voxels, checked_affine(None, spacing))
    assert sha256_of(path) == before == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [one.name for one in path.parent.iterdir()] == ["x.nii.gz"]


def test_affines():
    turned = np.array([[0, 2.0, 5], [1.5, 0, -7], [0, 0, 1]])
    np.testing.assert_array_equal(
        checked_affine(turned, (1.5, 2.0)), [[0, 2.0, 0, 5], [1.5, 0, 0, -7], [0, 0, 1, 0], [0, 0, 0, 1]]
    )
    volume = torch.diag(torch.tensor([1.5, 2.0, 3.0, 1.0], dtype=torch.float64))
    np.testing.assert_array_equal(checked_affine(volume, (1.5, 2.0, 3.0)), volume.numpy())
    for wrong, spacing in (
        (np.eye(4), (1.5, 2.0)),
        (np.eye(3), (1.0, 1.0, 1.0)),
        (np.full((4, 4), np.nan), (1.0, 1.0)),
    ):
        with pytest.raises(InputError, match="Expected"):
            checked_affine(wrong, spacing)


def test_pairs_with_and_without_channel():
    image, label = torch.rand(1, 6, 5, dtype=torch.float64), torch.randint(4, (6, 5)).to(torch.uint8)
    pixels, codes = checked_pair(image, label[None], ACDC, 2)
    assert (pixels.shape, pixels.dtype, codes.shape) == ((6, 5), np.float32, (6, 5))
    np.testing.assert_array_equal(codes, label.numpy())


@pytest.mark.parametrize(
    ("image", "label", "error"),
    [
        (torch.rand(2, 6, 5), torch.zeros(6, 5), ShapeError),
        (torch.rand(6, 5), torch.zeros(5, 6), ShapeError),
        (torch.rand(6, 5, 2), torch.zeros(6, 5, 2), ShapeError),
        (torch.full((6, 5), torch.nan), torch.zeros(6, 5), IntensityError),
        (torch.rand(6, 5), torch.full((6, 5), 4), LabelError),
        (torch.rand(6, 5), torch.full((6, 5), 0.5), LabelError),
    ],
)
def test_refuses_pairs_that_do_not_fit(image, label, error):
    with pytest.raises(error, match="Expected"):
        checked_pair(image, label, ACDC, 2)


def test_refuses_codes_that_no_file_holds():
    scheme = LabelScheme("large", (Structure("one", 70000, (0, 0, 0)),))
    with pytest.raises(InputError, match="65535"):
        checked_pair(torch.rand(2, 2), torch.zeros(2, 2), scheme, 2)


def test_damaged_and_missing_files(tmp_path):
    path = tmp_path / "x.nii.gz"
    with pytest.raises(DataError, match=r"x\.nii\.gz"):
        read_nifti(path)
    with pytest.raises(DataError, match=r"x\.nii\.gz"):
        sha256_of(path)
    write_nifti(path, np.random.default_rng(0).random((30, 30)), np.eye(4))
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"text", content[:200] + b"x" + content[201:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="write it again"):
            read_nifti(path)
