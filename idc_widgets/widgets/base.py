"""`Part`: what every view of the catalogue has, and how views share it."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

import anywidget
import ipywidgets
import traitlets
from IPython.display import display

from idc_widgets import transfer
from idc_widgets.api import Catalog, Cohort
from idc_widgets.api.shared import catalog_or_default, default_catalog
from idc_widgets.catalog.licences import forbids_commercial_use
from idc_widgets.lib.arguments import shown
from idc_widgets.lib.format import human_bytes
from idc_widgets.widgets import describe, facets, kernel, plans, rows, saved_view, ticks
from idc_widgets.widgets.cubes import edges_of, outside_of
from idc_widgets.widgets.job_events import look_now

Provider = Literal["aws", "gcs"]

ASK_ABOVE = 100 * 10**9  # bytes; larger downloads are asked about once more
_log = logging.getLogger("idc_widgets")
_HIGHEST = 100_000  # pixels
_LENGTH = re.compile(r"(\d+(\.\d*)?|\.\d+)(px|em|rem|ex|ch|lh|cm|mm|in|pt|pc|vh|svh|lvh|dvh|vw|vmin|vmax|%)")


class _UnknownProviderError(traitlets.TraitError, ValueError):
    """A cloud that IDC is not in; traitlets takes back what a `TraitError` refuses."""


class Part(anywidget.AnyWidget):
    """A view of a cohort and of what is ticked in it.

    Made from a cohort, a part holds the state and answers the browser. Made from another part, it shows that one's:
    in the browser both listen to the same model, so they agree without the kernel.
    """

    catalog: Catalog
    _holds = False

    cohort = traitlets.Instance(Cohort, help="What the filters say.")
    selection = traitlets.Instance(Cohort, help="What is ticked.")
    provider = traitlets.Unicode("aws", help='The cloud that downloads come from: "aws" or "gcs".').tag(sync=True)
    height = traitlets.Union(
        [traitlets.Int(), traitlets.Unicode()],
        default_value=None,
        allow_none=True,
        help="Height in pixels or as a CSS length; None: the view's own.",
    ).tag(sync=True)

    _view = traitlets.Unicode().tag(sync=True)
    _token = traitlets.Unicode().tag(sync=True)  # ties a live view to the copies of it that were saved
    _shared = traitlets.Instance(anywidget.AnyWidget, allow_none=True).tag(sync=True, **ipywidgets.widget_serialization)
    _catalog = traitlets.Dict().tag(sync=True, echo_update=False)
    _cube = traitlets.Dict().tag(sync=True, echo_update=False)
    _where: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _sort: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _ticks = traitlets.Dict().tag(sync=True)
    _table = traitlets.Dict().tag(sync=True)
    _destination = traitlets.Unicode().tag(sync=True)
    _panel = traitlets.Dict().tag(sync=True)  # facets folded, open and added

    def __init__(
        self,
        cohort: Cohort | Part | None = None,
        *,
        catalog: Catalog | None = None,
        destination: str | os.PathLike[str] | None = None,
        provider: Provider | None = None,
        selection: Cohort | None = None,
        **traits: Any,
    ) -> None:
        if provider is not None:
            transfer.check_provider(provider)
        folder = None if destination is None else str(transfer.folder(destination))
        self._users: set[Part] = {self}  # the parts whose state is this one's
        self._links: list[traitlets.link] = []
        self._unknown: dict[str, tuple[str, ...]] = {}  # of pasted lists
        self._esm = kernel.asset("widget.js")
        self._css = kernel.asset("widget.css")
        if isinstance(cohort, Part):
            if catalog is not None and catalog is not cohort.catalog:
                raise ValueError(f"{type(self).__name__} shows the other part's catalogue; leave out catalog=.")
            super().__init__(**traits)
            self._share(cohort._source)
        elif cohort is None or isinstance(cohort, Cohort):
            if catalog is not None:
                catalog_or_default(catalog)  # refuses what is none
            super().__init__(**self._own(cohort, catalog, selection), **traits)
        else:
            name = type(self).__name__
            raise TypeError(
                f"{name}(…) takes a Cohort, such as catalog.cohort(Modality='CT'), or a part to share one with, "
                f"such as {name}(panel); got {shown(cohort)}."
            )
        for state in {self, self._source}:
            if folder is not None:
                state._destination = folder
            if provider is not None:
                state.provider = provider

    @traitlets.default("_token")
    def _default_token(self) -> str:
        return secrets.token_hex(8)

    @traitlets.default("_destination")
    def _default_destination(self) -> str:
        with contextlib.suppress(ValueError):  # in a folder that is gone, say
            return str(transfer.folder("idc-data"))
        return "idc-data"

    def _own(self, cohort: Cohort | None, catalog: Catalog | None, selection: Cohort | None) -> dict[str, Any]:
        """Begin to hold the state, and return it."""
        self._holds = True
        self.catalog = catalog or (cohort.catalog if cohort is not None else default_catalog())
        shown = cohort if cohort is not None else Cohort(self.catalog)
        where = [c.to_json() for c in shown.conditions]
        ticked = ticks.NOTHING if selection is None else ticks.of(selection)
        self._ticked = ticks.cohort_of(self.catalog, ticked)
        self.answers: dict[str, kernel.Handler] = {
            "cube": self._cube_of,
            "totals": lambda m: asdict(self._cohort_of(m["where"]).counts),
            **rows.handlers(self.catalog, lambda: transfer.check_provider(self.provider)),
            **facets.handlers(self.catalog, self.send, self._unknown),
            "selection": self._summary,
            "uids": kernel.Aside(lambda m: ticks.uids(self.catalog, m["ticks"])),
            "destination": kernel.Aside(lambda m: asdict(transfer.describe_destination(m["path"]))),
            "plan": kernel.Aside(self._plan),
            "download": kernel.Aside(self._download),
        }
        kernel.answer(self, self.answers)
        self.catalog.index.on_cache(self._cache_ended)
        return {
            "cohort": shown,
            "selection": self._ticked,
            "_where": where,
            "_ticks": dict(ticked),
            "_catalog": describe.catalog_state(self.catalog, Cohort(self.catalog).counts),
            "_cube": self._cube_of({"outside": outside_of(where), "edges": edges_of(where)}),
        }

    def _share(self, source: Part) -> None:
        """Show another part's state from now on."""
        self.catalog = source.catalog
        self._shared = source
        source._users.add(self)
        self._links = [traitlets.link((source, name), (self, name)) for name in ("cohort", "selection", "provider")]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(cohort={self.cohort!r})"

    @property
    def _source(self) -> Part:
        """The part that holds the state."""
        return self._shared or self

    def close(self) -> None:
        """Take the views away. What other parts share stays until the last of them is closed."""
        if not hasattr(self, "_users"):  # refused before it was made
            super().close()
            return
        while self._links:
            self._links.pop().unlink()
        source = self._source
        source._users.discard(self)
        if source is self and source._users:
            self._view = ""
            return
        super().close()
        if not source._users:
            super(Part, source).close()

    # -- what the notebook keeps

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """Return the live view, and beside it what is shown where there is no kernel."""
        bundle = super()._repr_mimebundle_()
        if bundle is None or not self._can_be_saved:
            return bundle
        data, *metadata = bundle if isinstance(bundle, tuple) else (bundle,)
        try:
            data = {**data, "text/html": self._as_html()}
        except Exception:  # the live view must not suffer from its copy
            _log.exception("the view could not be saved")
        return (data, *metadata) if metadata else data

    def _ipython_display_(self, **_: Any) -> None:
        # Two outputs, since JupyterLab shows "model not found" in place of the first when it opens the notebook
        # again, and nbconvert a widget that a script from a CDN would have to draw. The second sees to it that only
        # one of them is visible.
        data = self._repr_mimebundle_()
        data = dict(data[0] if isinstance(data, tuple) else data)
        kept = data.pop("text/html", None)
        display(data, raw=True)  # type: ignore[no-untyped-call]
        if kept is not None:
            display({"text/html": kept}, raw=True)  # type: ignore[no-untyped-call]

    def _as_html(self) -> str:
        # What the browser is told by the state itself, not by the machinery of widgets.
        return saved_view.as_html(self, set(Part.class_own_traits(sync=True)) - {"_shared", "_token"})

    @property
    def _can_be_saved(self) -> bool:
        return self._source._holds and self._view in ("explorer", "filters", "table") and saved_view.wanted()

    # -- the cohort and what is ticked, both ways

    @traitlets.observe("cohort")
    def _on_cohort(self, change: Mapping[str, Any]) -> None:
        if not self._holds:
            return
        where = [c.to_json() for c in change["new"].conditions]
        if where != self._where:
            self._where = where

    @traitlets.observe("_where")
    def _on_where(self, change: Mapping[str, Any]) -> None:
        cohort = self._cohort_of(change["new"])
        if self._unknown:
            unknown = [u for c in change["new"] for u in self._unknown.get(facets.key(c), ())]
            cohort = Cohort(self.catalog, cohort.conditions, unknown)
        if cohort != self.cohort:
            self.cohort = cohort

    @traitlets.observe("selection")
    def _on_selection(self, change: Mapping[str, Any]) -> None:
        if self._holds and change["new"] != self._ticked:
            self._ticks = dict(ticks.of(change["new"]))

    @traitlets.observe("_ticks")
    def _on_ticks(self, change: Mapping[str, Any]) -> None:
        self._ticked = ticks.cohort_of(self.catalog, change["new"])
        if self._ticked != self.selection:
            self.selection = self._ticked

    @traitlets.validate("cohort", "selection")
    def _check_cohort(self, proposal: Mapping[str, Any]) -> Cohort:
        cohort: Cohort = proposal["value"]
        if self._source._holds and cohort.catalog.release != self.catalog.release:
            raise traitlets.TraitError(
                f"This cohort is of release {cohort.catalog.release}; "
                f"the {type(self).__name__} shows {self.catalog.release}."
            )
        return cohort

    @traitlets.validate("provider")
    def _check_provider(self, proposal: Mapping[str, Any]) -> Provider:
        try:
            return transfer.check_provider(proposal["value"])
        except ValueError as error:
            raise _UnknownProviderError(str(error)) from None

    @traitlets.validate("height")
    def _check_height(self, proposal: Mapping[str, Any]) -> int | str | None:
        value: int | str | None = proposal["value"]
        if isinstance(value, str) and not _LENGTH.fullmatch(value.strip()):
            raise traitlets.TraitError(f'height={shown(value)} is no CSS length: give pixels (600) or such as "80vh".')
        if isinstance(value, int) and (not 0 < value <= _HIGHEST or value is True):
            raise traitlets.TraitError(f"height={shown(value)} is no height: give pixels, such as 600.")
        return value

    def _cohort_of(self, where: list[dict[str, Any]]) -> Cohort:
        return ticks.from_json_list(self.catalog, where)

    # -- answers to the browser

    def _cube_of(self, message: Mapping[str, Any]) -> dict[str, Any]:
        outside = message["outside"]
        where, parameters = self._cohort_of(outside).compiled()
        return self.catalog.index.cube(where, parameters, outside, message.get("edges"))

    def _summary(self, message: Mapping[str, Any]) -> dict[str, Any]:
        cohort = ticks.cohort_of(self.catalog, message["ticks"])
        licences = [
            {"name": str(name), "series": series, "noncommercial": forbids_commercial_use(str(name))}
            for name, series in cohort.value_counts("license_short_name")
        ]
        return {**asdict(cohort.counts), "licences": licences}

    def _plan(self, message: Mapping[str, Any]) -> dict[str, Any]:
        cohort = ticks.cohort_of(self.catalog, message["ticks"])
        return plans.of(cohort, message["destination"], self._provider_of(message))

    def _download(self, message: Mapping[str, Any]) -> dict[str, Any]:
        cohort = ticks.cohort_of(self.catalog, message["ticks"])
        counts = cohort.counts
        if counts.series == 0:
            raise ValueError("Nothing is ticked: tick series in the table first.")
        destination = transfer.folder(message["destination"])
        if counts.bytes > ASK_ABOVE and not message.get("confirmed"):
            return {
                "confirm": f"This is {human_bytes(counts.bytes)} in {counts.series:,} series "
                f"({counts.instances:,} files). Download it to {destination}?"
            }
        job = cohort.download(destination, provider=self._provider_of(message))
        look_now()
        return {"job": job.id}

    def _provider_of(self, message: Mapping[str, Any]) -> Provider:
        """Return the cloud that a request names: it may have been chosen anew since."""
        return transfer.check_provider(message.get("provider", self.provider))

    def _cache_ended(self) -> None:
        # Comes on the thread that waited for the cache.
        self._catalog = {**self._catalog, "status": describe.status(self.catalog)}
