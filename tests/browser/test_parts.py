"""The parts in a notebook: side by side, linked, agreeing with a busy kernel; views that come and go leak nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

PARTS = """import idc_widgets as idc, ipywidgets
panel = idc.FilterPanel()
table = idc.ResultTable(panel)
downloads = idc.DownloadPanel(table)
ipywidgets.VBox([ipywidgets.HBox([panel, table]), downloads])"""

LINKED = """import idc_widgets as idc, ipywidgets
panel, table = idc.FilterPanel(), idc.ResultTable()
link = ipywidgets.link((panel, "cohort"), (table, "cohort"))
seen = []
table.observe(lambda change: seen.append(change["new"]), "selection")
ipywidgets.HBox([panel, table])"""


class PartsView(ExplorerView):
    """The parts of one page, read like an Explorer."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.root = page.locator(".jp-OutputArea-output").first
        self.filters = page.get_by_role("region", name="Filters").first
        self.grid = page.get_by_role("grid", name="Results").first


def test_parts_side_by_side_are_one(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "parts.ipynb", [PARTS, "import time\ntime.sleep(8)"])
    notebook.run(0)
    view = PartsView(page)
    expect(view.grid.get_by_role("gridcell").nth(1)).not_to_be_empty(timeout=20_000)
    boxes = [view.filters.bounding_box(), view.grid.bounding_box()]
    assert boxes[0] and boxes[1]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1, "side by side"
    assert boxes[1]["width"] > 500
    # While the kernel is busy the table knows at once how many rows there will be.
    notebook.run(1, wait=False)
    page.wait_for_timeout(500)
    view.value("Modality", "SM").click()
    expect(view.grid).to_have_attribute("aria-rowcount", "76301")
    page.screenshot(path=ARTIFACTS / "parts-side-by-side.png")
    assert notebook.execute("print(panel.cohort == table.cohort == downloads.cohort, table.cohort)").startswith(
        "True catalog.cohort(Modality='SM')"
    )
    expect(view.grid).to_have_attribute("aria-busy", "false", timeout=20_000)
    view.tick(0)
    expect(page.get_by_role("group", name="Selection")).to_contain_text("1 series ticked")
    notebook.execute("panel.cohort = panel.catalog.cohort(collection_id='rider_pilot')")
    expect(view.grid).not_to_have_attribute("aria-rowcount", "76301")
    notebook.execute("panel.close()")
    expect(page.get_by_role("region", name="Filters")).to_have_count(0)
    view.tick(1)
    expect(page.get_by_role("group", name="Selection")).to_contain_text("2 series ticked")


def test_linked_parts_follow_each_other(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "linked.ipynb", [LINKED])
    notebook.run(0)
    view = PartsView(page)
    expect(view.grid.get_by_role("gridcell").nth(1)).not_to_be_empty(timeout=20_000)
    view.value("Modality", "SM").click()
    expect(view.grid).to_have_attribute("aria-rowcount", "76301", timeout=20_000)
    notebook.execute("table.cohort = table.catalog.cohort(Modality='MG')")
    expect(view.value("Modality", "MG")).to_have_attribute("aria-checked", "true")
    expect(view.grid).to_have_attribute("aria-rowcount", "48129", timeout=20_000)
    view.tick(0)
    for _ in range(50):
        if notebook.execute("print(len(seen) and seen[-1].counts.series)").strip() == "1":
            return
        page.wait_for_timeout(100)
    raise AssertionError("the tick did not reach the observer")


# How often anybody listens to our models. Of every view that ever was, ipywidgets itself keeps one listener to its
# model's messages, and more to its layout's changes; as many as to the messages of the layout are taken off.
LISTENERS = """async () => {
  const area = window.jupyterapp.shell.currentWidget.content.widgets[0].outputArea;
  for (const output of area.widgets) for (const child of output.children()) {
    if (!child._manager) continue;
    const manager = await child._manager.promise;
    const models = await Promise.all(Object.values(manager._models));
    const to = (m, name) => (m._events?.[name] ?? []).length;
    const explorer = models.find(m => m.get('_view') === 'explorer');
    const ours = models.filter(m => m.get('_view') !== undefined);
    return ours.flatMap(m => Object.keys(m._events ?? {}).map(name => to(m, name))).reduce((a, n) => a + n, 0)
      - to(explorer.get('layout'), 'msg:custom');
  }
}"""


def test_views_that_come_and_go_leak_no_listener(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "leak.ipynb", ["import idc_widgets as idc\nexplorer = idc.Explorer()", "explorer"])
    notebook.run(0)
    session = page.context.new_cdp_session(page)

    def counts() -> tuple[int, int, int]:
        session.send("HeapProfiler.collectGarbage")
        window = session.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
        heard = session.send("DOMDebugger.getEventListeners", {"objectId": window})["listeners"]
        model = page.evaluate(LISTENERS.replace("widgets[0].outputArea", "widgets[1].outputArea"))
        nodes = int(page.evaluate("document.querySelectorAll('.idc-root').length"))
        return model, len(heard), nodes

    def show() -> None:
        notebook.run(1)
        expect(page.get_by_role("grid").get_by_role("gridcell").nth(1)).not_to_be_empty(timeout=20_000)
        page.wait_for_timeout(500)

    show()
    first = counts()
    for _ in range(4):
        show()
    assert counts() == first
