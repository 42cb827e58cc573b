"""The public datasets' codes, maps between them, and users' own schemes."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.anatomy import (
    ACDC,
    ASCENDING_AORTA,
    CAMUS,
    CAMUS_SECTOR,
    LEFT_ATRIUM,
    LV_CAVITY,
    MM_WHS,
    MYOCARDIUM,
    PULMONARY_ARTERY,
    RIGHT_ATRIUM,
    RV_CAVITY,
    SUNNYBROOK,
    ULTRASOUND_SECTOR,
    WHOLE_HEART,
    label_scheme,
    label_scheme_from_yaml,
)
from monai_cardiacgen.errors import LabelError

ALL = (ACDC, SUNNYBROOK, CAMUS, CAMUS_SECTOR, MM_WHS, WHOLE_HEART)


@pytest.mark.parametrize("scheme", ALL, ids=lambda scheme: scheme.name)
def test_schemes_are_found_by_name(scheme):
    assert label_scheme(scheme.name) is scheme


def test_an_unknown_name_is_told_which_there_are():
    with pytest.raises(LabelError, match=r"\['ACDC', 'CAMUS', 'CAMUS with sector', .*\], got 'acdc'"):
        label_scheme("acdc")


def test_mm_whs_has_the_challenges_seven_codes():
    assert {name: MM_WHS.code(name) for name in MM_WHS.names[1:]} == {
        LV_CAVITY: 500,
        RV_CAVITY: 600,
        LEFT_ATRIUM: 420,
        RIGHT_ATRIUM: 550,
        MYOCARDIUM: 205,
        ASCENDING_AORTA: 820,
        PULMONARY_ARTERY: 850,
    }


def test_camus_codes_and_its_sector():
    assert CAMUS.codes == (0, 1, 2, 3)
    assert CAMUS_SECTOR.code(ULTRASOUND_SECTOR) == 4
    label = torch.tensor([[0, 1, 2, 3, 4]])
    assert CAMUS_SECTOR.to_scheme(label, CAMUS, without=(ULTRASOUND_SECTOR,)).tolist() == [[0, 1, 2, 3, 0]]


def test_the_whole_heart_is_the_union_of_the_seven():
    label = torch.tensor([MM_WHS.codes])
    assert MM_WHS.to_scheme(label, WHOLE_HEART).tolist() == [[0] + [1] * 7]


def test_between_short_axis_datasets_the_right_ventricle_must_be_given_up():
    label = torch.tensor([[0, 1, 2, 3]])
    with pytest.raises(LabelError, match="right ventricular cavity"):
        ACDC.to_scheme(label, SUNNYBROOK)
    assert ACDC.to_scheme(label, SUNNYBROOK, without=(RV_CAVITY,)).tolist() == [[0, 0, 2, 3]]
    seven = torch.tensor([[0, 205, 500, 600, 850]])
    lost = (LEFT_ATRIUM, RIGHT_ATRIUM, ASCENDING_AORTA, PULMONARY_ARTERY)
    assert MM_WHS.to_scheme(seven, ACDC, without=lost).tolist() == [[0, 2, 3, 1, 0]]


def test_a_users_yaml_maps_to_the_public_schemes():
    scheme = label_scheme_from_yaml(
        f"""
        name: my hospital
        structures:
          - {{name: {LV_CAVITY}, code: 10, colour: [1, 0.5, 0]}}
          - {{name: {MYOCARDIUM}, code: 20}}
          - {{name: outline, code: 30, parts: [{LV_CAVITY}, {MYOCARDIUM}]}}
        """
    )
    assert scheme.codes == (0, 10, 20, 30)
    assert scheme.structures[0].colour == (1.0, 0.5, 0.0)
    assert scheme.structures[1].colour == ACDC.structures[1].colour
    assert scheme.structures[2].parts == (LV_CAVITY, MYOCARDIUM)
    assert scheme.to_scheme(torch.tensor([10, 20]), SUNNYBROOK, without=("outline",)).tolist() == [3, 2]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: [", "could not parse"),
        ("[" * 2000, "could not parse"),
        ("just text", "keys name and structures in a label scheme, got str"),
        ("name: x", r"keys name and structures in a label scheme, got \['name'\]"),
        ("{name: x, structures: [], more: 1}", "keys name and structures"),
        ("{name: 3, structures: []}", "a text as name"),
        ("{name: x, structures: 3}", "a list as structures"),
        ("{name: x, structures: []}", "unique names"),
        ("{name: x, structures: [{name: a}]}", "name and code"),
        ("{name: x, structures: [{name: a, code: 1, color: red}]}", "name and code"),
        ("{name: x, structures: [{name: a, code: one}]}", "a whole number as code"),
        ("{name: x, structures: [{name: a, code: true}]}", "a whole number as code"),
        ("{name: x, structures: [{name: a, code: 1, colour: red}]}", "red, green and blue"),
        ("{name: x, structures: [{name: a, code: 1, colour: [2, 0, 0]}]}", "red, green and blue"),
        ("{name: x, structures: [{name: a, code: 1, colour: [.nan, 0, 0]}]}", "red, green and blue"),
        ("{name: x, structures: [{name: a, code: 1, parts: b}]}", "a list of names as parts"),
        ("{name: x, structures: [{name: a, code: 1}, {name: b, code: 1}]}", "unique codes"),
        ("!!python/object/apply:os.system [true]", "could not parse"),
    ],
)
def test_broken_yaml_gets_one_sentence(text, sentence):
    with pytest.raises(LabelError, match=sentence):
        label_scheme_from_yaml(text)
