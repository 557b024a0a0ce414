"""Views without a kernel: the notebook opened again, exported, not trusted; the kernel restarted or shut down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

CELL = "import idc_widgets as idc\nexplorer = idc.Explorer(idc.Catalog().cohort(Modality='CT'))\nexplorer"
SERIES_OF_CT = "270,830"


@pytest.fixture(scope="module")
def saved(lab: Lab, browser: Browser) -> Iterator[Path]:
    """A notebook that was run, saved, and whose kernel was shut down."""
    context = browser.new_context(viewport={"width": 1320, "height": 1100})
    page = context.new_page()
    notebook = lab.notebook(page, "saved.ipynb", [CELL])
    notebook.run(0)
    ExplorerView(page).wait()
    # Beside a live view its saved copy is not seen.
    expect(page.locator("[data-idc-saved]")).to_be_hidden()
    expect(page.get_by_role("grid")).to_have_count(1)
    notebook.save()
    notebook.shut_down_kernel()
    context.close()
    yield lab.root / "saved.ipynb"


def check_saved_view(page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    """The panel counts by itself, the first page is there, and it says what needs a kernel."""
    view = ExplorerView(page)
    view.wait()
    assert view.stat("series") == SERIES_OF_CT
    assert view.cells(0)[3] == "CT"
    assert view.row_count() == 100
    expect(view.root.get_by_role("status").first).to_contain_text("run the cell again")
    expect(page.get_by_role("grid")).to_have_count(1)
    expect(page.locator(".idc-plain")).to_be_hidden()
    view.value("Modality", "MR").click()
    truth = dict(
        plain.execute("SELECT BodyPartExamined, count(*) FROM idx WHERE Modality IN ('CT', 'MR') GROUP BY 1").fetchall()
    )
    seen = view.counts("Body part")
    assert seen == {value: truth.get(value, 0) for value in seen}
    expect(view.root.locator("[data-stat=patients]")).to_contain_text("needs a kernel")
    table = view.root.locator(".idc-table [role=alert]")
    expect(table).to_contain_text("run the cell again")
    view.value("Modality", "MR").click()
    expect(table).to_have_count(0)
    # What needs a kernel is not offered, and the panel says so once.
    for name in ("Add a filter…", "Code of this cohort", "Save", "Details", "Columns"):
        expect(view.root.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(view.filters.get_by_text("needs a running kernel: run the cell again")).to_have_count(1)
    expect(view.facet("Model").get_by_role("button", name="Model", exact=True)).to_be_disabled()
    expect(view.filters.get_by_role("alert")).to_have_count(0)


def test_opened_again_it_still_filters(
    lab: Lab, page: Page, saved: Path, plain: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest
) -> None:
    Notebook(lab, page, saved.name)
    check_saved_view(page, plain)
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    page.screenshot(path=ARTIFACTS / f"{request.node.name}.png")


@pytest.mark.parametrize("arguments", [[], ["--execute"]], ids=["saved", "executed"])
def test_exported_to_html_it_needs_no_network(
    arguments: list[str], page: Page, saved: Path, tmp_path: Path, plain: duckdb.DuckDBPyConnection
) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--to", "html", *arguments, "--output-dir", str(tmp_path), str(saved)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr

    def local_only(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            route.abort()

    page.route("**/*", local_only)
    page.goto((tmp_path / "saved.html").as_uri())
    check_saved_view(page, plain)


def test_not_trusted_it_is_a_plain_table(lab: Lab, page: Page, saved: Path) -> None:
    content = json.loads(saved.read_text("utf-8"))
    content["cells"][0]["source"] = "# from elsewhere, so its outputs are not trusted"
    (lab.root / "foreign.ipynb").write_text(json.dumps(content), "utf-8")
    Notebook(lab, page, "foreign.ipynb")
    expect(page.locator(".idc-plain table tr")).to_have_count(21)
    expect(page.locator(".jp-OutputArea")).to_contain_text(f"{SERIES_OF_CT} series")
    assert page.locator("[data-idc-saved] script").count() == 0
    expect(page.get_by_role("region", name="IDC Explorer")).to_have_count(0)


@pytest.mark.parametrize("how", ["restart_kernel", "shut_down_kernel"])
def test_a_lost_kernel_is_told_at_once(how: str, lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, f"{how}.ipynb", [CELL + "\n", "panel = idc.DownloadPanel()\npanel"])
    notebook.run(0)
    notebook.run(1)
    view = ExplorerView(page)
    view.wait()
    notes = page.locator(".idc-kernel")
    expect(notes).to_have_count(0)
    getattr(notebook, how)()
    expect(notes).to_have_count(2)
    expect(view.root).to_contain_text("run the cell again")
    # What the browser can do by itself goes on.
    view.value("Modality", "SM").click()
    assert view.stat("series") == "347,130"
    expect(view.root.locator(".idc-table [role=alert]")).to_contain_text("Run the cell again")
    if how == "restart_kernel":
        notebook.run(0)
        view.wait()
        assert view.stat("series") == SERIES_OF_CT
        expect(notes).to_have_count(1)
