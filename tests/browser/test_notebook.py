"""The first notebook, cell by cell, as somebody follows it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser


def test_every_cell_of_the_first_notebook_works(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "all_cells.ipynb")
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.type)")
    said = {}
    for number, kind in enumerate(cells):
        if kind == "code":
            outputs = notebook.run(number)
            assert not [o for o in outputs if o["output_type"] == "error"], outputs
            said[number] = "".join(str(o.get("data", {}).get("text/plain")) for o in outputs)
    text = " ".join(" ".join(said.values()).split())  # IPython breaks long lines
    assert "Counts(series=1044191" in text
    assert "To fetch:" in text  # the plan
    assert "(True, 'complete', " in text
    assert "1 series, 2 files, 2.38 MB without a problem (2 files checked by MD5)" in text
    assert "Modality series 0 CT 270830" in text  # the query's table
    parts = page.get_by_role("region", name="Filters").last
    expect(parts.get_by_role("checkbox", name=re.compile("^SEG ")).first).to_contain_text("150,061")


def test_a_download_can_be_paused_resumed_and_cancelled_from_the_panel(
    lab: Lab, page: Page, mirror: SpawnedMirror
) -> None:
    notebook = lab.notebook(page, "control.ipynb", ["import idc_widgets as idc\nexplorer = idc.Explorer()\nexplorer"])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    notebook.execute("explorer.cohort = explorer.catalog.cohort(collection_id='rider_pilot', Modality='CT')")
    expect(view.grid).to_have_attribute("aria-rowcount", "173")
    view.tick(1)
    view.tick(2)
    mirror.set(rate_mb=2)
    try:
        view.root.get_by_label("Save to").fill("control-data")
        view.root.get_by_role("button", name="Download", exact=True).click()
        row = view.downloads.locator(".idc-job").first
        row.get_by_role("button", name="Pause").click()
        expect(row).to_contain_text("paused")
        row.get_by_role("button", name="Resume").click()
        expect(row).to_contain_text("downloading")
        row.get_by_role("button", name="Cancel").click()
        row.get_by_role("button", name="Cancel the download").click()
        expect(row).to_contain_text("cancelled")
        expect(row.get_by_role("button", name="Retry")).to_have_count(0)
    finally:
        mirror.set()
    said = notebook.execute("print(idc.jobs('control-data')[0].state, len(idc.jobs('control-data')[0].files()))")
    assert said.startswith("cancelled")
