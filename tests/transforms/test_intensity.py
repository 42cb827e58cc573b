import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import ScaleIntensityRangePercentiles

from monai_cardiacgen.errors import IntensityError
from monai_cardiacgen.transforms.intensity import check_intensity_range, intensity_range_of


def test_the_measured_range_is_that_of_monais_percentile_scaling():
    image = torch.from_numpy(np.random.default_rng(0).gamma(2.0, 100.0, size=(2, 1, 64, 64))).float()
    unit = intensity_range_of(image).to_unit(image)
    for row in range(2):
        scaled = ScaleIntensityRangePercentiles(0.5, 99.5, 0.0, 1.0, clip=True)(image[row])
        assert torch.allclose(unit[row], torch.as_tensor(scaled), atol=5e-3)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from([torch.float16, torch.float32, torch.float64, torch.int16, torch.int32, torch.uint8]),
    st.floats(-500, 500),
    st.floats(40, 2000),
)
def test_there_and_back_in_any_dtype_and_range(dtype, low, width):
    whole = torch.iinfo(dtype) if not dtype.is_floating_point else None
    image = torch.linspace(low, low + width, 101, dtype=torch.float64)
    if whole is not None:
        image = image.round().clamp(whole.min, whole.max)
        if image.min() == image.max():
            return
    image = image.to(dtype).reshape(1, 1, 101)
    measured = intensity_range_of(image, (float(image.min()), float(image.max())))
    back = measured.from_unit(measured.to_unit(image), dtype)
    assert back.dtype == dtype
    tolerance = 1 if whole is not None else 2 * width * torch.finfo(dtype).eps + abs(low) * 2e-3
    assert float((back.double() - image.double()).abs().max()) <= max(tolerance, 1e-3 * width)


def test_a_told_range_is_taken_as_it_is():
    told = intensity_range_of(torch.rand(2, 1, 4, 4), (-2.0, 6.0))
    assert told.to_unit(torch.tensor([[-2.0], [6.0]])).tolist() == [[0.0], [1.0]]
    assert told.from_unit(torch.tensor([[0.25], [0.5]]), torch.float32).tolist() == [[0.0], [2.0]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(bad):
    image = torch.rand(1, 1, 8, 8)
    image[0, 0, 2, 3] = bad
    for told in (None, (0.0, 1.0)):
        with pytest.raises(IntensityError, match="got 1 that are NaN or infinite"):
            intensity_range_of(image, told)


def test_a_constant_image_needs_a_told_range():
    with pytest.raises(IntensityError, match=r"got 3 for both.*intensity_range"):
        intensity_range_of(torch.full((1, 1, 8, 8), 3.0))
    assert intensity_range_of(torch.full((1, 1, 8, 8), 3.0), (0, 6)).to_unit(torch.tensor([[3.0]])).item() == 0.5


@pytest.mark.parametrize("told", [(1.0, 1.0), (2.0, 1.0), (0.0, float("inf")), (0.0,), (0.0, float("nan"))])
def test_an_impossible_range_is_refused(told):
    with pytest.raises(IntensityError, match="low < high"):
        check_intensity_range(told)
