"""The last checkpoint and the one before it are whole at every moment, and a damaged one costs one round."""

from __future__ import annotations

import os
import shutil
import warnings

import pytest
from synthetic_cases import killed_after

from monai_cardiacgen.data import checkpoint_pair
from monai_cardiacgen.data.checkpoint_pair import CheckpointPair
from monai_cardiacgen.data.files import load_checkpoint
from monai_cardiacgen.errors import CheckpointError, DataError


def saved(folder, rounds) -> CheckpointPair:
    pair = CheckpointPair(folder / "training.pt")
    for number in range(1, rounds + 1):
        pair.save({"round": number})
    return pair


def rounds_of(pair) -> list[int]:
    return [load_checkpoint(path)["round"] for path in (pair.path, pair.previous) if path.is_file()]


def test_the_last_two_are_kept_and_nothing_else(tmp_path):
    assert CheckpointPair(tmp_path / "training.pt").load() is None
    pair = saved(tmp_path, 3)
    assert rounds_of(pair) == [3, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["training.previous.pt", "training.pt"]
    assert CheckpointPair(pair.path).load() == {"round": 3}


def test_a_damaged_one_is_told_and_the_one_before_it_outlives_the_next_save(tmp_path):
    path = saved(tmp_path, 2).path
    path.write_bytes(path.read_bytes()[:-10])
    pair = CheckpointPair(path)
    with pytest.warns(UserWarning, match=r"training\.pt is damaged .* going on from .*training\.previous\.pt"):
        assert pair.load() == {"round": 1}
    pair.save({"round": 20})
    assert rounds_of(pair) == [20, 1]
    pair.save({"round": 30})
    assert rounds_of(pair) == [30, 20]


def test_where_both_are_damaged_both_are_named(tmp_path):
    pair = saved(tmp_path, 2)
    for path in (pair.path, pair.previous):
        path.write_bytes(b"PK")
    with pytest.raises(CheckpointError, match=r"training\.pt or .*training\.previous\.pt, could read neither"):
        pair.load()


def test_the_only_one_that_is_damaged_is_an_error(tmp_path):
    pair = saved(tmp_path, 1)
    pair.path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"training\.pt"):
        pair.load()


def test_a_deleted_one_begins_anew_and_never_ends_in_an_earlier_training(tmp_path):
    saved(tmp_path, 2).path.unlink()
    pair = CheckpointPair(tmp_path / "training.pt")
    assert pair.load() is None
    pair.save({"round": 7})
    assert rounds_of(pair) == [7]


@pytest.mark.parametrize(("name", "calls"), [("link", 1), ("replace", 1), ("replace", 2), ("fsync", 1)])
def test_killed_before_each_step_of_the_third_save(tmp_path, name, calls):
    pair = saved(tmp_path, 2)
    assert killed_after(calls, name, lambda: pair.save({"round": 3}))
    assert rounds_of(pair)[0] == 2
    assert rounds_of(pair)[1] in (1, 2)
    again = CheckpointPair(pair.path)
    again.save({"round": 3})
    assert rounds_of(again) == [3, 2]


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("no links here")

    monkeypatch.setattr(checkpoint_pair.os, "link", refuse)
    assert rounds_of(saved(tmp_path, 3)) == [3, 2]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_leaves_both_as_they_were(tmp_path):
    pair = saved(tmp_path, 2)
    (tmp_path / f".training.pt.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"training\.pt, but the disk is full"):
        pair.save({"round": 3})
    assert rounds_of(pair) == [2, 1]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_is_made(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"can be written to for .*training\.pt, but the system refuses"):
        CheckpointPair(tmp_path / "file" / "models" / "training.pt").check_writable()
    CheckpointPair(tmp_path / "models" / "training.pt").check_writable()
    assert not list((tmp_path / "models").iterdir())


def test_a_whole_pair_gives_no_warning(tmp_path):
    pair = saved(tmp_path, 2)
    shutil.copyfile(pair.previous, pair.path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CheckpointPair(pair.path).load() == {"round": 1}
