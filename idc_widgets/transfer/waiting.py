"""Waiting for a job, and what is shown meanwhile: a bar where tqdm is there, else a line."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from idc_widgets.lib import arguments
from idc_widgets.lib.arguments import shown
from idc_widgets.lib.format import human_bytes, human_seconds

from .model import ENDED, Progress, Snapshot, TransferError
from .validate import checked

if TYPE_CHECKING:
    from .job import Job

_SHOW_EVERY = 0.25
_LINE_EVERY = 5.0  # seconds, where lines cannot be overwritten
_GOES_ON = "the download goes on in the background; job.wait() waits for it again, job.cancel() ends it"


def shown_bytes(said: Snapshot) -> int:
    """Return the bytes that have come, verified or not."""
    p = said.progress
    return p.bytes_total if said.state == "complete" else min(p.bytes_total, p.bytes_done + p.bytes_in_flight)


def percent(said: Snapshot) -> str:
    """Return that share as people read it; it is never rounded up."""
    return "100%" if said.state == "complete" else f"{int(min(0.999, said.progress.fraction) * 1000) / 10:.1f}%"


def pace(said: Snapshot) -> list[str]:
    """Return speed and time left, as far as they are known."""
    p = said.progress
    found = [f"{human_bytes(p.speed)}/s"] if p.speed else []
    return [*found, f"{human_seconds(p.eta)} left"] if p.eta is not None else found


def progress_line(said: Snapshot) -> str:
    """Return all of it in one line."""
    p = said.progress
    parts = [
        percent(said),
        f"{human_bytes(shown_bytes(said))} of {human_bytes(p.bytes_total)}",
        f"{p.files_done:,} of {p.files_total:,} files",
        *pace(said),
    ]
    return f"{said.status}: {', '.join(parts)}"


def has_stopped(said: Snapshot) -> bool:
    """Whether nothing happens by itself any more: it has ended, or the limit of bytes has paused it."""
    return said.state in ENDED or (said.state == "paused" and said.status.reason is not None)


def wait(job: Job, timeout: float | None, progress: bool | Callable[[Progress], object] | None) -> bool:
    """See `Job.wait`."""
    if timeout is not None:
        timeout = checked(arguments.seconds, timeout, "timeout")
    display = _display(progress)
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, show_at = 0.02, 0.0
    try:
        while True:
            said, now = job.snapshot(), time.monotonic()
            over = has_stopped(said)
            left = None if deadline is None else deadline - now
            if over or now >= show_at or (left is not None and left <= 0):
                show_at = now + _SHOW_EVERY
                display.show(said)
            if over:
                return said.state == "complete"
            if left is not None and left <= 0:
                return False
            time.sleep(pause if left is None else min(pause, left))
            pause = min(pause * 1.5, 0.1)
    except KeyboardInterrupt:
        display.close()
        if progress is None or progress is True:
            print(_GOES_ON, file=sys.stderr)
        raise
    finally:
        display.close()


class _Nothing:
    def show(self, said: Snapshot) -> None:
        """Show how it stands."""

    def close(self) -> None:
        """Show nothing more."""


class _Call(_Nothing):
    def __init__(self, function: Callable[[Progress], object]) -> None:
        self._function = function

    def show(self, said: Snapshot) -> None:
        self._function(said.progress)


class _Line(_Nothing):
    """A line that is overwritten, or where that does not work, one every few seconds."""

    def __init__(self, overwrites: bool) -> None:
        self._overwrites, self._width, self._next, self._last = overwrites, 0, 0.0, ""
        self._out = sys.stdout if in_notebook() else sys.stderr  # a notebook shows stderr as an error

    def show(self, said: Snapshot) -> None:
        line, now = progress_line(said), time.monotonic()
        if line == self._last or (not self._overwrites and now < self._next and not has_stopped(said)):
            return
        self._last, self._next = line, now + _LINE_EVERY
        if self._overwrites:
            print("\r" + line.ljust(self._width), end="", file=self._out, flush=True)
            self._width = len(line)
        else:
            print(line, file=self._out, flush=True)

    def close(self) -> None:
        if self._overwrites and self._width:
            print(file=self._out, flush=True)
            self._width = 0


class _Bar(_Nothing):
    """A bar of tqdm's; the figures are ours, since only the journal knows them."""

    _FORMAT = "{desc} {bar} {n_fmt}/{total_fmt}{postfix}"

    def __init__(self, tqdm: Any) -> None:
        self._tqdm, self._bar = tqdm, None

    def show(self, said: Snapshot) -> None:
        p = said.progress
        if self._bar is None:
            self._bar = self._tqdm(
                total=p.bytes_total,
                unit="B",
                unit_scale=True,
                bar_format=self._FORMAT,
                dynamic_ncols=True,
                file=sys.stderr,
            )
        bar: Any = self._bar
        bar.total, bar.n = p.bytes_total, shown_bytes(said)
        if bar.n >= bar.total and said.state != "complete":
            bar.n = max(0, bar.total - 1)
        bar.set_description_str(f"{said.status} {percent(said)}", refresh=False)
        bar.set_postfix_str(", ".join([f"{p.files_done:,} of {p.files_total:,} files", *pace(said)]), refresh=False)
        bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _display(progress: object) -> _Nothing:
    if progress is False:
        return _Nothing()
    if progress is not None and progress is not True:
        if not callable(progress):
            raise TransferError(f"progress={shown(progress)}: True, False or a function of a Progress is needed")
        return _Call(progress)
    overwrites = in_notebook() or _on_terminal()
    if not overwrites:
        return _Line(False) if progress else _Nothing()
    with contextlib.suppress(ImportError):
        from tqdm.auto import tqdm

        return _Bar(tqdm)
    return _Line(True)


def _on_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this; nothing is imported to know it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None
