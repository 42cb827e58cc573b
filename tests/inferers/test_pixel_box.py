"""A box holds all that is needed with its margin, within the image, in few sizes."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.inferers.pixel_box import box_of, parents_of_box, within
from monai_cardiacgen.seeding import seeded


@pytest.mark.parametrize("size", [(96, 72), (64, 40, 36)])
@pytest.mark.parametrize("seed", range(5))
def test_holds_what_is_needed_with_its_margin(size, seed):
    generator = seeded(seed)
    needed = torch.zeros(2, *size, dtype=torch.bool)
    ends = [torch.randint(side, (2,), generator=generator).sort().values.tolist() for side in size]
    needed[(1, *(slice(first, last + 1) for first, last in ends))] = True
    box = box_of(needed, margin=3)
    for (first, last), side, whole in zip(ends, box, size, strict=True):
        assert 0 <= side.start <= max(0, first - 3)
        assert min(whole, last + 4) <= side.stop <= whole
        assert side.start % 2 == 0
        assert (side.stop - side.start) % 32 == 0 or side.stop - side.start == whole


def test_where_nothing_is_needed_the_box_is_small():
    assert box_of(torch.zeros(1, 64, 64, dtype=torch.bool), margin=2) == (slice(0, 32), slice(0, 32))


def test_pixels_within_a_box_are_those_of_the_cut_image():
    image = torch.arange(2 * 8 * 6.0).view(2, 8, 6, 1)
    cut = within(image.view(-1, 1), torch.Size((2, 8, 6)), (slice(2, 6), slice(0, 4)))
    assert torch.equal(cut.view(2, 4, 4, 1), image[:, 2:6, :4])


def test_the_parents_of_a_boxs_pixels():
    assert parents_of_box(torch.Size((2, 8, 6)), (slice(2, 6), slice(0, 4))) == (
        torch.Size((2, 4, 3)),
        (slice(1, 3), slice(0, 2)),
    )
