"""Room on the disk: asked for before anything is made, and told plainly when it runs out."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import DataError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def check_free_space(path: Path, size: int, files: int) -> None:
    """See that a file system has room.

    Args:
        path: somewhere on the file system; it need not exist.
        size: bytes that will be written at most.
        files: how many files that will be.

    Raises:
        DataError: when fewer bytes or file entries (inodes) are free.
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if size > free:
        raise DataError(
            f"Expected room for up to {_readable(size)} at {path}, got {_readable(free)} free; free some, name a "
            f"place on another disk, or ask for fewer cases."
        )
    if not hasattr(os, "statvfs"):
        return
    entries = os.statvfs(there)
    if entries.f_files and files > entries.f_favail:  # some file systems have no fixed number, and say 0
        raise DataError(
            f"Expected room for {files} files at {path}, got {entries.f_favail} free entries (inodes); name a place "
            f"on another disk, or write the set as one HDF5 file."
        )


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Turn the operating system's word for a full disk, or a used-up quota, into one sentence.

    Raises:
        DataError: when a write to `path` in the block found no room.
    """
    try:
        yield
    except DataError:
        raise
    except OSError as error:
        if error.errno not in _FULL and os.strerror(errno.ENOSPC) not in str(error):  # HDF5 passes on the text alone
            raise
        raise DataError(
            f"Expected room to write {path}, but the disk is full or the quota used up; what was written before is "
            f"whole: free some and run the same command again."
        ) from error


def _readable(size: int) -> str:
    """Return a number of bytes with three digits and a unit.

    Example:
        >>> _readable(4_320_000_000)
        '4.32 GB'
    """
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB")):
        if size >= 1000**power:
            return f"{size / 1000**power:.3g} {unit}"
    return f"{size / 1000:.3g} kB"
