"""What the bucket holds of each series, compared with what the index says of it."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import providers, s5cmd, settings
from .faults import classify
from .model import Item, Provider
from .safe import is_safe_name
from .series import Object, backoff

_WORKERS = 16
_TICK = 0.2
_IN_ORDER = 0.2  # seconds in which those that are listed first wait for those that were asked for first
_SILENT = (
    "s5cmd said nothing of it; it does so when objects are dated later than this computer's clock: is the clock right?"
)


@dataclass(slots=True)
class _Pending:
    """A series whose listing is under way."""

    n: int
    uuid: str
    bucket: str
    files: int
    bytes: int
    objects: list[Object] = field(default_factory=list)
    sum: int = 0
    tries: int = 0
    error: str | None = None
    seen: tuple[int, int] | None = None  # what a round before found
    asked: bool = False  # in the present round


@dataclass(frozen=True)
class Listed:
    """The outcome for one series: its objects, or why there are none."""

    n: int
    objects: list[Object]
    problem: str | None = None


class Lister:
    """Lists series with one s5cmd process, handing each over as soon as its count and bytes are right.

    Parameters
    ----------
    series
        (n, uuid, bucket, files, bytes) of each.
    endpoint, v1, folder, inbox
        As for `s5cmd.Transport`.
    tries, stall
        How often a listing is tried, and how many seconds of silence mean that it hangs.
    """

    def __init__(
        self,
        series: Iterable[tuple[int, str, str, int, int]],
        *,
        endpoint: str,
        v1: bool,
        folder: Path,
        inbox: queue.SimpleQueue[Any],
        tries: int,
        stall: float,
    ) -> None:
        self._pending = {row[1]: _Pending(*row) for row in series}
        self._options = (endpoint, _WORKERS, v1, folder, inbox)
        self._tries, self._stall = tries, stall
        self._not_before = 0.0
        self._heard = 0.0
        self._first_at: float | None = None  # when the first listing of a round was there
        self._reason = ""
        self.transport: s5cmd.Transport | None = None

    @property
    def finished(self) -> bool:
        """Whether every series has its outcome."""
        return not self._pending and self.transport is None

    @property
    def next_try(self) -> tuple[float, str] | None:
        """Return when, on the monotonic clock, a round begins that has to wait, and why it waits."""
        if self.transport is None and self._pending and self._not_before > time.monotonic():
            return self._not_before, self._reason
        return None

    def awaited(self, now: float) -> int | None:
        """Return the series asked for first whose listing is not there yet, shortly after others of its round came."""
        if self.transport is None or self._first_at is None or now - self._first_at > _IN_ORDER:
            return None
        return next((item.n for item in self._pending.values() if item.asked), None)

    def add(self, series: Iterable[tuple[int, str, str, int, int]]) -> None:
        """List more series, once the present round is over."""
        for row in series:
            self._pending.setdefault(row[1], _Pending(*row))

    def tend(self, now: float | None = None) -> None:
        """Start a round that is due; end a process that says nothing any more. Call it often."""
        now = time.monotonic() if now is None else now
        if self.transport is None:
            if self._pending and now >= self._not_before:
                self.transport = s5cmd.Transport(*self._options)
                self._heard, self._first_at = now, None
                for item in self._pending.values():
                    item.asked = True
                    self.transport.feed(s5cmd.line("ls", f"s3://{item.bucket}/{item.uuid}/*"))
                self.transport.close()
        elif now - self._heard > self._stall:
            for item in self._pending.values():
                item.error = item.error or f"the server did not answer for {self._stall:g} s"
            self.transport.kill()
            self._heard = now

    def handle(self, record: dict[str, Any] | None) -> list[Listed]:
        """Take an event of the transport; return what it settles."""
        self._heard = time.monotonic()
        if record is None:
            return self._end_of_round()
        key = record.get("key") or record.get("command", "")
        place = str(key).partition("s3://")[2].split("/", 2)
        if len(place) < 3:
            return []
        item = self._pending.get(place[1])
        if item is None:
            return []
        if "error" in record:
            item.error = str(record["error"])
            return []
        size = int(record.get("size", 0))
        item.objects.append(Object(place[2], size, str(record.get("etag", "")).strip('"')))
        item.sum += size
        if len(item.objects) == item.files and item.sum == item.bytes:
            del self._pending[item.uuid]
            self._first_at = self._first_at or self._heard
            return [_judge(item)]
        return []

    def _end_of_round(self) -> list[Listed]:
        said = self.transport.message if self.transport else None
        self.transport = None
        settled = []
        asked = [item for item in self._pending.values() if item.asked]
        for item in asked:
            item.asked = False
            outcome = self._outcome(item, said)
            if outcome is None:
                self._reason = classify(item.error or said or "the listing was cut short").reason
                item.objects, item.sum, item.error = [], 0, None
            else:
                del self._pending[item.uuid]
                settled.append(outcome)
        again = [item.tries for item in asked if item.uuid in self._pending]
        if again:
            self._not_before = time.monotonic() + backoff(max(again))
        return settled

    def _outcome(self, item: _Pending, said: str | None) -> Listed | None:
        """Judge a series that no listing settled yet; None means another round."""
        item.tries += 1
        if item.objects and item.error is None:
            found = len(item.objects), item.sum
            if item.seen == found:
                return _judge(item)
            item.seen = found  # a process that was killed lists a part: only what is found twice is the truth
            return None
        fault = classify(item.error or said or "")
        if fault.kind == "transient" and item.tries < self._tries:
            return None
        silent = not (item.error or said or item.objects)
        return Listed(item.n, [], f"not listed: {_SILENT if silent else fault.reason}")


def _judge(item: _Pending) -> Listed:
    names = {entry.name for entry in item.objects}
    bad = next((name for name in names if not is_safe_name(name)), None)
    if bad is not None:
        return Listed(item.n, [], f"the bucket holds {bad!r}, which cannot be a file name")
    if len({name.casefold() for name in names}) != len(names):
        return Listed(item.n, [], "the bucket holds two objects whose names differ by case only")
    if len(item.objects) != item.files or item.sum != item.bytes:
        return Listed(
            item.n,
            [],
            f"index and bucket disagree: the bucket holds {len(item.objects):,} files, {item.sum:,} bytes; "
            f"the index says {item.files:,} files, {item.bytes:,} bytes",
        )
    return Listed(item.n, item.objects)


def listings(
    folder: Path, items: Iterable[Item], endpoint: str, provider: Provider
) -> Iterator[tuple[int, list[Object], str | None]]:
    """Yield each series as it is listed: its number among `items`, its objects, or why there are none."""
    inbox: queue.SimpleQueue[tuple[object, dict[str, Any] | None]] = queue.SimpleQueue()
    rows = (
        (n, item.crdc_series_uuid, providers.bucket_at(provider, item.bucket), item.files, item.bytes)
        for n, item in enumerate(items)
    )
    lister = Lister(
        rows,
        endpoint=endpoint,
        v1=provider == "gcs",
        folder=folder,
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
                    yield outcome.n, outcome.objects, outcome.problem
    finally:
        if lister.transport is not None:
            lister.transport.kill()
