"""Folders of this program's own on the user's machine."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path


class FolderError(OSError):
    """A folder cannot be made or written; the message says which setting names another."""


def make(folder: Path, setting: str) -> Path:
    """Make a folder, and those above it.

    Raises
    ------
    FolderError
        If it cannot be made; `setting` is the environment variable that names another.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _refused(folder, setting, error) from None
    return folder


def make_private(folder: Path, top: Path, setting: str) -> Path:
    """Make a folder that only this user can enter, `top` and what lies between them too; see `make`.

    Those that are there already and are this user's are closed to others as well.
    """
    try:
        missing = [p for p in (folder, *folder.parents) if not p.exists()]
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another process was faster
                each.mkdir(mode=0o700)
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder")
    except (OSError, ValueError) as error:
        raise _refused(folder, setting, error) from None
    if sys.platform != "win32":
        ours = [p for p in (folder, *folder.parents) if p == top or top in p.parents]
        for each in ours or [folder]:
            _close(each)
    return folder


if sys.platform != "win32":

    def _close(folder: Path) -> None:
        with contextlib.suppress(OSError):  # of a file system without modes
            found = folder.stat()
            if found.st_uid == os.geteuid() and found.st_mode & 0o077:
                folder.chmod(stat.S_IMODE(found.st_mode) & 0o700)


def _refused(folder: Path, setting: str, error: Exception) -> FolderError:
    reason = getattr(error, "strerror", None) or error
    return FolderError(f"The folder {folder} cannot be made or written: {reason}. {setting} names another.")
