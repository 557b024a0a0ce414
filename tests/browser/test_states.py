"""The Explorer's states: light and dark, wide and narrow, busy kernel, two views, wrong input."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser

CELL = "import idc_widgets as idc\nexplorer = idc.Explorer()\nexplorer"


@pytest.mark.parametrize("width", [1200, 480])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_overflows(width: int, dark: bool, lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 1100})
    lab.theme(dark)
    try:
        notebook = lab.notebook(page, f"look{width}{dark}.ipynb", [CELL])
        notebook.run(0)
        view = ExplorerView(page)
        view.wait()
        if width < 640:
            view.root.get_by_role("button", name="Filters").click()
        view.value("Modality", "CT").click()
        view.facet("Body part").scroll_into_view_if_needed()
        page.screenshot(path=ARTIFACTS / f"filters-{width}-{'dark' if dark else 'light'}.png")
        if width < 640:
            view.root.get_by_role("button", name="Done").click()
        view.tick(1)
        assert view.stat("series") == "270,830"
        page.screenshot(path=ARTIFACTS / f"explorer-{width}-{'dark' if dark else 'light'}.png")
        over = view.root.evaluate("e => e.scrollWidth - e.clientWidth")
        assert over <= 0
        cell = page.locator(".jp-OutputArea-output").first
        assert cell.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
        ground = view.root.evaluate("e => getComputedStyle(e).backgroundColor")
        light = sum(int(v) for v in ground.removeprefix("rgb(").removesuffix(")").split(",")) > 382
        assert light is not dark
    finally:
        lab.theme(False)


def test_filters_go_on_while_the_kernel_is_busy(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook = lab.notebook(page, "busy.ipynb", [CELL, "import time\ntime.sleep(12)"])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    notebook.run(1, wait=False)
    page.wait_for_timeout(500)
    view.value("Modality", "MR").click()
    found = plain.execute("SELECT BodyPartExamined, count(*) FROM idx WHERE Modality = 'MR' GROUP BY 1").fetchall()
    truth = dict(found)
    seen = view.counts("Body part")
    assert seen == {value: truth.get(value, 0) for value in seen}
    assert view.stat("series") == "128,143"
    expect(view.grid).to_have_attribute("aria-rowcount", "128144")
    assert view.cells(0)[3] == "MR"


def test_nothing_moves_while_the_cache_is_made(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "first.ipynb", [CELL])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    parts = (
        view.filters,
        view.grid,
        view.root.get_by_role("searchbox").first,
        view.root.get_by_role("group", name="Selection"),
    )
    before = [p.bounding_box() for p in parts]
    for text in ("First run: preparing a local index for faster answers", "No local cache could be made; " * 6):
        notebook.execute(f"explorer._catalog = {{**explorer._catalog, 'status': {text!r}}}")
        note = view.root.get_by_role("status").filter(has_text=text[:20])
        expect(note).to_be_visible()
        assert [p.bounding_box() for p in parts] == before
        page.screenshot(path=ARTIFACTS / f"status-{len(text)}.png")
    note.get_by_role("button", name="Dismiss").click()
    expect(view.root).not_to_contain_text(text[:20])
    notebook.execute("explorer._catalog = {**explorer._catalog, 'status': ''}")
    assert [p.bounding_box() for p in parts] == before


def test_two_views_of_one_explorer_agree(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "two.ipynb", [CELL, "explorer"])
    notebook.run(0)
    notebook.run(1)
    first, second = (ExplorerView(page) for _ in range(2))
    first.root, second.root = (page.get_by_role("region", name="IDC Explorer").nth(i) for i in range(2))
    for view in (first, second):
        view.filters = view.root.get_by_role("region", name="Filters")
        view.grid = view.root.get_by_role("grid", name="Results")
        view.wait()
    first.value("Modality", "SM").click()
    assert first.stat("series") == second.stat("series") == "76,300"
    second.tick(0)
    expect(first.root.get_by_role("group", name="Selection")).to_contain_text("1 series ticked")


def test_search_narrows_and_python_sees_it(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook = lab.notebook(page, "search.ipynb", [CELL])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    box = view.root.get_by_role("searchbox").first
    box.fill("t2 axial")
    box.press("Enter")
    expect(view.root.get_by_role("group", name="Active filters")).to_contain_text("t2 axial")
    # The chip stands at once; a figure other than the whole index's came from the kernel, which knows then.
    whole = f"{plain.execute('SELECT count(*) FROM idx').fetchall()[0][0]:,}"
    expect(view.root.locator("[data-stat=series] .idc-stat-value")).not_to_contain_text(re.compile(f"^{whole}|…"))
    said = notebook.execute("print(explorer.cohort, explorer.cohort.counts.series)").strip()
    assert said.startswith("catalog.cohort().where(idc.search('t2 axial'))")
    assert view.stat("series") == f"{int(said.split()[-1]):,}"
    seen = view.counts("Modality")
    assert sum(seen.values()) == int(said.split()[-1])


def test_wrong_destinations_are_told(lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path) -> None:
    notebook = lab.notebook(page, "wrong.ipynb", [CELL])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    bar = view.root.get_by_role("group", name="Selection")
    expect(bar.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    notebook.execute("explorer.cohort = explorer.catalog.cohort(collection_id='rider_pilot', instanceCount=1)")
    expect(view.grid).not_to_have_attribute("aria-rowcount", "1044192")
    view.tick(0)
    (tmp_path / "file").write_text("")
    field = bar.get_by_label("Save to")
    field.fill(str(tmp_path / "file" / "below"))
    field.press("Tab")
    expect(bar).to_contain_text("not a folder")
    expect(bar.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    # A wrong endpoint: one sentence in the widget, nothing begun.
    field.fill(str(tmp_path / "fine"))
    field.press("Tab")
    expect(bar).to_contain_text("free")
    notebook.execute("import os; old = os.environ['IDC_WIDGETS_AWS_ENDPOINT']")
    notebook.execute("os.environ['IDC_WIDGETS_AWS_ENDPOINT'] = 'http://127.0.0.1:9'")
    bar.get_by_role("button", name="Download", exact=True).click()
    expect(bar.get_by_role("alert")).to_contain_text("127.0.0.1:9")
    assert "Traceback" not in bar.inner_text()
    assert not (tmp_path / "fine").exists()
    # All that match, 100 TB: refused, since it does not fit.
    notebook.execute("os.environ['IDC_WIDGETS_AWS_ENDPOINT'] = old; explorer.cohort = explorer.catalog.cohort()")
    expect(view.grid).to_have_attribute("aria-rowcount", "1044192")
    view.grid.get_by_role("checkbox", name="Tick all that match").click()
    expect(bar).to_contain_text("1,044,191 series ticked")
    expect(bar).to_contain_text("99.9 TB")
    expect(bar.get_by_role("button", name="Download", exact=True)).to_be_disabled()
