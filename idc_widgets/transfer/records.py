"""What is known of a folder before it is looked at, and what is kept of it: receipt, own record, journal."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import providers, receipt
from .etags import md5_of
from .journal import Journal
from .judge import Verdict
from .model import Item, Provider, TransferError
from .receipt import Entry, Key, Record
from .registry import journal_path, record_path
from .series import Object

if TYPE_CHECKING:
    from .targets import Target


@dataclass
class Known:
    """All records together.

    Attributes
    ----------
    entries
        By crdc_series_uuid and folder; where both records have a file, as this machine's own has it.
    rivals
        What the receipt says otherwise of the same files: (size, MD5) by name.
    asked
        Series that were asked for, with why they may not be here ("" where nothing is known of that).
    backed
        Entries that this machine's own record or journal has too, not only as what a receipt claimed.
    askers
        Who asked for series (see `receipt.Record`).
    downloaded
        Where downloads of this machine put series, or were to.
    receipt, own
        The records themselves.
    """

    entries: dict[Key, Entry] = field(default_factory=dict)
    rivals: dict[Key, dict[str, tuple[int, str | None]]] = field(default_factory=dict)
    asked: dict[Key, tuple[Item, str]] = field(default_factory=dict)
    backed: set[Key] = field(default_factory=set)
    askers: dict[Key, set[str]] = field(default_factory=dict)
    downloaded: set[Key] = field(default_factory=set)
    receipt: Record = field(default_factory=Record)
    own: Record = field(default_factory=Record)


def known(root: Path) -> Known:
    """Return what is known of a folder."""
    out = Known(receipt=receipt.read(receipt.receipt_path(root)), own=receipt.read(record_path(root)))
    # Whether an MD5 that it took was right is for this machine to say: where it cannot, the ETag is compared again.
    out.entries = {
        key: replace(entry, own={name: (md5, False) for name, (md5, _) in entry.own.items()}, claimed=False)
        for key, entry in out.receipt.entries.items()
    }
    for entry in out.own.entries.values():
        _take(out, entry)
    for record in (out.receipt, out.own):
        for key, askers in record.askers.items():
            out.askers.setdefault(key, set()).update(askers)
        out.asked |= {key: (item, "") for key, item in record.asked.items() if key not in out.entries}
    with contextlib.suppress(TransferError, OSError):  # a journal that is damaged tells nothing
        _from_journal(root, out)
    return out


def _take(out: Known, own: Entry) -> None:
    """Add what this machine itself knows of a series; where the receipt says otherwise, that is remembered.

    What it has from a receipt alone says no more than the receipt, but for what was found wrong.
    """
    key = own.key
    other = out.entries.get(key)
    if not own.claimed:
        out.backed.add(key)
    if other is None:
        out.entries[key] = own
        return
    if own.claimed:
        own, other = replace(other, found=dict(other.found) | dict(own.found)), own
    theirs = {name: (size, md5) for name, size, md5 in other.files}
    differ = {n: theirs[n] for n, size, md5 in own.files if n in theirs and _contradict(theirs[n], (size, md5))}
    if differ:
        out.rivals[key] = differ
    mine = {name for name, *_ in own.files}
    out.entries[key] = replace(
        own,
        files=own.files + tuple(file for file in other.files if file[0] not in mine),
        by=other.by,
        etags=dict(other.etags) | dict(own.etags),
        own=dict(other.own) | dict(own.own),
        found=dict(other.found) | dict(own.found),
        scattered=own.scattered and other.scattered,
    )


def _contradict(one: tuple[int, str | None], other: tuple[int, str | None]) -> bool:
    return one[0] != other[0] or (one[1] is not None and other[1] is not None and one[1] != other[1])


def _from_journal(root: Path, out: Known) -> None:
    path = journal_path(root)
    if not path.exists():
        return
    journal = Journal.of(path)
    done: dict[Key, sqlite3.Row] = {}
    for row in journal.all(
        "SELECT job, n, uid, uuid, bucket, files, bytes, path, series.state, reason, provider, idc_version, verify,"
        " job.state AS job_state FROM series JOIN job ON job.id = series.job WHERE job.state != 'cancelled'"
        " ORDER BY created, n"
    ):
        key = row["uuid"], row["path"]
        out.downloaded.add(key)
        if row["state"] == "done" and key not in out.backed:
            done[key] = row  # of several, the last
        if key in out.entries:
            continue
        why = f"a download of it failed: {row['reason']}" if row["state"] == "failed" and row["reason"] else ""
        if not why and row["state"] != "done":
            why = f"a download of it is {row['job_state']}"
        out.asked[key] = Item(row["uid"], row["uuid"], row["bucket"], row["files"], row["bytes"]), why
        out.askers.setdefault(key, set()).add(row["job"])
    for row in done.values():
        objects = journal.all("SELECT name, size, etag FROM object WHERE job = ? AND n = ?", (row["job"], row["n"]))
        if len(objects) == row["files"]:
            listed = [Object(each["name"], each["size"], each["etag"]) for each in objects]
            entry = received(row, row["uid"], row["uuid"], row["bucket"], row["path"], listed)
            _take(out, entry)
            out.asked.pop(entry.key, None)


def received(job: Any, uid: str, uuid: str, bucket: str, path: str, objects: Collection[Object]) -> Entry:
    """Return the entry of a series that a job (its row of the journal) has put in place."""
    return Entry(
        uid, uuid, bucket, job["provider"], job["idc_version"], path,
        tuple((each.name, each.size, md5_of(each.etag)) for each in objects), job["verify"],
        etags_of((each.name, each.etag) for each in objects),
    )  # fmt: skip


def etags_of(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the ETags that are no MD5, by name."""
    return {name: etag for name, etag in files if etag and md5_of(etag) is None}


