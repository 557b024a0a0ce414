"""Whether a file on disk is the object of the listing."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path

from .faults import CHANGED

_MD5 = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1 << 18  # stays in the cache of a core between reading and hashing
_own = threading.local()


def md5_of(etag: str) -> str | None:
    """Return the MD5 that an ETag states, or None where it is none (an upload in parts)."""
    bare = etag.strip('"').lower()
    return bare if _MD5.fullmatch(bare) else None


class Stopped(Exception):
    """The check was broken off, it says nothing about the file."""


def size_problem(path: Path, size: int) -> str | None:
    """Return what is wrong with the size of a file, if anything."""
    try:
        length = path.stat().st_size
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    return None if length == size else f"{length:,} bytes arrived, the listing says {size:,}"


def problem(path: Path, size: int, etag: str, stopped: Callable[[], bool] = lambda: False) -> str | None:
    """Return what is wrong with a file, or None when it is the object: same size, same MD5 where known.

    `stopped` is asked between blocks, so that a cancel need not wait for a file of many gigabytes.
    """
    wrong = size_problem(path, size)
    expected = md5_of(etag)
    if wrong is not None or expected is None:
        return wrong
    try:
        with path.open("rb", buffering=0) as file:
            digest = hashlib.md5(usedforsecurity=False)
            view = _buffer()
            while count := file.readinto(view):
                digest.update(view[:count])
                if stopped():
                    raise Stopped
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    return None if digest.hexdigest() == expected else f"{CHANGED}: its content differs (MD5)"


def _buffer() -> memoryview:
    """Return this thread's block: made once, since new memory for every file costs as much as reading it."""
    if not hasattr(_own, "view"):
        _own.view = memoryview(bytearray(_BLOCK))
    view: memoryview = _own.view
    return view


def dicom_problem(path: Path, series_uid: str, study_uid: str = "") -> str | None:
    """Return what is wrong with a file's DICOM header: not readable, or of another series or study."""
    import pydicom  # only where it is asked for: it costs a third of a second

    try:
        header = pydicom.dcmread(
            path, stop_before_pixels=True, specific_tags=["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"]
        )
        if not header.get("SOPInstanceUID"):
            return "the DICOM header has no SOPInstanceUID"
        found = {"SeriesInstanceUID": series_uid, "StudyInstanceUID": study_uid}
        for name, wanted in found.items():
            if wanted and header.get(name) != wanted:
                return f"the DICOM header says {name} {header.get(name)}, the index says {wanted}"
    except Exception as error:  # pydicom raises whatever the bytes lead it to
        return f"the DICOM header cannot be read: {error}"
    return None
