"""`DownloadPanel`: the jobs of this machine, as they go, and what would be fetched next."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import ipywidgets
import traitlets

from idc_widgets import transfer
from idc_widgets.api import Catalog, Cohort
from idc_widgets.lib.arguments import shown
from idc_widgets.transfer import display
from idc_widgets.widgets import kernel, saved_view, snippets
from idc_widgets.widgets.base import Part, Provider
from idc_widgets.widgets.job_events import look_now, watcher

_ENDED = 20  # newest ended jobs that are sent unasked
_PAGE = 200  # at most, of what is asked for
_CHILD = ".jp-OutputArea-child"
_BEAT_SECONDS = 2.0  # without news, a sign of life while a job is at work


class DownloadPanel(Part):
    """Shows the downloads of this machine, whichever kernel started them, and controls them.

    It reads the jobs' journals and puts requests in them; the work is done by processes of their own.

    Parameters
    ----------
    cohort
        What may be downloaded from here: a cohort, or a part (a table, an Explorer) whose ticks it is to follow.
        Without it the panel only shows jobs.
    destination
        Folder offered; by default `idc-data` in the current folder.
    provider
        Cloud to download from, "aws" or "gcs".
    height
        Height in pixels or as a CSS length; by default as much as it needs.
    job
        The only job to show.

    Examples
    --------
    >>> DownloadPanel()  # doctest: +SKIP
    >>> DownloadPanel(table, destination="/data/idc")  # doctest: +SKIP
    """

    # None while it shows jobs only.
    cohort = traitlets.Instance(Cohort, allow_none=True)  # type: ignore[assignment]
    selection = traitlets.Instance(Cohort, allow_none=True)  # type: ignore[assignment]

    _follows = True  # a cohort given alone is what shall be downloaded

    # A model apart from the one that answers filters and pages: progress does not hold those up.
    # What has not ended, and apart from it, since it hardly ever changes, the newest of what has.
    _jobs: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True, echo_update=False)
    _past: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True, echo_update=False)
    _ended = traitlets.Int().tag(sync=True, echo_update=False)  # how many there are of those
    _beat = traitlets.Int().tag(sync=True, echo_update=False)
    _single = traitlets.Bool().tag(sync=True)  # whether it is the view of one job

    def __init__(
        self,
        cohort: Cohort | Part | None = None,
        *,
        destination: str | os.PathLike[str] | None = None,
        provider: Provider | None = None,
        height: int | str | None = None,
        layout: ipywidgets.Layout | None = None,
        job: transfer.Job | None = None,
    ) -> None:
        if job is not None and not isinstance(job, transfer.Job):
            raise TypeError(f"job={shown(job)}: a Job is needed, such as cohort.download(…) returns.")
        self._only = job
        traits: dict[str, Any] = {"_view": "downloads", "height": height, "_single": job is not None}
        if layout is not None:
            traits["layout"] = layout
        self._follows = not isinstance(cohort, Part)
        self._showing = threading.Lock()
        self._look = 0
        self._sent = 0.0
        self._found: Sequence[transfer.Entry] = ()
        super().__init__(cohort, destination=destination, provider=provider, **traits)
        kernel.answer(
            self,
            {
                "cancel": self._command(lambda job, m: job.cancel(keep=bool(m.get("keep", True)))),
                "pause": self._command(lambda job, m: job.pause()),
                "resume": self._command(lambda job, m: job.resume()),
                "retry": self._command(lambda job, m: job.retry()),
                "workers": self._command(lambda job, m: job.set_workers(int(m["workers"]))),
                "next": self._command(lambda job, m: job.prioritize(str(m["series"]))),
                "away": kernel.Aside(
                    lambda m: watcher.put_away([str(each) for each in m["jobs"] or self._all_ended()])
                ),
                "series": kernel.Aside(self._series),
                "failures": kernel.Aside(self._failures),
                "code": kernel.Aside(lambda m: snippets.of_job(self._job(m), m.get("folder"))),
                "history": kernel.Aside(self._history),
            },
        )
        self.refresh()
        watcher.follow(self._show)

    def _own(self, cohort: Cohort | None, catalog: Catalog | None, selection: Cohort | None) -> dict[str, Any]:
        # Nothing is held here. Without a cohort the catalogue need not even be read.
        return {"cohort": cohort, "selection": cohort}

    @traitlets.observe("cohort", "selection")
    def _on_given(self, change: Mapping[str, Any]) -> None:
        given: Cohort | None = change["new"]
        if given is None:
            if self._shared is not None:  # traitlets asks no validator about None
                self.set_trait(change["name"], change["old"])
                raise traitlets.TraitError(
                    f"{change['name']}=None: a Cohort is wanted here; DownloadPanel() shows the jobs alone."
                )
            return
        if self._shared is None:
            provider = cast("Provider", self.provider)
            shown = Cohort(given.catalog) if self.cohort is None else self.cohort
            ticked = given if self.selection is None else self.selection
            self._share(Part(shown, selection=ticked, destination=self._destination, provider=provider))
        elif self._follows and change["name"] == "cohort":
            self.selection = given

    def __repr__(self) -> str:
        return f"DownloadPanel({'' if self.cohort is None else f'cohort={self.cohort!r}'})"

    def refresh(self) -> None:
        """Read the journals now; they are read by themselves several times a second while a job is at work."""
        self._show(*watcher.read())

    def _show(self, look: int, entries: Sequence[transfer.Entry]) -> None:
        with self._showing:
            if look < self._look:
                return  # another thread was faster
            if self._only is not None:
                entries = self._alone(self._only, entries)
            self._look, self._found = look, entries
            ended = [entry for entry in entries if entry.said.state in transfer.ENDED]
            jobs = [_as_json(entry) for entry in entries if entry.said.state not in transfer.ENDED]
            past = [_as_json(entry) for entry in ended[:_ENDED]]
            now = time.monotonic()
            if (jobs, past, len(ended)) == (self._jobs, self._past, self._ended) and (
                not jobs or now < self._sent + _BEAT_SECONDS
            ):
                return
            self._sent = now
            with self.hold_sync():  # one message, so that a job that ends is always in one of the two
                self._jobs, self._past, self._ended = jobs, past, len(ended)
                self._beat += 1

    def _alone(self, job: transfer.Job, entries: Sequence[transfer.Entry]) -> Sequence[transfer.Entry]:
        """Return the entry of the job that this shows, also where it was put away; as last seen where it is gone."""
        found = next((entry for entry in entries if entry.job == job), None)
        with contextlib.suppress(transfer.TransferError):
            return [found or transfer.Entry(job, job.snapshot())]
        return self._found

    def _as_html(self) -> str:
        assert self._only is not None
        table = display.as_html([self._only])
        token = self._token
        # Where styles count, only one of the two outputs is seen, whichever of them comes first: the live view once it
        # is there, and until then the table, not what stands in the live view's place.
        live = f"{_CHILD}:has([data-idc-live='{token}'])"
        empty = f"{_CHILD}:not(:has([data-idc-live='{token}'])):has(+ {_CHILD} [data-idc-saved='{token}'])"
        style = f"<style>{live} + {_CHILD}, {empty} {{display:none}}</style>"
        return f'<div data-idc-saved="{token}">{style}{table}</div>'

    @property
    def _can_be_saved(self) -> bool:
        return self._only is not None and saved_view.wanted()

    def close(self) -> None:
        """Stop watching; the jobs go on."""
        watcher.leave(self._show)
        super().close()

    # -- answers to the browser

    def _job(self, message: Mapping[str, Any]) -> transfer.Job:
        wanted = str(message.get("job"))
        job = next((entry.job for entry in self._found if entry.job.id == wanted), None)
        if job is None:
            raise ValueError(f"There is no download {wanted} on this machine any more.")
        return job

    def _command(self, act: Callable[[transfer.Job, Mapping[str, Any]], None]) -> kernel.Aside:
        def command(message: Mapping[str, Any]) -> None:
            job = self._job(message)
            try:
                act(job, message)
            finally:
                look_now()

        return kernel.Aside(command)

    def _all_ended(self) -> list[str]:
        return [entry.job.id for entry in self._found if entry.said.state in transfer.ENDED]

    def _series(self, message: Mapping[str, Any]) -> dict[str, Any]:
        job = self._job(message)
        rows = job.series(int(message["offset"]), min(_PAGE, int(message["limit"])), state=message.get("state"))
        return {
            "counts": job.series_counts(),
            "rows": [{**row, "path": str(row["path"]), "below": _below(row["path"], job)} for row in rows],
        }

    def _failures(self, message: Mapping[str, Any]) -> dict[str, Any]:
        found = [each for each in self._job(message).failures() if each["SeriesInstanceUID"] == message["series"]]
        return {"failures": found[:_PAGE], "more": max(0, len(found) - _PAGE)}

    def _history(self, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        ended = [entry for entry in self._found if entry.said.state in transfer.ENDED]
        offset = int(message["offset"])
        return [_as_json(entry) for entry in ended[offset : offset + min(_PAGE, int(message["limit"]))]]


def _below(path: os.PathLike[str], job: transfer.Job) -> str:
    return os.path.relpath(path, job.path)


def _as_json(entry: transfer.Entry) -> dict[str, Any]:
    job, said = entry
    return {
        "id": job.id,
        "title": job.title,
        "path": str(job.path),
        "provider": job.provider,
        "created": job.created.isoformat(),
        "state": said.state,
        "kind": said.status.kind,
        "reason": said.status.reason,
        "seconds": None if said.status.seconds is None else round(said.status.seconds),
        "error": said.error,
        "workers": said.workers,
        **asdict(said.progress),
    }
