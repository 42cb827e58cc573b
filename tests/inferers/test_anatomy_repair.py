"""Repair on an autoencoder that is written out: hearts of discs, so that the nearest valid one is known."""

from __future__ import annotations

import pytest
import torch
from disc_hearts import SPACING, disc_sampler

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import InputError, LabelError, ShapeError, SpacingError
from monai_cardiacgen.inferers.anatomy_repair import AnatomyRepair

MIDDLE = torch.zeros(1, 2, dtype=torch.int64)


def heart(offset: tuple[int, int] = (0, 0)) -> torch.Tensor:
    return disc_sampler().decode(torch.tensor([[0.5, 0.5]]), torch.tensor([offset]))[0]


def with_hole(label):
    label[20, 20] = 0


def with_hole_in_the_wall(label):
    label[20, 28] = 0


def with_stray_cavity(label):
    label[2:4, 2:4] = 3


def with_open_wall(label):
    label[18:22, 25:] = 0


def with_both_cavities_touching(label):
    label[18:22, 25:30] = 1


def with_a_distant_right_ventricle(label):
    label[18:22, 2:6] = 1


FAULTS = [
    with_hole,
    with_hole_in_the_wall,
    with_stray_cavity,
    with_open_wall,
    with_both_cavities_touching,
    with_a_distant_right_ventricle,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_an_invalid_map_becomes_valid_near_where_it_was(fault):
    whole = heart()
    broken = whole.clone()
    fault(broken)
    assert not AnatomyCheck()(broken[None], SPACING).valid[0]
    repaired = AnatomyRepair(disc_sampler())(broken[None], SPACING)
    assert repaired.valid.all()
    assert AnatomyCheck()(repaired.label, SPACING).valid.all()
    # What was planted is all that has to change; the outline elsewhere stays to the pixel.
    planted = int((broken != whole).sum())
    assert int((repaired.label[0] != broken).sum()) <= 2 * planted + 4
    assert float(repaired.changed) == pytest.approx(
        int((repaired.label[0] != broken).sum()) / int(((repaired.label[0] > 0) | (broken > 0)).sum())
    )


def test_a_hole_alone_is_filled_and_nothing_else():
    whole = heart((3, -2))
    broken = whole.clone()
    broken[22, 18] = 0
    assert torch.equal(AnatomyRepair(disc_sampler())(broken[None], SPACING).label[0], whole)


def test_valid_maps_come_back_untouched():
    label = torch.stack([heart(), torch.zeros_like(heart()), heart((5, 5))])
    before = label.clone()
    repaired = AnatomyRepair(disc_sampler())(label, SPACING)
    assert torch.equal(repaired.label, before)
    assert torch.equal(label, before)
    assert repaired.valid_before.all()
    assert repaired.valid.all()
    assert not repaired.changed.any()


def test_a_row_does_not_depend_on_its_batch():
    label = torch.stack([heart(), heart(), heart()])
    with_hole(label[0])
    with_open_wall(label[2])
    together = AnatomyRepair(disc_sampler())(label, SPACING)
    for row in range(3):
        assert torch.equal(AnatomyRepair(disc_sampler())(label[row : row + 1], SPACING).label[0], together.label[row])


def test_the_maps_grid_need_not_be_the_models():
    fine = heart().repeat_interleave(2, dim=0).repeat_interleave(2, dim=1)
    fine = torch.nn.functional.pad(fine, (7, 0, 3, 10))
    fine[46:48, 46:48] = 0
    repaired = AnatomyRepair(disc_sampler())(fine[None], (1.0, 1.0))
    assert repaired.valid.all()
    assert float(repaired.changed) < 0.01


def test_where_nothing_valid_is_found_the_map_stays():
    """Every decoded heart is judged too small, and so is every map on the way to it."""

    class Never(AnatomyCheck):
        def __call__(self, label, spacing):
            report = super().__call__(label, spacing)
            report.broken[:, 0] = True
            return report

    label = heart()[None]
    repaired = AnatomyRepair(disc_sampler(), check=Never())(label, SPACING)
    assert torch.equal(repaired.label, label)
    assert not repaired.valid.any()
    assert not repaired.changed.any()


def test_bad_input_is_refused():
    repair = AnatomyRepair(disc_sampler())
    with pytest.raises(ShapeError, match="slice by slice"):
        repair(heart(), SPACING)
    with pytest.raises(LabelError):
        repair(heart()[None] + 7, SPACING)
    with pytest.raises(SpacingError):
        repair(heart()[None], (2.0,))
    with pytest.raises(InputError, match="neighbour"):
        AnatomyRepair(disc_sampler(), neighbours=0)
    assert repair.scheme is ACDC
