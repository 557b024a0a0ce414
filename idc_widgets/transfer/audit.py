"""Re-checking a folder, whoever filled it: from the index and a listing, without the journal."""

from __future__ import annotations

import contextlib
import os
import queue
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import providers, receipt, settings, verify
from .listing import Lister
from .model import Item, Provider, TransferError
from .paths import OWN_FOLDER
from .registry import real_destination
from .series import Object
from .units import human_bytes

_TICK = 0.2
_UID_AT_END = re.compile(r"[0-9]+(\.[0-9]+)+$")

#: Returns what the index knows of SeriesInstanceUIDs, by UID.
Lookup = Callable[[Collection[str]], Mapping[str, Item]]


@dataclass(frozen=True)
class Problem:
    """A file or folder that is not as it should be."""

    path: Path
    series_uid: str
    reason: str


@dataclass(repr=False)
class Audit:
    """What the check of a folder found.

    Attributes
    ----------
    path
        The folder.
    series, files, bytes
        What was checked and is right.
    files_by_md5
        How many of the files were checked by MD5; of the others the bucket tells the size alone.
    problems
        What is wrong: missing and damaged files, series that could not be listed.
    extra
        DICOM files that belong to no series of IDC that is here.
    """

    path: Path
    series: int = 0
    files: int = 0
    bytes: int = 0
    files_by_md5: int = 0
    problems: list[Problem] = field(default_factory=list)
    extra: list[Path] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        text = (
            f"{self.path}: {self.series:,} series, {self.files:,} files, {human_bytes(self.bytes)} are right "
            f"({self.files_by_md5:,} files by MD5, {self.files - self.files_by_md5:,} by size)"
        )
        if self.problems:
            text += f"; {len(self.problems):,} problems"
        if self.extra:
            text += f"; {len(self.extra):,} DICOM files are of no series of IDC that is here"
        return text

    __repr__ = __str__


def audit(
    folder: str | os.PathLike[str],
    lookup: Lookup,
    *,
    idc_version: int,
    provider: Provider = "aws",
    endpoint_url: str | None = None,
    offline: bool = False,
    told: Callable[[Audit], None] = lambda audit: None,
) -> Audit:
    """Check every file of IDC's that is in a folder.

    Which series there should be is what the receipt says, and, for folders it does not know, what their names or
    their files' headers say. The outcome goes into the receipt: a download into the folder then fetches what is wrong.

    Parameters
    ----------
    folder
        The destination of downloads, of this package or another.
    lookup
        What the index knows of series.
    idc_version
        Of the index, for the receipt.
    provider, endpoint_url
        Where to list.
    offline
        Check against the receipt alone, without a listing.
    told
        Called after each series with the outcome so far.
    """
    root = real_destination(folder)
    if not root.is_dir():
        raise TransferError(f"{root} is no folder")
    url = providers.endpoint(provider, endpoint_url)
    result = Audit(root)
    entries = {(e.crdc_series_uuid, e.path): e for e in receipt.entries(root)}
    known = {key: entry for key, entry in entries.items() if entry.files}
    expected = [
        (Item(e.series_uid, e.crdc_series_uuid, e.bucket, len(e.files), e.bytes), e.path) for e in known.values()
    ]
    by_folder = _dicom_files(root)
    strange = by_folder.keys() - {path for _, path in known}
    if not offline:
        for path, uids in _series_of(root, by_folder, strange).items():
            expected += [(item, path) for item in lookup(uids).values()]
    if not expected and not strange:
        raise TransferError(f"{root} holds no series of IDC")
    claimed: dict[str, set[str]] = {}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        if offline:
            listed: Iterator[tuple[Item, list[Object], str | None]] = (
                (item, _recorded(known[item.crdc_series_uuid, path]), None) for item, path in expected
            )
        else:
            if expected:
                bucket = providers.bucket_at(provider, expected[0][0].bucket)
                providers.check_reachable(url, provider, bucket)
            listed = _listings(root, [item for item, _ in expected], url, provider)
        places: dict[str, list[str]] = {}
        for item, path in expected:
            places.setdefault(item.crdc_series_uuid, []).append(path)
        for item, objects, problem in listed:
            for path in dict.fromkeys(places[item.crdc_series_uuid]):
                claimed.setdefault(path, set()).update(o.name for o in objects)
                if problem is not None:
                    result.problems.append(Problem(root / path, item.series_uid, problem))
                    continue
                wrong = _check(root / path, objects, pool)
                result.problems += [Problem(root / path / n, item.series_uid, why) for n, why in wrong.items()]
                right = [o for o in objects if o.name not in wrong]
                result.files += len(right)
                result.bytes += sum(o.size for o in right)
                result.files_by_md5 += sum(verify.md5_of(o.etag) is not None for o in right)
                result.series += not wrong
                if not offline:
                    _record(root, item, path, objects, bool(wrong), known.get((item.crdc_series_uuid, path)),
                            provider, idc_version)  # fmt: skip
                told(result)
    result.extra = sorted(
        root / path / name for path, names in by_folder.items() for name in names - claimed.get(path, set())
    )
    return result


