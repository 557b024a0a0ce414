"""Locks on files, which the system itself releases when their holder dies, however it dies."""

from __future__ import annotations

import sys
from typing import IO

_TRIES = 12  # on Windows, of ten seconds each

if sys.platform == "win32":
    import msvcrt

    def lock(file: IO[bytes], wait: bool = False) -> bool:
        """Lock an open file, for as long as it is open; see below."""
        for _ in range(_TRIES if wait else 1):
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                continue
        return False

else:
    import fcntl

    def lock(file: IO[bytes], wait: bool = False) -> bool:
        """Lock an open file, for as long as it is open.

        Parameters
        ----------
        wait
            Whether to wait for another holder.

        Returns
        -------
            False where another process, or another opening of the file in this one, has it, or where the file system
            has no locks.
        """
        try:
            # flock, not lockf: it belongs to this open file, so closing another handle does not drop it.
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            return False
        return True
