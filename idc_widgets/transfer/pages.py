"""A job's series, a page at a time, and their files, as its journal and the disk have them."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Literal

from idc_widgets.lib import arguments
from idc_widgets.lib.arguments import shown

from . import receipt
from .journal import Journal
from .model import TransferError
from .paths import OWN_FOLDER, STAGING
from .validate import checked
from .verify import md5_of

SeriesState = Literal["queued", "active", "complete", "failed"]

_CONDITIONS = {
    "queued": "state IN ('pending', 'listed') AND phase IS NULL",
    "active": "phase IS NOT NULL",
    "complete": "state = 'done'",
    "failed": "state = 'failed'",
}
# Of a job whose worker is gone nothing is at work, whatever it wrote last.
_AT_REST = _CONDITIONS | {"queued": "state IN ('pending', 'listed')", "active": "FALSE"}


def series_page(
    journal: Journal, job_id: str, offset: int, limit: int, state: SeriesState | None, working: bool
) -> list[dict[str, Any]]:
    """Return rows as `Job.series` describes them; `working` says whether the job has a worker."""
    if state is not None and (not isinstance(state, str) or state not in _CONDITIONS):
        raise TransferError(f"state={shown(state)}: valid states are {', '.join(map(repr, _CONDITIONS))}")
    for number, name in ((offset, "offset"), (limit, "limit")):
        checked(arguments.whole, number, name, "a whole number of rows from 0 on")
    where = f" AND {(_CONDITIONS if working else _AT_REST)[state]}" if state else ""
    verified = "FROM object o WHERE o.job = s.job AND o.n = s.n AND o.state = 'verified'"
    rows = journal.all(
        f"SELECT *, CASE state WHEN 'done' THEN files ELSE (SELECT COUNT(*) {verified}) END AS files_done,"
        f" CASE state WHEN 'done' THEN bytes ELSE (SELECT TOTAL(size) {verified}) END AS bytes_done"
        f" FROM series s WHERE job = ?{where} ORDER BY n LIMIT ? OFFSET ?",
        (job_id, limit, offset),
    )
    return [_as_dict(journal, row, working) for row in rows]


def _as_dict(journal: Journal, row: sqlite3.Row, working: bool) -> dict[str, Any]:
    phase = row["phase"] if working else None
    state = {"done": "complete", "failed": "failed"}.get(row["state"]) or phase or "queued"
    return {
        "SeriesInstanceUID": row["uid"],
        "crdc_series_uuid": row["uuid"],
        "path": journal.destination / row["path"],
        "state": state,
        "files": row["files"],
        "files_done": row["files_done"],
        "bytes": row["bytes"],
        "bytes_done": int(row["bytes_done"]),
        "bytes_in_flight": row["in_flight"] if state == "downloading" else 0,
        "reason": row["reason"] if state in ("failed", "retrying") else None,
        "retry_in": max(0.0, row["retry_at"] - time.time()) if state == "retrying" else None,
    }


def series_counts(journal: Journal, job_id: str, working: bool) -> dict[str, int]:
    """Return how many series are in each state."""
    conditions = (_CONDITIONS if working else _AT_REST).items()
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {condition}) AS {name}" for name, condition in conditions)
    row = journal.one(f"SELECT {counts} FROM series WHERE job = ?", (job_id,))
    return dict(row) if row else {}


def files(journal: Journal, job_id: str, series_uid: str | None, working: bool) -> list[dict[str, Any]]:
    """Return rows as `Job.files` describes them; `working` says whether the job has a worker."""
    if series_uid is not None:
        checked(arguments.text, series_uid, "series", "a SeriesInstanceUID of it")
    by_size = journal.job(job_id)["verify"] == "size"
    rows = journal.all(
        "SELECT n, path, uid, uuid, series.state AS series_state, name, size, etag, object.state, object.reason"
        " FROM series LEFT JOIN object USING (job, n) WHERE job = ?1 AND (?2 IS NULL OR uid = ?2) ORDER BY n, name",
        (job_id, series_uid),
    )
    if series_uid is not None and not rows:
        raise TransferError(f"download {job_id} has no series {shown(series_uid)}")
    there: dict[str, dict[str, int]] = {}
    old = received(journal, {row["uuid"] for row in rows if row["name"] is None and row["series_state"] == "done"})

    def entry(row: sqlite3.Row, name: str, size: int, md5: str | None, state: str) -> dict[str, Any]:
        arrived = 0
        if state == "pending":
            if row["uuid"] not in there:
                there[row["uuid"]] = _staged(journal.destination / OWN_FOLDER / STAGING / row["uuid"])
            arrived = there[row["uuid"]].get(name, 0)
            state = "received" if arrived == size else "downloading" if arrived and working else state
        return {
            "path": journal.destination / row["path"] / name,
            "SeriesInstanceUID": row["uid"],
            "bytes": size,
            "bytes_in_flight": arrived,
            "state": state,
            "reason": row["reason"] if state == "failed" else None,
            "verified_by": None if state != "verified" else "size" if by_size or md5 is None else "md5",
        }

    found = []
    for row in rows:
        if row["name"] is not None:
            found.append(entry(row, row["name"], row["size"], md5_of(row["etag"]), row["state"]))
        else:
            found += [entry(row, *file, "verified") for file in old.get((row["uuid"], row["path"]), ())]
    return found


def received(journal: Journal, uuids: set[str]) -> dict[tuple[str, str], list[tuple[str, int, str | None]]]:
    """Return (name, size, MD5) of the files of series whose objects the journal has no more, from the receipt.

    The keys are (crdc_series_uuid, path).
    """
    entries = receipt.entries(journal.destination, uuids) if uuids else ()
    return {(entry.crdc_series_uuid, entry.path): sorted(entry.files) for entry in entries}


def _staged(folder: Path) -> dict[str, int]:
    """Return the bytes that are there of each object, complete or not."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                name, size = entry.name, status.st_size
                draft = name.removesuffix(".part").rstrip("0123456789")  # s5cmd puts a number after the name
                if draft != name:  # with holes where nothing has arrived yet
                    name, size = draft, min(size, getattr(status, "st_blocks", 0) * 512)
                found[name] = max(size, found.get(name, 0))
    return found
