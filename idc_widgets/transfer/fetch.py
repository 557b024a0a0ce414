"""Several s5cmd processes at work on series, so that a stall or a crash costs one of them."""

from __future__ import annotations

import queue
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .blocks import CONNECTIONS, OVER_LIMIT, BlockFetcher
from .faults import classify
from .limits import Limits
from .s5cmd import Transport
from .series import Object, Series

_PROCESSES = 4
_AHEAD = 4  # objects queued in a process, per worker
_QUIET = 5.0  # seconds after which a process with nothing in flight is asked whether it is done
_SCAN_EVERY = 0.4
_GRACE = 0.15  # seconds in which s5cmd may remove its temporary files; what is left is in the staging folder
_SOURCE = re.compile(r"s3://[^/\s]+/([^/\s]+)/([^\s'\"]+)")
_SKIPPED = (
    "s5cmd passed over it without a word; it does so when the object's date in the bucket is later than this "
    "computer's clock"
)


class Fatal(Exception):
    """The job as a whole cannot go on; the message says why."""


def fail(error: Exception) -> None:
    """Raise what a thread came upon, on the main thread."""
    raise error


@dataclass(eq=False)
class _Slot:
    """A process and the series it has."""

    transport: Transport
    heard: float
    series: dict[str, Series] = field(default_factory=dict)
    partial: int = 0
    delivered: bool = False
    closed: bool = False
    stalled: bool = False
    replaced: bool = False

    @property
    def load(self) -> int:
        return sum(len(series.expected) for series in self.series.values())


