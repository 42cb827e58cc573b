"""Headers of NIfTI and MetaImage files, whole and broken."""

from __future__ import annotations

import itk
import nibabel as nib
import numpy as np
import pytest

from monai_cardiacgen.data.image_header import read_header, read_pair
from monai_cardiacgen.errors import DataError

SHAPE, SPACING = (20, 24, 3), (1.5, 1.25, 8.0)


def write_image(path, shape=SHAPE, spacing=SPACING):
    """Write noise, through nibabel or through ITK, whose arrays have the axes the other way round."""
    voxels = np.random.default_rng(0).integers(0, 99, shape).astype(np.int16)
    if path.suffix in (".mhd", ".mha"):
        image = itk.image_from_array(voxels.transpose().copy())
        image.SetSpacing(spacing)
        itk.imwrite(image, str(path))
    else:
        nib.save(nib.Nifti1Image(voxels, np.diag((*spacing, *[1.0] * (4 - len(spacing))))), path)
    return path


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".mhd", ".mha"])
def test_shape_and_spacing_in_the_order_of_the_axes(tmp_path, ending):
    shape, spacing = read_header(write_image(tmp_path / f"a{ending}"), axes=(3,))
    assert (shape, spacing) == (SHAPE, SPACING)


@pytest.mark.parametrize("ending", [".nii.gz", ".mhd"])
def test_two_axes(tmp_path, ending):
    path = write_image(tmp_path / f"a{ending}", (20, 24), (0.3, 0.2))
    assert read_header(path, axes=(2, 3))[0] == (20, 24)
    with pytest.raises(DataError, match=r"expected 3 axes with positive voxel sizes, got \(20, 24\)"):
        read_header(path, axes=(3,))


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".mhd", ".mha"])
@pytest.mark.parametrize("kept", [0, 7, 200])
def test_cut_short(tmp_path, ending, kept):
    path = write_image(tmp_path / f"a{ending}")
    voxels = path.with_suffix(".raw") if ending == ".mhd" and kept else path
    voxels.write_bytes(voxels.read_bytes()[:kept])
    with pytest.raises(DataError, match=rf"a{ending}: damaged") as caught:
        read_header(path, axes=(3,))
    assert "\n" not in str(caught.value)


def test_a_metaimage_without_its_voxels(tmp_path):
    path = write_image(tmp_path / "a.mhd")
    path.with_suffix(".raw").unlink()
    with pytest.raises(DataError, match=r"a\.mhd: damaged \(its voxels are missing: a\.raw\)"):
        read_header(path, axes=(3,))


@pytest.mark.parametrize("ending", [".nii.gz", ".mhd"])
def test_no_image_and_no_file(tmp_path, ending):
    (tmp_path / f"a{ending}").write_text("no image")
    with pytest.raises(DataError, match="damaged"):
        read_header(tmp_path / f"a{ending}", axes=(3,))
    with pytest.raises(DataError, match="missing"):
        read_header(tmp_path / f"b{ending}", axes=(3,))


def test_voxels_without_size(tmp_path):
    path = write_image(tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    content[80:84] = np.float32(np.nan).tobytes()  # pixdim[1]
    path.write_bytes(content)
    with pytest.raises(DataError, match="positive voxel sizes"):
        read_header(path, axes=(3,))


def test_a_pair_has_one_shape(tmp_path):
    image, label = write_image(tmp_path / "a.nii.gz"), write_image(tmp_path / "b.nii.gz", (20, 24, 2))
    assert read_pair(image, image, axes=(3,)) == (SHAPE, SPACING)
    with pytest.raises(DataError, match=r"b\.nii\.gz: expected the image's shape \(20, 24, 3\), got \(20, 24, 2\)"):
        read_pair(image, label, axes=(3,))
