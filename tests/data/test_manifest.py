"""A file that grows line by line."""

from __future__ import annotations

import pytest

from monai_cardiacgen.data.manifest import append_line, cut_torn_line, read_lines
from monai_cardiacgen.errors import DataError


def test_lines_come_back_in_order(tmp_path):
    path = tmp_path / "m.jsonl"
    assert read_lines(path) == []
    cut_torn_line(path)  # nothing to cut, nothing made
    assert not path.exists()
    for number in range(3):
        append_line(path, {"n": number, "text": "ä\nb"})
    assert read_lines(path) == [{"n": number, "text": "ä\nb"} for number in range(3)]


def test_torn_at_every_byte_of_the_last_line(tmp_path):
    path = tmp_path / "m.jsonl"
    append_line(path, {"n": 0})
    whole = path.stat().st_size
    append_line(path, {"n": 1, "long": "x" * 20})
    content = path.read_bytes()
    for end in range(whole, len(content)):
        path.write_bytes(content[:end])
        assert read_lines(path) == [{"n": 0}]
        cut_torn_line(path)
        assert path.stat().st_size == whole
        append_line(path, {"n": 2})
        assert read_lines(path) == [{"n": 0}, {"n": 2}]


@pytest.mark.parametrize("line", [b"{", b"[]", b"7", b"\xff\xfe", b"", b"[" * 100000])
def test_damage_inside_is_not_a_torn_line(tmp_path, line):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"n": 0}\n' + line + b'\n{"n": 1}\n')
    with pytest.raises(DataError, match="line 2"):
        read_lines(path)


def test_a_folder_is_no_manifest(tmp_path):
    with pytest.raises(DataError, match="could not read"):
        read_lines(tmp_path)
