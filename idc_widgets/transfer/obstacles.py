"""What lies in a destination in the way of a download: links, files in place of folders, folders in place of files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from .contents import is_object_name
from .paths import OWN_FOLDER, STAGING
from .safe import link_in


def of_folders(root: Path, paths: Iterable[str]) -> str | None:
    """Return the sentence for a folder of a series, or one above it, that is a link or no folder."""
    seen: dict[str, bool] = {}
    for path in paths:
        if (link := link_in(root, path, seen)) is not None:
            return f"{root / link} is a link, which is not written through: remove it, or download to where it leads"
    file = next((path for path, there in seen.items() if there and not (root / path).is_dir()), None)
    return None if file is None else f"{root / file} is a file where a folder is to be: move it, or use another layout"


def of_staging(root: Path, uuids: Collection[str]) -> str | None:
    """Return the sentence for what is in the place of a folder in which a series is staged."""
    with contextlib.suppress(OSError), os.scandir(root / OWN_FOLDER / STAGING) as entries:
        for entry in entries:
            if entry.name in uuids and not entry.is_dir(follow_symlinks=False):
                what = "a link, which is not followed" if entry.is_symlink() else "no folder"
                return f"{entry.path} is {what}: remove it, unfinished downloads are kept there"
    return None


def of_permission(root: Path, paths: Iterable[str]) -> str | None:
    """Return the sentence for the folder of a series, or the last above it, that may not be written."""
    may: dict[Path, bool] = {}
    if not root.is_dir():
        return None
    for folder in (_existing(root, path) for path in paths):
        if folder not in may:
            may[folder] = os.access(folder, os.W_OK | os.X_OK)
        if not may[folder]:
            return f"{folder} may not be written: change its permissions, or choose another destination"
    return None


def of_files(root: Path, paths: Iterable[str]) -> str | None:
    """Return the sentence for a folder in the place of a file of a series."""
    return next((f"{place} is a folder where a file is to be: move it" for place in _folders(root, paths)), None)


def _folders(root: Path, paths: Iterable[str]) -> Iterator[str]:
    for path in dict.fromkeys(paths):
        with contextlib.suppress(OSError), os.scandir(root / path) as entries:
            yield from (e.path for e in entries if is_object_name(e.name) and e.is_dir(follow_symlinks=False))


def _existing(root: Path, path: str) -> Path:
    folder = root / path
    while folder != root and not os.path.lexists(folder):
        folder = folder.parent
    return folder
