"""Free space, and whether a destination can be used, also before it exists."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .destination import folder
from .model import TransferError
from .paths import LONGEST_NAME, OWN_FOLDER, RECEIPT, STAGING
from .registry import real_destination


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


def longest_name(path: Path) -> int:
    """Return the bytes that a folder's name may have where `path` is, or will be."""
    return min(LONGEST_NAME, _limit(path, "PC_NAME_MAX", LONGEST_NAME))


def longest_path(path: Path) -> int:
    """Return the bytes that a whole path may have there; on Windows that is counted otherwise."""
    return _limit(path, "PC_PATH_MAX", 1 << 20) if sys.platform != "win32" else 1 << 20


def _limit(path: Path, name: str, default: int) -> int:
    try:
        found = os.pathconf(existing_parent(path), name)
    except (AttributeError, OSError, ValueError):  # Windows has none; a network drive may not say
        return default
    return found if found >= 64 else default


def describe_destination(path: str | os.PathLike[str]) -> Destination:
    """Describe a folder that need not exist yet; nothing is left behind there."""
    try:
        return describe_folder(folder(path))
    except TransferError as error:
        return Destination(str(path).strip(), None, False, str(error))


def describe_folder(absolute: Path) -> Destination:
    """Describe an absolute folder; nothing is left behind there."""
    problem = _problem(absolute)
    try:
        free: int | None = free_space(absolute)
    except OSError:
        free = None
    return Destination(str(absolute), free, problem is None, problem)


def _problem(absolute: Path) -> str | None:
    longest = longest_name(absolute)
    long = next((part for part in absolute.parts if len(os.fsencode(part)) > longest), None)
    if long is not None:
        return f"{absolute.parent}: the folder name {long[:40]}… is longer than {longest} bytes"
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
    return _problem_of_own(absolute / OWN_FOLDER)


def _problem_of_own(own: Path) -> str | None:
    """Return why the records of a destination cannot be kept."""
    for place, kind in ((own, "folder"), (own / RECEIPT, "file"), (own / STAGING, "folder")):
        if place.is_symlink():
            return f"{place} is a link, which is not followed: remove it"
        if place.exists() and not (place.is_dir() if kind == "folder" else place.is_file()):
            return f"{place} is no {kind}: remove it, the records of downloads are kept there"
    return None
