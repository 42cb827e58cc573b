"""Where a box lies, and where it must not."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.inferers import box_mask


def extent(mask: torch.Tensor) -> list[tuple[int, int]]:
    places = torch.nonzero(mask)
    return list(zip(places.amin(0).tolist(), places.amax(0).tolist(), strict=True))


def test_it_is_centred_by_default():
    mask = box_mask((128, 128))
    assert int(mask.sum()) == 25 * 25
    assert extent(mask) == [(52, 76)] * 2  # 128 and 25: half a pixel off
    assert torch.equal(box_mask((9, 9), 3), box_mask((9, 9), 3).flip(0, 1))


def test_it_lies_round_its_centre_in_any_dimensions():
    assert extent(box_mask((20, 30, 40), (3, 5, 7), (10, 11, 12))) == [(9, 11), (9, 13), (9, 15)]
    assert extent(box_mask((20, 20), 4, (9.4, 2.0))) == [(8, 11), (1, 4)]


def test_bad_boxes_are_refused():
    with pytest.raises(InputError, match="within the image"):
        box_mask((20, 20), 5, (1, 10))
    with pytest.raises(InputError, match="within the image"):
        box_mask((20, 20), 25)
    with pytest.raises(InputError, match="positive sides"):
        box_mask((20, 20), 0)
    with pytest.raises(InputError, match="finite"):
        box_mask((20, 20), 3, (float("nan"), 4))
    with pytest.raises(ShapeError, match="2 numbers"):
        box_mask((20, 20), (3, 3, 3))
