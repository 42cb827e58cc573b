"""What was found in a set, as long as the set has the images in which it was found."""

from __future__ import annotations

import json

import pytest
from synthetic_cases import SLICES, case

from monai_cardiacgen.data import SyntheticSet, SyntheticSetWriter, read_memorisation, write_memorisation
from monai_cardiacgen.errors import DataError, InputError


def write(folder, count=3):
    with SyntheticSetWriter(folder, SLICES) as writer:
        for number in writer.missing(count):
            writer.add(*case(SLICES, number))
    return SyntheticSet(folder)


def test_a_set_without_a_record_is_not_tested(tmp_path):
    record = read_memorisation(write(tmp_path))
    assert (record.cases, record.tested, record.copies) == (3, 0, ())
    assert record.sentence == "not tested for copies of training images"


def test_copies_are_told_and_new_cases_are_untested(tmp_path):
    write_memorisation(write(tmp_path), ["case_000001"], {"patients": 7})
    record = read_memorisation(write(tmp_path, 5))
    assert (record.cases, record.tested, record.copies) == (5, 3, ("case_000001",))
    assert record.against == {"patients": 7}
    assert "found case_000001 among 3 cases (2 further cases were not tested)" in record.sentence
    assert json.loads(json.dumps(record.to_json()))["copies"] == ["case_000001"]


def test_a_case_that_was_made_again_is_not_blamed(tmp_path):
    write_memorisation(write(tmp_path), ["case_000001"], {})
    manifest = tmp_path / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    lines[1]["image_sha256"] = "0" * 64
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    record = read_memorisation(SyntheticSet(tmp_path))
    assert (record.tested, record.copies) == (2, ())


def test_strange_cases_and_damaged_records_are_refused(tmp_path):
    source = write(tmp_path)
    with pytest.raises(DataError, match="case_000009"):
        write_memorisation(source, ["case_000009"], {})
    with pytest.raises(InputError, match="plain JSON"):
        write_memorisation(source, [], {"limit": float("nan")})
    path = write_memorisation(source, [], {})
    path.write_text('{"format": 1, "copies": 3}')
    with pytest.raises(DataError, match="test again"):
        read_memorisation(source)
