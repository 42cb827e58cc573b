"""Each of the 16 criteria is broken by a map that breaks no other."""

from __future__ import annotations

import pytest
import torch
from heart_faults import FAULTS, SPACING, clean_heart

from monai_cardiacgen.anatomy import AnatomyCheck
from monai_cardiacgen.anatomy.short_axis import SHORT_AXIS, measure_short_axis


def measured(label: torch.Tensor, spacing=SPACING) -> dict[str, float]:
    lv, rv, myo = (label[None] == code for code in (3, 1, 2))
    return {name: float(value) for name, value in measure_short_axis(lv, rv, myo, spacing).items()}


def test_there_are_16_criteria_and_a_value_for_each():
    assert len(SHORT_AXIS) == 16
    assert sorted(measured(clean_heart())) == sorted(criterion.name for criterion in SHORT_AXIS)
    assert sorted(FAULTS) == sorted(criterion.name for criterion in SHORT_AXIS)


def test_a_clean_heart_breaks_none():
    assert AnatomyCheck()(clean_heart()[None], SPACING).reasons(0) == ()


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_breaks_its_criterion_alone(name):
    report = AnatomyCheck()(FAULTS[name]()[None], SPACING)
    broken = [c.name for c, is_broken in zip(report.criteria, report.broken[0], strict=True) if is_broken]
    assert broken == [name]


def test_values_of_faults_are_those_that_were_drawn():
    values = {name: measured(make())[name] for name, make in FAULTS.items()}
    for name in ("LV holes", "RV holes", "MYO holes"):
        assert values[name] == 1
    for name in ("LV disconnected", "RV disconnected", "MYO disconnected"):
        assert values[name] == 1
    assert values["LV-MYO gap"] == 3 * 4  # pixels of 4 mm²
    assert values["RV-MYO gap"] == 4 * 4
    # Moved by 4 pixels, of which one is the dilation's; next neighbours are one pixel apart from the start.
    assert 2 <= values["RV-MYO distance"] <= 8


def test_frontiers_and_gaps_stay_within_their_limits_for_a_single_pixel():
    label = clean_heart()
    label[48, 62] = 0  # a speck of 4 mm² in the wall, 2 pixels off the cavity
    assert measured(label)["LV-background frontier"] == 0
    label = clean_heart()
    label[48, 37] = 0  # a speck between the right cavity and the septum
    assert measured(label)["RV-MYO gap"] == 4
    assert AnatomyCheck()(label[None], SPACING).valid.all()


def test_lengths_and_areas_scale_with_the_spacing_and_counts_do_not():
    for name in ("RV-MYO gap", "RV-MYO distance", "LV concavity", "RV holes", "LV circularity"):
        fine, coarse = (measured(FAULTS[name](), (mm, mm))[name] for mm in (1.0, 3.0))
        factor = {"RV-MYO gap": 9, "RV-MYO distance": 3, "LV concavity": 3}.get(name, 1)
        assert coarse == pytest.approx(factor * fine)


def test_an_open_ring_is_seen_by_its_frontier_and_its_shape():
    label = clean_heart()
    label[46:51, 58:] = 0
    report = AnatomyCheck()(label[None], SPACING)
    broken = {c.name for c, is_broken in zip(report.criteria, report.broken[0], strict=True) if is_broken}
    assert {"LV-background frontier", "MYO concavity"} <= broken
    assert "MYO holes" not in broken


def test_absent_structures_have_no_shape():
    values = measured(torch.zeros_like(clean_heart()))
    undefined = {name for name, value in values.items() if value != value}
    assert undefined == {
        "RV-MYO distance",
        "LV concavity",
        "RV concavity",
        "MYO concavity",
        "LV circularity",
        "MYO circularity",
    }
