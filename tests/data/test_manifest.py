"""A file that is written in parts, line by line, and joined."""

from __future__ import annotations

import errno
import json
import os

import pytest

from monai_cardiacgen.data.manifest import all_lines, append_lines, join_parts, new_part, read_lines
from monai_cardiacgen.errors import DataError


def part_with(path, rank, *contents):
    part = new_part(path, rank)
    part.parent.mkdir(exist_ok=True)
    append_lines(part, contents)
    return part


def test_lines_come_back_in_order(tmp_path):
    path = tmp_path / "m.jsonl"
    assert read_lines(path) == []
    append_lines(path, [{"n": 0, "text": "ä\nb"}, {"n": 1}])
    append_lines(path, [{"n": 2}])
    assert read_lines(path) == [{"n": 0, "text": "ä\nb"}, {"n": 1}, {"n": 2}]


def test_torn_at_every_byte_of_the_last_line(tmp_path):
    path = tmp_path / "m.jsonl"
    append_lines(path, [{"n": 0}])
    whole = path.stat().st_size
    append_lines(path, [{"n": 1, "long": "x" * 20}])
    content = path.read_bytes()
    for end in range(whole, len(content)):
        path.write_bytes(content[:end])
        assert read_lines(path) == [{"n": 0}]


def test_parts_are_joined_in_the_order_of_the_numbers(tmp_path):
    path = tmp_path / "m.jsonl"
    append_lines(path, [{"number": 4}])
    part_with(path, 1, {"number": 3}, {"number": 0})
    torn = part_with(path, 0, {"number": 2})
    with torn.open("ab") as file:
        file.write(b'{"number": 1')
    part_with(path, 1, {"number": 4})  # joined already, but its part was not removed yet
    assert sorted(line["number"] for _, line in all_lines(path)) == [0, 2, 3, 4]
    join_parts(path)
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [0, 2, 3, 4]
    assert [one.name for one in tmp_path.iterdir()] == ["m.jsonl"]
    join_parts(path)
    assert [line["number"] for _, line in all_lines(path)] == [0, 2, 3, 4]


def test_two_different_lines_of_one_number_both_come_back(tmp_path):
    path = tmp_path / "m.jsonl"
    append_lines(path, [{"number": 4, "seed": 1}])
    part = part_with(path, 0, {"number": 4, "seed": 2})
    assert [where for where, _ in all_lines(path)] == [f"line 1 of {path}", f"line 1 of {part}"]


@pytest.mark.parametrize("taken", [0, 5])
def test_a_full_disk_leaves_the_lines_before(tmp_path, monkeypatch, taken):
    path = tmp_path / "m.jsonl"
    append_lines(path, [{"n": 0}])

    def full(handle):
        os.write(handle, b'{"n": '[:taken])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="full"):
        append_lines(path, [{"n": 1}, {"n": 2}])
    assert path.read_text() == '{"n": 0}\n'


@pytest.mark.parametrize("line", [b"{", b"[]", b"7", b"\xff\xfe", b"", b"[" * 100000])
def test_damage_inside_is_not_a_torn_line(tmp_path, line):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"n": 0}\n' + line + b'\n{"n": 1}\n')
    with pytest.raises(DataError, match="line 2"):
        read_lines(path)


def test_a_folder_is_no_manifest(tmp_path):
    with pytest.raises(DataError, match="could not read"):
        read_lines(tmp_path)
