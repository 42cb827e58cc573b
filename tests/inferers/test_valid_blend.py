"""The shortest way to a valid heart, between maps whose way is known."""

from __future__ import annotations

import torch
from disc_hearts import SPACING, disc_sampler

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.inferers.valid_blend import shortest_valid_way

CHECK = AnatomyCheck()


def disc(radius: float, wall: float) -> torch.Tensor:
    codes = disc_sampler().decode(torch.tensor([[radius - 6, wall - 3]]), torch.zeros(1, 2, dtype=torch.int64))[0]
    return ACDC.to_channels(codes)


def test_a_small_fault_needs_a_short_way():
    start, end = disc(7, 3), disc(10, 4)
    start[20, 20] = 0
    found = shortest_valid_way(start, end, SPACING, CHECK)
    assert CHECK(found[None], SPACING).valid.all()
    cavity = int((found == 3).sum())
    assert int((disc(7, 3) == 3).sum()) - 4 <= cavity < 0.6 * int((disc(10, 4) == 3).sum())


def test_a_wall_that_is_missing_needs_a_long_one():
    """Half of the wall of an empty-walled disc comes at half of the way, and a closed wall is two pixels thick."""
    start = torch.where(disc(7, 3) == 3, 3, 0)
    found = shortest_valid_way(start, disc(7, 3), SPACING, CHECK)
    assert CHECK(found[None], SPACING).valid.all()
    assert int((found == 2).sum()) > 0
    assert torch.equal(found == 3, ACDC.to_codes(disc(7, 3)) == 3)


def test_a_valid_start_is_left_at_most_a_step():
    found = shortest_valid_way(disc(7, 3), disc(10, 4), SPACING, CHECK)
    assert int((found != ACDC.to_codes(disc(7, 3))).sum()) < 20


def test_no_way_where_the_end_is_no_heart_either():
    start, end = disc(7, 3), disc(7, 3)
    start[20, 20] = 0
    end[19:21, 19:21] = 0
    assert shortest_valid_way(start, end, SPACING, CHECK) is None
