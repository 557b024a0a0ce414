"""Parts that share a cohort and what is ticked: made from one another, linked, observed, closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import traitlets

import idc_widgets as idc
from idc_widgets.widgets import kernel

SM = {"op": "in", "column": "Modality", "values": ["SM"]}
PARTS = ["FilterPanel", "ResultTable", "DownloadPanel", "Explorer"]


@pytest.fixture(autouse=True)
def frontend(monkeypatch: pytest.MonkeyPatch, catalog: idc.Catalog) -> None:
    monkeypatch.setattr(kernel, "asset", lambda name: "export default {}")
    monkeypatch.setattr("idc_widgets.widgets.base.default_catalog", lambda: catalog)


def make(name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(idc, name)(*args, **kwargs)


def test_parts_made_from_one_another_are_one(catalog: idc.Catalog, tmp_path: Path) -> None:
    ct = catalog.cohort(Modality="CT")
    panel = idc.FilterPanel(ct)
    table = idc.ResultTable(panel)
    explorer = idc.Explorer(table)
    downloads = idc.DownloadPanel(explorer, destination=tmp_path)
    assert panel.cohort == table.cohort == explorer.cohort == downloads.cohort == ct
    table.cohort = catalog.cohort(Modality="MR")
    assert panel.cohort == explorer.cohort == downloads.cohort == table.cohort
    # The browser writes to the one model that they share.
    panel.set_state({"_where": [SM], "_ticks": {"base": None, "minus": [], "plus": [1, 2]}})
    assert table.cohort == explorer.cohort == catalog.cohort(Modality="SM")
    assert downloads.selection.counts.series == 2
    assert [p._shared for p in (table, explorer, downloads)] == [panel] * 3
    assert panel._destination == str(tmp_path)
    # And the bundle of conditions and counts travels once.
    assert panel._cube and not any(p._cube or p._where or p._catalog for p in (table, explorer, downloads))


def test_selection_is_observed_and_set(catalog: idc.Catalog) -> None:
    table = idc.ResultTable(catalog.cohort(collection_id="rider_pilot"))
    seen: list[idc.Cohort] = []
    table.observe(lambda change: seen.append(change["new"]), "selection")
    table.set_state({"_ticks": {"base": table._where, "minus": [], "plus": []}})
    assert seen == [table.cohort]
    wanted = catalog.cohort(Modality="SEG") | catalog.cohort(collection_id="rider_pilot")
    table.selection = wanted
    assert seen[-1] == table.selection == wanted
    assert table._ticks["base"] == [c.to_json() for c in wanted.conditions]
    table.selection = catalog.cohort(SeriesInstanceUID=[])
    assert table._ticks["base"] is None


def test_links_of_ipywidgets_work(catalog: idc.Catalog) -> None:
    panel, table, downloads = idc.FilterPanel(), idc.ResultTable(), idc.DownloadPanel()
    ipywidgets.link((panel, "cohort"), (table, "cohort"))
    ipywidgets.dlink((table, "selection"), (downloads, "selection"))
    panel.cohort = catalog.cohort(Modality="CT")
    assert table._where == panel._where != []
    table.set_state({"_where": [SM]})
    assert panel.cohort == catalog.cohort(Modality="SM")
    table.selection = catalog.cohort(collection_id="rider_pilot")
    assert downloads.selection == table.selection
    ipywidgets.HBox([panel, table])


def test_a_download_panel_offers_the_cohort_that_it_is_given(catalog: idc.Catalog, tmp_path: Path) -> None:
    ct = catalog.cohort(Modality="CT")
    given = idc.DownloadPanel(ct, destination=tmp_path, provider="gcs")
    assert given.cohort == given.selection == ct
    assert (given._source._destination, given._source.provider) == (str(tmp_path), "gcs")
    linked = idc.DownloadPanel(destination=tmp_path, provider="gcs")
    assert linked.cohort is None and linked.selection is None
    panel = idc.FilterPanel(ct)
    ipywidgets.link((panel, "cohort"), (linked, "cohort"))
    assert linked.selection == ct
    assert (linked._source._destination, linked._source.provider) == (str(tmp_path), "gcs")
    panel.cohort = catalog.cohort(Modality="MR")
    assert linked.selection == panel.cohort


def test_closing_takes_away_only_its_own_view(catalog: idc.Catalog) -> None:
    panel = idc.FilterPanel(catalog.cohort())
    table, second = idc.ResultTable(panel), idc.ResultTable(panel)
    second.close()
    assert second.comm is None
    panel.close()
    assert panel._view == "" and panel.comm is not None
    table.cohort = catalog.cohort(Modality="CT")
    assert panel._where != []
    table.close()
    assert panel.comm is None
    panel.close()  # again does no harm
    explorer = idc.Explorer()
    downloads = explorer.downloads
    explorer.close()
    assert explorer.comm is None and downloads.comm is None


@pytest.mark.parametrize("name", PARTS)
def test_what_parts_do_not_take(name: str, catalog: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match=rf"{name}\(…\) takes a Cohort.*got 'CT'"):
        make(name, "CT")
    with pytest.raises(TypeError):
        make(name, cohorts=catalog.cohort())
    part = make(name, catalog.cohort())
    for height in (0, -3, "tall", "10", True):
        with pytest.raises(traitlets.TraitError, match="height="):
            part.height = height
    for height in (600, "80vh", "37.5em", None):
        part.height = height
    if name != "DownloadPanel":
        with pytest.raises(ValueError, match="leave out catalog="):
            make(name, part, catalog=object())


def test_widgets_are_imported_only_when_asked_for() -> None:
    assert set(PARTS) < set(dir(idc))
