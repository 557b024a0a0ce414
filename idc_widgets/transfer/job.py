"""A download as everyone sees it: a view of its journal, and requests to its worker."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from .cleanup import remove_downloaded, remove_staging
from .journal import Journal
from .model import ACTIVE, ENDED, Progress, Provider, State, TransferError
from .registry import OwnerLock, journal_path, journal_paths, lock_path, real_destination
from .spawn import spawn_worker

_STALE = 1.5  # seconds without a heartbeat after which the worker's lock is looked at
_START_PATIENCE = 20.0  # seconds that a worker may take to begin
_ACKNOWLEDGE = 2.0
_DEAD = "the download process ended unexpectedly; resume the download to go on"
_PROGRESS = ", ".join(Progress.__dataclass_fields__)


class Job:
    """One download. Any number of these, in any process, agree, since all of them read the journal."""

    def __init__(self, journal: Journal, row: sqlite3.Row) -> None:
        self._journal = journal
        self.id: str = row["id"]
        self.title: str = row["title"]
        self.provider: Provider = row["provider"]
        self.path: Path = journal.destination
        self.created: datetime = datetime.fromtimestamp(row["created"]).astimezone()

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.title!r} {self.state} → {self.path}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and (self.id, self.path) == (other.id, other.path)

    def __hash__(self) -> int:
        return hash((self.id, self.path))

    # -- what it says ------------------------------------------------------------------------------------

    def _status(self) -> tuple[State, str | None]:
        row = self._journal.one("SELECT state, error, heartbeat FROM job WHERE id = ?", (self.id,))
        if row is None:
            raise TransferError(f"the journal of {self.path} knows no download {self.id!r} any more")
        if row["state"] in ACTIVE and self._is_dead(row):
            return "failed", _DEAD
        return cast(State, row["state"]), row["error"]

    def _is_dead(self, row: sqlite3.Row) -> bool:
        silent = time.time() - row["heartbeat"]
        if silent < (_START_PATIENCE if row["state"] == "queued" else _STALE):
            return False
        # A worker that is merely slow, or slept with the whole machine, still holds its lock.
        return not self._lock().held_elsewhere()

    def _lock(self) -> OwnerLock:
        return OwnerLock(lock_path(self._journal.path, self.id))

    @property
    def state(self) -> State:
        """Return the state; "failed" means ended with something missing."""
        return self._status()[0]

    @property
    def error(self) -> str | None:
        """Return why it failed as a whole, in a sentence; None when it did not."""
        return self._status()[1]

    @property
    def progress(self) -> Progress:
        """Return where it stands."""
        row = self._journal.one(f"SELECT {_PROGRESS} FROM job WHERE id = ?", (self.id,))
        if row is None:
            raise TransferError(f"the journal of {self.path} knows no download {self.id!r} any more")
        return Progress(*row)

    def files(self) -> list[dict[str, Any]]:
        """Return the files known so far: path, series_uid, bytes, state ("pending", "verified", "failed").

        A path is where the file is, or is going to be; it is there once its series is complete.
        """
        rows = self._journal.all(
            "SELECT path, name, uid, size, object.state AS state FROM series JOIN object USING (job, n)"
            " WHERE job = ? ORDER BY n, name",
            (self.id,),
        )
        return [
            {
                "path": self.path / row["path"] / row["name"],
                "series_uid": row["uid"],
                "bytes": row["size"],
                "state": row["state"],
            }
            for row in rows
        ]

    def failures(self) -> list[dict[str, str]]:
        """Return what could not be fetched: key, series_uid, reason; a key ending in / is a whole series."""
        rows = self._journal.all(
            "SELECT s.uuid, s.uid, s.bucket, o.name, COALESCE(o.reason, s.reason) AS reason FROM series s"
            " LEFT JOIN object o ON o.job = s.job AND o.n = s.n AND o.state = 'failed'"
            " WHERE s.job = ? AND s.state = 'failed' ORDER BY s.n, o.name",
            (self.id,),
        )
        return [
            {
                "key": f"s3://{row['bucket']}/{row['uuid']}/{row['name'] or ''}",
                "series_uid": row["uid"],
                "reason": row["reason"],
            }
            for row in rows
        ]

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended, at most `timeout` seconds.

        Returns
        -------
            True when it is complete; False when it failed, was cancelled, or is still going (see `state`).
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.02
        while (state := self.state) not in ENDED:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            time.sleep(pause if left is None else min(pause, left))
            pause = min(pause * 1.5, 0.25)
        return state == "complete"

    # -- what can be asked of it -------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop fetching; what came is kept, and `resume` goes on from there."""
        if self._ask("pause", None, "paused"):
            with self._lock() as lock:
                if lock.acquire():
                    self._journal.update_job(self.id, state="paused", error=None, speed=None, eta=None)

    def cancel(self, keep: bool = True) -> None:
        """End the job for good.

        Parameters
        ----------
        keep
            Whether the series that are complete stay; what is unfinished goes in any case.
        """
        if self._ask("cancel", None if keep else "remove", "cancelled", also=("paused", "failed")):
            with self._lock() as lock:
                if lock.acquire():
                    remove_staging(self._journal, self.id)
                    if not keep:
                        remove_downloaded(self._journal, self.id)
                    self._journal.update_job(
                        self.id, state="cancelled", error=None, bytes_in_flight=0, speed=None, eta=None
                    )

    def _ask(self, verb: str, argument: str | None, outcome: str, also: tuple[str, ...] = ()) -> bool:
        """Ask the worker; True when there is none, so that the caller has to do it itself."""
        if self._journal.job(self.id)["state"] not in (*ACTIVE, *also):
            return False
        self._journal.request(self.id, verb, argument)
        deadline = time.monotonic() + _ACKNOWLEDGE
        while time.monotonic() < deadline:
            row = self._journal.job(self.id)
            if row["state"] == outcome or row["state"] in ENDED.difference(also):
                return False
            # A worker that has not begun yet will find the request.
            if (row["state"] not in ACTIVE or self._is_dead(row)) and not self._lock().held_elsewhere():
                self._journal.take_requests(self.id)
                return True
            time.sleep(0.02)
        return False

    def resume(self) -> None:
        """Go on with a job that is paused, failed, or whose process died; nothing verified is fetched again."""
        state = self.state
        if state == "cancelled":
            raise TransferError(f"download {self.id} was cancelled; start it again to go on")
        if state == "paused" or state == "failed":
            self._start_again()

    def retry(self) -> None:
        """Try again what failed."""
        state = self.state
        if state == "cancelled":
            raise TransferError(f"download {self.id} was cancelled; start it again to go on")
        if state in ACTIVE:
            self._journal.request(self.id, "retry")
        elif state != "complete":
            self._start_again()

    def _start_again(self) -> None:
        if not self.path.is_dir():
            raise TransferError(f"the destination {self.path} is gone; bring it back, or start the download again")
        with self._journal.transaction() as db:
            db.execute("DELETE FROM request WHERE job = ?", (self.id,))
            db.execute("INSERT INTO request (job, verb) VALUES (?, 'retry')", (self.id,))
            db.execute(
                "UPDATE job SET state = 'queued', error = NULL, heartbeat = ? WHERE id = ?", (time.time(), self.id)
            )
        spawn_worker(self._journal.path, self.id)


def jobs(destination: str | Path | None = None) -> list[Job]:
    """Return the downloads this machine knows, newest first; with `destination`, those to that folder."""
    if destination is None:
        paths = list(journal_paths())
    else:
        path = journal_path(real_destination(destination))
        paths = [path] if path.exists() else []
    found = []
    for path in paths:
        with contextlib.suppress(sqlite3.DatabaseError, TransferError):  # a damaged journal hides its jobs only
            journal = Journal.of(path)
            found += [Job(journal, row) for row in journal.all("SELECT id, title, provider, created FROM job")]
    return sorted(found, key=lambda job: job.created, reverse=True)
