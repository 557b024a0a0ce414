"""Names and folders that others wrote down (buckets, receipts, journals): none leads out of the destination."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from .model import TransferError
from .paths import OWN_FOLDER

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
            if place.is_symlink():
                return folder
            seen[folder] = place.exists()
        if not seen[folder]:
            return None
    return None


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
