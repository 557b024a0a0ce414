"""The detached process that carries out one job: ``python -m idc_widgets.transfer.worker JOURNAL JOB``."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from idc_widgets.lib.format import human_bytes

from . import documents, receipt, safe, settings
from .cleanup import forget_objects, remove_downloaded, remove_staging
from .faults import CHANGED, classify
from .fetch import Fatal, Fetcher
from .flow import Flow
from .journal import Journal
from .ledger import Ledger
from .limits import Limits
from .listing import Lister
from .model import ACTIVE, LIMIT_REACHED, Item, JournalError, TransferError
from .paths import OWN_FOLDER, STAGING
from .registry import OwnerLock, lock_path
from .s5cmd import Transport
from .space import free_space
from .turns import leave_queue, take_slot

_TICK = 0.05
_LOOK_EVERY = 0.05  # at requests
_QUEUE_EVERY = 0.1  # at whose turn it is
_WORTH_A_WORD = 0.5
_BURST = 2000  # events handled before the journal and the requests get their turn
_LOCK_PATIENCE = 10.0
_QUIET = 5.0  # seconds without a byte that are worth a word


ToList = tuple[int, str, str, int, int]


class _Stop(Exception):
    """A request ends this worker's work: the state to leave the job in, and whether to keep what came."""

    def __init__(self, state: str, keep: bool = True) -> None:
        self.state, self.keep = state, keep


