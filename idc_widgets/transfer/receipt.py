"""The portable record of a destination: one JSON line for each series that was verified or asked for there.

A second record of the same format lies in the state folder, so that what a check found outlives the first one.
A record may come from elsewhere: no path or name of it leads out of the folder, and lines that cannot be are skipped.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from .contents import inside
from .etags import is_md5
from .model import Item
from .paths import OWN_FOLDER, RECEIPT
from .registry import make_private, record_path
from .safe import is_lawful_path, is_safe_name, is_safe_path

_VERSION = 2
_LONGEST_LINE = 1 << 26  # bytes; a series of 100,000 files takes 10 MB
_LARGEST = 1 << 62
_ASKED_IN_A_LINE = 500
_WORD = re.compile(r"[\w.-]{1,128}", re.ASCII)
STRENGTH = ("size", "md5", "dicom")

#: crdc_series_uuid and folder.
Key = tuple[str, str]


@dataclass(frozen=True)
class Entry:
    """A series in a folder: what should be there, and what the last check found wrong with it.

    `path` is relative to the destination, with ``/``; `files` holds (name, size, md5) and the md5 is that of
    the bucket's ETag, or None where the bucket gives none. `by` is what was asked for: "size", "md5" or "dicom".

    `etags` are those that are no MD5, `own` the MD5s that were taken of such files on a disk, and whether the content
    was known to be right then (it had the ETag). `found` is what is wrong: (kind, reason) by file name.

    `scattered` says that the folder had only some of the files when it was checked, other folders the rest.

    `claimed` says, in this machine's own record, that a receipt alone had it: nothing that this machine knows itself.
    """

    series_uid: str
    crdc_series_uuid: str
    bucket: str
    provider: str
    idc_version: int
    path: str
    files: tuple[tuple[str, int, str | None], ...]
    by: str = "md5"
    etags: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    found: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    scattered: bool = False
    claimed: bool = False

    @property
    def key(self) -> Key:
        """Return what an entry is found by."""
        return self.crdc_series_uuid, self.path

    @property
    def bytes(self) -> int:
        """Return the size of the series."""
        return sum(size for _, size, _ in self.files)

    def is_whole(self, files: int, size: int) -> bool:
        """Whether it names as many files and bytes as the index does; a receipt may come from elsewhere."""
        return (len(self.files), self.bytes) == (files, size)

    def intact(self, destination: Path) -> bool:
        """Whether nothing was found wrong, and every file is there with the size it had (no content is read)."""
        folder = destination / self.path
        try:
            if not self.files or self.found or not inside(destination, folder):
                return False
            return all((folder / name).stat().st_size == size for name, size, _ in self.files)
        except OSError:
            return False


@dataclass
class Record:
    """What a record says: entries, and series that were asked for (with their folders).

    `askers` are who asked for them: ids of downloads, which take that back when they are cancelled, and "".
    """

    entries: dict[Key, Entry] = field(default_factory=dict)
    asked: dict[Key, Item] = field(default_factory=dict)
    askers: dict[Key, set[str]] = field(default_factory=dict)


def receipt_path(destination: Path) -> Path:
    """Return where a destination's receipt is."""
    return destination / OWN_FOLDER / RECEIPT


# -- writing


def append(destination: Path, entry: Entry) -> None:
    """Add one series to the receipt, and to this machine's record if there is one, so that it is not outdated."""
    line = _line(entry)
    _write(receipt_path(destination), line)
    own = record_path(destination)
    if own.exists():
        _write(own, line)


def keep(destination: Path, record: Record, entries: Iterable[Entry],
         asked: Iterable[tuple[Item, str, Collection[str]]], where: Path, provider: str, idc_version: int,
) -> None:  # fmt: skip
    """Write to one of the two records what it does not say yet; what was asked for, with who asked for it."""
    lines = [_line(entry) for entry in entries if _differs(record.entries.get(entry.key), entry)]
    new: dict[str, list[tuple[Item, str]]] = {}
    for item, path, askers in asked:
        if (key := (item.crdc_series_uuid, path)) not in record.entries:
            for asker in set(askers) - record.askers.get(key, set()):
                new.setdefault(asker, []).append((item, path))
    for asker, items in new.items():
        lines += _asked_lines(items, provider, idc_version, asker)
    if where != receipt_path(destination):
        make_private(where.parent)
    for line in lines:
        _write(where, line)


def ask(destination: Path, items: Iterable[tuple[Item, str]], provider: str, idc_version: int, asker: str) -> None:
    """Enter series, with their folders, as asked for by a download."""
    for line in _asked_lines(list(items), provider, idc_version, asker):
        _write(receipt_path(destination), line)


