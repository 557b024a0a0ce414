"""Objects of many megabytes: fetched in blocks, each kept once it is on the disk, so that going on costs little.

s5cmd begins a large object anew after every interruption. Here each block is one GET of a range under If-Match, and
a file beside the object's draft says which blocks are there. Where a limit is set, small objects come this way, too:
here each request is known before it is sent.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .faults import classify
from .limits import Allowance, Limits
from .safe import is_own_file, open_file
from .series import LARGE, Object, Series

if TYPE_CHECKING:
    from . import web

BLOCK = 4 << 20
CONNECTIONS = 16
_READ = 1 << 18
_FLUSH_EVERY = 64  # blocks: to flush each of them took ten times as long
_FLUSHED = "flushed"
_TRIES = 3  # of a block; more are the business of the series' next round
#: What is said of an object that the limit of bytes does not allow any more.
OVER_LIMIT = "the limit of bytes is reached"

assert BLOCK < LARGE


def _boot() -> str:
    """Return what changes with every start of the system, empty where there is no such thing."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


_BOOT = _boot()


def recorded(record: Path) -> int:
    """Return the bytes that a record of blocks says are there."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        head, *lines = record.read_text("ascii").split("\n")
        size, block = int(json.loads(head)["size"]), int(json.loads(head)["block"])
        found = {int(number) for line in lines[:-1] if (number := line.partition(" ")[0]).isdigit()}
        return sum(max(0, min(size, (number + 1) * block) - number * block) for number in found)
    return 0


class Draft:
    """One large object on its way: ``<name>.part`` and, a line a block, ``<name>.blocks``."""

    def __init__(self, series: Series, item: Object) -> None:
        self.series, self.item = series, item
        self.final = series.staging / item.name
        self.part, self.record = series.staging / f"{item.name}.part", series.staging / f"{item.name}.blocks"
        self._lock = threading.Lock()
        self._head = {"etag": item.etag, "size": item.size, "block": BLOCK}
        self.done = self._recorded()
        self.left = deque(n for n in range(self.count) if n not in self.done)
        self.resumed = sum(self.span(n)[1] - self.span(n)[0] for n in self.done)
        self.arrived = self.resumed
        self.over = False
        self.allowance: Allowance | None = None

    @property
    def small(self) -> bool:
        """Whether it is a single block: nothing is to be recorded then."""
        return self.item.size <= BLOCK

    @property
    def count(self) -> int:
        """Return the number of its blocks."""
        return -(-self.item.size // BLOCK)

    def span(self, number: int) -> tuple[int, int]:
        """Return where a block begins and ends."""
        return number * BLOCK, min(self.item.size, (number + 1) * BLOCK)

    def _recorded(self) -> set[int]:
        """Return the blocks that are there of this very object; make both files where they are not."""
        self.final.parent.mkdir(exist_ok=True)
        if self.small:
            return set()
        if is_own_file(self.part) and is_own_file(self.record):
            with contextlib.suppress(OSError, ValueError):
                head, *lines = self.record.read_text("ascii").split("\n")
                if json.loads(head) == self._head:
                    found = self._trusted(lines[:-1])  # what follows the last line break was torn by a crash
                    self._begin_record(found)
                    return found
        _anew(self.part)
        self._begin_record(set())
        return set()

    def _begin_record(self, done: set[int]) -> None:
        lines = [json.dumps(self._head), *(f"{number} {_BOOT}" for number in sorted(done)), ""]
        _anew(self.record, "\n".join(lines).encode("ascii"))

    def _trusted(self, lines: list[str]) -> set[int]:
        """Return the blocks that lines of the record vouch for.

        A line counts if it was written since this system started, or if the part was flushed to the disk after it:
        else a power failure may have taken the block.
        """
        found: set[int] = set()
        pending: set[int] = set()
        for line in lines:
            number, _, boot = line.partition(" ")
            if number == _FLUSHED:
                found |= pending
            elif number.isdigit() and int(number) < self.count:
                (found if boot == _BOOT else pending).add(int(number))
        return found

    def keep(self, number: int, data: memoryview) -> bool:
        """Put a block on the disk, then say so; return whether it was the last."""
        if self.small:
            _anew(self.part, data)
            return True
        with self._lock:  # the system writes one block of a file at a time, too, and lets the others spin
            with open_file(self.part, "r+b") as file:
                file.seek(number * BLOCK)
                file.write(data)
            line = f"{number} {_BOOT}\n"
            if len(self.done) % _FLUSH_EVERY == _FLUSH_EVERY - 1 or not _BOOT:
                line += f"{_FLUSHED}\n" if self._flush() else ""
            with open_file(self.record, "ab") as record:
                record.write(line.encode("ascii"))
            self.done.add(number)
            return len(self.done) == self.count

    def _flush(self) -> bool:
        with contextlib.suppress(OSError), self.part.open("r+b") as file:
            getattr(os, "fdatasync", os.fsync)(file.fileno())
            return True
        return False

    def finish(self) -> None:
        """Give the complete object its name."""
        self.part.replace(self.final)
        if not self.small:
            self.record.unlink(missing_ok=True)


def _anew(path: Path, data: bytes | memoryview = b"") -> None:
    """Write a file that is new: what was in its place, as a link to another, is not written to."""
    path.unlink(missing_ok=True)
    with path.open("xb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


class BlockFetcher:
    """Fetches large objects, and where there is a limit all others, over a few connections.

    Parameters
    ----------
    endpoint
        Where.
    inbox
        Takes (`outcome`, (series, name, error or None)) when an object has arrived or not; and what cannot go on at
        all, as (raise_it, (error,)).
    outcome, raise_it
        Called on the main thread.
    connections
        How many at once, at most.
    stall
        Seconds without a byte after which a connection is begun anew.
    limits
        Allows what is asked for.
    """

    def __init__(
        self,
        endpoint: str,
        inbox: queue.SimpleQueue[Any],
        outcome: Any,
        raise_it: Any,
        connections: int,
        stall: float,
        limits: Limits,
    ) -> None:
        self._endpoint, self._inbox, self._outcome, self._raise = endpoint, inbox, outcome, raise_it
        self._stall, self._limits = stall, limits
        self._drafts: dict[Draft, None] = {}  # in order
        self._begun: dict[Draft, None] = {}  # those of which something may have arrived
        self._state = threading.Condition()
        self._stopped = False
        self._writing = self._threads = 0
        self._left = self._left_small = 0  # blocks that nobody is at yet
        self._large = 0  # connections that are at a large object
        self._most = connections
        self.last_byte = 0.0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._drafts

    @property
    def has_room(self) -> bool:
        """Whether more would find a free connection soon."""
        return self._left < 2 * max(1, self._most)

    @property
    def connections(self) -> int:
        """Return how many connections are in use."""
        return self._threads

    def resize(self, connections: int) -> None:
        """Use at most so many connections from now on, or none for a while; those too many end with their block."""
        with self._state:
            self._most = connections
            self._hire()

    @property
    def _most_large(self) -> int:
        """Return how many connections large objects may have: each has a block in memory that a pause throws away."""
        return self._limits.throttle.connections(min(CONNECTIONS, self._most))

    def _hire(self) -> None:
        wanted = self._left_small + min(self._left - self._left_small, self._most_large)
        while self._threads < min(self._most, wanted):
            self._threads += 1
            threading.Thread(target=self._work, name="idc-blocks", daemon=True).start()

    def in_flight(self) -> dict[int, int]:
        """Return the bytes that have arrived of each series' objects that are not complete."""
        found: dict[int, int] = {}
        for draft in list(self._begun):
            found[draft.series.n] = found.get(draft.series.n, 0) + draft.arrived
        return found

    def fetch(self, series: Series, item: Object) -> int | None:
        """Begin an object, or go on with it.

        Returns
        -------
            The bytes of it that need not be fetched again; None where the limit does not allow the others.
        """
        draft = Draft(series, item)
        draft.allowance = self._limits.budget.allow(item.size - draft.resumed)
        if draft.allowance is None:
            return None
        self.last_byte = time.monotonic()
        with self._state:
            self._drafts[draft] = None
            if draft.resumed:
                self._begun[draft] = None
            self._count(draft, len(draft.left))
            if not draft.left:
                self._end(draft, None)
            self._hire()
        return draft.resumed

    def _count(self, draft: Draft, blocks: int) -> None:
        self._left += blocks
        self._left_small += blocks if draft.small else 0

    def stop(self) -> None:
        """Fetch nothing more and touch no file any more."""
        with self._state:
            self._stopped = True
            self._drafts.clear()
            self._begun.clear()
            self._state.wait_for(lambda: self._writing == 0, 2)

    # -- the threads

    def _work(self) -> None:
        from . import web  # here: few downloads need it, and its import costs as much as a worker's start

        client, buffer = web.Client(self._endpoint, self._stall), bytearray()
        while True:
            with self._state:
                draft = self._next()
                if draft is None or self._stopped or self._threads > self._most:
                    self._threads -= 1
                    client.close()
                    return
                number = draft.left.popleft()
                self._begun[draft] = None
                self._count(draft, -1)
                self._large += not draft.small
            start, stop = draft.span(number)
            if not stop - start <= len(buffer) <= 4 * (stop - start):  # no large block is kept for small objects
                buffer = bytearray(stop - start)
            try:
                error = self._block(client, draft, number, memoryview(buffer)[: stop - start])
            except OSError as failure:  # of the disk
                error = None
                if not self._stopped:
                    self._inbox.put((self._raise, (failure,)))
            with self._state:
                self._large -= not draft.small
                if error is not None:
                    self._end(draft, error)

    def _next(self) -> Draft | None:
        most = self._most_large
        return next((draft for draft in self._drafts if draft.left and (draft.small or self._large < most)), None)

    def _end(self, draft: Draft, error: str | None) -> None:
        if draft.over or self._stopped:
            return
        if error is None:
            draft.finish()
        draft.over = True
        self._count(draft, -len(draft.left))
        draft.left.clear()
        if draft.allowance is not None:
            draft.allowance.close()
        del self._drafts[draft]
        self._begun.pop(draft, None)
        self._inbox.put((self._outcome, (draft.series, draft.item.name, error)))

    def _block(self, client: web.Client, draft: Draft, number: int, data: memoryview) -> str | None:
        """Fetch one block; return the error that the object is given up with for now."""

        def unwanted() -> bool:
            return draft.over or self._stopped

        throttle, allowance = self._limits.throttle, draft.allowance
        assert allowance is not None
        start, got, failures = number * BLOCK, 0, 0
        while got < len(data):
            size = throttle.piece(len(data) - got)
            if not throttle.wait(size, unwanted):
                break
            allowance.spend(size)
            count, error, lost = self._get(client, draft, start + got, data[got : got + size])
            got += count
            if error is None:
                if count < size:
                    break  # unwanted
                continue
            allowance.refund(size - count - lost)
            failures += 1
            if lost and not allowance.again(lost):
                error = OVER_LIMIT
            elif failures < _TRIES and classify(error).kind != "permanent":
                time.sleep(0.3 * 2**failures * random.uniform(0.75, 1.25))
                continue
            draft.arrived -= got
            return error
        with self._state:
            if unwanted():
                return None
            self._writing += 1
        try:
            last = draft.keep(number, data)
        finally:
            with self._state:
                self._writing -= 1
                self._state.notify_all()
        if last:
            with self._state:
                self._end(draft, None)
        return None

    def _get(self, client: web.Client, draft: Draft, start: int, data: memoryview) -> tuple[int, str | None, int]:
        """Fill `data` with the bytes of an object from `start` on.

        Returns
        -------
            How many came; the error, if any; and how many more the server may have sent that did not come.
        """
        path = f"/{draft.series.bucket}/{draft.series.uuid}/{quote(draft.item.name)}"
        headers = {"Range": f"bytes={start}-{start + len(data) - 1}", "If-Match": f'"{draft.item.etag}"'}
        got = lost = 0
        answered = False
        try:
            answer = client.get(path, headers, once=self._limits.budget.total is not None)
            if answer.status != 206:
                error = f"status code: {answer.status}, {answer.read(300).decode(errors='replace')}"
                client.close()
                return 0, error, 0
            answered = True
            while count := answer.readinto(data[got : got + _READ]):
                got += count
                draft.arrived += count
                self.last_byte = time.monotonic()
                if draft.over or self._stopped:
                    client.close()
                    return got, None, 0
            if got == len(data):
                return got, None, 0
            error = f"unexpected EOF: {got:,} of {len(data):,} bytes arrived"
        except (OSError, client.failure) as failure:
            error = f"{type(failure).__name__}: {failure}"
            reset = isinstance(failure, ConnectionError) and not isinstance(failure, ConnectionRefusedError)
            if answered or reset:  # what had come and was not read yet is thrown away
                lost = len(data) - got
        client.close()
        return got, error, lost
