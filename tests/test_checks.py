"""Each check lets the right input pass, and says expected, got and remedy for a wrong one."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.checks import (
    check_batch,
    check_divisible,
    check_finite,
    check_spacing,
    check_spatial_dims,
)
from monai_cardiacgen.errors import InputError, IntensityError, ShapeError, SpacingError


def test_two_and_three_dimensions_pass():
    for dims in (2, 3):
        check_spatial_dims(dims)
    for dims in (1, 4, "2"):
        with pytest.raises(InputError, match=f"spatial_dims 2 or 3, got {dims!r}"):
            check_spatial_dims(dims)


def test_a_batch_of_the_right_shape_passes():
    check_batch(torch.zeros(2, 4, 8, 8), channels=4, spatial_dims=2, name="label")
    check_batch(torch.zeros(2, 1, 8, 8, 8), channels=1, spatial_dims=3, name="image")


@pytest.mark.parametrize("shape", [(4, 8, 8), (2, 4, 8, 8, 8)])
def test_a_missing_or_spare_axis_is_refused(shape):
    with pytest.raises(ShapeError, match=r"label of shape \(B, 4, H, W\), got .*add a batch and a channel axis"):
        check_batch(torch.zeros(shape), channels=4, spatial_dims=2, name="label")


def test_other_channels_are_refused():
    with pytest.raises(ShapeError, match=r"Expected 4 channels in label \(B, 4, H, W, D\), got 1"):
        check_batch(torch.zeros(2, 1, 8, 8, 8), channels=4, spatial_dims=3, name="label")


def test_multiples_of_the_factor_pass():
    check_divisible((16, 32, 48), 16, "image")


@pytest.mark.parametrize(
    ("size", "padded"), [((96, 100), r"\(96, 112\)"), ((8, 16), r"\(16, 16\)"), ((0, 16), r"\(16, 16\)")]
)
def test_other_sizes_are_refused_with_the_next_larger(size, padded):
    with pytest.raises(ShapeError, match=rf"multiple of 16, got .*pad to {padded}.*DivisiblePad\(k=16\)"):
        check_divisible(size, 16, "image")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_counted_and_refused(bad):
    image = torch.zeros(3, 4)
    image[1, 1] = image[2, 3] = bad
    with pytest.raises(IntensityError, match="finite values in image, got 2 that are"):
        check_finite(image, "image")


def test_finite_and_whole_numbers_pass():
    check_finite(torch.tensor([-1e30, 0.0, 1e30]), "image")
    check_finite(torch.tensor([1, 2]), "label")


def test_spacings_come_back_as_floats():
    assert check_spacing(torch.tensor([1, 2]), 2) == (1.0, 2.0)
    assert check_spacing([1.25, 1.25, 8], 3) == (1.25, 1.25, 8.0)


@pytest.mark.parametrize("spacing", [(1.0,), (1.0, 1.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (float("inf"), 1.0)])
def test_bad_spacings_are_refused(spacing):
    with pytest.raises(SpacingError, match=r"2 positive spacings in mm, got .*affine"):
        check_spacing(spacing, 2)
