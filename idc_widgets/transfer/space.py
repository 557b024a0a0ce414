"""Free space, and whether a destination can be used, also before it exists."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

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


def describe_destination(path: str | Path) -> Destination:
    """Describe a folder that need not exist yet; nothing is left behind there."""
    absolute = real_destination(path)
    problem = _problem(absolute)
    try:
        free: int | None = free_space(absolute)
    except OSError:
        free = None
    return Destination(str(absolute), free, problem is None, problem)


def _problem(absolute: Path) -> str | None:
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
