"""Looks at the journals of this machine's downloads for whoever shows them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

_BUSY_SECONDS = 0.2  # between looks while something runs
_IDLE_SECONDS = 2.0  # and while nothing does: another kernel may start a job

_wakes: weakref.WeakSet[threading.Event] = weakref.WeakSet()


def look_now() -> None:
    """Have every watcher look at once: something was just started or stopped."""
    for wake in list(_wakes):
        wake.set()


class Watcher:
    """Calls `look` again and again on a thread of its own, until `stop` or until its owner is gone.

    Parameters
    ----------
    look
        A bound method, of which only a weak reference is kept; returns whether any job is at work.
    """

    def __init__(self, look: Callable[[], bool]) -> None:
        self._wake = threading.Event()
        self._stopped = threading.Event()
        _wakes.add(self._wake)
        arguments = (weakref.WeakMethod(look), self._wake, self._stopped)
        threading.Thread(target=_run, args=arguments, name="idc-downloads", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._wake.set()


def _run(look: weakref.WeakMethod[Any], wake: threading.Event, stopped: threading.Event) -> None:
    while not stopped.is_set():
        alive = look()
        if alive is None:
            return
        try:
            busy = alive()
        except OSError:  # the state folder may be away for a moment; the next look tells
            busy = False
        del alive
        wake.wait(_BUSY_SECONDS if busy else _IDLE_SECONDS)
        if wake.is_set():
            wake.clear()
            stopped.wait(0.05)
