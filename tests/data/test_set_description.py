"""What is known about a set and its cases."""

from __future__ import annotations

import json

import pytest
from synthetic_cases import SLICES, VOLUMES

from monai_cardiacgen.anatomy.schemes import ACDC, WHOLE_HEART
from monai_cardiacgen.data.set_description import CaseRecord, SetDescription, inner_path, plain_json
from monai_cardiacgen.errors import DataError, InputError, SpacingError


@pytest.mark.parametrize("description", [SLICES, VOLUMES, SetDescription(WHOLE_HEART, (1, 1, 1), "b", "")])
def test_a_description_survives_json(description):
    assert SetDescription.from_json(json.loads(json.dumps(description.to_json())), "here") == description


@pytest.mark.parametrize("record", [CaseRecord(3, 5), CaseRecord(0, 1, "vary", 0.5, {"a": [1, None]}, {"phase": "ES"})])
def test_a_record_survives_json(record):
    assert CaseRecord.from_json(json.loads(json.dumps(record.to_json())), "here") == record


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((ACDC, (1.0,), "b", "1"), SpacingError),
        ((ACDC, (1.0, -1.0), "b", "1"), SpacingError),
        ((ACDC, (1.0, 1.0, 1.0, 1.0), "b", "1"), SpacingError),
        ((ACDC, (1.0, 1.0), "", "1"), InputError),
        ((ACDC, (1.0, 1.0), "b", "1", "", "PET"), InputError),
        ((ACDC, (1.0, 1.0), "b", "1", "", "MR", {"a": float("nan")}), InputError),
        ((ACDC, (1.0, 1.0), "b", "1", "", "MR", {"a": object()}), InputError),
    ],
)
def test_refuses_odd_descriptions(arguments, error):
    with pytest.raises(error, match="Expected"):
        SetDescription(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        (-1, 0),
        (1.0, 0),
        (True, 0),
        (0, "seed"),
        (0, 0, "other"),
        (0, 0, "vary", 0.0),
        (0, 0, "vary", 1.5),
        (0, 0, "new", 0.0, {"a": {1, 2}}),
        (0, 0, "new", 0.0, {}, {"patient": "Smith"}),
    ],
)
def test_refuses_odd_records(arguments):
    with pytest.raises(InputError, match="Expected"):
        CaseRecord(*arguments)


@pytest.mark.parametrize("key", list(SLICES.to_json()))
@pytest.mark.parametrize("value", [None, 7, [], {}, "x", [[[[]]]]])
def test_odd_json_is_one_error(key, value):
    content = {**SLICES.to_json(), key: value}
    try:
        SetDescription.from_json(content, "set.json")
    except DataError as error:
        assert "set.json" in str(error)  # noqa: PT017
    else:
        assert key in ("bundle", "version", "view", "origin")  # these may be any text, or empty


def test_inner_paths():
    assert inner_path("images/a.nii.gz", "here").parts == ("images", "a.nii.gz")
    for name in ("/etc/passwd", "../x", "a/../../x", "", ".", None, 7, "C:/x", "a\\..\\x", "a\0b"):
        with pytest.raises(DataError, match="inside the synthetic set"):
            inner_path(name, "line 1")


def test_plain_json_is_what_a_file_gives_back():
    assert plain_json({"a": (1, 2)}, "it") == {"a": [1, 2]}
