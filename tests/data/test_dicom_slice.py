"""A slice lies where ITK says that it lies."""

from __future__ import annotations

import itk
import numpy as np
import pytest
from write_dicom import ALONG_X, ALONG_Y, write_dicom

from monai_cardiacgen.data.dicom_slice import read_dicom_slice
from monai_cardiacgen.errors import DataError

PIXELS = np.arange(12 * 9).reshape(12, 9)


def test_axes_spacing_and_place(tmp_path):
    one = read_dicom_slice(write_dicom(tmp_path / "48.dcm", PIXELS, 48))
    assert (one.number, one.frames, one.spacing) == (48, 20, (1.25, 1.5, 8.0))
    assert one.pixels.dtype == np.float32
    np.testing.assert_array_equal(one.pixels, PIXELS.T)
    # Column 3, row 5: 3 pixels of 1.25 mm along the rows, 5 of 1.5 mm down the columns, in left-posterior-superior.
    expected = np.array([10, -20, 30]) + 3 * 1.25 * ALONG_X + 5 * 1.5 * ALONG_Y
    np.testing.assert_allclose((one.affine @ [3, 5, 0, 1])[:3], expected * [-1, -1, 1], atol=1e-12)


def test_itk_gives_the_same_affine(tmp_path):
    path = write_dicom(tmp_path / "1.dcm", PIXELS, 1)
    image = itk.imread(str(path), pixel_type=itk.SS)
    directions = itk.array_from_matrix(image.GetDirection())[:3, :3]
    theirs = np.eye(4)
    theirs[:3, :3] = directions * np.array(image.GetSpacing())[:3]
    theirs[:3, 3] = np.array(image.GetOrigin())[:3]
    np.testing.assert_allclose(read_dicom_slice(path).affine, np.diag([-1, -1, 1, 1]) @ theirs, atol=1e-6)


def test_height_grows_by_the_distance_along_the_normal(tmp_path):
    normal = np.cross(ALONG_X, ALONG_Y)
    first = read_dicom_slice(write_dicom(tmp_path / "1.dcm", PIXELS, 1))
    place = list(np.array([10.0, -20.0, 30.0]) + 8 * normal + 3 * ALONG_X)
    second = read_dicom_slice(write_dicom(tmp_path / "2.dcm", PIXELS, 2, ImagePositionPatient=place))
    assert second.height - first.height == pytest.approx(8)


def test_rescale_and_thickness(tmp_path):
    changes = {"RescaleSlope": 2, "RescaleIntercept": -5, "SpacingBetweenSlices": None, "SliceThickness": 6}
    one = read_dicom_slice(write_dicom(tmp_path / "1.dcm", PIXELS, 1, **changes, CardiacNumberOfImages=None))
    np.testing.assert_array_equal(one.pixels, 2 * PIXELS.T - 5)
    assert (one.spacing[2], one.frames) == (6.0, 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"PixelSpacing": None}, "expected 2 numbers as PixelSpacing, got none"),
        ({"PixelSpacing": [0, 1]}, "expected a positive PixelSpacing"),
        ({"ImagePositionPatient": None}, "expected 3 numbers as ImagePositionPatient, got none"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 2, 0]}, "two unit vectors"),
        ({"SpacingBetweenSlices": None}, "SpacingBetweenSlices or SliceThickness"),
        ({"InstanceNumber": None}, "InstanceNumber"),
        ({"Rows": 4000}, "damaged or incomplete"),
    ],
)
def test_incomplete_files(tmp_path, changes, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        read_dicom_slice(write_dicom(tmp_path / "1.dcm", PIXELS, 1, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 100, 200, 450, -50])
def test_files_cut_short(tmp_path, kept):
    path = write_dicom(tmp_path / "1.dcm", PIXELS, 1)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"1\.dcm: (damaged|expected a DICOM file)"):
        read_dicom_slice(path)


def test_no_dicom_and_no_file(tmp_path):
    (tmp_path / "1.dcm").write_text("no image at all" * 50)
    with pytest.raises(DataError, match="expected a DICOM file"):
        read_dicom_slice(tmp_path / "1.dcm")
    with pytest.raises(DataError, match=r"2\.dcm: missing"):
        read_dicom_slice(tmp_path / "2.dcm")
