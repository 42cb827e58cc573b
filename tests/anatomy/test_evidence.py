"""Every criterion that a hand-made fault breaks has pixels to mark, and they lie where the fault was drawn."""

from __future__ import annotations

import pytest
import torch
from echo_faults import ECHO_FAULTS, clean_echo
from echo_faults import SPACING as ECHO_SPACING
from heart_faults import FAULTS, SPACING, clean_heart
from whole_heart_faults import SPACING as VOLUME_SPACING
from whole_heart_faults import WHOLE_HEART_FAULTS, clean_whole_heart

from monai_cardiacgen.anatomy import CAMUS, MM_WHS, AnatomyCheck, find_evidence
from monai_cardiacgen.errors import ShapeError

SHORT_AXIS, APICAL, WHOLE = AnatomyCheck(), AnatomyCheck(CAMUS, "apical"), AnatomyCheck(MM_WHS, "whole heart")


@pytest.mark.parametrize("name", FAULTS)
def test_a_short_axis_fault_has_its_place(name):
    label = FAULTS[name]()
    evidence = find_evidence(SHORT_AXIS, label, SPACING)
    assert list(evidence) == [name]
    assert evidence[name].shape == label.shape
    assert evidence[name].any()


@pytest.mark.parametrize("name", ECHO_FAULTS)
def test_an_apical_fault_has_its_place(name):
    label = ECHO_FAULTS[name]()
    evidence = find_evidence(APICAL, label, ECHO_SPACING)
    assert list(evidence) == [name]
    assert evidence[name].shape == label.shape
    assert evidence[name].any()


@pytest.mark.parametrize("name", WHOLE_HEART_FAULTS)
def test_a_whole_hearts_fault_has_its_place(name):
    label = WHOLE_HEART_FAULTS[name]()
    evidence = find_evidence(WHOLE, label, VOLUME_SPACING)
    assert list(evidence) == [name]
    assert evidence[name].shape == label.shape
    assert evidence[name].any()


@pytest.mark.parametrize(
    "name", [name for name in FAULTS if name.split()[-1] in ("holes", "disconnected", "gap", "frontier")]
)
def test_the_marked_pixels_are_as_many_as_were_counted(name):
    label = FAULTS[name]()
    report = SHORT_AXIS(label[None], SPACING)
    value = float(report.values[0, [criterion.name for criterion in report.criteria].index(name)])
    area = 4 if name.endswith("gap") else 1
    assert int(find_evidence(SHORT_AXIS, label, SPACING)[name].sum()) * area == value


@pytest.mark.parametrize("name", [name for name in FAULTS if "holes" in name or "disconnected" in name])
def test_a_speck_is_marked_where_the_clean_heart_was_changed(name):
    label = FAULTS[name]()
    assert torch.equal(find_evidence(SHORT_AXIS, label, SPACING)[name], label != clean_heart())


@pytest.mark.parametrize("name", ["LV holes", "LA holes", "epicardium holes", "MYO disconnected", "LV-MYO gap"])
def test_so_it_is_in_apical_views(name):
    label = ECHO_FAULTS[name]()
    assert torch.equal(find_evidence(APICAL, label, ECHO_SPACING)[name], label != clean_echo())


@pytest.mark.parametrize("name", ["LV holes", "RA holes", "PA disconnected"])
def test_so_it_is_in_volumes(name):
    label = WHOLE_HEART_FAULTS[name]()
    assert torch.equal(find_evidence(WHOLE, label, VOLUME_SPACING)[name], label != clean_whole_heart())


def test_a_thread_of_wall_is_marked():
    where = find_evidence(APICAL, ECHO_FAULTS["MYO erosions to split"](), ECHO_SPACING)["MYO erosions to split"]
    assert where[33, 25]


def test_a_valid_map_has_nothing_to_mark():
    assert find_evidence(SHORT_AXIS, clean_heart(), SPACING) == {}
    assert find_evidence(SHORT_AXIS, torch.zeros(9, 9, dtype=torch.int64), SPACING) == {}


def test_absent_structures_mark_nothing_of_their_own():
    evidence = find_evidence(APICAL, torch.zeros(20, 20, dtype=torch.int64), ECHO_SPACING)
    assert len(evidence) == 12
    assert not any(where.any() for where in evidence.values())


def test_a_batch_is_refused():
    with pytest.raises(ShapeError, match=r"label maps \(B, H, W\)"):
        find_evidence(SHORT_AXIS, clean_heart()[None], SPACING)