class Fetcher:
    """Feeds series to s5cmd processes and turns their events into what became of each object.

    Parameters
    ----------
    endpoint, v1, staging, inbox
        As for `s5cmd.Transport`; `staging` is its working folder.
    workers
        Transfers at once, over all processes and blocks.
    series
        About how many series there are to fetch; few need fewer processes.
    tries, stall
        Tries an object gets; seconds without a byte that mean a process hangs.
    limits
        What may be fetched. While there is a limit all comes in blocks: s5cmd keeps none.
    received
        Called with a series and an object that has arrived.
    resumed
        Called with the bytes of an object that were there when it was begun.
    settled
        Called with a series of which an object that was fetched in blocks has arrived, or not.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        v1: bool,
        staging: Path,
        inbox: queue.SimpleQueue[Any],
        workers: int,
        series: int,
        tries: int,
        stall: float,
        limits: Limits,
        received: Callable[[Series, Object], None],
        resumed: Callable[[int], None],
        settled: Callable[[Series], None],
    ) -> None:
        self._workers, self._count = workers, max(1, min(_PROCESSES, series, workers))
        self._endpoint, self._options = endpoint, (v1, staging, inbox)
        self._staging, self._tries, self._stall, self._received = staging, tries, stall, received
        self._resumed, self._settled, self._limits = resumed, settled, limits
        self._blocks = BlockFetcher(endpoint, inbox, self._block_ended, self._raise, workers, stall, limits)
        self._slots: dict[Transport, _Slot] = {}
        self._unfed: deque[tuple[Series, list[str]]] = deque()  # until workers are free for another process
        self._scan_at = 0.0
        self.in_flight: dict[int, int] = {}  # bytes in temporary files by series, as of the last look
        self.last_byte = time.monotonic()

    @property
    def partial(self) -> int:
        """Return the bytes in temporary files, as of the last look."""
        return sum(slot.partial for slot in self._slots.values()) + sum(self._blocks.in_flight().values())

    def resize(self, workers: int, series: int) -> None:
        """Share out another number of transfers, or the same over more series, at once.

        A process cannot change, so new ones take over, and what is in flight begins anew.
        """
        each, self._workers, self._count = self._each, workers, max(1, min(_PROCESSES, series, workers))
        if each == self._each and sum(slot.transport.workers for slot in self._open()) <= workers:
            return
        self.replace()

    def replace(self) -> None:
        """End the processes; what they have begins anew, by others or in blocks."""
        for slot in self._slots.values():
            slot.replaced = slot.closed = True
            slot.transport.terminate()

    def limited(self) -> None:
        """Let a limit hold from now on, also for what s5cmd is at."""
        if self._limits.any:
            self.replace()
            for series, _ in self._unfed:
                series.expected.clear()
                self._settled(series)
            self._unfed.clear()

    @property
    def idle(self) -> bool:
        """Whether nothing is being fetched."""
        return self._blocks.idle and not self._unfed and not any(slot.series for slot in self._slots.values())

    def has_room(self) -> bool:
        """Whether another series can be taken."""
        free = self._best() is not None or len(self._open()) < self._count
        return free and self._blocks.has_room and not self._unfed

    def assign(self, series: Series) -> None:
        """Begin a round of a series (see `has_room`)."""
        if self.idle:
            self.last_byte = time.monotonic()
        if not self._staging.parent.parent.is_dir():
            raise Fatal(f"the destination {self._staging.parent.parent} is gone")
        self._staging.mkdir(parents=True, exist_ok=True)
        commands = series.commands(all_in_blocks=self._limits.any)
        for name in [name for name in series.objects if name in series.in_blocks]:
            there = self._blocks.fetch(series, series.objects[name])
            if there is None:
                series.hold(name)
            else:
                self._resumed(there)
        if commands:
            self._feed(series, commands)

    def _feed(self, series: Series, commands: list[str]) -> None:
        slot = self._best()
        # An empty process is worth more than a shared one, and a process costs little.
        if (slot is None or (slot.series and len(self._open()) < self._count)) and (size := self._room()):
            slot = _Slot(Transport(self._endpoint, size, *self._options), time.monotonic())
            self._slots[slot.transport] = slot
        if slot is None:
            self._unfed.append((series, commands))
            return
        if not slot.series:
            slot.heard = time.monotonic()
        slot.series[series.uuid] = series
        for command in commands:
            slot.transport.feed(command)

    # -- who may have how many workers: the processes and the blocks together have no more than there are

    @property
    def _each(self) -> int:
        """Return the workers of a process."""
        return max(1, self._workers // self._count)

    @property
    def _used(self) -> int:
        return sum(slot.transport.workers for slot in self._slots.values())

    @property
    def _for_blocks(self) -> int:
        """Return how many workers large objects may have beside small ones."""
        if self._limits.any:
            return self._workers
        return 0 if self._blocks.idle else max(1, min(CONNECTIONS, self._workers // 4))

    def _room(self) -> int:
        """Return the workers that another process may have now."""
        return max(0, min(self._each, self._workers - self._used - max(self._for_blocks, self._blocks.connections)))

    def _share_out(self) -> None:
        """Let large objects have their share: who has more than its own shrinks before the other grows."""
        wanted = self._for_blocks
        if 0 < wanted < self._workers and not self._unfed and not any(slot.series for slot in self._slots.values()):
            wanted = min(CONNECTIONS, self._workers)  # nobody else wants any
        kept = self._workers - wanted
        for slot in sorted(self._open(), key=lambda slot: -slot.load):
            if slot.transport.workers <= kept:
                kept -= slot.transport.workers
            else:  # it does what it has, and ends
                slot.closed = True
                slot.transport.close()
        self._blocks.resize(max(0, min(wanted or CONNECTIONS, self._workers - self._used)))
        for _ in range(len(self._unfed)):
            self._feed(*self._unfed.popleft())

    def _open(self) -> list[_Slot]:
        return [slot for slot in self._slots.values() if not slot.closed]

    def _best(self) -> _Slot | None:
        slots = [slot for slot in self._open() if slot.load < _AHEAD * slot.transport.workers]
        return min(slots, key=lambda slot: slot.load, default=None)

    def handle(self, transport: Transport, record: dict[str, Any] | None) -> Iterable[Series]:
        """Take an event; return the series whose round it may have ended."""
        slot = self._slots[transport]
        slot.heard = time.monotonic()
        if record is None:
            return self._ended(slot)
        error = record.get("error")
        found = _SOURCE.search(str(record.get("source") or record.get("command") or ""))
        if error is not None:
            self._raise_if_fatal(str(error))
        series = slot.series.get(found.group(1)) if found else None
        if found is None or series is None:
            return ()
        if error is not None and (slot.replaced or slot.stalled):
            return ()  # what it says as it is ended is not the objects' fault
        if error is None:
            item = series.received(found.group(2))
            if item is not None:
                slot.delivered = True
                self.last_byte = slot.heard
                self._received(series, item)
        else:
            fault = classify(str(error))
            for name in series.matching(found.group(2)):
                series.gave_up(name, fault.reason, fault.kind == "permanent", self._tries)
        if series.expected:
            return ()
        del slot.series[series.uuid]
        return (series,)

    def _raise_if_fatal(self, error: str) -> None:
        fault = classify(error)
        destination = self._staging.parent.parent
        if fault.kind == "fatal":
            raise Fatal(fault.reason)
        if "no such file" in error.lower() and not destination.is_dir():
            raise Fatal(f"the destination {destination} is gone")

    def _ended(self, slot: _Slot) -> Iterable[Series]:
        """A process is gone: what it owed is there all the same, or has to be fetched again."""
        del self._slots[slot.transport]
        said = slot.transport.message
        if said:
            self._raise_if_fatal(said)
        if slot.stalled:
            reason = f"no byte arrived for {self._stall:g} s"
        elif said:
            reason = classify(said).reason
        else:
            reason = _SKIPPED if slot.closed else "s5cmd ended unexpectedly"
        # A process that was at work and got killed says nothing about the objects it had.
        blameless = slot.replaced or (slot.delivered and not slot.closed and not slot.stalled)
        for series in slot.series.values():
            staged = series.tidy()
            for name in list(series.expected):
                if staged.get(name) == series.objects[name].size:
                    item = series.received(name)
                    assert item is not None
                    self._received(series, item)
                elif blameless:
                    series.expected.discard(name)
                else:
                    series.objects[name].direct = reason is _SKIPPED
                    series.gave_up(name, reason, False, self._tries)
        return list(slot.series.values())

    def _block_ended(self, series: Series, name: str, error: str | None) -> None:
        if error is None:
            item = series.received(name)
            assert item is not None
            self._received(series, item)
        elif error == OVER_LIMIT:
            series.hold(name)
        else:
            self._raise_if_fatal(error)
            fault = classify(error)
            series.gave_up(name, fault.reason, fault.kind == "permanent", self._tries)
        self._settled(series)

    def _raise(self, error: OSError) -> None:
        self._raise_if_fatal(str(error))
        raise error

    def tend(self, now: float, more: bool) -> None:
        """Look for stalls; with no `more` series to come, let processes end when they are done. Call it often."""
        self._share_out()
        if now >= self._scan_at:
            self._scan()
            # At most a twentieth of the time goes into looking, however many files there are.
            self._scan_at = now + max(_SCAN_EVERY, 20 * (time.monotonic() - now))
        for slot in self._slots.values():
            quiet = now - slot.heard
            if not slot.closed and (not more or (slot.series and quiet > _QUIET and not slot.partial)):
                slot.closed = True
                slot.transport.close()
            if slot.series and quiet > self._stall and not slot.stalled:
                slot.stalled = True
                slot.transport.kill()

    def _scan(self) -> None:
        found: dict[int, int] = {}
        for slot in self._slots.values():
            sizes = {series.n: series.in_flight() for series in slot.series.values()}
            found |= sizes
            partial = sum(sizes.values())
            if partial != slot.partial:
                if partial > slot.partial:
                    self.last_byte = time.monotonic()
                slot.partial, slot.heard = partial, time.monotonic()
        for n, size in self._blocks.in_flight().items():
            found[n] = found.get(n, 0) + size
        self.last_byte = max(self.last_byte, self._blocks.last_byte)
        self.in_flight = found

    def stop(self) -> None:
        """End every process and connection now."""
        for transport in self._slots:
            transport.terminate()
        deadline = time.monotonic() + _GRACE  # for all of them together: they end side by side
        for transport in self._slots:
            transport.kill(max(0.0, deadline - time.monotonic()))
        self._blocks.stop()
        self._slots.clear()
