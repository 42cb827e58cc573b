"""Whatever a writer is given, the set holds the whole case or nothing of it, and says why in one of our errors."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from properties_profile import bounded
from wrong_input import check_refusal, listing

from monai_cardiacgen.anatomy.schemes import ACDC, MM_WHS
from monai_cardiacgen.data import (
    CaseRecord,
    SetDescription,
    SyntheticHDF5,
    SyntheticHDF5Writer,
    SyntheticSet,
    SyntheticSetWriter,
)
from monai_cardiacgen.data.case_files import read_nifti
from monai_cardiacgen.errors import CardiacGenError

DTYPES = (torch.float16, torch.float32, torch.float64, torch.int16, torch.uint8, torch.bool, torch.complex64)


@st.composite
def cases(draw):
    """Draw a scheme, a spacing, an image and a label map of the same or another shape, and an affine."""
    scheme = draw(st.sampled_from((ACDC, MM_WHS)))
    dims = draw(st.sampled_from((2, 3)))
    spacing = tuple(draw(st.floats(1e-3, 1e3)) for _ in range(dims))
    sides = st.lists(st.integers(0, 5), min_size=dims, max_size=dims)
    shape = [1] * draw(st.integers(0, 2)) + draw(sides)
    other = shape if draw(st.booleans()) else draw(sides)
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    image = torch.from_numpy(rng.normal(0, draw(st.sampled_from((1.0, 1e30, 1e300))), shape))
    label = torch.from_numpy(rng.choice(np.array(scheme.codes), other)).to(torch.float64)
    odd = draw(st.sampled_from((0.0, 0.0, 0.0, 0.5, 7.0, float("nan"))))
    affine = draw(st.sampled_from((None, "eye", "nan")))
    matrix = {None: None, "eye": torch.eye(4), "nan": torch.full((4, 4), float("nan"))}[affine]
    return scheme, spacing, image.to(draw(st.sampled_from(DTYPES))), label + odd, matrix


@bounded
@given(cases(), st.integers(-1, 2**33))
@pytest.mark.parametrize("kind", [SyntheticSetWriter, SyntheticHDF5Writer])
def test_a_whole_case_or_one_of_our_errors(kind, case, number):
    scheme, spacing, image, label, affine = case
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set"
        try:
            description = SetDescription(scheme, spacing, "bundle", "1")
            with kind(path, description) as writer:
                before = listing(Path(folder))
                try:
                    writer.add(image, label, CaseRecord(number, seed=1), affine)
                except CardiacGenError:
                    assert listing(Path(folder)) == before
                    raise
        except CardiacGenError as error:
            check_refusal(error)
            return
        pixels, codes = _read(path)
    expected = image.to(torch.float32).numpy()
    assert np.array_equal(pixels, expected.reshape(pixels.shape))
    assert np.array_equal(codes, label.numpy().reshape(codes.shape))
    assert pixels.ndim == len(spacing)
    assert np.isfinite(pixels).all()


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the voxels of the only case, as the readers give them."""
    if path.is_dir():
        (entry,) = SyntheticSet(path).entries
        return read_nifti(entry.image)[0], read_nifti(entry.label)[0]
    (case,) = [SyntheticHDF5(path)[0]]
    return case["image"][0].numpy(), case["label"][0].numpy()
