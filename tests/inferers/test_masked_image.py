"""An image and a mask in the forms that callers have them, and those that are refused."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.inferers import box_mask
from monai_cardiacgen.inferers.masked_image import masked_image

SHAPE = (1, 6, 8)
MASK = box_mask(SHAPE[1:], 3)
LIKE = torch.zeros(1, dtype=torch.float64)


@pytest.mark.parametrize("more", [0, 1, 2])
def test_axes_of_length_one_before_them_are_taken_off(more):
    image = torch.rand(SHAPE)
    found, mask = masked_image(image[None] if more else image, MASK[(None,) * more], SHAPE, LIKE)
    assert torch.equal(found, image.double())
    assert torch.equal(mask, MASK)


def test_metadata_and_gradients_stay_behind():
    found, mask = masked_image(MetaTensor(torch.rand(SHAPE).requires_grad_()), MetaTensor(MASK), SHAPE, LIKE)
    assert type(found) is type(mask) is torch.Tensor
    assert not found.requires_grad
    assert mask.dtype == torch.bool


@pytest.mark.parametrize("image", [torch.rand(2, *SHAPE), torch.rand(SHAPE[1:]), torch.rand(1, 6, 7)])
def test_another_shape_is_refused(image):
    with pytest.raises(ShapeError, match="one image"):
        masked_image(image, MASK, SHAPE, LIKE)


@pytest.mark.parametrize(
    ("mask", "error", "told"),
    [
        (MASK[:4], ShapeError, "mask"),
        (MASK.expand(2, *MASK.shape), ShapeError, "mask"),
        (MASK.int(), InputError, "bool"),
        (torch.zeros_like(MASK), InputError, "empty"),
        (torch.ones_like(MASK), InputError, "covers all"),
    ],
)
def test_a_mask_that_is_none_is_refused(mask, error, told):
    with pytest.raises(error, match=told):
        masked_image(torch.rand(SHAPE), mask, SHAPE, LIKE)


def test_nan_is_refused():
    with pytest.raises(IntensityError, match="NaN"):
        masked_image(torch.full(SHAPE, torch.nan), MASK, SHAPE, LIKE)
