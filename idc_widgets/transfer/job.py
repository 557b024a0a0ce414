"""A download as everyone sees it: a view of its journal, and requests to its worker."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from idc_widgets.lib import arguments
from idc_widgets.lib.arguments import shown

from . import display, documents, providers, waiting
from .cleanup import remove_downloaded, remove_staging
from .journal import Journal
from .model import (
    ACTIVE,
    ENDED,
    LIMIT_REACHED,
    Item,
    Progress,
    Provider,
    Snapshot,
    State,
    Status,
    TransferError,
)
from .pages import SeriesState, files, series_counts, series_page
from .plan import distinct, make, too_little
from .registry import OwnerLock, lock_path
from .spawn import spawn_worker
from .status import status_of
from .units import parse_bytes, parse_rate
from .validate import Wish, check_workers, checked

_STALE = 1.5  # seconds without a heartbeat after which the worker's lock is looked at
_START_PATIENCE = 20.0  # seconds that a worker may take to begin
_ACKNOWLEDGE = 2.0
_DEAD = "the download process ended unexpectedly; resume the download to go on"
_PROGRESS = ", ".join(Progress.__dataclass_fields__)


@runtime_checkable
class _HasItems(Protocol):
    """A cohort, as far as it matters here."""

    def items(self, layout: str) -> Sequence[Item]: ...
    def documents(self, provider: Provider, layout: str) -> documents.Documents: ...


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

    def _repr_html_(self) -> str:
        return display.as_html([self])

    def _ipython_display_(self) -> None:
        if display.live is None or not waiting.in_notebook():
            raise NotImplementedError  # IPython takes the next best then
        display.live(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and (self.id, self.path) == (other.id, other.path)

    def __hash__(self) -> int:
        return hash((self.id, self.path))

    def _status(self) -> tuple[State, str | None]:
        row = self._journal.one("SELECT state, error, heartbeat FROM job WHERE id = ?", (self.id,))
        if row is None:
            raise TransferError(f"the journal of {self.path} knows no download {self.id!r} any more")
        return self._status_in(row)

    def _status_in(self, row: sqlite3.Row) -> tuple[State, str | None]:
        if row["state"] in ACTIVE and self._is_dead(row):
            return "failed", _DEAD
        return cast(State, row["state"]), row["error"]

    def _is_dead(self, row: sqlite3.Row) -> bool:
        silent = time.time() - row["heartbeat"]
        if 0 <= silent < (_START_PATIENCE if row["state"] == "queued" else _STALE):
            return False
        # A worker that is merely slow, or slept with the whole machine, still holds its lock.
        return not self._lock().held_elsewhere()

    def _state_now(self) -> State:
        """Return the state; also of a worker that was killed a moment ago, whose heartbeat is still young."""
        state = self.state
        if state in ACTIVE and state != "queued" and not self._lock().held_elsewhere():
            state = self.state  # it may have ended by itself between the two
            return "failed" if state in ACTIVE else state
        return state

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

    @property
    def status(self) -> Status:
        """Return what it is at, in words: also what it waits for, or how it ended."""
        return self.snapshot().status

    def snapshot(self, row: sqlite3.Row | None = None) -> Snapshot:
        """Return all that it says of itself, of one moment; `row` is its row of the journal where that is known."""
        if row is None:
            row = self._journal.job(self.id)
        state, error = self._status_in(row)
        progress = Progress(*(row[name] for name in Progress.__dataclass_fields__))
        return Snapshot(state, error, status_of(row, state, error), progress, row["workers"])

    def series(self, offset: int = 0, limit: int = 100, *, state: SeriesState | None = None) -> list[dict[str, Any]]:
        """Return a page of its series, in the order they were asked for.

        Parameters
        ----------
        offset, limit
            Which rows.
        state
            Only those "queued", "active", "complete" or "failed".

        Returns
        -------
            SeriesInstanceUID, crdc_series_uuid, path, state ("queued", "downloading", "verifying", "retrying",
            "complete", "failed"), files, files_done, bytes, bytes_done (verified), bytes_in_flight, reason (of a
            failure or a wait) and retry_in (seconds).
        """
        return series_page(self._journal, self.id, offset, limit, state, self.state in ACTIVE)

    def series_uids(self, *, unfinished: bool = False) -> list[str]:
        """Return the SeriesInstanceUIDs of all its series, or of those still to come, in the order asked for."""
        where = " AND state IN ('pending', 'listed')" if checked(arguments.flag, unfinished, "unfinished") else ""
        rows = self._journal.all(f"SELECT uid FROM series WHERE job = ?{where} ORDER BY n", (self.id,))
        return [row["uid"] for row in rows]

    def series_counts(self) -> dict[str, int]:
        """Return how many of its series are "queued", "active", "complete" and "failed"."""
        return series_counts(self._journal, self.id, self.state in ACTIVE)

    @property
    def workers(self) -> int:
        """Return how many transfers it runs at once; `set_workers` changes it."""
        return int(self._journal.job(self.id)["workers"])

    def files(self, series: str | None = None) -> list[dict[str, Any]]:
        """Return the files known so far: none of a series that is not listed yet.

        Parameters
        ----------
        series
            A SeriesInstanceUID; only its files then.

        Returns
        -------
            path (where it is once its series is complete), SeriesInstanceUID, bytes, bytes_in_flight (that are there,
            and not verified), state ("pending", "downloading", "received", "verified", "failed"), reason (of a failure)
            and verified_by ("md5", or "size" where that was asked for or the bucket gives no MD5; None before).
        """
        return files(self._journal, self.id, series, self.state in ACTIVE)

    def failures(self) -> list[dict[str, str]]:
        """Return what could not be fetched: key, SeriesInstanceUID, reason; a key ending in / is a whole series."""
        rows = self._journal.all(
            "SELECT s.uuid, s.uid, s.bucket, o.name, COALESCE(o.reason, s.reason) AS reason FROM series s"
            " LEFT JOIN object o ON o.job = s.job AND o.n = s.n AND o.state = 'failed'"
            " WHERE s.job = ? AND s.state = 'failed' ORDER BY s.n, o.name",
            (self.id,),
        )
        return [
            {
                "key": f"s3://{row['bucket']}/{row['uuid']}/{row['name'] or ''}",
                "SeriesInstanceUID": row["uid"],
                "reason": row["reason"],
            }
            for row in rows
        ]

    def wait(self, timeout: float | None = None, progress: bool | Callable[[Progress], object] | None = None) -> bool:
        """Wait until the job has ended, or its limit of bytes has paused it, at most `timeout` seconds.

        An interrupt (Ctrl-C, the notebook's stop button) ends the waiting; the download goes on.

        Parameters
        ----------
        timeout
            Seconds; None waits as long as it takes.
        progress
            What is shown meanwhile. True: a bar, where tqdm is installed, else a line, which is printed every few
            seconds where the output is neither a notebook nor a terminal. None: the same, but nothing there. A
            function is called with the job's `Progress` several times a second. False: nothing.

        Returns
        -------
            True when it is complete; False when it failed, was cancelled, is paused by its limit, or is still going
            (see `state`).
        """
        return waiting.wait(self, timeout, progress)

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
            Whether the series that are complete stay; what is unfinished goes in any case. Of a complete job there is
            nothing to end; without `keep` the files that it has put in place are removed, as of any other.
        """
        checked(arguments.flag, keep, "keep")
        also = ("paused", "failed") if keep else ("paused", "failed", "complete")
        if self._ask("cancel", None if keep else "remove", "cancelled", also=also):
            with self._lock() as lock:
                if lock.acquire():
                    remove_staging(self._journal, self.id)
                    said = None if keep else remove_downloaded(self._journal, self.id)
                    self._journal.update_job(
                        self.id, state="cancelled", error=said, bytes_in_flight=0, speed=None, eta=None
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

    def _tell(self, verb: str, argument: str | None = None) -> bool:
        """Leave a request and see it taken; False when there is no worker to take it."""
        self._journal.request(self.id, verb, argument)
        deadline = time.monotonic() + _ACKNOWLEDGE
        while time.monotonic() < deadline:
            if self._journal.one("SELECT 1 FROM request WHERE job = ? AND verb = ?", (self.id, verb)) is None:
                return True
            row = self._journal.job(self.id)
            if (row["state"] not in ACTIVE or self._is_dead(row)) and not self._lock().held_elsewhere():
                self._journal.take_requests(self.id)
                return False
            time.sleep(0.02)
        return True  # it has begun to start, or is slow: it will

    def resume(self, max_bytes: int | str | None = None) -> None:
        """Go on with a job that is paused, failed, or whose process died; nothing verified is fetched again.

        Parameters
        ----------
        max_bytes
            How many bytes it may fetch from now on, such as "5 GB". Without it, a job that had reached its limit goes
            on without one, and any other keeps what is left of its limit.
        """
        limit = None if max_bytes is None else parse_bytes(max_bytes)
        state = self._state_now()
        if state == "cancelled":
            raise TransferError(f"download {self.id} was cancelled; start it again to go on")
        if state in ACTIVE and limit is not None:
            raise TransferError(f"download {self.id} is at work; pause it before its limit is changed")
        if state == "paused" or state == "failed":
            if limit is not None or self._journal.job(self.id)["note"] == LIMIT_REACHED:
                self._journal.update_job(self.id, max_bytes=limit, spent=0)
            self._start_again()

    def retry(self) -> None:
        """Try again what failed."""
        state = self._state_now()
        if state == "cancelled":
            raise TransferError(f"download {self.id} was cancelled; start it again to go on")
        if state in ACTIVE and self._tell("retry"):
            return
        if self._state_now() != "complete":
            self._start_again()

    def set_workers(self, workers: int) -> None:
        """Change how many transfers run at once."""
        self._journal.update_job(self.id, workers=check_workers(workers))
        if self.state in ACTIVE:
            self._tell("workers")

    @property
    def max_bytes(self) -> int | None:
        """Return how many bytes of files it may fetch before it pauses, None without a limit; see `resume`."""
        limit: int | None = self._journal.job(self.id)["max_bytes"]
        return limit

    @property
    def bandwidth(self) -> int | None:
        """Return how many bytes a second it may fetch, None without a limit; `set_bandwidth` changes it."""
        rate: int | None = self._journal.job(self.id)["bandwidth"]
        return rate

    def set_bandwidth(self, bandwidth: int | str | None) -> None:
        """Change how many bytes a second it may fetch, such as "20 MB/s"; None is no limit.

        Files that are being fetched without a limit when one is set begin anew.
        """
        rate = None if bandwidth is None else parse_rate(bandwidth)
        self._journal.update_job(self.id, bandwidth=rate)
        if self.state in ACTIVE:
            self._tell("bandwidth")

    def prioritize(self, *series_uids: str) -> None:
        """Let these series come next, in this order, before the others that wait."""
        for uid in series_uids:
            checked(arguments.text, uid, "series_uids", "a SeriesInstanceUID of it")
        with self._journal.transaction() as db:
            found = {}
            top = db.execute("SELECT MAX(turn) FROM series WHERE job = ?", (self.id,)).fetchone()[0]
            for place, uid in enumerate(reversed(series_uids), top + 1):
                rows = db.execute("SELECT n FROM series WHERE job = ? AND uid = ?", (self.id, uid)).fetchall()
                if not rows:
                    raise TransferError(f"download {self.id} has no series {shown(uid)}")
                db.execute("UPDATE series SET turn = ? WHERE job = ? AND uid = ?", (place, self.id, uid))
                found[uid] = [row["n"] for row in rows]
        if self.state in ACTIVE:
            self._tell("next", json.dumps([n for uid in series_uids for n in found[uid]]))

    def add(self, series: Sequence[Item] | _HasItems) -> int:
        """Add series to the job, also while it runs or after it has ended; return how many were not in it before.

        Parameters
        ----------
        series
            A cohort, or items. They go to the same destination, by the same layout.
        """
        row = self._journal.job(self.id)
        if row["state"] == "cancelled":
            raise TransferError(f"download {self.id} was cancelled; start it again to go on")
        is_cohort = isinstance(series, _HasItems) and not isinstance(series, dict | type)
        items = series.items(row["layout"]) if is_cohort else series  # type: ignore[union-attr]
        if isinstance(items, str) or not isinstance(items, Sequence) or not all(isinstance(i, Item) for i in items):
            raise TransferError(f"add(series={shown(series)}): give a cohort, such as catalog.cohort(Modality='CT')")
        held = {r["uuid"] for r in self._journal.all("SELECT uuid FROM series WHERE job = ?", (self.id,))}
        new = [item for item in distinct(items) if item.crdc_series_uuid not in held]
        if not new:
            return 0
        how = {name: row[name] for name in Wish.__dataclass_fields__ if name not in ("root", "provider")}
        plan = make(new, Wish(root=self.path, provider=self.provider, **how))
        if plan.problem is not None or not plan.fits:
            raise TransferError(plan.problem or too_little(plan))
        if isinstance(series, _HasItems) and documents.wanted(self._journal, self.id):
            documents.deposit(self._journal, self.id, series.documents(self.provider, row["layout"]))
        paths = (path for _, path in plan.folders)
        self._journal.add_series(self.id, providers.rows(new, paths, self.provider, plan.sources))
        state = self.state
        # A paused job has them when it is resumed.
        if state != "paused" and not (state in ACTIVE and self._tell("add")):
            self._start_again()
        return len(new)

    def _start_again(self) -> None:
        if not self.path.is_dir():
            raise TransferError(f"the destination {self.path} is gone; bring it back, or start the download again")
        self._journal.check()  # else the worker ends before it can say why
        with self._journal.transaction() as db:
            db.execute("DELETE FROM request WHERE job = ?", (self.id,))
            db.execute("INSERT INTO request (job, verb) VALUES (?, 'retry')", (self.id,))
            db.execute(
                "UPDATE job SET state = 'queued', error = NULL, note = NULL, heartbeat = ? WHERE id = ?",
                (time.time(), self.id),
            )
        spawn_worker(self._journal.path, self.id)
