"""Histograms in the filter panel: brush, keyboard, typed bounds, and what has no place on the axis."""

from __future__ import annotations

import duckdb
import pytest
from playwright.sync_api import Page, expect

from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

CELL = "import idc_widgets as idc\nexplorer = idc.Explorer()\nexplorer"


def _open(lab: Lab, page: Page, name: str, cells: list[str] | None = None) -> tuple[Notebook, ExplorerView]:
    notebook = lab.notebook(page, name, [CELL, *(cells or [])])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    return notebook, view


def _drag(page: Page, view: ExplorerView, label: str, start: float, end: float) -> None:
    """Drag over a histogram between two parts of its width."""
    plot = view.facet(label).locator(".idc-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()


def _count(plain: duckdb.DuckDBPyConnection, where: str) -> int:
    return int(plain.execute(f"SELECT count(*) FROM idx WHERE {where}").fetchall()[0][0])


def _says(view: ExplorerView, series: int) -> None:
    expect(view.root.locator("[data-stat=series] .idc-stat-value")).to_have_text(f"{series:,} series")


def test_a_range_by_dragging(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook, view = _open(lab, page, "drag.ipynb")
    age = view.facet("Age")
    _drag(page, view, "Age", 0.42, 0.6)
    low, high = (age.get_by_label(f"Age {end}").input_value() for end in ("from", "to"))
    assert high.startswith("< ")
    where = f"age(PatientAge) >= {low} AND age(PatientAge) {high}"
    _says(view, _count(plain, where))
    # Other facets count within the range, its own histogram does not.
    seen = view.counts("Modality")
    truth = dict(plain.execute(f"SELECT Modality, count(*) FROM idx WHERE {where} GROUP BY 1").fetchall())
    assert seen == {value: truth.get(value, 0) for value in seen}
    assert age.locator("[data-apart='0'] .idc-count").inner_text() == f"{_count(plain, 'PatientAge IS NULL'):,}"
    view.stat("patients")  # the kernel has answered, so it has heard
    assert notebook.execute("print(explorer.cohort.counts.series)").strip() == str(_count(plain, where))
    # With the missing ones beside it, then a click on a bar, then nothing.
    age.get_by_role("checkbox", name="missing").click()
    _says(view, _count(plain, f"({where}) OR PatientAge IS NULL"))
    age.get_by_role("checkbox", name="missing").click()
    age.get_by_role("button", name="Clear the range of Age").click()
    _says(view, _count(plain, "TRUE"))


def test_a_range_by_the_keyboard(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    _, view = _open(lab, page, "keys.ipynb")
    end = view.facet("Study date").get_by_role("slider", name="Study date, to")
    end.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight"):
        end.press(key)
    last = plain.execute("SELECT max(StudyDate)[:4]::INT FROM idx").fetchall()[0][0]
    expect(end).to_have_attribute("aria-valuetext", str(last - 1))
    _says(view, _count(plain, f"StudyDate < '{last}'"))
    end.press("Home")
    expect(end).to_have_attribute("aria-valuetext", "1880s")
    _says(view, _count(plain, "StudyDate < '1890'"))
    end.press("Delete")
    _says(view, _count(plain, "TRUE"))


def test_typed_bounds_are_exact_and_wrong_ones_explained(
    lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection
) -> None:
    _, view = _open(lab, page, "typed.ipynb")
    low, high = (view.facet("Series size").get_by_label(f"Series size {end}") for end in ("from", "to"))
    low.fill("12.5 MB")
    low.press("Enter")
    _says(view, _count(plain, "series_size_MB >= 12.5"))
    high.fill("1.5 GB")
    high.press("Tab")
    where = "series_size_MB BETWEEN 12.5 AND 1500"
    _says(view, _count(plain, where))
    seen = view.counts("Modality")
    truth = dict(plain.execute(f"SELECT Modality, count(*) FROM idx WHERE {where} GROUP BY 1").fetchall())
    assert seen == {value: truth.get(value, 0) for value in seen}
    low.fill("large")
    low.press("Enter")
    alert = view.facet("Series size").get_by_role("alert")
    expect(alert).to_have_text("“large” cannot be read; write a size, such as 10 MB or 1.5 GB.")
    low.fill("2 GB")
    low.press("Enter")
    expect(alert).to_have_text("That is above 1.5 GB.")
    _says(view, _count(plain, where))  # nothing was lost


def test_a_range_while_the_kernel_is_busy(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook, view = _open(lab, page, "busyrange.ipynb", ["import time\ntime.sleep(10)"])
    notebook.run(1, wait=False)
    page.wait_for_timeout(300)
    _drag(page, view, "Images in the series", 0.99, 0.5)
    low = view.facet("Images in the series").get_by_label("Images in the series from").input_value().replace(",", "")
    _says(view, _count(plain, f"instanceCount >= {low}"))
