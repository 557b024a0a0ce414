"""Writing files: under another name first, and with sentences for names and disks that do not take them."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path


def part_of(target: Path) -> Path:
    """Return a name beside a file's, of this thread alone, to write it under until it is whole."""
    return target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")


def remove(*paths: Path) -> None:
    """Remove files as far as they are there and can be removed."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def file_problem(path: str | os.PathLike[str]) -> str:
    """Return why a file cannot have this name, in words; "" if it can."""
    if not os.fspath(path):
        return "the name is empty; name a file, such as manifest.txt."
    try:
        if Path(path).is_dir():
            return f"it is a folder; name a file in it, such as {Path(path) / 'manifest.txt'}."
        if not Path(path).absolute().parent.is_dir():
            return f"there is no folder {Path(path).absolute().parent}."
    except (OSError, ValueError) as error:  # too long, or with a NUL
        return f"it is no name of a file ({getattr(error, 'strerror', None) or error})."
    return ""


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file as it is, with a sentence for a disk that refuses.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise type(error)(f"{os.fspath(path)} cannot be written: {error.strerror or error}") from error
