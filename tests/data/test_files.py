"""Files are whole or absent."""

from __future__ import annotations

import json
import os
import pickle

import pytest
import torch

from monai_cardiacgen.data.files import (
    check_writable,
    load_checkpoint,
    read_csv,
    read_json,
    save_checkpoint,
    whole_file,
    write_csv,
    write_json,
)
from monai_cardiacgen.errors import CheckpointError, DataError


def test_a_broken_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "sub" / "a.txt"
    with whole_file(path) as beside:
        beside.write_text("old")

    def breaks():
        with whole_file(path) as beside:
            beside.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks()
    assert path.read_text() == "old"
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]


def test_checkpoint_round_trip(tmp_path):
    state = {"weights": {"w": torch.arange(3.0)}, "round": 2, "history": [{"loss": 0.5}]}
    save_checkpoint(tmp_path / "c.pt", state)
    loaded = load_checkpoint(tmp_path / "c.pt")
    assert torch.equal(loaded["weights"]["w"], torch.arange(3.0))
    assert (loaded["round"], loaded["history"]) == (2, [{"loss": 0.5}])


class Unsafe:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize("damage", ["missing", "cut", "unsafe"])
def test_bad_checkpoint_is_one_error(tmp_path, damage, capsys):
    path = tmp_path / "c.pt"
    if damage == "cut":
        save_checkpoint(path, {"w": torch.rand(100)})
        path.write_bytes(path.read_bytes()[:300])
    if damage == "unsafe":
        path.write_bytes(pickle.dumps(Unsafe(), protocol=2))
    with pytest.raises(CheckpointError, match="checkpoint"):
        load_checkpoint(path)
    assert "executed" not in capsys.readouterr().out


def test_one_changed_byte_of_a_weight_is_found(tmp_path):
    path, weights = tmp_path / "c.pt", torch.arange(100.0)
    save_checkpoint(path, {"w": weights})
    content = bytearray(path.read_bytes())
    content[content.index(weights.numpy().tobytes()) + 17] ^= 1
    path.write_bytes(content)
    assert not torch.equal(torch.load(path, weights_only=True)["w"], weights)  # PyTorch does not look
    with pytest.raises(CheckpointError, match="not what was written"):
        load_checkpoint(path)


def test_equal_states_are_equal_files(tmp_path):
    for name in "ab":
        save_checkpoint(tmp_path / name, {"w": torch.arange(100.0), "round": 3})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_full_disk_is_one_error_and_leaves_the_old_file(tmp_path, size):
    path = tmp_path / "c.pt"
    save_checkpoint(path, {"round": 1})
    (tmp_path / f".c.pt.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"c\.pt, but the disk is full"):
        save_checkpoint(path, {"w": torch.zeros(size)})
    assert load_checkpoint(path) == {"round": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["c.pt"]


def test_what_is_no_folder_or_no_file_is_told_before_the_block(tmp_path):
    (tmp_path / "file").touch()
    for path, words in ((tmp_path / "file" / "a.txt", "system refuses"), (tmp_path, "got a folder")):
        with pytest.raises(DataError, match=words):
            check_writable(path)
        with pytest.raises(DataError, match=words), whole_file(path):
            pytest.fail("the block must not begin")
    check_writable(tmp_path / "new" / "a.txt")
    assert not list((tmp_path / "new").iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="rights do not bind this user")
def test_a_folder_without_the_right_to_write(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="Permission denied"):
        check_writable(tmp_path / "a.txt")
    tmp_path.chmod(0o700)


def test_tables_and_settings(tmp_path):
    write_csv(tmp_path / "t.csv", [{"a": 1, "b": "x, y"}, {"a": 2, "b": ""}])
    assert read_csv(tmp_path / "t.csv") == [{"a": "1", "b": "x, y"}, {"a": "2", "b": ""}]
    write_json(tmp_path / "s.json", {"seed": 3})
    assert json.loads((tmp_path / "s.json").read_text()) == read_json(tmp_path / "s.json") == {"seed": 3}
    with pytest.raises(DataError, match="found none"):
        read_csv(tmp_path / "u.csv")


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_settings_that_are_none(tmp_path, content):
    if content is not None:
        (tmp_path / "s.json").write_text(content)
    with pytest.raises(DataError, match="Expected"):
        read_json(tmp_path / "s.json")
