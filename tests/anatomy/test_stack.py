"""Each criterion through slices is broken by a stack that breaks no other; most expert stacks pass."""

from __future__ import annotations

from collections.abc import Callable

import nibabel
import numpy as np
import pytest
import torch

from monai_cardiacgen.anatomy import ACDC, CAMUS, StackCheck
from monai_cardiacgen.anatomy.stack import STACK, measure_stack
from monai_cardiacgen.errors import LabelError, ShapeError, SpacingError

RV, MYO, LV = 1, 2, 3
SPACING = (2.0, 2.0, 8.0)
NAMES = [criterion.name for criterion in STACK]


def clean_stack(slices: int = 8) -> torch.Tensor:
    """Slices 1 to slices - 1 hold a ring round a cavity, with a right cavity beside it, (40, 40, slices + 1)."""
    label = torch.zeros(40, 40, slices + 1, dtype=torch.int64)
    label[4:10, 12:24, 1:] = RV
    label[10:26, 10:26, 1:] = MYO
    label[14:22, 14:22, 1:] = LV
    return label


def _without(code: int, slices: slice = slice(None), keep: int = 0) -> Callable[[], torch.Tensor]:
    def make() -> torch.Tensor:
        label = clean_stack()
        part = label[..., slices]
        where = (part == code).nonzero()[keep:]
        part[tuple(where.T)] = 0
        return label

    return make


def _without_wall() -> torch.Tensor:
    return _without(MYO, keep=9)()


#: Criterion name -> the stack that breaks it, and the names of those that break with it, for they ask for the same.
FAULTS: dict[str, tuple[Callable[[], torch.Tensor], set[str]]] = {
    "LV voxels": (_without(LV, keep=9), {"LV and MYO slices"}),
    "MYO voxels": (_without_wall, {"LV and MYO slices"}),
    "RV voxels": (_without(RV, keep=9), {"RV pixels on the middle slice"}),
    "LV and MYO slices": (lambda: clean_stack(5), set()),
    "missing slices": (_without(LV, slice(3, 4)), set()),
    "RV pixels on the middle slice": (_without(RV, slice(4, 6)), set()),
}


def broken(label: torch.Tensor) -> set[str]:
    report = StackCheck()(label[None], SPACING)
    return {name for name, is_broken in zip(NAMES, report.broken[0], strict=True) if is_broken}


def test_every_criterion_has_its_fault():
    assert list(FAULTS) == NAMES
    assert broken(clean_stack()) == set()


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_breaks_its_criterion_and_only_what_asks_for_the_same(name):
    make, along = FAULTS[name]
    assert broken(make()) == {name} | along


def test_values_are_those_that_were_drawn():
    values = StackCheck()(clean_stack()[None], SPACING).values[0].tolist()
    assert values == [8 * 64, 8 * (256 - 64), 8 * 72, 8, 0, 72]


def test_the_middle_follows_the_left_cavity_and_not_the_volume():
    label = clean_stack()
    label[4:10, 12:24, 1] = 0
    padded = torch.cat((torch.zeros(40, 40, 20, dtype=torch.int64), label), dim=2)
    assert broken(padded) == broken(label) == set()


def test_a_gap_of_two_slices_counts_two():
    label = clean_stack(10)
    label[..., 4:6] = 0
    assert StackCheck()(label[None], SPACING).values[0, NAMES.index("missing slices")] == 2


def test_a_batch_equals_each_stack_and_an_empty_stack_breaks():
    maps = torch.stack([clean_stack(), FAULTS["missing slices"][0](), torch.zeros_like(clean_stack())])
    whole = StackCheck()(maps, SPACING)
    for row, label in enumerate(maps):
        assert torch.equal(StackCheck()(label[None], SPACING).values[0], whole.values[row])
    assert whole.valid.tolist() == [True, False, False]
    assert whole.values[2].tolist() == [0] * 6


def test_measure_takes_pixel_counts():
    pixels = torch.tensor([[0, 9, 10, 50, 50, 50, 50, 50, 50]])
    assert measure_stack(pixels, pixels, pixels)["LV and MYO slices"].tolist() == [7]


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match=r"stacks \(B, H, W, slices\)"):
        StackCheck()(clean_stack(), SPACING)
    with pytest.raises(SpacingError, match="3 positive spacings"):
        StackCheck()(clean_stack()[None], SPACING[:2])
    with pytest.raises(LabelError, match="got also"):
        StackCheck()(clean_stack()[None] * 5, SPACING)
    with pytest.raises(LabelError, match="right ventricular cavity"):
        StackCheck(CAMUS)


@pytest.mark.real_data
def test_expert_stacks_are_valid(acdc_folder):
    valid = []
    for patient in sorted(acdc_folder.glob("patient*"))[::10]:
        for path in sorted(patient.glob("*_gt.nii.gz")):
            volume = nibabel.load(path)
            label = torch.from_numpy(np.asarray(volume.dataobj).astype(np.int64))
            report = StackCheck(ACDC)(label[None], [float(mm) for mm in volume.header.get_zooms()])
            valid.append(bool(report.valid))
    assert len(valid) == 20
    assert np.mean(valid) >= 0.8
