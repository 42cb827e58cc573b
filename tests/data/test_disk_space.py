"""Room on the disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple

import pytest

from monai_cardiacgen.data import disk_space
from monai_cardiacgen.data.disk_space import check_free_space, full_disk_told
from monai_cardiacgen.errors import DataError


def test_enough_and_too_little(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    check_free_space(tmp_path / "not" / "there" / "yet", free // 2, files=10)
    with pytest.raises(DataError, match=r"room for up to [\d.]+ .B at .*, got [\d.]+ .B free; free some"):
        check_free_space(tmp_path / "x", 2 * free, files=10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("entries", "free", "refused"), [(100, 9, True), (100, 10, False), (0, 0, False)])
def test_file_entries(tmp_path, monkeypatch, entries, free, refused):
    system = namedtuple("statvfs", "f_bavail f_blocks f_bfree f_frsize f_files f_favail")(9, 9, 9, 9, entries, free)
    monkeypatch.setattr(disk_space.os, "statvfs", lambda _: system)
    if refused:
        with pytest.raises(DataError, match="10 files"):
            check_free_space(tmp_path, 1, files=10)
    else:
        check_free_space(tmp_path, 1, files=10)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        OSError("file write failed: errno = 28, error message = 'No space left on device'"),
    ],
)
def test_a_full_disk_is_one_sentence(tmp_path, error):
    with pytest.raises(DataError, match=r"case\.nii, but the disk is full"), full_disk_told(tmp_path / "case.nii"):
        raise error


def test_other_errors_pass():
    with pytest.raises(PermissionError), full_disk_told(os.devnull):
        raise PermissionError(errno.EACCES, "no")
    with pytest.raises(DataError, match="mine"), full_disk_told(os.devnull):
        raise DataError("mine")