def entry_of(
    target: Target, old: Entry | None, fresh: Collection[Object] | None, verdicts: Mapping[str, Verdict],
    provider: Provider, idc_version: int, *, scattered: bool = False, backed: bool = True,
) -> Entry:  # fmt: skip
    """Return what is to be kept of a series in a folder after a check.

    Parameters
    ----------
    target
        The series and its folder.
    old
        What was known of its files.
    fresh
        All its objects as the bucket lists them now; None where it was not asked.
    verdicts
        Of the files that were judged, by name.
    provider, idc_version, scattered
        As in an entry.
    backed
        Whether this machine itself knew them.
    """
    item = target.item
    found = {name: verdict.wrong for name, verdict in verdicts.items() if verdict.wrong is not None}
    if target.entry is not None and fresh is None and (still := standing(target.entry)) is not None:
        found[""] = still
    own = dict(old.own) if old is not None else {}
    before = {name: (size, md5) for name, size, md5 in old.files} if old is not None else {}
    etags = dict(old.etags) if old is not None else {}
    files = {name: (name, *rest) for name, rest in before.items()}
    if fresh is not None:
        files = {}
        for each in fresh:
            keeps = each.name in before and found.get(each.name, ("", ""))[0] == "changed"
            size, md5 = before.get(each.name, (0, None))
            # An ETag of another kind takes nothing back: the objects of a version do not change.
            now = md5_of(each.etag) or (md5 if backed and size == each.size else None)
            files[each.name] = (each.name, *before[each.name]) if keeps else (each.name, each.size, now)
            if not keeps:
                etags.pop(each.name, None)
                etags |= etags_of([(each.name, each.etag.strip('"').lower())])
        etags = {name: etag for name, etag in etags.items() if name in files}
    own |= {name: verdict.own for name, verdict in verdicts.items() if verdict.own is not None}
    return Entry(
        series_uid=item.series_uid,
        crdc_series_uuid=item.crdc_series_uuid,
        bucket=providers.bucket_at(provider, item.bucket),
        provider=provider,
        idc_version=old.idc_version if old is not None else idc_version,
        path=target.path,
        files=tuple(files.values()),
        by="md5" if old is None or (fresh is not None and old.by == "size") else old.by,
        etags=etags,
        own={name: value for name, value in own.items() if name in files},
        found=found,
        scattered=scattered,
        claimed=fresh is None and not backed,
    )


def standing(entry: Entry) -> tuple[str, str] | None:
    """Return what was found wrong with the series as a whole, where the records alone cannot take it back."""
    earlier = entry.found.get("")
    if earlier is None or earlier[0] in ("absent", "missing") or all(md5 is not None for *_, md5 in entry.files):
        return None
    return earlier
