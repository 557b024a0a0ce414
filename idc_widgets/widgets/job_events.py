"""Looks at the journals of this machine's downloads, for all panels of this process together."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from idc_widgets.transfer import ENDED, Board, Entry, TransferError

_BUSY_SECONDS = 0.2  # between looks while something runs
_IDLE_SECONDS = 2.0  # and while nothing does: another kernel may start a job
_LEAST_SECONDS = 0.1  # and however often someone asks for one: so many messages a second reach the browser

#: Takes the number of a look, and what it found; a look with a smaller number is older.
Told = Callable[[int, Sequence[Entry]], None]


class Watcher:
    """Reads the board on a thread of its own as long as anyone follows it, and tells all who do the same."""

    def __init__(self) -> None:
        self._board = Board()
        self._looks = 0
        self._reading = threading.Lock()
        self._followers: list[weakref.WeakMethod[Any]] = []
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._changing = threading.Lock()

    def follow(self, told: Told) -> None:
        """Call a bound method, of which only a weak reference is kept, after every look."""
        with self._changing:
            self._followers.append(weakref.WeakMethod(told))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="idc-downloads", daemon=True)
                self._thread.start()

    def leave(self, told: Told) -> None:
        """Call it no more."""
        with self._changing:
            self._followers = [each for each in self._followers if each() not in (None, told)]
        self._wake.set()

    def read(self) -> tuple[int, list[Entry]]:
        """Read the board, on whatever thread; return the number of the look and the jobs, newest first."""
        with self._reading:
            self._looks += 1
            return self._looks, self._board.look()

    def put_away(self, ids: Sequence[str]) -> None:
        """Show these jobs no more."""
        with self._reading:
            self._board.put_away(ids)
        look_now()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            busy = False
            try:
                number, entries = self.read()
                busy = any(entry.said.state not in ENDED and entry.said.state != "paused" for entry in entries)
                for each in list(self._followers):
                    told = each()
                    if told is not None:
                        told(number, entries)
            except (OSError, TransferError):  # the state folder may be away for a moment; the next look tells
                pass
            with self._changing:
                self._followers = [each for each in self._followers if each() is not None]
                if not self._followers:
                    self._thread = None
                    return
            self._wake.wait(_BUSY_SECONDS if busy else _IDLE_SECONDS)
            self._wake.clear()
            time.sleep(max(0.0, began + _LEAST_SECONDS - time.monotonic()))


watcher = Watcher()


def look_now() -> None:
    """Look at once: something was just started or stopped."""
    watcher._wake.set()
