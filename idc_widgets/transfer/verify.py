"""Whether a file on disk is the object of the listing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

_MD5 = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1 << 20


def md5_of(etag: str) -> str | None:
    """Return the MD5 that an ETag states, or None where it is none (an upload in parts)."""
    bare = etag.strip('"').lower()
    return bare if _MD5.fullmatch(bare) else None


class Stopped(Exception):
    """The check was broken off, it says nothing about the file."""


def problem(path: Path, size: int, etag: str, stopped: Callable[[], bool] = lambda: False) -> str | None:
    """Return what is wrong with a file, or None when it is the object: same size, same MD5 where known.

    `stopped` is asked between blocks, so that a cancel need not wait for a file of many gigabytes.
    """
    expected = md5_of(etag)
    try:
        with path.open("rb", buffering=0) as file:
            digest = hashlib.md5(usedforsecurity=False)
            length = 0
            if expected is None:
                length = file.seek(0, 2)
            else:
                buffer = bytearray(min(_BLOCK, size + 1))
                view = memoryview(buffer)
                while count := file.readinto(buffer):
                    digest.update(view[:count])
                    length += count
                    if stopped():
                        raise Stopped
    except OSError as error:
        return f"the file cannot be read: {error.strerror or error}"
    if length != size:
        return f"{length:,} bytes arrived, the listing says {size:,}"
    if expected is not None and digest.hexdigest() != expected:
        return "the content differs from the listing (MD5)"
    return None
