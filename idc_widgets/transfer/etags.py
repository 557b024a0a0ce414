"""What an ETag says of a file's content: its MD5, or that of the MD5s of its parts."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

_MD5 = re.compile(r"[0-9a-f]{32}")
_OF_PARTS = re.compile(r"[0-9a-f]{32}-([1-9][0-9]{0,4})")
_BLOCK = 1 << 18  # stays in the cache of a core between reading and hashing
_MIB = 1 << 20
#: The sizes of parts that tools use: aws, boto3 and s5cmd, gsutil and rclone, Cyberduck, their powers and multiples.
_USUAL = tuple(
    sorted(
        {n * unit for unit in (_MIB, 10**6) for n in (
            5, 6, 7, 8, 10, 12, 15, 16, 20, 24, 25, 30, 32, 40, 48, 50, 60, 64, 75, 80, 96, 100, 120, 125, 128, 150,
            160, 192, 200, 250, 256, 300, 320, 384, 400, 500, 512, 640, 750, 768, 1000, 1024, 2000, 2048, 4096, 5000,
            5120)}
    )
)  # fmt: skip
_own = threading.local()


class Stopped(Exception):
    """The check was broken off, it says nothing about the file."""


def is_md5(value: object) -> bool:
    """Whether it is an MD5 as 32 hexadecimal digits."""
    return isinstance(value, str) and bool(_MD5.fullmatch(value))


def md5_of(etag: str) -> str | None:
    """Return the MD5 that an ETag states, or None where it is none (an upload in parts)."""
    bare = etag.strip('"').lower()
    return bare if _MD5.fullmatch(bare) else None


def parts_of(etag: str) -> int | None:
    """Return in how many parts an object was uploaded, None where its ETag does not say so."""
    found = _OF_PARTS.fullmatch(etag.strip('"').lower())
    return int(found[1]) if found else None


def part_sizes(size: int, parts: int) -> list[int]:
    """Return the sizes of parts that tools use, and that make so many parts of a file."""
    if parts < 1 or size < 1:
        return []
    if parts == 1:
        return [size]
    # Some tools split evenly, rounded up to a byte or to whole MiB.
    even = -(-size // parts)
    candidates = {*_USUAL, even, -(-even // _MIB) * _MIB, -(-even // 10**6) * 10**6, size // (parts - 1) // _MIB * _MIB}
    return sorted(each for each in candidates if each > 0 and -(-size // each) == parts)


def digest(
    path: Path, parts: Collection[int] = (), stopped: Callable[[], bool] = lambda: False
) -> tuple[str, dict[int, str]]:
    """Return a file's MD5, and the ETags that it has when uploaded in parts of these sizes, in one reading."""
    whole = hashlib.md5(usedforsecurity=False)
    counters = [_Parts(each) for each in parts]
    view = _buffer()
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(view):
            block = view[:count]
            whole.update(block)
            for counter in counters:
                counter.update(block)
            if stopped():
                raise Stopped
    return whole.hexdigest(), {counter.size: counter.etag() for counter in counters}


class _Parts:
    def __init__(self, size: int) -> None:
        self.size, self._left, self._digests = size, size, b""
        self._part: Any = hashlib.md5(usedforsecurity=False)

    def update(self, block: memoryview) -> None:
        while len(block):
            if self._left == 0:
                self._digests += self._part.digest()
                self._part, self._left = hashlib.md5(usedforsecurity=False), self.size
            taken = block[: self._left]
            self._part.update(taken)
            self._left -= len(taken)
            block = block[len(taken) :]

    def etag(self) -> str:
        digests = self._digests + self._part.digest()
        return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(digests) // 16}"


def _buffer() -> memoryview:
    """Return this thread's block: made once, since new memory for every file costs as much as reading it."""
    if not hasattr(_own, "view"):
        _own.view = memoryview(bytearray(_BLOCK))
    view: memoryview = _own.view
    return view
