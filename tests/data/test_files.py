"""Files are whole or absent."""

from __future__ import annotations

import json
import pickle

import pytest
import torch

from monai_cardiacgen.data.files import (
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