def withdraw(destination: Path, keys: Collection[Key], asker: str | None) -> None:
    """Take back that a download asked for series; with None, all that is known of them: they are gone on purpose."""
    if not keys:
        return
    what = {"withdrawn": sorted(keys)} if asker is None else {"unasked": sorted(keys), "by": asker}
    line = json.dumps({"receipt": _VERSION, "verified": None} | what, separators=(",", ":"))
    for path in (receipt_path(destination), record_path(destination)):
        if path.exists():
            _write(path, line)
            left = read(path)
            if not (left.entries or left.asked):
                path.unlink()


def _differs(old: Entry | None, new: Entry) -> bool:
    if old is None:
        return True
    return replace(
        old, files=tuple(sorted(old.files, key=str)), idc_version=0, by="", provider="", bucket=""
    ) != replace(new, files=tuple(sorted(new.files, key=str)), idc_version=0, by="", provider="", bucket="")


def _line(entry: Entry) -> str:
    more: dict[str, Any] = {"etags": entry.etags, "own": entry.own, "found": entry.found}
    return json.dumps(
        {
            "receipt": _VERSION,
            "series": entry.series_uid,
            "uuid": entry.crdc_series_uuid,
            "bucket": entry.bucket,
            "provider": entry.provider,
            "idc_version": entry.idc_version,
            "path": _path(entry.path),
            "verified": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "by": entry.by,
            "files": entry.files,
        }
        | {name: dict(value) for name, value in more.items() if value}
        | {name: True for name in ("scattered", "claimed") if getattr(entry, name)},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _path(path: str) -> str | list[str]:
    """Return a folder as it is written down: one that another system would not take, by its components."""
    return path if is_safe_path(path) else path.split("/")


def _asked_lines(items: list[tuple[Item, str]], provider: str, idc_version: int, asker: str) -> list[str]:
    return [
        json.dumps(
            {
                "receipt": _VERSION,
                "verified": None,
                "provider": provider,
                "idc_version": idc_version,
                "asked": [
                    (item.series_uid, item.crdc_series_uuid, item.bucket, _path(path), item.files, item.bytes)
                    for item, path in items[first : first + _ASKED_IN_A_LINE]
                ],
            }
            | ({"by": asker} if asker else {}),
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for first in range(0, len(items), _ASKED_IN_A_LINE)
    ]


def _write(path: Path, line: str) -> None:
    """Append a line in one write, so that a crash can at most lose this line."""
    if _is_link(path):
        raise OSError(errno.ELOOP, "it is a link, which is not followed", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # A leading newline too: a line torn by a crash then spoils itself alone. Readers skip empty lines.
    data = f"\n{line}\n".encode("utf-8", "surrogatepass")
    mode = 0o644 if path.parent.name == OWN_FOLDER else 0o600
    more = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # the latter for a pipe, which nobody reads
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | more, mode)
    try:
        written = os.write(handle, data)
        while written < len(data):  # on a full disk the next one says so
            written += os.write(handle, data[written:])
    finally:
        os.close(handle)


def _is_link(path: Path) -> bool:
    """Whether a receipt, or its folder, is a link: it could lead to any file of the user's."""
    return path.parent.name == OWN_FOLDER and (path.is_symlink() or path.parent.is_symlink())


# -- reading


def read(path: Path, wanted: Collection[str] | None = None) -> Record:
    """Return what a record says; with `wanted`, only of these crdc_series_uuids.

    Of several entries of one folder the last counts. Names that only an earlier one has stay: the objects of a
    crdc_series_uuid do not change, so one that names fewer (as an earlier format did of what was found wrong) takes
    nothing back.
    """
    record = Record()
    for line in _lines(path):
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            loaded = json.loads(line)
            if "asked" in loaded:
                for each in loaded["asked"]:
                    item, folder = _asked(each)
                    if wanted is None or item.crdc_series_uuid in wanted:
                        record.asked[item.crdc_series_uuid, folder] = item
                        record.askers.setdefault((item.crdc_series_uuid, folder), set()).add(loaded.get("by", ""))
            elif "unasked" in loaded or "withdrawn" in loaded:
                for uuid, folder in loaded.get("unasked", ()):
                    askers = record.askers.get((uuid, folder), set())
                    askers.discard(loaded.get("by", ""))
                    if not askers:
                        record.asked.pop((uuid, folder), None)
                for uuid, folder in loaded.get("withdrawn", ()):
                    record.asked.pop((uuid, folder), None)
                    record.askers.pop((uuid, folder), None)
                    record.entries.pop((uuid, folder), None)
            elif wanted is None or loaded["uuid"] in wanted:
                entry = _entry(loaded)
                record.entries[entry.key] = _joined(record.entries.get(entry.key), entry)
    return record


def entries(destination: Path, wanted: Collection[str] | None = None) -> Iterator[Entry]:
    """Yield the receipt's entries; with `wanted`, only those of these crdc_series_uuids."""
    yield from read(receipt_path(destination), wanted).entries.values()


def present(destination: Path, wanted: Collection[str], by: str = "md5") -> dict[Key, Entry]:
    """Return the entries of `wanted` whose files are all there, by (crdc_series_uuid, path).

    Those that were verified by less than `by`, or that a check found wrong, do not count.
    """
    return look(destination, wanted, by).present


def written(destination: Path, wanted: Collection[str], since: float) -> dict[Key, float]:
    """Return when series were first entered after a time, by key: what changed later is not what was put there."""
    found: dict[Key, float] = {}
    for line in _lines(receipt_path(destination)):
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            loaded = json.loads(line)
            key = loaded["uuid"], _folder(loaded["path"])
            if key[0] in wanted and (at := datetime.fromisoformat(loaded["verified"]).timestamp()) >= int(since):
                found.setdefault(key, at)
    return found


class Look(NamedTuple):
    """What the records say of series: those that are here, files that were found wrong, all that was asked for."""

    present: dict[Key, Entry]
    damaged: dict[Key, frozenset[str]]
    asked: set[Key]


def look(destination: Path, wanted: Collection[str], by: str = "md5") -> Look:
    """Return what the records say of `wanted`; see `present`."""
    record = read(receipt_path(destination), wanted)
    found = record.entries
    for key, own in read(record_path(destination), wanted).entries.items():
        if own.found:
            found[key] = replace(found.get(key, own), found=own.found)
    enough = STRENGTH[STRENGTH.index(by) :]
    return Look(
        {key: entry for key, entry in found.items() if entry.by in enough and entry.intact(destination)},
        {key: frozenset(entry.found) for key, entry in found.items() if entry.found},
        {*record.asked, *found},
    )


def _lines(path: Path) -> Iterator[bytes]:
    try:
        if _is_link(path) or not path.is_file():  # a pipe would be waited for
            return
        file = path.open("rb")
    except OSError:
        return
    with file:
        while line := file.readline(_LONGEST_LINE):
            if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
                if line.strip():
                    yield line
                continue
            while line and not line.endswith(b"\n"):  # nothing of ours is that long
                line = file.readline(_LONGEST_LINE)


def _entry(loaded: dict[str, Any]) -> Entry:
    entry = Entry(
        series_uid=_word(loaded["series"]),
        crdc_series_uuid=_word(loaded["uuid"]),
        bucket=_word(loaded["bucket"]),
        provider=_word(loaded["provider"]),
        idc_version=_size(loaded["idc_version"]),
        path=_folder(loaded["path"]),
        by=_text(loaded.get("by", "md5")),
        files=tuple((_text(name), _size(size), md5 if is_md5(md5) else None) for name, size, md5 in loaded["files"]),
        etags={_text(name): _text(etag) for name, etag in loaded.get("etags", {}).items()},
        own={_text(n): (md5, bool(right)) for n, (md5, right) in loaded.get("own", {}).items() if is_md5(md5)},
        found={_text(n): (_text(kind), _text(why)) for n, (kind, why) in loaded.get("found", {}).items()},
        scattered=bool(loaded.get("scattered")),
        claimed=bool(loaded.get("claimed")),
    )
    if not all(is_safe_name(name) for name, *_ in entry.files):
        raise ValueError("it leads out of the folder")
    if len({name.casefold() for name, *_ in entry.files}) != len(entry.files):
        raise ValueError("it names a file twice")
    return entry


def _asked(row: Any) -> tuple[Item, str]:
    uid, uuid, bucket, path, files, size = row
    return Item(_word(uid), _word(uuid), _word(bucket), _size(files), _size(size)), _folder(path)


def _folder(value: Any) -> str:
    """Return a folder below the destination (see `_path`)."""
    path = "/".join(map(_text, value)) if isinstance(value, list) else _text(value)
    if not (is_lawful_path(path) if isinstance(value, list) else is_safe_path(path)):
        raise ValueError("it leads out of the folder")
    return path


def _word(value: Any) -> str:
    """Return an identifier, which goes into queries and addresses."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _size(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise TypeError(value)
    return value


def _joined(old: Entry | None, new: Entry) -> Entry:
    if old is None or (old.claimed and not new.claimed):  # what is known takes the place of what was claimed
        return new
    if not new.files:  # an earlier format's word for a series that was found wrong
        return replace(old, found=dict(old.found) or {"": ("damaged", "an earlier check found it wrong")})
    files = {name: (name, size, md5) for name, size, md5 in old.files}
    for name, size, md5 in new.files:
        before = files.get(name)
        if before is not None and md5 is None and name not in new.etags and before[1] == size:
            md5 = before[2]
        files[name] = name, size, md5
    # What was found wrong and no longer is was fetched anew.
    mended = old.found.keys() - new.found.keys()
    own = {n: o for n, o in old.own.items() if n not in mended and new.etags.get(n) == old.etags.get(n)}
    return replace(new, files=tuple(files.values()), own=own | dict(new.own))