def _dicom_files(root: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for top, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != OWN_FOLDER]
        mine = {name for name in names if name.endswith(".dcm")}
        if mine:
            path = Path(top).relative_to(root).as_posix()
            found["" if path == "." else path] = mine
    return found


def _series_of(root: Path, by_folder: Mapping[str, set[str]], strange: Collection[str]) -> dict[str, set[str]]:
    """Return the SeriesInstanceUIDs that folders hold: as their name ends, else as each file's header says."""
    found: dict[str, set[str]] = {}
    for path in sorted(strange):
        named = _UID_AT_END.search(path.rpartition("/")[2])
        if named:
            found[path] = {named.group()}
            continue
        found[path] = set()
        for name in by_folder[path]:
            with contextlib.suppress(Exception):  # pydicom raises whatever the bytes lead it to
                import pydicom

                header = pydicom.dcmread(
                    root / path / name, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"]
                )
                found[path].add(str(header.SeriesInstanceUID))
    return found


def _recorded(entry: receipt.Entry) -> list[Object]:
    return [Object(name, size, md5 or "") for name, size, md5 in entry.files]


def _listings(
    root: Path, items: list[Item], endpoint: str, provider: Provider
) -> Iterator[tuple[Item, list[Object], str | None]]:
    """Yield each series as it is listed."""
    inbox: queue.SimpleQueue[tuple[object, dict[str, object] | None]] = queue.SimpleQueue()
    series = list({item.crdc_series_uuid: item for item in items}.values())
    rows = (
        (n, item.crdc_series_uuid, providers.bucket_at(provider, item.bucket), item.files, item.bytes)
        for n, item in enumerate(series)
    )
    lister = Lister(
        rows,
        endpoint=endpoint,
        v1=provider == "gcs",
        folder=root,
        inbox=inbox,
        tries=settings.tries(),
        stall=settings.stall_seconds(),
    )
    try:
        while not lister.finished:
            lister.tend()
            with contextlib.suppress(queue.Empty):
                _, record = inbox.get(timeout=_TICK)
                for outcome in lister.handle(record):
                    yield series[outcome.n], outcome.objects, outcome.problem
    finally:
        if lister.transport is not None:
            lister.transport.kill()


def _check(folder: Path, objects: list[Object], pool: ThreadPoolExecutor) -> dict[str, str]:
    """Return what is wrong, by name."""

    def problem(item: Object) -> str | None:
        if not (folder / item.name).exists():
            return "the file is missing"
        return verify.problem(folder / item.name, item.size, item.etag)

    found = zip(objects, pool.map(problem, objects), strict=True)
    return {item.name: why for item, why in found if why is not None}


def _record(
    root: Path,
    item: Item,
    path: str,
    objects: list[Object],
    wrong: bool,
    known: receipt.Entry | None,
    provider: Provider,
    idc_version: int,
) -> None:
    """Enter what is new: a series that is right, or one that no longer is."""
    if (known is None and wrong) or (known is not None and not wrong and known.by != "size"):
        return
    entry = receipt.Entry(
        series_uid=item.series_uid,
        crdc_series_uuid=item.crdc_series_uuid,
        bucket=providers.bucket_at(provider, item.bucket),
        provider=provider,
        idc_version=known.idc_version if known else idc_version,
        path=path,
        files=() if wrong else tuple((o.name, o.size, verify.md5_of(o.etag)) for o in objects),
    )
    with contextlib.suppress(OSError):  # a folder that cannot be written can still be checked
        receipt.append(root, entry)
