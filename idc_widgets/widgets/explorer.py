"""`Explorer`: everything in one cell; `FilterPanel` and `ResultTable`: its parts, to be laid out at will."""

from __future__ import annotations

import os
from typing import Any

import ipywidgets
import traitlets

from idc_widgets.api import Catalog, Cohort
from idc_widgets.widgets.base import Part, Provider
from idc_widgets.widgets.downloads import DownloadPanel


class Explorer(Part):
    """Find and fetch images: an interactive view of the whole catalogue.

    Parameters
    ----------
    cohort
        What to show first, by default everything; or a part to share the cohort and the ticks with.
    catalog
        The catalogue; by default the cohort's, else the shared one.
    destination
        Folder offered for downloads; by default `idc-data` in the current folder.
    provider
        Cloud to download from, "aws" (the default) or "gcs".
    height
        Height in pixels or as a CSS length; also set by dragging the lower edge.
    layout
        Its place in boxes, as for any ipywidget.

    Attributes
    ----------
    cohort : Cohort
        What the filters say; set it to change them. Observable.
    selection : Cohort
        What is ticked; set it to tick. Observable.
    provider : str
        Cloud to download from, "aws" or "gcs"; chosen beside the Download button, too. Observable.
    height : int or str or None
        As above. Observable.

    Examples
    --------
    >>> explorer = Explorer()  # doctest: +SKIP
    >>> explorer.cohort = catalog.cohort(Modality="CT", collection_id="rider_pilot")  # doctest: +SKIP
    >>> explorer.selection.download("data")  # doctest: +SKIP
    """

    _downloads = traitlets.Instance(DownloadPanel).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(
        self,
        cohort: Cohort | Part | None = None,
        *,
        catalog: Catalog | None = None,
        destination: str | os.PathLike[str] | None = None,
        provider: Provider | None = None,
        height: int | str | None = None,
        layout: ipywidgets.Layout | None = None,
    ) -> None:
        super().__init__(
            cohort,
            catalog=catalog,
            destination=destination,
            provider=provider,
            _view="explorer",
            height=height,
            **_given(layout),
        )

    @traitlets.default("_downloads")
    def _default_downloads(self) -> DownloadPanel:
        return DownloadPanel()

    @property
    def downloads(self) -> DownloadPanel:
        """The panel of downloads, to be shown elsewhere too."""
        panel: DownloadPanel = self._downloads
        return panel

    def close(self) -> None:
        """Take the views away; downloads go on."""
        if self.trait_has_value("_downloads"):
            self._downloads.close()
        super().close()


class FilterPanel(Part):
    """The filters alone: search, facets and what matches.

    Parameters
    ----------
    cohort
        What to show first, by default everything; or a part to share the cohort and the ticks with.
    catalog
        The catalogue; by default the cohort's, else the shared one.
    height
        Height in pixels or as a CSS length; also set by dragging the lower edge.
    layout
        Its place in boxes; by default 300 pixels wide.

    Attributes
    ----------
    cohort, selection, height
        As the `Explorer`'s.

    Examples
    --------
    >>> panel = FilterPanel()  # doctest: +SKIP
    >>> table = ResultTable(panel)  # doctest: +SKIP
    >>> ipywidgets.HBox([panel, table])  # doctest: +SKIP
    """

    def __init__(
        self,
        cohort: Cohort | Part | None = None,
        *,
        catalog: Catalog | None = None,
        height: int | str | None = None,
        layout: ipywidgets.Layout | None = None,
    ) -> None:
        place = layout if layout is not None else ipywidgets.Layout(width="300px", max_width="100%", flex="0 1 auto")
        super().__init__(cohort, catalog=catalog, _view="filters", height=height, layout=place)


class ResultTable(Part):
    """The table of what matches alone: sort, tick, look closer.

    Parameters
    ----------
    cohort
        What to show, by default everything; or a part to share the cohort and the ticks with.
    catalog
        The catalogue; by default the cohort's, else the shared one.
    height
        Height in pixels or as a CSS length; also set by dragging the lower edge.
    layout
        Its place in boxes; by default the width that is left, below 420 pixels only where the box does not wrap.

    Attributes
    ----------
    cohort, selection, height
        As the `Explorer`'s.

    Examples
    --------
    >>> table = ResultTable(catalog.cohort(Modality="CT"))  # doctest: +SKIP
    >>> DownloadPanel(table)  # doctest: +SKIP
    """

    def __init__(
        self,
        cohort: Cohort | Part | None = None,
        *,
        catalog: Catalog | None = None,
        height: int | str | None = None,
        layout: ipywidgets.Layout | None = None,
    ) -> None:
        place = layout if layout is not None else ipywidgets.Layout(flex="1 1 420px", min_width="0")
        super().__init__(cohort, catalog=catalog, _view="table", height=height, layout=place)


def _given(layout: ipywidgets.Layout | None) -> dict[str, Any]:
    return {} if layout is None else {"layout": layout}
