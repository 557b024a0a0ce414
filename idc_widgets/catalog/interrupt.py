"""Interrupts: Ctrl-C, or the notebook's stop button, ends a query.

DuckDB hears signals in some of its work only: while it fills a data frame it does not. So the main thread, which
alone gets them, waits for a thread that asks, and tells DuckDB to stop when it is interrupted itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_STEP = 0.05  # seconds between calls to stop


def interruptible(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """Return what `work` returns; a KeyboardInterrupt calls `stop` and is raised once `work` has ended.

    Parameters
    ----------
    work
        What may take long. In another thread than the main one it is just called: no signal arrives there.
    stop
        Makes `work` end soon. It is repeated until it does, since `work` may have been about to begin.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name="idc-query", daemon=True)
    thread.start()
    try:
        while not ended.wait(1):  # in steps: Windows does not interrupt a wait without end
            pass
    except KeyboardInterrupt:
        while not ended.wait(_STEP):
            stop()
        raise
    if errors:
        raise errors.pop()
    return results[0]