class Worker:
    """One job, from its journal rows to verified files.

    Parameters
    ----------
    journal
        The destination's journal.
    job_id
        The job; the caller holds its lock.
    """

    def __init__(self, journal: Journal, job_id: str) -> None:
        self._journal, self._id = journal, job_id
        self._job = journal.job(job_id)
        self.begun = False  # whether it came as far as looking at what it is asked
        self._destination = journal.destination
        self._staging = self._destination / OWN_FOLDER / STAGING
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._limits = Limits(self._job["max_bytes"], self._job["spent"], self._job["bandwidth"])
        self._ledger = Ledger(journal, job_id, self._limits.budget)
        self._look_at = 0.0
        self._slot: OwnerLock | None = None
        self._lister: Lister | None = None
        self._fetcher: Fetcher | None = None
        self._tries, self._stall = settings.tries(), settings.stall_seconds()
        self._rows = 0  # of the journal that this worker has seen
        self._flow = Flow(
            journal,
            self._job,
            self._ledger,
            destination=self._destination,
            staging=self._staging,
            inbox=self._inbox,
            tries=self._tries,
            budget=self._limits.budget,
        )

    def run(self) -> None:
        """Do the job; leave it in the state that says how it ended."""
        try:
            self._wait_for_turn()
            lister, fetcher = self._prepare()
            self.begun = True
            while not (self._all_done() and self._end()):
                self._step(lister, fetcher)
        except _Stop as stop:
            self._halt()
            if stop.state == "cancelled":
                remove_staging(self._journal, self._id)
            said = None if stop.keep else remove_downloaded(self._journal, self._id)
            self._leave(stop.state, said)
        except Fatal as error:
            self._halt()
            self._leave("failed", self._in_words(str(error)))
        except OSError as error:
            traceback.print_exc()
            self._halt()
            fault = classify(str(error))
            said = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
            self._leave("failed", self._in_words(fault.reason if fault.kind == "fatal" else said))
        finally:
            if self._slot is not None:
                self._slot.release()

    def _wait_for_turn(self) -> None:
        most = settings.jobs_at_once()
        began = time.monotonic()
        while (slot := take_slot(self._journal.path, self._id, most)) is None:
            if time.monotonic() - began > _WORTH_A_WORD:  # else it waits for one that is about to begin
                self._ledger.note = "queued", f"{most} other downloads are at work, as many as may be at once", None
            self._ledger.write(time.monotonic(), pid=os.getpid())
            self._requests()
            time.sleep(_QUEUE_EVERY)
        self._slot = slot

    def _prepare(self) -> tuple[Lister, Fetcher]:
        if not self._destination.is_dir():
            raise Fatal(f"the destination {self._destination} is gone")
        safe.refuse_link(self._destination, f"{OWN_FOLDER}/{STAGING}")
        self._staging.mkdir(parents=True, exist_ok=True)
        self._ledger.state = "listing"
        self._ledger.write(time.monotonic(), force=True, error=None, pid=os.getpid())
        self._requests()
        to_list, remaining = self._take_up()
        common: dict[str, Any] = {
            "endpoint": self._job["endpoint"],
            "v1": self._job["provider"] == "gcs",
            "inbox": self._inbox,
            "tries": self._tries,
            "stall": self._stall,
        }
        self._lister = Lister(to_list, folder=self._staging, **common)
        self._fetcher = Fetcher(
            staging=self._staging,
            workers=self._job["workers"],
            series=remaining,
            limits=self._limits,
            received=self._flow.received,
            resumed=self._flow.resumed,
            settled=self._flow.after_round,
            **common,
        )
        return self._lister, self._fetcher

    def _take_up(self) -> tuple[list[ToList], int]:
        """Take up the series that are new here; return what is to be listed, and how many are to be fetched."""
        rows = self._journal.all(
            "SELECT * FROM series WHERE job = ? AND n >= ? AND state IN ('pending', 'listed') ORDER BY turn DESC, n",
            (self._id, self._rows),
        )
        self._rows = max(self._rows, 1 + max((row["n"] for row in rows), default=-1))
        uuids = {row["uuid"] for row in rows}
        there, damaged, asked = receipt.look(self._destination, uuids, self._job["verify"])
        self._flow.damaged |= damaged
        # Before anything is fetched, so that a check of the folder knows it wherever the journal is then.
        new = [
            (Item(row["uid"], row["uuid"], row["bucket"], row["files"], row["bytes"]), row["path"])
            for row in rows
            if (row["uuid"], row["path"]) not in asked
        ]
        receipt.ask(self._destination, new, self._job["provider"], self._job["idc_version"], self._id)
        self._flow.prefer([row["n"] for row in rows if row["turn"]])
        to_list, remaining = [], 0
        for row in rows:
            entry = there.get((row["uuid"], row["path"]))
            if entry is not None and entry.is_whole(row["files"], row["bytes"]):
                self._flow.present(row, entry)
                continue
            remaining += 1
            if row["state"] == "listed":
                self._flow.enqueue(row["n"])
            else:
                to_list.append(_to_list(row))
        self._ledger.write(time.monotonic(), force=True)
        return to_list, remaining

    def _step(self, lister: Lister, fetcher: Fetcher) -> None:
        now = time.monotonic()
        lister.tend(now)
        self._flow.schedule(now, fetcher, lister.awaited(now))
        fetcher.tend(now, more=self._flow.to_fetch or not lister.finished)
        for source, what in self._events():
            if not isinstance(source, Transport):
                source(*what)  # a result of the thread pool
            elif source is lister.transport:
                for outcome in lister.handle(what):
                    self._flow.listed(outcome)
            else:
                for series in fetcher.handle(source, what):
                    self._flow.after_round(series)
        self._flow.flush()
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            if self._journal.lost:  # whoever starts this download again must not find us at it
                raise Fatal("the journal was removed")
            self._requests()
        self._ledger.partial, self._ledger.in_flight = fetcher.partial, fetcher.in_flight
        self._ledger.note = self._note(now, lister, fetcher)
        if not self._flow.empty:
            checking_only = fetcher.idle and lister.finished and not self._flow.to_fetch
            self._ledger.state = "verifying" if checking_only else "running"
        self._ledger.write(now)

    def _note(self, now: float, lister: Lister, fetcher: Fetcher) -> tuple[str | None, str | None, float | None]:
        """Say why nothing moves, if so: kind, reason, and since or until when by the clock of the wall."""
        if fetcher.idle and (lister.finished or lister.next_try) and (wait := lister.next_try or self._flow.next_try):
            return "retrying", wait[1], round(time.time() + wait[0] - now, 1)
        if not fetcher.idle and now - fetcher.last_byte > _QUIET:
            reason = f"connections without a byte are begun anew after {self._stall:g} s"
            return "stalled", reason, round(time.time() + fetcher.last_byte - now, 1)
        return None, None, None

    def _events(self) -> Iterator[tuple[Any, Any]]:
        with contextlib.suppress(queue.Empty):
            yield self._inbox.get(timeout=_TICK)
            for _ in range(_BURST):
                yield self._inbox.get_nowait()

    def _all_done(self) -> bool:
        if self._lister is not None and self._lister.finished:
            self._flow.take_in_part()
        return self._flow.empty and self._lister is not None and self._lister.finished

    def _end(self) -> bool:
        """Leave, unless a request came in the last moment that makes more work."""
        self._ledger.write(time.monotonic(), force=True)
        self._requests()
        if not self._all_done():
            return False
        row = self._journal.one("SELECT COUNT(*) AS series FROM series WHERE job = ? AND state != 'done'", (self._id,))
        missing = row["series"] if row else 0
        error = None
        if missing:
            error = (
                f"{missing:,} of {self._job['series_total']:,} series incomplete, {self._ledger.failed:,} "
                f"{'file' if self._ledger.failed == 1 else 'files'} missing"
            )
            error += f"; {self._flow.conflict}" if self._flow.conflict else ""
        self._halt()
        if self._flow.held:
            self._ledger.note = LIMIT_REACHED, self._at_limit(), None
            self._leave("paused", None)
            return True
        try:  # without them, the images are there all the same
            documents.write(self._journal, self._id)
        except (OSError, ValueError) as failure:
            said = f"manifest.csv and README.md could not be written: {failure}"
            error = f"{error}; {said}" if error else said
        self._leave("failed" if missing else "complete", error)
        return True

    def _at_limit(self) -> str:
        budget = self._limits.budget
        limit, spent = human_bytes(budget.total or 0), human_bytes(budget.spent)
        return (
            f"limit of {limit} reached: {spent} fetched, and no remaining file fits; resume continues without the limit"
        )

    def _halt(self) -> None:
        """Stop all that runs: transports first, then what is being verified."""
        if self._fetcher is not None:
            self._fetcher.stop()
        if self._lister is not None and self._lister.transport is not None:
            self._lister.transport.kill()
        self._ledger.partial = 0
        self._flow.halt()

    def _leave(self, state: str, error: str | None) -> None:
        self._ledger.state = state
        more = {"rate": rate} if (rate := self._ledger.rate()) else {}
        self._ledger.write(time.monotonic(), force=True, error=error, **more)
        with self._journal.transaction() as db:
            db.execute("DELETE FROM claim WHERE job = ?", (self._id,))
            db.execute("UPDATE series SET phase = NULL WHERE job = ? AND phase IS NOT NULL", (self._id,))
        with contextlib.suppress(OSError):
            self._staging.rmdir()  # only when nothing is staged

    def _in_words(self, reason: str) -> str:
        if reason != "the disk is full":
            return f"{reason} ({self._destination}); resume the download once that is mended"
        need = self._ledger.bytes_total - self._ledger.bytes_done
        with contextlib.suppress(OSError):
            reason += f": {human_bytes(free_space(self._destination))} are free"
        need_text = f"{human_bytes(need)} more are needed in {self._destination}"
        return f"{reason}, {need_text}; resume the download once there is room"

    def _requests(self) -> None:
        for verb, argument in self._journal.take_requests(self._id):
            if verb == "pause":
                raise _Stop("paused")
            if verb == "cancel":
                raise _Stop("cancelled", keep=argument != "remove")
            if verb == "bandwidth":
                self._limits.throttle.set(self._journal.job(self._id)["bandwidth"])
            if verb == "retry":
                self._retry()
            elif self._lister is None or self._fetcher is None:
                continue  # at the start, where the journal says all that follows
            elif verb == "add":
                to_list, remaining = self._take_up()
                self._ledger.recount()
                self._lister.add(to_list)
                self._fetcher.resize(self._workers(), self._flow.remaining + remaining)
            elif verb == "next":
                self._flow.prefer(json.loads(argument or "[]"))
            elif verb == "bandwidth":
                self._fetcher.limited()
            elif verb == "workers":
                self._fetcher.resize(self._workers(), self._flow.remaining)

    def _workers(self) -> int:
        workers: int = self._journal.job(self._id)["workers"]
        return workers

    def _retry(self) -> None:
        """Take up failed series again: those whose objects are known as they are, the others from their listing."""
        self._ledger.write(time.monotonic(), force=True)
        with self._journal.transaction() as db:  # what was not as listed is listed again
            db.execute(
                "DELETE FROM object WHERE job = ?1 AND n IN"
                " (SELECT n FROM object WHERE job = ?1 AND state = 'failed' AND reason LIKE ?2)",
                (self._id, f"{CHANGED}%"),
            )
        known = "EXISTS (SELECT 1 FROM object WHERE object.job = series.job AND object.n = series.n)"
        rows = self._journal.all(
            f"SELECT *, {known} AS known FROM series WHERE job = ? AND state = 'failed' ORDER BY n", (self._id,)
        )
        with self._journal.transaction() as db:
            db.execute(
                "UPDATE object SET state = 'pending', reason = NULL WHERE job = ?1 AND state = 'failed'"
                " AND n IN (SELECT n FROM series WHERE job = ?1 AND state = 'failed')",
                (self._id,),
            )
            db.execute(
                f"UPDATE series SET reason = NULL, state = CASE WHEN {known} THEN 'listed' ELSE 'pending' END"
                " WHERE job = ? AND state = 'failed'",
                (self._id,),
            )
        self._ledger.recount()
        if self._lister is None:
            return  # at the start, where all that is not done is taken up anyway
        for row in rows:
            if row["known"]:
                self._flow.enqueue(row["n"])
            else:
                self._lister.add([_to_list(row)])


