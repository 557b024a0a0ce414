"""Free space, and whether a destination can be used, also before it exists."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .registry import real_destination

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # two letters or more: one is a Windows drive
_LONGEST_NAME = 255  # bytes, of a file's or folder's name, on every common file system


@dataclass(frozen=True)
class Destination:
    """What is known of a destination before anything is written to it."""

    path: str
    free: int | None
    writable: bool
    problem: str | None


def existing_parent(path: Path) -> Path:
    """Return the nearest folder (or file) on the way to `path` that exists."""
    for candidate in (path, *path.parents):
        if os.path.lexists(candidate):
            return candidate
    return Path(path.anchor or ".")


def free_space(path: str | Path) -> int:
    """Return the free bytes where `path` is, or will be."""
    parent = existing_parent(real_destination(path))
    return shutil.disk_usage(parent if parent.is_dir() else parent.parent).free


def long_paths_work() -> bool:
    """Whether paths may be longer than 260 characters here; on Windows that is a setting."""
    if sys.platform != "win32":
        return True
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False


def describe_destination(path: str | os.PathLike[str]) -> Destination:
    """Describe a folder that need not exist yet; nothing is left behind there."""
    text = os.fspath(path)
    if not text.strip():
        return Destination("", None, False, "name a folder to download into")
    if _URL.match(text):
        return Destination(text, None, False, f"{text} is an address; name a folder of this machine")
    try:
        absolute = real_destination(path)
    except RuntimeError:  # expanduser knows no such home
        return Destination(text, None, False, f"{text}: there is no such home folder on this machine")
    problem = _problem(absolute)
    try:
        free: int | None = free_space(absolute)
    except OSError:
        free = None
    return Destination(str(absolute), free, problem is None, problem)


def _problem(absolute: Path) -> str | None:
    long = next((part for part in absolute.parts if len(os.fsencode(part)) > _LONGEST_NAME), None)
    if long is not None:
        return f"{absolute.parent}: the folder name {long[:40]}… is longer than {_LONGEST_NAME} bytes"
    parent = existing_parent(absolute)
    if not parent.is_dir():
        if parent == absolute:
            return f"{absolute} is a file, a download needs a folder"
        return f"{absolute} cannot be made: {parent} is not a folder"
    try:
        # The only test that holds everywhere (ACLs, root squash, read-only mounts) is to write.
        with tempfile.TemporaryDirectory(prefix=".idc_widgets-", dir=parent):
            pass
    except OSError as error:
        verb = "written" if parent == absolute else "made"
        return f"{absolute} cannot be {verb}: {error.strerror or error} ({parent})"
    return None
