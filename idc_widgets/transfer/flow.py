"""The way of each series through a job: claimed, surveyed, fetched, verified, given its final name."""

from __future__ import annotations

import contextlib
import heapq
import os
import queue
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import receipt, reuse, verify
from .faults import is_in_the_way
from .fetch import Fatal, Fetcher, fail
from .journal import Journal
from .ledger import Ledger
from .limits import Budget
from .listing import Listed
from .records import received
from .registry import OwnerLock, lock_path
from .series import Object, Series

_CLAIMED_WAIT = 1.0
_BATCH_BYTES = 2_000_000
_MOST_HERE = 200  # series copied or verified at once: a folder may hold a million that nobody has checked
_MOST_HELD = 100  # series looked through for single files that the limit of bytes allows
_FRESH = 500  # listings kept in memory on their way to the fetcher; the others are read again

Check = tuple[Series, Object, Path]


class Flow:
    """The series of one job that are not done.

    Parameters
    ----------
    journal, job
        The journal and the job's row.
    ledger
        Takes what happened.
    destination, staging
        Where to.
    inbox
        Takes (function, arguments) when a task of the thread pool is done.
    tries
        Tries an object gets.
    budget
        The bytes that may be fetched: series that are larger than what is left are held back.
    """

    def __init__(
        self,
        journal: Journal,
        job: Any,
        ledger: Ledger,
        *,
        destination: Path,
        staging: Path,
        inbox: queue.SimpleQueue[Any],
        tries: int,
        budget: Budget,
    ) -> None:
        self._journal, self._job, self._ledger = journal, job, ledger
        self._destination, self._staging, self._inbox = destination, staging, inbox
        self._tries, self._budget = tries, budget
        self._pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
        self._stopped = False
        self.conflict: str | None = None  # why a series could not be put in its place
        self._ready: list[tuple[int, int]] = []  # a heap of (turn, n): in the job's order but for those preferred
        self.damaged: dict[receipt.Key, frozenset[str]] = {}  # what a check of the folder found wrong
        self._turns: dict[int, int] = {}  # of those preferred
        self._delayed: list[tuple[float, int]] = []
        self._active: set[int] = set()
        self._waiting: dict[int, Series] = {}  # between two rounds
        self._here: set[int] = set()  # at work on this disk alone
        self._held: dict[int, None] = {}  # series that are larger than what may be fetched yet
        self._in_part = False  # whether single files of those are taken
        self._in_vain = 0  # series of which none was small enough
        self._contested: set[int] = set()  # had to wait for another job
        self._fresh: dict[int, list[Object]] = {}
        self._batch: list[Check] = []
        self._batch_bytes = 0

    @property
    def to_fetch(self) -> bool:
        """Whether series wait to be fetched, now or later."""
        return bool(self._ready or self._delayed)

    @property
    def remaining(self) -> int:
        """Return how many series are known to be left."""
        return len(self._ready) + len(self._delayed) + len(self._active)

    @property
    def empty(self) -> bool:
        """Whether nothing is left, not even a check under way, but for what the limit of bytes holds back."""
        return not (self._ready or self._delayed or self._active)

    @property
    def held(self) -> bool:
        """Whether series are held back by the limit of bytes."""
        return bool(self._held)

    def take_in_part(self) -> None:
        """With nothing else left, take single files of the series that are held back; once in a run."""
        if self._held and self.empty and not self._in_part:
            self._in_part = True
            for n in self._held:
                self.enqueue(n)
            self._held.clear()

    @property
    def next_try(self) -> tuple[float, str] | None:
        """Return when the next series is tried again and why it waits, where all that is left waits."""
        if self._active or self._ready or not self._delayed:
            return None
        at, n = self._delayed[0]
        return at, self._why(n)

    def enqueue(self, n: int) -> None:
        """Let a listed series wait for its turn."""
        heapq.heappush(self._ready, self._place(n))

    def _place(self, n: int) -> tuple[int, int]:
        return self._turns.get(n, 0), n

    def prefer(self, ns: list[int]) -> None:
        """Let these series come next, in this order, before others that wait."""
        first = min(self._turns.values(), default=0) - len(ns)
        self._turns |= {n: first + place for place, n in enumerate(ns)}
        self._ready = [self._place(n) for _, n in self._ready]
        heapq.heapify(self._ready)

    def listed(self, outcome: Listed) -> None:
        """Take the outcome of a listing."""
        if outcome.problem is not None:
            self._ledger.failed += self._row(outcome.n)["files"]
            self._ledger.series_state(outcome.n, "failed", outcome.problem)
            return
        self._ledger.listed(outcome.n, outcome.objects)
        if len(self._fresh) < _FRESH:
            self._fresh[outcome.n] = outcome.objects
        self.enqueue(outcome.n)

    def present(self, row: Any, entry: receipt.Entry) -> None:
        """Count a series that the receipt has and whose files are all there."""
        counted = self._journal.all(
            "SELECT size FROM object WHERE job = ? AND n = ? AND state = 'verified'", (self._job["id"], row["n"])
        )
        self._ledger.listed(
            row["n"],
            [Object(name, size, md5 or entry.etags.get(name, ""), "verified") for name, size, md5 in entry.files],
        )
        self._ledger.files_done += row["files"] - len(counted)
        self._ledger.bytes_done += row["bytes"] - sum(item["size"] for item in counted)
        self._ledger.series_state(row["n"], "done", "present")

    def schedule(self, now: float, fetcher: Fetcher, awaited: int | None = None) -> None:
        """Hand series to the fetcher while it takes any, but none whose turn is after that of an awaited one."""
        while self._delayed and self._delayed[0][0] <= now:
            self.enqueue(heapq.heappop(self._delayed)[1])
        while self._ready and fetcher.has_room() and len(self._here) < _MOST_HERE:
            if awaited is not None and self._place(awaited) < self._ready[0]:
                return
            _, n = heapq.heappop(self._ready)
            if self._is_too_large(n):
                self._held[n] = None
                continue
            series = self._waiting.pop(n, None) or self._open(n)
            if series is None:
                continue
            pending = sum(item.size for item in series.objects.values() if item.state == "pending")
            if series.source is None and not self._in_part and not self._budget.covers(pending):
                self._hold(series)
                continue
            self._active.add(n)
            if series.source is not None and series.count("pending"):
                self._ledger.phase(n, "downloading")
                self._here.add(n)
                series.checking += 1
                self._submit(self._take, series, series.source)
            elif series.count("pending"):
                self._ledger.phase(n, "downloading")
                fetcher.assign(series)
                self._in_vain = self._in_vain + 1 if not series.busy else 0
                if not series.busy:
                    self.after_round(series)
            else:
                self._ledger.phase(n, "verifying")
                self._here.add(n)
                self.after_round(series)

    def _is_too_large(self, n: int) -> bool:
        """Whether the limit of bytes rules a series out; what was begun or is on this disk, once looked through."""
        left = self._budget.left
        if left is None or n in self._waiting:
            return False
        if self._in_part:
            return self._in_vain >= _MOST_HELD or not left
        row = self._row(n)
        here = self._staging / row["uuid"], self._destination / row["path"]
        return row["bytes"] > left and row["source"] is None and not any(place.exists() for place in here)

    def _hold(self, series: Series) -> None:
        self._active.discard(series.n)
        self._waiting[series.n] = series
        self._held[series.n] = None
        self._ledger.phase(series.n, None)

    def resumed(self, size: int) -> None:
        """Leave bytes out of the speed that were there when their object was begun."""
        self._ledger.fetched -= size

    def received(self, series: Series, item: Object) -> None:
        """Verify an object that has arrived."""
        self._ledger.fetched += item.size
        self._check(series, item, series.staging / item.name)
        if not (series.expected or series.in_blocks):
            self._ledger.phase(series.n, "verifying")

    def after_round(self, series: Series) -> None:
        """Go on with a series when nothing of it is under way."""
        if series.busy:
            return
        self._here.discard(series.n)
        if series.held and series.count("pending") == len(series.held):
            self._hold(series)
            return
        if series.count("pending"):
            self._active.discard(series.n)
            self._waiting[series.n] = series
            if wait := series.backoff():
                self._delay(series.n, wait)
            else:  # nothing was tried yet: what was on this disk is not all of it
                self.enqueue(series.n)
            return
        failed = [item for item in series.objects.values() if item.state == "failed"]
        if failed:
            for item in failed:
                self._ledger.failed_object(series.n, item)
            reason = f"{len(failed):,} of {len(series.objects):,} files failed: {failed[0].reason}"
            self._ledger.series_state(series.n, "failed", reason)
            self._close(series)
            return
        series.checking += 1
        self._submit(self._publish, series)

    def halt(self) -> None:
        """Break off what the thread pool does; what it has finished still counts."""
        self._stopped = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        with contextlib.suppress(queue.Empty):
            while True:
                function, arguments = self._inbox.get_nowait()
                if callable(function):
                    function(*arguments)

    # -- what happens to one series ----------------------------------------------------------------------

    def _open(self, n: int) -> Series | None:
        row = self._row(n)
        uuid, path = row["uuid"], row["path"]
        if not self._claim(uuid):
            self._contested.add(n)
            self._delay(n, _CLAIMED_WAIT)
            return None
        objects = self._fresh.pop(n, None)
        if n in self._contested:  # the other job may have put it there
            entry = receipt.present(self._destination, {uuid}, self._job["verify"]).get((uuid, path))
            if entry is not None and entry.is_whole(row["files"], row["bytes"]):
                self.present(row, entry)
                self._ledger.released(uuid)
                return None
        if objects is None:
            self._ledger.write(time.monotonic(), force=True)
            rows = self._journal.all("SELECT * FROM object WHERE job = ? AND n = ?", (self._job["id"], n))
            objects = [Object(o["name"], o["size"], o["etag"], o["state"], o["reason"]) for o in rows]
        series = Series(row, objects, self._staging, self._destination)
        if row["source"] is not None:
            series.source = self._destination / row["source"]
            series.tainted = self.damaged.get((uuid, row["source"]), ())
        unchecked, lost = series.survey(self.damaged.get((uuid, path), ()))
        for name in lost:
            self._ledger.lost(n, series.objects[name])
        for name, place in unchecked:
            self._check(series, series.objects[name], place)
        return series

    def _delay(self, n: int, seconds: float) -> None:
        heapq.heappush(self._delayed, (time.monotonic() + seconds, n))
        self._ledger.phase(n, "retrying", time.time() + seconds, self._why(n))

    def _why(self, n: int) -> str:
        series = self._waiting.get(n)
        if series is None:
            return "another download is at work on this series"
        reasons = (item.reason for item in series.objects.values() if item.state == "pending")
        return next((reason for reason in reasons if reason), "the transfer was broken off")

    def _row(self, n: int) -> Any:
        return self._journal.one("SELECT * FROM series WHERE job = ? AND n = ?", (self._job["id"], n))

    def _claim(self, uuid: str) -> bool:
        mine = self._job["id"]
        with self._journal.transaction() as db:
            owner = db.execute("SELECT job FROM claim WHERE uuid = ?", (uuid,)).fetchone()
            if owner is not None and owner["job"] != mine and self._is_alive(owner["job"]):
                return False
            db.execute("INSERT OR REPLACE INTO claim (uuid, job) VALUES (?, ?)", (uuid, mine))
        return True

    def _is_alive(self, job_id: str) -> bool:
        return OwnerLock(lock_path(self._journal.path, job_id)).held_elsewhere()

    def _close(self, series: Series) -> None:
        self._active.discard(series.n)
        self._ledger.released(series.uuid)

    def _submit(self, function: Any, *arguments: Any) -> None:
        def task() -> None:
            try:
                self._inbox.put(function(*arguments))
            except Exception as error:  # to the main thread with it: there it ends the job, here it would be lost
                self._inbox.put((fail, (error,)))

        self._pool.submit(task)

    def _check(self, series: Series, item: Object, place: Path) -> None:
        series.checking += 1
        self._ledger.unchecked += item.size
        if self._job["verify"] == "size":  # a look that is cheaper than handing it over
            self._judge(series, item, place, verify.size_problem(place, item.size))
            return

        self._batch.append((series, item, place))
        self._batch_bytes += item.size
        if self._batch_bytes > _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand over what is to be verified: small files together, since each hand-over costs as much as one."""
        if self._batch:
            self._submit(self._examine, self._batch)
            self._batch, self._batch_bytes = [], 0

    def _examine(self, batch: list[Check]) -> tuple[Any, Any]:
        found = []
        with contextlib.suppress(verify.Stopped):  # what is finished by then still counts
            for series, item, place in batch:
                problem = verify.problem(place, item.size, item.etag, lambda: self._stopped)
                if problem is None and self._job["verify"] == "dicom":
                    problem = verify.dicom_problem(place, series.uid, series.study)
                found.append((series, item, place, problem))
        return self._checked, (found,)

    def _checked(self, found: list[tuple[Series, Object, Path, str | None]]) -> None:
        for series, item, place, problem in found:
            self._judge(series, item, place, problem)
        if not self._stopped:
            for series in {series for series, *_ in found}:
                self.after_round(series)

    def _judge(self, series: Series, item: Object, place: Path, problem: str | None) -> None:
        series.checking -= 1
        self._ledger.unchecked -= item.size
        if problem is None:
            item.state = "verified"
            self._ledger.verified(series.n, item)
        else:
            if place.parent == series.staging:  # what lies under a final name is only ever replaced
                place.unlink(missing_ok=True)
            if not series.damaged(item.name):
                series.gave_up(item.name, problem, False, self._tries)

    def _take(self, series: Series, source: Path) -> tuple[Any, Any]:
        """Copy or link what another folder of the destination has."""
        how = self._job["reuse"] or "copy"
        series.refuse_links()
        return self._took, (series, reuse.take(source, series.staging, series.missing(), how, lambda: self._stopped))

    def _took(self, series: Series, names: list[str]) -> None:
        series.source = None
        for name in names:
            self._check(series, series.taken(name), series.staging / name)
        series.checking -= 1
        self.flush()
        self.after_round(series)

    def _publish(self, series: Series) -> tuple[Any, Any]:
        try:
            series.publish()
            receipt.append(
                self._destination,
                received(self._job, series.uid, series.uuid, series.bucket, series.path, series.objects.values()),
            )
        except OSError as error:
            return self._published, (series, error)
        return self._published, (series, None)

    def _published(self, series: Series, error: OSError | None) -> None:
        series.checking -= 1
        if error is not None:
            if self._stopped:
                return
            problem = series.not_published(error)
            if not is_in_the_way(error) or not os.access(self._destination, os.W_OK | os.X_OK):
                raise Fatal(problem)
            for item in map(series.objects.__getitem__, series.tidy()):
                item.reason = problem
                self._ledger.lost(series.n, item)
                self._ledger.failed_object(series.n, item)
            self.conflict = self.conflict or problem
            self._ledger.series_state(series.n, "failed", problem)
            self._close(series)
            return
        # What was there before is not this job's to remove.
        self._ledger.series_state(series.n, "done", "present" if series.adopted else None)
        self._close(series)
