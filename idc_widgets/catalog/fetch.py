"""Fetching: the tables that `idc-index-data` describes but does not carry.

IDC publishes them beside each release. A table lands in the cache folder under its name only when whole; each process
writes to a file of its own until then, so several may fetch the same table at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path

from idc_widgets.catalog import bundled, cache
from idc_widgets.lib.files import part_of, remove
from idc_widgets.lib.http import open_url

# In this order. Both hold the files of the same build, so a checksum from either is good for both.
RELEASES = (
    "https://github.com/ImagingDataCommons/idc-index-data/releases/download/{release}/{name}.parquet",
    "https://storage.googleapis.com/idc-index-data-artifacts/{release}/release_artifacts/{name}.parquet",
)
_TRIES = 3
_WAIT = 0.5  # seconds before the second try, doubled before the next
_BLOCK = 1 << 18
_ABANDONED = 24 * 3600  # seconds after which a part is taken for that of a process that died

Progress = Callable[[str, int, "int | None"], None]


class TableUnavailableError(OSError):
    """A table that is not on this machine could not be fetched; the message says how to get it."""


class Broken(Exception):
    """What came is not the file: worth another try."""


class Unwritable(Exception):
    """The disk refuses: no other source would help."""


def path(cache_dir: str | os.PathLike[str] | None, name: str) -> Path:
    """Return where the table `name` of this release lies once fetched; what is not from IDC itself lies apart."""
    base = os.environ.get("IDC_WIDGETS_RELEASE_URL")
    origin = f"-{hashlib.sha256(base.encode()).hexdigest()[:8]}" if base else ""
    return cache.folder(cache_dir) / "tables" / f"{bundled.release()}{origin}" / f"{name}.parquet"


def addresses(name: str) -> tuple[str, ...]:
    """Return the URLs of a table, best first; IDC_WIDGETS_RELEASE_URL stands in for all of IDC's."""
    base = os.environ.get("IDC_WIDGETS_RELEASE_URL")
    places = (base.rstrip("/") + "/{release}/{name}.parquet",) if base else RELEASES
    return tuple(p.replace("{release}", bundled.release()).replace("{name}", name) for p in places)


def fetch(name: str, target: Path, progress: Progress | None = None) -> None:
    """Bring the table `name` to `target`.

    Parameters
    ----------
    name
        A table of `bundled.fetched_names()`.
    target
        Where it belongs, see `path`.
    progress
        Called with the table's name, the bytes so far and the bytes in all (None where the server does not say).
        By default a terminal gets one line on standard error.

    Raises
    ------
    TableUnavailableError
        If no source gave the whole file, or it cannot be written; nothing is left under its name.
    """
    part = part_of(target)
    failures = []
    try:
        _make_room(target)
        with _shown(progress) as told:
            for url in addresses(name):
                try:
                    _from(url, name, part, told)
                    _place(part, target)
                    return
                except (OSError, ValueError, http.client.HTTPException, Broken) as error:
                    failures.append(f"{url} ({reason(error)})")
    except Unwritable as error:
        raise TableUnavailableError(
            f'The table "{name}" cannot be kept at {target}: {error}. IDC_WIDGETS_CACHE_DIR names another folder.'
        ) from None
    finally:
        remove(part)
    raise TableUnavailableError(
        f'The table "{name}" is not on this machine and could not be fetched from {" or from ".join(failures)}. '
        f"It comes with the network, or by hand: put that file at {target}."
    )


def _make_room(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for part in target.parent.glob(f"{target.name}.*.part"):
            with contextlib.suppress(OSError):  # another process may be sweeping, or still holds it
                if time.time() - part.stat().st_mtime > _ABANDONED:
                    part.unlink()
    except OSError as error:
        raise Unwritable(error.strerror or error) from error


def _place(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except OSError as error:
        # Windows refuses while another process reads the file; then that process has fetched it.
        if not (isinstance(error, PermissionError) and target.is_file()):
            raise Unwritable(error.strerror or error) from error


def _from(url: str, name: str, part: Path, told: Progress) -> None:
    """Bring one URL to `part`, checked; try again where that may help."""
    for left in reversed(range(_TRIES)):
        try:
            digest = download(url, part, lambda done, total: told(name, done, total))
            published = _published_digest(name)
            if published and digest != published:
                raise Broken(f"its SHA-256 is {digest}, published is {published}")
            return
        except (OSError, http.client.HTTPException, Broken) as error:
            if not left or not may_pass(error):
                raise
        time.sleep(_WAIT * 2 ** (_TRIES - 1 - left))


def download(url: str, part: Path, told: Callable[[int, int | None], None]) -> str:
    """Write what `url` holds to `part` and return its SHA-256."""
    digest, done, first, last = hashlib.sha256(), 0, b"", b""
    with open_url(url) as response, _written(part) as write:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        while block := response.read(_BLOCK):
            write(block)
            digest.update(block)
            done += len(block)
            first, last = first or block[:4], (last + block[-4:])[-4:]
            told(done, total)
    if total is not None and done < total:
        raise Broken(f"it ended after {done:,} of {total:,} bytes")
    if (first, last) != (b"PAR1", b"PAR1"):
        raise Broken("what it sends is no parquet file")
    return digest.hexdigest()


@contextlib.contextmanager
def _written(part: Path) -> Iterator[Callable[[bytes], None]]:
    """Yield what writes to `part`; its errors are the disk's, not to be taken for the network's."""
    try:
        file = part.open("wb")
    except OSError as error:
        raise Unwritable(error.strerror or error) from error

    def write(block: bytes) -> None:
        try:
            file.write(block)
        except OSError as error:
            raise Unwritable(error.strerror or error) from error

    try:
        yield write
    finally:
        try:
            file.close()  # writes what is buffered
        except OSError as error:
            raise Unwritable(error.strerror or error) from error


def _published_digest(name: str) -> str | None:
    """Return the table's published SHA-256, None where none is to be had."""
    for url in addresses(name):
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException), open_url(f"{url}.sha256") as response:
            word = response.read(1000).decode("ascii").split()[:1]
            if word and len(word[0]) == 64:
                return f"{int(word[0], 16):064x}"
    return None


def may_pass(error: Exception) -> bool:
    """Whether another try may go better: not where the server, or nobody, gave a clear no."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code == 429 or error.code >= 500
    return not isinstance(error, urllib.error.URLError)


def reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}".strip()
    if isinstance(error, urllib.error.URLError):
        error = error.reason if isinstance(error.reason, Exception) else error
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@contextlib.contextmanager
def _shown(progress: Progress | None) -> Iterator[Progress]:
    """Yield `progress`, or what shows it: a line on a terminal, nothing elsewhere."""
    if progress is not None or not sys.stderr or not sys.stderr.isatty():
        yield progress or (lambda name, done, total: None)
        return
    shown_at = 0.0

    def line(name: str, done: int, total: int | None) -> None:
        nonlocal shown_at
        if done == total or time.monotonic() - shown_at > 0.1:
            shown_at = time.monotonic()
            of = f" of {total / 1e6:.1f}" if total else ""
            # Spaces at the end: after another try the figure may be shorter than the one it covers.
            print(f"\rIDC's table {name}: {done / 1e6:.1f}{of} MB   ", end="", file=sys.stderr, flush=True)

    try:
        yield line
    finally:
        if shown_at:
            print(file=sys.stderr, flush=True)
