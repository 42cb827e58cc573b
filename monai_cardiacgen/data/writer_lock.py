"""One run at a time writes a set: a lock that ends with the process that holds it."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from pathlib import Path

from ..errors import DataError

if sys.platform != "win32":
    import fcntl

_HELD = (errno.EWOULDBLOCK, errno.EACCES)


class WriterLock:
    """An exclusive lock (`flock`) on a file, which is made for it and removed with it.

    The operating system drops the lock when the process dies, however it dies: the file that a killed process left
    means nothing. On a shared file system it holds between machines where the file system passes locks on (NFS 4,
    Lustre with `flock`); where there are none, Windows included, a warning says so once.

    Args:
        path: of the lock's file, in a folder that exists.
        what: is being written, for the error.

    Raises:
        DataError: when another process, or another lock of this one, holds it.
    """

    def __init__(self, path: Path, what: Path) -> None:
        self.path = path
        self._handle = self._acquire(what)

    def release(self) -> None:
        """Remove the file and let go of the lock; a second call does nothing."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def _acquire(self, what: Path) -> int | None:
        if sys.platform == "win32":
            warnings.warn(f"No lock guards {what} on this system; let one run at a time write it.", stacklevel=4)
            return None
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._names(handle):
                    return handle
            except OSError as error:
                if error.errno in _HELD:
                    os.close(handle)
                    raise DataError(
                        f"Expected to be alone in writing {what}, but another run is at it; wait until it ends, or "
                        f"start several ranks of one run with torchrun."
                    ) from error
                warnings.warn(f"No lock guards {what} ({error}); let one run at a time write it.", stacklevel=4)
                return handle
            os.close(handle)  # its holder removed the file in between

    def _names(self, handle: int) -> bool:
        """Return whether the path still leads to the open file."""
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False
