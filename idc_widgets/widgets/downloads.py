"""`DownloadPanel`: the jobs of this machine, as they go."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import anywidget
import traitlets

from idc_widgets import transfer
from idc_widgets.widgets import link

_SHOWN = 50  # newest jobs
_BUSY_SECONDS = 0.2  # between looks at the journals while something runs
_IDLE_SECONDS = 2.0  # and while nothing does: another kernel may start a job
_FAILURES = 500


class DownloadPanel(anywidget.AnyWidget):
    """Shows the downloads of this machine, whichever kernel started them, and controls them.

    It reads the jobs' journals and puts requests in them; the work is done by processes of their own. A model apart
    from the Explorer's, so that progress does not hold up the answers to filters.
    """

    _view = traitlets.Unicode("downloads").tag(sync=True)
    _jobs: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True, echo_update=False)

    def __init__(self) -> None:
        self._esm = link.asset("widget.js")
        self._css = link.asset("widget.css")
        super().__init__()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self.refresh()
        link.answer(
            self,
            {
                "cancel": lambda m: self._job(m).cancel(),
                "pause": lambda m: self._job(m).pause(),
                "resume": lambda m: self._job(m).resume(),
                "retry": lambda m: self._job(m).retry(),
                "failures": self._failures,
            },
        )
        publisher = threading.Thread(
            target=_publish, args=(weakref.ref(self), self._wake, self._closed), name="idc-downloads", daemon=True
        )
        publisher.start()

    def refresh(self) -> bool:
        """Read the journals now; return whether any job is at work."""
        jobs = [_as_json(j) for j in transfer.jobs()[:_SHOWN]]
        if jobs != self._jobs:
            self._jobs = jobs
        return any(j["state"] in ("queued", "listing", "running", "verifying") for j in jobs)

    def wake(self) -> None:
        """Look at the journals at once: something was just started."""
        self._wake.set()

    def close(self) -> None:
        """Stop watching; the jobs go on."""
        closed = getattr(self, "_closed", None)
        if closed is not None:
            closed.set()
            self._wake.set()
        super().close()

    def _job(self, message: Mapping[str, Any]) -> transfer.Job:
        wanted = str(message.get("job"))
        job = next((j for j in transfer.jobs() if j.id == wanted), None)
        if job is None:
            raise ValueError(f"There is no download {wanted} on this machine any more.")
        self._wake.set()
        return job

    def _failures(self, message: Mapping[str, Any]) -> dict[str, Any]:
        found = self._job(message).failures()
        return {"failures": found[:_FAILURES], "more": max(0, len(found) - _FAILURES)}


def _as_json(job: transfer.Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "title": job.title,
        "path": str(job.path),
        "provider": job.provider,
        "state": job.state,
        "error": job.error,
        "created": job.created.isoformat(),
        **asdict(job.progress),
    }


def _publish(panel: weakref.ref[DownloadPanel], wake: threading.Event, closed: threading.Event) -> None:
    """Look at the journals until the panel is closed or gone; one message at most every `_BUSY_SECONDS`."""
    while not closed.is_set():
        alive = panel()
        if alive is None:
            return
        try:
            busy = alive.refresh()
        except OSError:  # the state folder may be away for a moment; the next look tells
            busy = False
        del alive
        wake.wait(_BUSY_SECONDS if busy else _IDLE_SECONDS)
        if wake.is_set():
            wake.clear()
            closed.wait(0.05)
