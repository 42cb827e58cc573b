"""Sectors round hearts: held by them where any does, any of those that do, and the heart untouched."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, CAMUS_SECTOR
from monai_cardiacgen.errors import InputError, LabelError, ShapeError
from monai_cardiacgen.inferers import SectorProposal
from monai_cardiacgen.seeding import row_generators, seeded

SECTORS = torch.zeros(3, 20, 20, dtype=torch.bool)
SECTORS[0, 2:18, 2:18] = True
SECTORS[1, 4:16, 2:18] = True
SECTORS[2, :8] = True


def heart(rows=slice(5, 14)) -> torch.Tensor:
    label = torch.zeros(20, 20, dtype=torch.int64)
    label[rows, 5:15] = 2
    label[rows, 7:12] = 1
    return label


def test_only_sectors_that_hold_the_heart_are_drawn_and_all_of_these():
    drawn = SectorProposal(SECTORS).around(heart().expand(40, -1, -1), seeded(0))
    seen = {tuple((one > 0).flatten().tolist()) for one in drawn}
    assert seen == {tuple(SECTORS[number].flatten().tolist()) for number in (0, 1)}
    for one in drawn:
        assert torch.equal(one.masked_fill(one == 4, 0), heart())


def test_a_small_share_may_lie_outside_as_experts_draw():
    reaching = heart(slice(1, 16))  # one of its 15 rows is outside the first sector, three outside the second
    drawn = SectorProposal(SECTORS, outside=0.1).around(reaching.expand(20, -1, -1), seeded(0))
    assert bool((drawn == drawn[0]).all())
    assert torch.equal(drawn[0] == 4, SECTORS[0] & (reaching == 0))
    assert bool((drawn[0][1, 5:15] > 0).all())


def test_without_a_sector_that_holds_it_the_one_that_holds_most_is_taken():
    high = heart(slice(0, 9))
    drawn = SectorProposal(SECTORS, outside=0).around(high[None], seeded(0))
    assert torch.equal(drawn[0] == 4, SECTORS[2] & (high == 0))


def test_a_row_depends_on_its_own_generator_only():
    labels = heart().expand(6, -1, -1)
    together = SectorProposal(SECTORS).around(labels, seeded(3))
    alone = SectorProposal(SECTORS).around(labels[4:5], row_generators(seeded(3), 6)[4:5])
    assert torch.equal(together[4:5], alone)


def test_unfit_arguments_are_refused():
    with pytest.raises(ShapeError, match="boolean sectors"):
        SectorProposal(SECTORS.float())
    with pytest.raises(InputError, match="outside"):
        SectorProposal(SECTORS, outside=2)
    with pytest.raises(LabelError, match="counterpart"):
        SectorProposal(SECTORS, heart_scheme=ACDC)
    with pytest.raises(ShapeError, match="one grid"):
        SectorProposal(SECTORS).around(torch.zeros(1, 8, 8, dtype=torch.int64), seeded(0))
    with pytest.raises(LabelError, match="codes"):
        SectorProposal(SECTORS, CAMUS, CAMUS_SECTOR).around(heart()[None] + 7, seeded(0))


def test_a_moved_heart_leaves_sector_behind_where_the_image_shows_it():
    label = SectorProposal(SECTORS[:1], outside=0.2).around(heart(slice(1, 14))[None], seeded(0))  # row 1 is outside
    image = SECTORS[None, :1].float()
    moved = SectorProposal(SECTORS[:1]).moved(label, heart(slice(8, 17))[None], image)[0]
    assert torch.equal(moved == 4, SECTORS[0] & (heart(slice(8, 17)) == 0))
    assert bool((moved[1] == 0).all())
    assert torch.equal(SectorProposal(SECTORS).hearts_in(moved[None])[0], heart(slice(8, 17)))


def test_a_heart_that_stays_changes_nothing_even_beyond_the_edge():
    reaching = heart(slice(1, 14))
    label = SectorProposal(SECTORS[:1]).around(reaching[None], seeded(0))
    assert torch.equal(SectorProposal(SECTORS[:1]).moved(label, reaching[None], SECTORS[None, :1].float()), label)
