"""One writer at a time, and none that is dead."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from monai_cardiacgen.data import writer_lock
from monai_cardiacgen.data.writer_lock import WriterLock
from monai_cardiacgen.errors import DataError

HOLD = """
import fcntl, os, sys, time
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def test_another_process_holds_it_until_it_dies(tmp_path):
    path = tmp_path / ".lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataError, match="another run"):
            WriterLock(path, tmp_path)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert path.exists()  # the dead process left the file, and no lock
    lock = WriterLock(path, tmp_path)
    with pytest.raises(DataError, match="torchrun"):
        WriterLock(path, tmp_path)
    lock.release()
    lock.release()
    assert not path.exists()


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_again(tmp_path, monkeypatch):
    path = tmp_path / ".lock"
    opened, real = [], os.open

    def open_late(*arguments):
        handle = real(*arguments)
        if not opened:
            path.unlink()  # by the holder before, as it ends
        opened.append(handle)
        return handle

    monkeypatch.setattr(writer_lock.os, "open", open_late)
    lock = WriterLock(path, tmp_path)
    assert len(opened) == 2
    with pytest.raises(DataError):
        WriterLock(path, tmp_path)
    lock.release()


def test_a_file_system_without_locks_warns(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(writer_lock.fcntl, "flock", none)
    with pytest.warns(UserWarning, match="No lock guards"):
        lock = WriterLock(tmp_path / ".lock", tmp_path)
    lock.release()
