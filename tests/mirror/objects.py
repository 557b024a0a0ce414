"""The objects of the buckets: their bytes, any part of them, and their ETags.

An object is its DICOM header, its pixels, and Data Set Trailing Padding up to its size. The padding is cut from one
shared pattern whose period is prime, so that a part written at a wrong offset cannot go unnoticed; it is never
copied or made anew, so any range of a 4 GB object is there at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .dicom import element_head, header
from .index import BUCKETS, Index, cache_dir
from .pixels import image_of, pixels
from .series import Series

PERIOD = 1_048_573  # a prime
MD5_UP_TO = 64_000_000
PART = 16 << 20
UNKNOWN = bytes(16)


@lru_cache(maxsize=1)
def _pattern() -> memoryview:
    return memoryview(hashlib.shake_128(b"padding").digest(PERIOD) * 2)


class Listed(NamedTuple):
    """An object as a listing names it."""

    key: str
    size: int
    etag: str


class Content:
    """The bytes of one object."""

    def __init__(self, series: Series, instance: int) -> None:
        self.size = series.instance_size(instance)
        head = header(series, instance)
        image = image_of(series)
        if image:
            plane = pixels(series, instance, image)
            head += element_head(0x7FE00010, "OB" if image.allocated < 16 else "OW", len(plane)) + plane
        padding = self.size - len(head) - 12
        if padding < 0:
            raise ValueError(
                f"{series.key(instance)}: {self.size} bytes are too few for its header of {len(head) + 12}"
            )
        self.head = head + element_head(0xFFFCFFFC, "OB", padding)
        self._phase = series.instance_uuid(instance).int % PERIOD

    def chunks(self, start: int, stop: int) -> Iterator[memoryview]:
        """Yield the bytes from `start` up to `stop`, none of them copied."""
        if start < len(self.head):
            yield memoryview(self.head)[start:stop]
            start = len(self.head)
        pattern = _pattern()
        while start < stop:
            at = (start + self._phase) % PERIOD
            chunk = pattern[at : at + stop - start]
            yield chunk
            start += len(chunk)

    def md5(self) -> bytes:
        """Return the MD5 digest of all bytes."""
        digest = hashlib.md5(usedforsecurity=False)
        for chunk in self.chunks(0, self.size):
            digest.update(chunk)
        return digest.digest()


class Store:
    """All buckets."""

    def __init__(self, index: Index | None = None) -> None:
        self.index = index or Index()
        self.etags = "md5"
        self._content = lru_cache(maxsize=128)(Content)
        self._making = threading.Lock()
        self._digests: dict[str, bytearray] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="mirror-md5")

    def close(self) -> None:
        """End the work in the background."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.index.close()

    def find(self, bucket: str, key: str) -> tuple[Series, int] | None:
        """Return series and instance of an object, None if the bucket has no such key."""
        series = self.index.series(key[:36])
        if series is None or series.bucket != BUCKETS.get(bucket) or key not in series.instances:
            return None
        return series, series.instances[key]

    def content(self, series: Series, instance: int) -> Content:
        """Return an object's bytes."""
        # One at a time: many threads in numpy at once only fight over the interpreter.
        with self._making:
            return self._content(series, instance)

    def etag(self, series: Series, instance: int) -> str:
        """Return an object's ETag, without quotation marks."""
        return self.listed(series, [series.key(instance)])[0].etag

    def listed(self, series: Series, keys: list[str]) -> list[Listed]:
        """Return keys of one series with sizes and ETags of the kind in force: see `Server.set`."""
        return [each._replace(etag=_as(self.etags, each)) for each in self._listed(series, keys)]

    def _listed(self, series: Series, keys: list[str]) -> list[Listed]:
        """Return keys of one series with sizes and their usual ETags.

        An MD5 needs the object's bytes, so it is kept: in memory, and on disk when a listing made several.
        """
        instances = [series.instances[key] for key in keys]
        sizes = [series.instance_size(instance) for instance in instances]
        if min(sizes) > MD5_UP_TO:
            return [Listed(key, size, _multipart(key, size)) for key, size in zip(keys, sizes, strict=True)]
        digests = self._known(series)
        missing = [
            instance
            for instance, size in zip(instances, sizes, strict=True)
            if size <= MD5_UP_TO and digests[16 * instance : 16 * instance + 16] == UNKNOWN
        ]

        def make(instance: int) -> None:
            digests[16 * instance : 16 * instance + 16] = Content(series, instance).md5()

        for _ in self._pool.map(make, missing) if len(missing) > 1 else map(make, missing):
            pass
        if missing:
            _keep(series, digests)
        return [
            Listed(
                key,
                size,
                digests[16 * instance : 16 * instance + 16].hex() if size <= MD5_UP_TO else _multipart(key, size),
            )
            for key, size, instance in zip(keys, sizes, instances, strict=True)
        ]

    def _known(self, series: Series) -> bytearray:
        with self._lock:
            if series.uuid not in self._digests:
                digests = bytearray(16 * series.count)
                with contextlib.suppress(OSError):
                    kept = _digest_file(series).read_bytes()
                    if len(kept) == len(digests):
                        digests[:] = kept
                self._digests[series.uuid] = digests
            return self._digests[series.uuid]

    def truth(self, crdc_series_uuid: str) -> list[Listed]:
        """Return all objects of a series, in the order of keys."""
        series = self.index.series(crdc_series_uuid)
        if series is None:
            raise KeyError(f"no series {crdc_series_uuid!r} in the index: a crdc_series_uuid is wanted")
        return self.listed(series, series.keys)

    def body(self, key: str) -> bytes:
        """Return all bytes of an object."""
        series = self.index.series(key[:36])
        if series is None or key not in series.instances:
            raise KeyError(f"no object {key!r}: <crdc_series_uuid>/<uuid>.dcm as in truth() is wanted")
        content = self.content(series, series.instances[key])
        return b"".join(content.chunks(0, content.size))


def _as(kind: str, item: Listed) -> str:
    if kind == "md5":
        return item.etag
    if kind == "parts" and "-" not in item.etag:
        return f"{hashlib.md5(bytes.fromhex(item.etag), usedforsecurity=False).hexdigest()}-1"
    return f"opaque{item.etag[:20]}" if kind == "none" else f"{item.etag[:32]}-3"


def _multipart(key: str, size: int) -> str:
    return f"{hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()}-{-(-size // PART)}"


def _digest_file(series: Series) -> Path:
    return cache_dir("series", "pixels", "dicom", "objects") / f"{series.uuid}.md5"


def _keep(series: Series, digests: bytearray) -> None:
    path = _digest_file(series)
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    # Only time is lost when it cannot be kept.
    with contextlib.suppress(OSError):
        draft.write_bytes(digests)
        draft.replace(path)
