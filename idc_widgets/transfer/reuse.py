"""Taking a series' files from another folder of the same destination, in place of fetching them again."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from .verify import of_right_size

_BLOCK = 8 << 20
_CLONE = 0x40049409  # FICLONE of Linux: both files share the disk's blocks until one of them is written
_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})


def take(
    source: Path, staging: Path, sizes: dict[str, int], how: str, stopped: Callable[[], bool] = lambda: False
) -> list[str]:
    """Copy or link files into a staging folder; return the names of those that came, which are to be verified.

    Parameters
    ----------
    source, staging
        From where, and to where.
    sizes
        The files by name, with the sizes that they should have.
    how
        "copy" (a clone where the file system can) or "link".
    stopped
        Asked between blocks, so that a cancel need not wait for a file of many gigabytes.

    Raises
    ------
    OSError
        When the destination's disk is full or read-only; a file that cannot be read is left out.
    """
    came: list[str] = []
    there = of_right_size(source, sizes)
    if there:
        staging.mkdir(parents=True, exist_ok=True)
    for name in there:
        if stopped():
            break
        if _taken(source / name, staging / name, how, stopped):
            came.append(name)
    return came


def _taken(source: Path, target: Path, how: str, stopped: Callable[[], bool]) -> bool:
    draft = target.with_name(f"{target.name}.copy")
    try:
        draft.unlink(missing_ok=True)
        if how == "link":
            with contextlib.suppress(OSError):  # another file system, or one that has none
                os.link(source.resolve(), draft)
        if (not draft.exists() and not _copied(source, draft, stopped)) or stopped():
            draft.unlink(missing_ok=True)
            return False
        draft.replace(target)
        return True
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        if error.errno in _OF_THE_DISK:
            raise
        return False


def _copied(source: Path, draft: Path, stopped: Callable[[], bool]) -> bool:
    """Copy a file; False when it was broken off."""
    with source.open("rb", buffering=0) as old, draft.open("xb", buffering=0) as new:
        if _cloned(old.fileno(), new.fileno()):
            return True
        while not stopped():
            if not (data := old.read(_BLOCK)):
                return True
            view = memoryview(data)
            while view:
                view = view[new.write(view) :]
    return False


def _cloned(old: int, new: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(new, _CLONE, old)
    except OSError:
        return False
    return True


def can_clone(folder: Path) -> bool:
    """Whether copies within an existing folder take no room."""
    if sys.platform != "linux":
        return False
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as old, tempfile.TemporaryFile(dir=folder) as new:
            old.write(b"\0" * 4096)
            old.flush()
            return _cloned(old.fileno(), new.fileno())
    except OSError:
        return False
