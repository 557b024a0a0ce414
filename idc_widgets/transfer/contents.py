"""What lies in a folder, whoever filled it: its DICOM files, and which series they are of."""

from __future__ import annotations

import errno
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_UID_AT_END = re.compile(r"[0-9]+(\.[0-9]+)+$")
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.dcm", re.IGNORECASE)  # as objects of IDC have it
_SERIES_INSTANCE_UID = 0x0020000E


#: In place of a size: a link that leads nowhere, or out of the folder; the numbers of other errors are below these.
NOWHERE, OUTSIDE = -1, -2


@dataclass(frozen=True)
class Found:
    """A folder with DICOM files: its path below the root ("" for the root itself), and the files' sizes by name."""

    path: str
    files: Mapping[str, int]


def why(size: int) -> str:
    """Return the sentence for what is in place of a size."""
    if size == OUTSIDE:
        return "the file is a link that leads out of the folder, which is not followed"
    if size == NOWHERE:
        return "the file is a link that leads nowhere"
    return f"the file cannot be read: {os.strerror(OUTSIDE - size)}"


def scan(root: Path, unread: dict[str, str] | None = None) -> list[Found]:
    """Return the folders below `root` that hold ``.dcm`` files, or whose name says that they did.

    The latter, which end in a UID and hold other files alone, have none. Hidden files and folders (the engine's own is
    one) and links to folders are passed over. Folders that cannot be read go into `unread`, with why.
    """
    found, todo = [], [""]
    while todo:
        path = todo.pop()
        files: dict[str, int] = {}
        others = folders = False
        try:
            with os.scandir(root / path) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders = True
                        todo.append(f"{path}/{entry.name}" if path else entry.name)
                    elif entry.name.lower().endswith(".dcm"):
                        files[entry.name] = _size(root, entry)
                    else:
                        others = True
        except OSError as error:  # what is known to be in it is then missing
            if unread is not None:
                unread[path] = error.strerror or str(error)
            continue
        if files or (others and not folders and named_uid(path)):
            found.append(Found(path, files))
    return sorted(found, key=lambda each: each.path)


def _size(root: Path, entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_symlink() and not inside(root, Path(entry.path)):
            return OUTSIDE
        return entry.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return NOWHERE
    except OSError as error:
        return NOWHERE if error.errno == errno.ELOOP else OUTSIDE - (error.errno or errno.EIO)


def inside(root: Path, path: Path) -> bool:
    """Whether a path leads to somewhere below `root` (which has no links in it) when its links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(root)


def series_of(root: Path, found: Iterable[Found]) -> dict[str, set[str]]:
    """Return the SeriesInstanceUIDs of each folder's files, by the folder's path.

    Where a folder's name ends in the UID that a header confirms, one header is read; else all of them.
    """
    return {
        each.path: {uid for uid in owners(root, each.path, each.files).values() if uid is not None} for each in found
    }


def is_object_name(name: str) -> bool:
    """Whether a file has a name as IDC's objects have it."""
    return bool(_NAME.fullmatch(name))


def named_uid(path: str) -> str | None:
    """Return the UID that a folder's name ends in."""
    named = _UID_AT_END.search(path.rpartition("/")[2])
    return named.group() if named else None


def owners(root: Path, path: str, names: Mapping[str, int], *, each: bool = False) -> dict[str, str | None]:
    """Return the SeriesInstanceUID of each of a folder's files, None where its header cannot be read.

    Where the folder's name ends in the UID that a header confirms, one header is read, unless `each` is to be.
    """
    ordered = sorted(names)
    named = None if each else named_uid(path)
    read: dict[str, str | None] = {name: None for name in ordered if names[name] <= 0}
    if named:
        first = None
        for name in ordered:
            if name not in read:
                first = read[name] = series_uid(root / path / name)
                if first is not None:
                    break
        if first is None:  # no header can be read: names are all there is, and only IDC's say something
            return {name: named if is_object_name(name) else None for name in ordered}
        if first == named:
            return dict.fromkeys(ordered, named)
    return {name: read[name] if name in read else series_uid(root / path / name) for name in ordered}


def series_uid(path: Path) -> str | None:
    """Return the SeriesInstanceUID in a file's DICOM header; None where there is none that can be read."""
    from pydicom.filereader import read_partial  # only where it is needed: it costs a third of a second

    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            header = read_partial(
                file, stop_when=lambda tag, vr, length: tag > _SERIES_INSTANCE_UID,
                specific_tags=[_SERIES_INSTANCE_UID],
            )  # fmt: skip
            return str(header.SeriesInstanceUID) or None
    except Exception:  # pydicom raises whatever the bytes lead it to
        return None