def _to_list(row: Any) -> ToList:
    return row["n"], row["uuid"], row["bucket"], row["files"], row["bytes"]


def _on_terminate(number: int, frame: object) -> None:
    raise _Stop("paused")  # the system shuts down, say: nothing is lost


def main(journal_file: str, job_id: str) -> None:
    """Carry out a job, unless another process is at it."""
    try:
        journal = Journal.of(Path(journal_file))
    except JournalError:
        leave_queue(Path(journal_file), job_id)  # else others wait for its turn
        raise
    lock = OwnerLock(lock_path(journal.path, job_id))
    deadline = time.monotonic() + _LOCK_PATIENCE
    while not lock.acquire():  # a worker on its way out, or a reader who looks whether there is one
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)
    with lock:
        if journal.job(job_id)["state"] not in ACTIVE:
            leave_queue(journal.path, job_id)
            return
        signal.signal(signal.SIGTERM, _on_terminate)
        try:
            worker = Worker(journal, job_id)
            worker.run()
            # What came as the job ended; where nothing can begin, all that was asked is still there.
            while worker.begun and {"retry", "add"} & {verb for verb, _ in journal.take_requests(job_id)}:
                journal.request(job_id, "retry")
                worker = Worker(journal, job_id)
                worker.run()
        except Exception as error:
            traceback.print_exc()
            said = str(error) if isinstance(error, TransferError) else f"{type(error).__name__}: {error}"
            journal.update_job(job_id, state="failed", error=f"{said}; resume the download to go on")
        finally:
            leave_queue(journal.path, job_id)
    with contextlib.suppress(OSError, JournalError):  # another time, then
        forget_objects(journal)


if __name__ == "__main__":
    main(*sys.argv[1:])
