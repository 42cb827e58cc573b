"""Hearts go to the middle and come back to where they were."""

from __future__ import annotations

import pytest
import torch
from heart_faults import clean_heart
from scipy import ndimage

from monai_cardiacgen.anatomy import centre_heart, heart_centre, place_heart, shift
from monai_cardiacgen.errors import LabelError


@pytest.fixture(scope="module")
def hearts() -> torch.Tensor:
    """The clean heart at three places, (3, 96, 96)."""
    return torch.stack([clean_heart().roll(offset, dims=(0, 1)) for offset in ((0, 0), (-20, 5), (17, -11))])


def test_the_centre_is_scipys_centre_of_mass(hearts):
    for label, centre in zip(hearts, heart_centre(hearts), strict=True):
        expected = ndimage.center_of_mass(label.numpy() > 0)
        assert centre.tolist() == pytest.approx([value - 47.5 for value in expected], abs=1e-3)


def test_the_centre_of_a_volume():
    label = torch.zeros(1, 5, 7, 9, dtype=torch.uint8)
    label[0, 4, 0, 5] = 2
    assert heart_centre(label).tolist() == [[2.0, -3.0, 1.0]]


def test_centred_hearts_are_alike_and_in_the_middle(hearts):
    centred, offsets = centre_heart(hearts)
    assert torch.equal(centred[0], centred[1])
    assert torch.equal(centred[0], centred[2])
    assert (heart_centre(centred).abs() <= 0.5).all()
    assert (offsets[1] - offsets[0]).tolist() == [-20, 5]
    assert offsets.dtype == torch.int64


def test_placing_undoes_centring(hearts):
    centred, offsets = centre_heart(hearts)
    placed = place_heart(centred, offsets)
    assert torch.equal(placed, hearts)
    assert placed.dtype == hearts.dtype


@pytest.mark.parametrize("offset", [(0, 0), (2, -3), (-4, 1), (5, 6), (-50, 0), (0, 50)])
def test_shift_brings_in_background_and_wraps_nothing(offset):
    label = torch.arange(1, 31).view(5, 6)
    expected = ndimage.shift(label.numpy(), offset, order=0, mode="constant", cval=0)
    assert shift(label, offset).tolist() == expected.tolist()


def test_a_map_without_a_heart_is_named(hearts):
    with pytest.raises(LabelError, match="got none in row 1"):
        heart_centre(torch.stack([hearts[0], torch.zeros_like(hearts[0])]))
