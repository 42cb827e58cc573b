"""A phantom as DICOM lies where it lay as NIfTI."""

from __future__ import annotations

import nibabel as nib
import numpy as np

from benchmarks.phantom_dicom import write_series
from monai_cardiacgen.data.dicom_slice import read_dicom_slice


def test_a_series_keeps_pixels_and_places(tmp_path):
    turned = np.array([[0.0, -1.5, 0.0, 7.0], [1.2, 0.0, 0.0, -9.0], [0.0, 0.0, 8.0, 3.0], [0.0, 0.0, 0.0, 1.0]])
    values = np.random.default_rng(0).integers(0, 1001, (6, 5, 3))
    values[0, 0, :2] = 0, 1000  # so that the grey values are kept as they are
    nib.save(nib.Nifti1Image(values.astype(np.int16), turned), tmp_path / "stack.nii.gz")
    write_series(tmp_path / "stack.nii.gz", tmp_path / "series", "nobody")
    slices = [read_dicom_slice(path) for path in sorted((tmp_path / "series").iterdir())]
    assert len(slices) == 3
    for level, one in enumerate(slices):
        np.testing.assert_array_equal(one.pixels, values[..., level])
        for corner in ([0, 0], [5, 0], [0, 4]):
            np.testing.assert_allclose(one.affine @ [*corner, 0, 1], turned @ [*corner, level, 1], atol=1e-5)
