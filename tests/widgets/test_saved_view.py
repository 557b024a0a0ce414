"""The HTML that a notebook keeps beside a view."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import idc_widgets as idc
from idc_widgets.widgets import kernel, saved_view

EVIL = '</script><!--<img src=x onerror="hit()">&amp;'


@pytest.fixture(autouse=True)
def frontend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "asset", lambda name: f"/* {name} */ var s = '</script>';")


class Reader(HTMLParser):
    """Collects the elements, the visible text and the scripts of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        (self.scripts if self.cdata_elem else self.texts).append(data)


def bundle(view: Any) -> dict[str, Any]:
    data = view._repr_mimebundle_()
    return dict(data[0] if isinstance(data, tuple) else data)


def test_a_view_carries_what_is_shown_without_a_kernel(catalog: idc.Catalog) -> None:
    cohort = catalog.cohort(Modality="CT", collection_id="rider_pilot")
    explorer = idc.Explorer(cohort)
    data = bundle(explorer)
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(data)
    read = Reader(data["text/html"])
    text = " ".join(read.texts)
    counts = cohort.counts
    assert f"{counts.series:,} series, {counts.studies:,} studies" in text
    assert str(cohort) in text
    first = cohort.series(limit=1, columns=["PatientID", "SeriesDescription"]).iloc[0]
    assert all(str(v) in read.texts for v in first)
    assert read.tags.count("tr") == saved_view.PLAIN_ROWS + 1
    kept = json.loads(read.scripts[0])
    assert kept["state"]["_where"] == [c.to_json() for c in cohort.conditions]
    assert len(kept["replies"]["page"]["result"]["rows"]) == saved_view.ROWS
    assert kept["replies"]["totals"]["series"] == counts.series


def test_nothing_in_it_becomes_markup(catalog: idc.Catalog) -> None:
    table = idc.ResultTable(catalog.cohort().where(idc.contains("SeriesDescription", EVIL)))
    columns = len(table._catalog["levels"][-1]["columns"])
    table.answers["page"] = lambda m: {"rows": [[1] + [EVIL] * columns], "total": 1}
    read = Reader(bundle(table)["text/html"])
    assert "img" not in read.tags
    assert read.tags.count("script") == 2
    assert read.texts.count(EVIL) == columns
    assert json.loads(read.scripts[0])["replies"]["page"]["result"]["rows"][0][1] == EVIL


@pytest.mark.parametrize("level", ["study", "patient", "collection"])
def test_it_shows_the_level_that_the_table_shows(catalog: idc.Catalog, level: str) -> None:
    table = idc.ResultTable(catalog.cohort(Modality="SEG"))
    table.set_state({"_table": {"level": level, "scope": [{"level": "collection", "label": "x", "where": []}]}})
    read = Reader(bundle(table)["text/html"])
    kept = json.loads(read.scripts[0])
    assert kept["replies"]["page"]["request"]["level"] == level
    assert kept["state"]["_table"] == {"level": level}
    assert f"of {kept['replies']['page']['result']['total']:,} {saved_view._MANY[level]}" in " ".join(read.texts)


def test_a_copy_that_fails_leaves_the_live_view(catalog: idc.Catalog, caplog: pytest.LogCaptureFixture) -> None:
    explorer = idc.Explorer(catalog.cohort())
    explorer.answers["page"] = lambda m: 1 / 0
    assert "text/html" not in bundle(explorer)
    assert "could not be saved" in caplog.text


def test_it_can_be_left_out(catalog: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = idc.Explorer(catalog.cohort())
    monkeypatch.setenv(saved_view.VARIABLE, "0")
    assert "text/html" not in bundle(explorer)
    monkeypatch.delenv(saved_view.VARIABLE)
    assert "text/html" in bundle(explorer)
    monkeypatch.setattr(saved_view, "_LIMIT", 1000)  # too large to be kept: the plain part alone
    html = bundle(explorer)["text/html"]
    assert "<table>" in html and "<script" not in html
    assert "text/html" not in bundle(idc.DownloadPanel(catalog.cohort()))


def test_notebooks_get_it_as_a_second_output(catalog: idc.Catalog) -> None:
    InteractiveShell.instance()
    with capture_output() as captured:
        idc.FilterPanel(catalog.cohort())._ipython_display_()
    first, second = (o.data for o in captured.outputs)
    assert "application/vnd.jupyter.widget-view+json" in first and "text/html" not in first
    assert list(second) == ["text/html"]
