"""Names and folders that others wrote down (buckets, receipts, journals): none leads out of the destination."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from .model import TransferError
from .paths import OWN_FOLDER, STAGING

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_LONGEST_PATH = 4096


def is_safe_name(name: str) -> bool:
    """Whether an object's name can be a file name as it is, on every system."""
    return bool(_NAME.fullmatch(name)) and not name.endswith(".")


def is_safe_path(path: str) -> bool:
    """Whether a folder that a record names is one below the destination, on every system."""
    if path == "":
        return True
    parts = path.split("/")
    try:
        os.fsencode(path)
    except UnicodeError:
        return False
    return (
        len(path) <= _LONGEST_PATH
        and not any(character in "\\:" or ord(character) < 32 for character in path)
        and not any(part in ("", ".", "..") for part in parts)
        and parts[0].casefold() != OWN_FOLDER
    )


def is_lawful_path(path: str) -> bool:
    """Whether a folder is one below the destination on this system, which may take names that others do not."""
    parts = path.split("/")
    try:
        os.fsencode(path)
    except UnicodeError:
        return False
    lawful = "\0" not in path and not any(part in ("", ".", "..") for part in parts)
    return os.name == "posix" and lawful and len(path) <= _LONGEST_PATH and parts[0].casefold() != OWN_FOLDER


def link_in(root: Path, path: str, seen: dict[str, bool]) -> str | None:
    """Return the first folder of a path below `root` that is a link, or None: what it leads to is not ours to write.

    Parameters
    ----------
    seen
        Which folders are known to be there and to be no link; filled in.
    """
    parts = path.split("/") if path else []
    for n in range(1, len(parts) + 1):
        folder = "/".join(parts[:n])
        if folder not in seen:
            place = root / folder
            mode = 0
            with contextlib.suppress(OSError):
                mode = place.lstat().st_mode
            if stat.S_ISLNK(mode):
                return folder
            seen[folder] = bool(mode)
        if not seen[folder]:
            return None
    return None


def refuse_link(root: Path, path: str) -> None:
    """Raise where a folder on the way to a path below `root` is a link, when it is about to be used.

    Raises
    ------
    OSError
        With the link.
    """
    if (link := link_in(root, path, {})) is not None:
        said = "a link is not written through; remove it, or download to where it leads"
        raise OSError(errno.ELOOP, said, str(root / link))


def staging_of(uuid: str) -> str:
    """Return where a series is staged, below the destination."""
    return f"{OWN_FOLDER}/{STAGING}/{uuid}"


def is_own_file(path: Path) -> bool:
    """Whether a path is a file that is nowhere else: no link of either kind leads to or from it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def open_file(path: Path, mode: str) -> IO[bytes]:
    """Open a file without a buffer, but no link."""
    return open(path, mode, buffering=0, opener=_no_follow)


def _no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def require(uuid: str, path: str, names: Iterable[str]) -> None:
    """Refuse a journal's row that does not stay below the destination: somebody has changed it.

    Raises
    ------
    TransferError
        With what leads out of it.
    """
    out = next((name for name in (uuid, *names) if not is_safe_name(name)), None if is_safe_path(path) else path)
    if out is not None:
        raise TransferError(f"the journal names {out!r}, which leads out of the destination: somebody has changed it")
