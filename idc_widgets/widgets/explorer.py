"""`Explorer`: filter panel, result table, selection and downloads in one cell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import anywidget
import ipywidgets
import traitlets

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.catalog.catalog import default_catalog
from idc_widgets.cohort import Cohort
from idc_widgets.cohort.summary import forbids_commercial_use
from idc_widgets.widgets import describe, link, rows, ticks
from idc_widgets.widgets.cubes import edges_of, outside_of
from idc_widgets.widgets.downloads import DownloadPanel

ASK_ABOVE = 100 * 10**9  # bytes; larger downloads are asked about once more


class Explorer(anywidget.AnyWidget):
    """Find and fetch images: an interactive view of the whole catalogue.

    Parameters
    ----------
    cohort
        What to show first; by default everything.
    catalog
        The catalogue; by default the cohort's, else the shared one.
    destination
        Folder offered for downloads; by default `idc-data` in the current folder.
    provider
        Cloud to download from, "aws" or "gcs".

    Attributes
    ----------
    cohort : Cohort
        What the filters say; set it to change them. Observable.
    selection : Cohort
        What is ticked.

    Examples
    --------
    >>> explorer = Explorer()  # doctest: +SKIP
    >>> explorer.cohort = catalog.cohort(Modality="CT", collection_id="rider_pilot")  # doctest: +SKIP
    >>> explorer.selection.download("data")  # doctest: +SKIP
    """

    cohort = traitlets.Instance(Cohort, help="What the filters say.")

    _view = traitlets.Unicode("explorer").tag(sync=True)
    _catalog = traitlets.Dict().tag(sync=True, echo_update=False)
    _cube = traitlets.Dict().tag(sync=True, echo_update=False)
    _where: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _sort: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _ticks = traitlets.Dict().tag(sync=True)
    _destination = traitlets.Unicode().tag(sync=True)
    _downloads = traitlets.Instance(DownloadPanel).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(
        self,
        cohort: Cohort | None = None,
        *,
        catalog: Catalog | None = None,
        destination: str | os.PathLike[str] | None = None,
        provider: Literal["aws", "gcs"] = "aws",
    ) -> None:
        if cohort is not None and not isinstance(cohort, Cohort):
            raise TypeError(
                f"Explorer(cohort=…) takes a Cohort, such as catalog.cohort(Modality='CT'); got {cohort!r}."
            )
        self.catalog = catalog or (cohort.catalog if cohort is not None else default_catalog())
        self.provider: Literal["aws", "gcs"] = provider
        self._esm = link.asset("widget.js")
        self._css = link.asset("widget.css")
        shown = cohort if cohort is not None else Cohort(self.catalog)
        where = [c.to_json() for c in shown.conditions]
        super().__init__(
            cohort=shown,
            _where=where,
            _ticks=dict(ticks.NOTHING),
            _destination=str(Path(destination or "idc-data").expanduser().absolute()),
            _catalog=describe.catalog_state(self.catalog, Cohort(self.catalog).counts),
            _cube=self._cube_of({"outside": outside_of(where), "edges": edges_of(where)}),
            _downloads=DownloadPanel(),
        )
        link.answer(
            self,
            {
                "cube": self._cube_of,
                "totals": lambda m: asdict(self._cohort_of(m["where"]).counts),
                **rows.handlers(self.catalog),
                "selection": self._summary,
                "destination": self._describe_destination,
                "download": self._download,
            },
        )
        self.catalog.on_cache(self._cache_ended)

    def __repr__(self) -> str:
        return f"Explorer(cohort={self.cohort!r})"

    @property
    def selection(self) -> Cohort:
        """The ticked series; without ticks, a cohort that matches nothing."""
        return ticks.cohort_of(self.catalog, self._ticks)

    @property
    def downloads(self) -> DownloadPanel:
        """The panel of downloads, to be shown elsewhere too."""
        panel: DownloadPanel = self._downloads
        return panel

    # -- the cohort, both ways

    @traitlets.observe("cohort")
    def _on_cohort(self, change: Mapping[str, Any]) -> None:
        where = [c.to_json() for c in change["new"].conditions]
        if where != self._where:
            self._where = where

    @traitlets.observe("_where")
    def _on_where(self, change: Mapping[str, Any]) -> None:
        cohort = self._cohort_of(change["new"])
        if cohort != self.cohort:
            self.cohort = cohort

    @traitlets.validate("cohort")
    def _check_cohort(self, proposal: Mapping[str, Any]) -> Cohort:
        cohort: Cohort = proposal["value"]
        if cohort.catalog.release != self.catalog.release:
            raise traitlets.TraitError(
                f"This cohort is of release {cohort.catalog.release}; the Explorer shows {self.catalog.release}."
            )
        return cohort

    def _cohort_of(self, where: list[dict[str, Any]]) -> Cohort:
        return ticks.from_json_list(self.catalog, where)

    # -- answers to the browser

    def _cube_of(self, message: Mapping[str, Any]) -> dict[str, Any]:
        outside = message["outside"]
        where, parameters = self._cohort_of(outside).compiled()
        return self.catalog.cube(where, parameters, outside, message.get("edges"))

    def _summary(self, message: Mapping[str, Any]) -> dict[str, Any]:
        cohort = ticks.cohort_of(self.catalog, message["ticks"])
        licences = [
            {"name": str(name), "series": series, "noncommercial": forbids_commercial_use(str(name))}
            for name, series in cohort.tally("license_short_name")
        ]
        return {**asdict(cohort.counts), "licences": licences}

    def _describe_destination(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return _destination_json(transfer.describe_destination(str(message["path"])))

    def _download(self, message: Mapping[str, Any]) -> dict[str, Any]:
        cohort = ticks.cohort_of(self.catalog, message["ticks"])
        counts = cohort.counts
        if counts.series == 0:
            raise ValueError("Nothing is ticked: tick series in the table first.")
        destination = str(message["destination"]).strip()
        if not destination:
            raise ValueError("Name a folder to download into.")
        if counts.bytes > ASK_ABOVE and not message.get("confirmed"):
            return {
                "confirm": f"This is {transfer.human_bytes(counts.bytes)} in {counts.series:,} series "
                f"({counts.instances:,} files). Download it to {destination}?"
            }
        job = cohort.download(destination, provider=self.provider)
        self._downloads.wake()
        return {"job": job.id}

    def _cache_ended(self) -> None:
        # Comes on the thread that waited for the cache.
        self._catalog = {**self._catalog, "status": describe.status(self.catalog)}


def _destination_json(described: transfer.Destination) -> dict[str, Any]:
    return {**asdict(described), "path": str(described.path)}
