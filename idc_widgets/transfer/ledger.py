"""What a worker knows of its job's progress, and the few journal writes a second that tell it."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from .journal import Journal, set_columns
from .limits import Budget
from .model import LIMIT_REACHED
from .series import Object

_WRITE_EVERY = 0.2
_BEAT_EVERY = 1.0
_SPEED_WINDOW = 8.0


class Ledger:
    """Counts, batched into one transaction at most five times a second.

    Parameters
    ----------
    journal, job_id
        Where to write.
    budget
        Knows how much of the limit of bytes is used up.
    """

    def __init__(self, journal: Journal, job_id: str, budget: Budget) -> None:
        self._journal, self._job, self._budget = journal, job_id, budget
        self.state: str = "queued"
        self.fetched = 0  # bytes of objects that arrived, whatever became of them
        self.partial = 0  # bytes in temporary files
        self.unchecked = 0  # bytes that arrived and wait for their verification
        self._listed: list[tuple[Any, ...]] = []
        self._released: list[tuple[str, str]] = []
        self._series: list[tuple[Any, ...]] = []
        self._objects: list[tuple[Any, ...]] = []
        self._phases: dict[int, tuple[str | None, float | None, str | None]] = {}
        self.in_flight: dict[int, int] = {}  # bytes that arrived in part, by series
        self._told: dict[int, int] = {}  # what the journal has of that
        self.note: tuple[str | None, str | None, float | None] = (None, None, None)
        self._began = time.monotonic()
        self._written = 0.0
        self._last: dict[str, Any] = {}
        self._samples: deque[tuple[float, int]] = deque()
        self.recount()

    def recount(self) -> None:
        """Take the counts from the journal's rows."""
        total = self._journal.one(
            "SELECT COUNT(*) AS series, TOTAL(files) AS files, TOTAL(bytes) AS bytes FROM series WHERE job = ?",
            (self._job,),
        )
        done = self._journal.one(
            "SELECT COUNT(*) AS series, TOTAL(files) AS files, TOTAL(bytes) AS bytes FROM series"
            " WHERE job = ? AND state = 'done'",
            (self._job,),
        )
        partly = self._journal.one(
            "SELECT COUNT(*) AS files, TOTAL(size) AS bytes FROM series JOIN object USING (job, n)"
            " WHERE job = ? AND series.state != 'done' AND object.state = 'verified'",
            (self._job,),
        )
        assert total is not None and done is not None and partly is not None
        self.bytes_total, self.files_total = int(total["bytes"]), int(total["files"])
        self.series_done = int(done["series"])
        self.files_done = int(done["files"]) + int(partly["files"])
        self.bytes_done = int(done["bytes"]) + int(partly["bytes"])
        self.failed = 0
        for row in self._journal.all(
            "SELECT files, (SELECT COUNT(*) FROM object o WHERE o.job = s.job AND o.n = s.n) AS known,"
            " (SELECT COUNT(*) FROM object o WHERE o.job = s.job AND o.n = s.n AND o.state = 'failed') AS lost"
            " FROM series s WHERE job = ? AND state = 'failed'",
            (self._job,),
        ):
            self.failed += row["lost"] if row["known"] else row["files"]

    def listed(self, n: int, objects: list[Object]) -> None:
        """Take note of a series' listing."""
        self._listed.extend((self._job, n, item.name, item.size, item.etag, item.state) for item in objects)
        self._series.append(("listed", None, self._job, n))

    def phase(self, n: int, phase: str | None, retry_at: float | None = None, reason: str | None = None) -> None:
        """Take note of what a series is at; `retry_at` is on the clock of the wall."""
        self._phases[n] = phase, retry_at, reason

    def verified(self, n: int, item: Object) -> None:
        """Count an object whose content is right."""
        self.files_done += 1
        self.bytes_done += item.size
        self._objects.append(("verified", None, self._job, n, item.name))

    def lost(self, n: int, item: Object) -> None:
        """Take back an object that was verified but is gone from the disk."""
        self.files_done -= 1
        self.bytes_done -= item.size
        self._objects.append(("pending", None, self._job, n, item.name))

    def failed_object(self, n: int, item: Object) -> None:
        """Count an object that is given up."""
        self.failed += 1
        self._objects.append(("failed", item.reason, self._job, n, item.name))

    def series_state(self, n: int, state: str, reason: str | None = None) -> None:
        """Take note of a series' new state."""
        self.series_done += state == "done"
        self._phases.pop(n, None)
        self._series.append((state, reason, self._job, n))

    def released(self, uuid: str) -> None:
        """Let other jobs have a series."""
        self._released.append((uuid, self._job))

    def write(self, now: float, force: bool = False, **more: Any) -> None:
        """Write what is due."""
        waited = now - self._written
        if waited < _WRITE_EVERY and not force:
            return
        columns = self._columns(now)
        moved = {n: size for n, size in self.in_flight.items() if self._told.get(n, 0) != size}
        moved |= dict.fromkeys(self._told.keys() - self.in_flight.keys(), 0)
        news = self._series or self._objects or self._listed or self._released or self._phases or moved
        quiet = columns == self._last and not news
        if quiet and waited < _BEAT_EVERY and not force:
            return
        self._written, self._last = now, columns
        with self._journal.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO object (job, n, name, size, etag, state) VALUES (?, ?, ?, ?, ?, ?)",
                self._listed,
            )
            db.executemany(
                "UPDATE object SET state = ?, reason = ? WHERE job = ? AND n = ? AND name = ?", self._objects
            )
            db.executemany(
                "UPDATE series SET phase = NULL, state = ?, reason = ? WHERE job = ? AND n = ?", self._series
            )
            db.executemany(
                "UPDATE series SET phase = ?, retry_at = ?, reason = ? WHERE job = ? AND n = ?",
                ((*what, self._job, n) for n, what in self._phases.items()),
            )
            db.executemany(
                "UPDATE series SET in_flight = ? WHERE job = ? AND n = ?",
                ((size, self._job, n) for n, size in moved.items()),
            )
            db.executemany("DELETE FROM claim WHERE uuid = ? AND job = ?", self._released)
            set_columns(db, self._job, columns | {"heartbeat": time.time()} | more)
        self._listed.clear()
        self._released.clear()
        self._objects.clear()
        self._series.clear()
        self._phases.clear()
        self._told = self.in_flight

    def rate(self) -> float | None:
        """Return the bytes a second over all that was fetched, None where that was next to nothing."""
        seconds = time.monotonic() - self._began
        return self.fetched / seconds if self.fetched > 10_000_000 and seconds > 1 else None

    def _columns(self, now: float) -> dict[str, Any]:
        arrived = self.fetched + self.partial
        in_flight = self.partial + self.unchecked
        self._samples.append((now, arrived))
        while len(self._samples) > 2 and self._samples[1][0] < now - _SPEED_WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        speed = max(0.0, (arrived - before) / (now - since)) if now - since > 0.5 else None
        left = self.bytes_total - self.bytes_done - in_flight
        moving = self.state in ("listing", "running", "verifying")
        return {
            "state": self.state,
            "bytes_done": self.bytes_done,
            "bytes_in_flight": in_flight if moving else 0,
            "files_done": self.files_done,
            "series_done": self.series_done,
            "failed": self.failed,
            "spent": self._budget.spent,
            "speed": speed if moving else None,
            "eta": max(0.0, left / speed) if speed and moving else None,
            "note": self.note[0] if moving or self.state == "queued" or self.note[0] == LIMIT_REACHED else None,
            "note_reason": self.note[1],
            "note_at": self.note[2],
        }
