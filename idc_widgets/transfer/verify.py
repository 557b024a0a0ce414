"""Whether a file on disk is the object of the listing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from .etags import Stopped, digest, md5_of
from .faults import CHANGED

__all__ = ["Stopped", "dicom_problem", "md5_of", "of_right_size", "problem", "size_problem"]


def size_problem(path: Path, size: int) -> str | None:
    """Return what is wrong with the size of a file, if anything."""
    try:
        length = path.stat().st_size
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    return None if length == size else f"{length:,} bytes arrived, the listing says {size:,}"


def of_right_size(folder: Path, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return those of the files, with their sizes, that are in a folder with the size they should have."""
    found: dict[str, int] = {}
    for name, size in sizes.items():
        with contextlib.suppress(OSError):
            if (folder / name).stat().st_size == size:
                found[name] = size
    return found


def problem(path: Path, size: int, etag: str, stopped: Callable[[], bool] = lambda: False) -> str | None:
    """Return what is wrong with a file, or None when it is the object: same size, same MD5 where known.

    `stopped` is asked between blocks, so that a cancel need not wait for a file of many gigabytes.
    """
    wrong = size_problem(path, size)
    expected = md5_of(etag)
    if wrong is not None or expected is None:
        return wrong
    try:
        found, _ = digest(path, stopped=stopped)
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    return None if found == expected else f"{CHANGED}: its content differs (MD5)"


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
