"""What a cancelled job takes with it, and what is forgotten of those that are complete for long."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from pathlib import Path

from . import receipt, safe
from .etags import digest, part_sizes, parts_of
from .journal import Journal
from .pages import received
from .paths import OWN_FOLDER, STAGING
from .registry import OwnerLock, lock_path

# Of complete jobs, the objects stay in the journal of the last ones, for so many seconds.
_KEPT_JOBS = 100
_KEPT_FOR = 30 * 24 * 3600
_AT_ONCE = 100  # series, so that no other job waits long for the journal


def remove_staging(journal: Journal, job_id: str) -> None:
    """Remove the staging folders of a job's unfinished series, but none that another job is at work on."""
    staging = journal.destination / OWN_FOLDER / STAGING
    linked = safe.link_in(journal.destination, f"{OWN_FOLDER}/{STAGING}", {}) is not None
    busy = set()
    for row in journal.all("SELECT uuid, job FROM claim WHERE job != ?", (job_id,)):
        if OwnerLock(lock_path(journal.path, row["job"])).held_elsewhere():
            busy.add(row["uuid"])
    unfinished = journal.all("SELECT uuid FROM series WHERE job = ? AND state != 'done'", (job_id,))
    mine = {row["uuid"] for row in unfinished} - busy
    with contextlib.suppress(OSError):
        for folder in () if linked else list(os.scandir(staging)):  # a few, of a job of perhaps a million series
            if folder.name in mine:  # a link is not followed
                shutil.rmtree(folder.path, ignore_errors=True)
    receipt_keys = [
        (row["uuid"], row["path"])
        for row in journal.all(
            "SELECT uuid, path FROM series s WHERE job = ?1 AND state != 'done' AND NOT EXISTS (SELECT 1 FROM series o"
            " JOIN job ON job.id = o.job WHERE o.path = s.path AND o.uuid = s.uuid AND o.job != ?1"
            " AND (o.state = 'done' OR job.state != 'cancelled'))",
            (job_id,),
        )
    ]
    with contextlib.suppress(OSError):
        receipt.withdraw(journal.destination, receipt_keys, job_id)
    with contextlib.suppress(OSError):  # which stay where something is left in them
        staging.rmdir()
        staging.parent.rmdir()


def remove_downloaded(journal: Journal, job_id: str) -> str | None:
    """Remove the files that this job itself put in place, and the folders that are empty without them.

    What lies behind a link, or is not what was put there, stays. The receipt no longer has the series then: a check of
    the folder need not miss what was removed on request.

    Returns
    -------
        A sentence where files were left.
    """
    destination, job = journal.destination, journal.job(job_id)
    rows = journal.all(
        "SELECT uuid, path, name, size, etag FROM series LEFT JOIN object USING (job, n)"
        " WHERE job = ? AND series.state = 'done' AND series.reason IS NULL",
        (job_id,),
    )
    old = received(journal, {row["uuid"] for row in rows if row["name"] is None})
    written = receipt.written(destination, {row["uuid"] for row in rows}, job["created"])
    seen: dict[str, bool] = {}
    folders, left = set(), 0
    for row in rows:
        key = row["uuid"], row["path"]
        files = [(row["name"], row["size"], row["etag"])] if row["name"] else old.get(key, ())
        safe.require(*key, [name for name, *_ in files])
        if safe.link_in(destination, row["path"], seen) is not None:
            left += len(files)
            continue
        folder = destination / row["path"]
        folders.add(folder)
        for name, size, etag in files:
            if not os.path.lexists(folder / name):
                continue
            if _is_as_put(folder / name, size, etag or "", written.get(key)):
                (folder / name).unlink(missing_ok=True)
            else:
                left += 1
    with contextlib.suppress(OSError):
        receipt.withdraw(destination, {(row["uuid"], row["path"]) for row in rows}, None)
    for folder in folders:
        with contextlib.suppress(OSError):
            while folder != destination:
                folder.rmdir()  # fails, as it should, where something is left
                folder = folder.parent
    if not left:
        return None
    return f"{left:,} {'file was' if left == 1 else 'files were'} left: changed since, or behind a link"


def _is_as_put(path: Path, size: int, etag: str, written: float | None) -> bool:
    """Whether a file is what a download put there: not touched since, or else of the same content."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != size:
            return False
        if written is not None and max(status.st_mtime, status.st_ctime) < written + 1:  # which is in whole seconds
            return True
        found, etags = digest(path, part_sizes(size, parts_of(etag) or 0))
        return etag.strip('"').lower() in (found, *etags.values())
    except OSError:
        return False


def forget_objects(journal: Journal) -> None:
    """Take the objects of old complete jobs, 120 bytes each, out of the journal where the receipt has them too."""
    old = journal.all(
        "SELECT id, series_total FROM job WHERE state = 'complete'"
        " AND EXISTS (SELECT 1 FROM object WHERE object.job = job.id) AND (heartbeat < ? OR id NOT IN"
        " (SELECT id FROM job WHERE state = 'complete' ORDER BY heartbeat DESC LIMIT ?))",
        (time.time() - _KEPT_FOR, _KEPT_JOBS),
    )
    if not old:
        return
    written: dict[tuple[str, str], bool] = {}
    for entry in receipt.entries(journal.destination):
        written[entry.crdc_series_uuid, entry.path] = bool(entry.files)
    for job in old:
        series = journal.all("SELECT uuid, path FROM series WHERE job = ?", (job["id"],))
        if not all(written.get((row["uuid"], row["path"])) for row in series):
            continue
        for first in range(0, job["series_total"], _AT_ONCE):
            with journal.transaction() as db:
                db.execute(
                    "DELETE FROM object WHERE job = ? AND n >= ? AND n < ?", (job["id"], first, first + _AT_ONCE)
                )
