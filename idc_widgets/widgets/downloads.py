"""`DownloadPanel`: the jobs of this machine, as they go, and what would be fetched next."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import ipywidgets
import traitlets

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.cohort import Cohort
from idc_widgets.widgets import link
from idc_widgets.widgets.part import Part, Provider
from idc_widgets.widgets.watch import Watcher, look_now

_SHOWN = 50  # newest jobs
_FAILURES = 500


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
    _jobs: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True, echo_update=False)

    def __init__(
        self,
        cohort: Cohort | Part | None = None,
        *,
        destination: str | os.PathLike[str] | None = None,
        provider: Provider | None = None,
        height: int | str | None = None,
        layout: ipywidgets.Layout | None = None,
    ) -> None:
        traits: dict[str, Any] = {"_view": "downloads", "height": height}
        if layout is not None:
            traits["layout"] = layout
        self._follows = not isinstance(cohort, Part)
        super().__init__(cohort, destination=destination, provider=provider, **traits)
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
        self._watcher = Watcher(self.refresh)

    def _own(self, cohort: Cohort | None, catalog: Catalog | None, selection: Cohort | None) -> dict[str, Any]:
        # Nothing is held here. Without a cohort the catalogue need not even be read.
        return {"cohort": cohort, "selection": cohort}

    @traitlets.observe("cohort", "selection")
    def _on_given(self, change: Mapping[str, Any]) -> None:
        given: Cohort | None = change["new"]
        if given is None:
            return
        if self._shared is None:
            shown = Cohort(given.catalog) if self.cohort is None else self.cohort
            ticked = given if self.selection is None else self.selection
            self._share(Part(shown, selection=ticked, destination=self._destination, provider=self.provider))
        elif self._follows and change["name"] == "cohort":
            self.selection = given

    def __repr__(self) -> str:
        return f"DownloadPanel({'' if self.cohort is None else f'cohort={self.cohort!r}'})"

    def refresh(self) -> bool:
        """Read the journals now; return whether any job is at work."""
        jobs = [_as_json(j) for j in transfer.jobs()[:_SHOWN]]
        if jobs != self._jobs:
            self._jobs = jobs
        return any(j["state"] in ("queued", "listing", "running", "verifying") for j in jobs)

    def close(self) -> None:
        """Stop watching; the jobs go on."""
        watcher = getattr(self, "_watcher", None)
        if watcher is not None:
            watcher.stop()
        super().close()

    def _job(self, message: Mapping[str, Any]) -> transfer.Job:
        wanted = str(message.get("job"))
        job = next((j for j in transfer.jobs() if j.id == wanted), None)
        if job is None:
            raise ValueError(f"There is no download {wanted} on this machine any more.")
        look_now()
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
