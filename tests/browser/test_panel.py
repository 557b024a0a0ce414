"""The filter panel as a person uses it, in a real JupyterLab, over the whole index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from idc_widgets import Catalog
from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab, Notebook
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser

CELL = "import idc_widgets as idc\nexplorer = idc.Explorer()\nexplorer"
WHERE = "print(sorted(explorer._where, key=str))"
PASTE = """text => {
  const box = document.querySelector('.idc-search input');
  const data = new DataTransfer();
  data.setData('text/plain', text);
  box.focus();
  box.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def view(lab: Lab, page: Page, request: pytest.FixtureRequest) -> ExplorerView:
    found, _ = _open(lab, page, f"{request.node.name.split('[')[0]}.ipynb")
    return found


def _open(lab: Lab, page: Page, name: str, *more: str) -> tuple[ExplorerView, Notebook]:
    notebook = lab.notebook(page, name, [CELL, *more])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    return view, notebook


@pytest.mark.parametrize("width", [1200, 480])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_panel_looks_right(width: int, dark: bool, lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 1100})
    lab.theme(dark)
    try:
        view, _ = _open(lab, page, f"panel{width}{dark}.ipynb")
        name = f"{width}-{'dark' if dark else 'light'}"
        if width < 640:
            view.root.get_by_role("button", name="Filters").click()
        view.value("Modality", "MR").click()
        view.facet("Body part").get_by_role("checkbox").nth(1).click(modifiers=["Alt"])
        view.stat("patients")
        page.screenshot(path=ARTIFACTS / f"panel-values-{name}.png")
        view.facet("Collection").scroll_into_view_if_needed()
        view.facet("Collection").get_by_role("checkbox").first.click(button="right")
        page.screenshot(path=ARTIFACTS / f"panel-menu-{name}.png")
        page.get_by_role("menuitem", name="About").click()
        expect(page.get_by_role("dialog")).to_contain_text("Subjects")
        page.screenshot(path=ARTIFACTS / f"panel-about-{name}.png")
        page.keyboard.press("Escape")
        view.root.get_by_role("button", name="Add a filter").click()
        expect(page.get_by_role("dialog")).to_contain_text("Every series")
        page.screenshot(path=ARTIFACTS / f"panel-columns-{name}.png")
        box = page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        page.keyboard.press("Escape")
        over = view.filters.evaluate("e => e.scrollWidth - e.clientWidth")
        assert over <= 0
    finally:
        lab.theme(False)


def test_values_show_both_counts_and_can_be_chosen_in_every_way(
    view: ExplorerView, plain: duckdb.DuckDBPyConnection
) -> None:
    page = view.page
    modality = view.facet("Modality")
    mr = view.value("Modality", "MR")
    expect(mr.locator(".idc-all")).to_be_hidden()  # nothing is filtered: one count says all
    mr.click()
    expect(mr.locator(".idc-all")).to_have_text("/ 128k")
    truth = dict(
        plain.execute("SELECT BodyPartExamined, count(*) FROM idx WHERE Modality = 'MR' GROUP BY 1").fetchall()
    )
    seen = view.counts("Body part")
    assert seen == {value: truth.get(value, 0) for value in seen}
    expect(view.facet("Body part").get_by_role("button", name=re.compile(r"more \(\d+ at zero\)"))).to_be_visible()
    chips = view.root.get_by_role("group", name="Active filters")
    # The menu, by the pointer.
    mr.click(button="right")
    page.get_by_role("menuitem", name="Exclude").click()
    expect(chips).to_contain_text("not Modality MR")
    expect(mr).to_have_attribute("aria-checked", "mixed")
    # Everything by keyboard.
    mr.focus()
    page.keyboard.press("x")
    expect(chips).to_have_count(0)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("o")
    expect(modality.get_by_role("checkbox", checked=True)).to_have_count(1)
    page.keyboard.press("m")
    expect(page.get_by_role("menuitem", name="No longer include")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(modality.get_by_role("checkbox", checked=True)).to_be_focused()


def test_filters_move_no_count_and_no_match_changes_no_order(lab: Lab, page: Page) -> None:
    view, notebook = _open(lab, page, "still.ipynb")
    count = view.facet("Body part").get_by_role("checkbox", name=re.compile("^CHEST")).locator(".idc-count")

    def right() -> float:
        return float(count.evaluate("e => e.getBoundingClientRect().right"))

    before, order = right(), list(view.counts("Body part"))
    view.value("Modality", "CT").click()
    expect(count).not_to_have_text("368,310")
    assert right() == before
    notebook.execute("explorer.cohort = explorer.catalog.cohort(Modality=[])")
    expect(count).to_have_text("0")
    assert list(view.counts("Body part")) == order
    assert set(view.counts("Body part").values()) == {0}


def test_a_collection_is_described(view: ExplorerView) -> None:
    page = view.page
    view.value("Collection", "nlst").first.focus()
    page.keyboard.press("i")
    dialog = page.get_by_role("dialog", name="National Lung Screening Trial")
    expect(dialog).to_contain_text("low-dose CT")
    expect(dialog.get_by_role("link").first).to_have_attribute("href", re.compile("^https://doi.org/10"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(view.facet("Cancer type")).to_contain_text("collection includes")


def test_models_are_counted_by_the_kernel(view: ExplorerView, plain: duckdb.DuckDBPyConnection) -> None:
    view.value("Modality", "MR").click()
    facet = view.facet("Model")
    facet.scroll_into_view_if_needed()
    view.root.page.mouse.move(5, 5)  # under the pointer the order would stay
    expect(facet.locator(".idc-on-its-way")).to_have_count(0)
    truth = plain.execute(
        "SELECT ManufacturerModelName, count(*) FROM idx WHERE Modality = 'MR' GROUP BY 1 ORDER BY 2 DESC LIMIT 6"
    ).fetchall()
    expect(facet.get_by_role("checkbox").first).to_contain_text(f"{truth[0][1]:,}")
    assert view.counts("Model") == dict(truth)
    # The search is over all values, not over the hundred that are shown; what is found can become a condition.
    facet.get_by_role("button", name="Search Model").click()
    facet.get_by_label("Search within Model").fill("prisma")
    expect(facet.get_by_role("checkbox").first).to_contain_text("Prisma")
    facet.get_by_role("button", name="All that contain “prisma”").click()
    n = plain.execute(
        "SELECT count(*) FROM idx WHERE Modality = 'MR' AND contains(lower(ManufacturerModelName), 'prisma')"
    ).fetchall()[0][0]
    expect(view.root.get_by_role("group", name="Active filters")).to_contain_text("Model contains “prisma”")
    expect(view.root.locator("[data-stat=series] .idc-stat-value")).to_contain_text(f"{n:,}")


def test_any_column_can_be_added_and_the_panel_remembers(lab: Lab, page: Page) -> None:
    view, notebook = _open(lab, page, "remember.ipynb", "explorer")
    view.root.get_by_role("button", name="Add a filter").click()
    page.get_by_label("Search columns").fill("textual description of the study")
    expect(page.get_by_role("group", name="Columns").get_by_role("button").first).to_be_visible()
    page.keyboard.press("Enter")
    facet = view.facet("Study description")
    expect(facet.get_by_role("checkbox").first).to_be_visible()
    view.facet("Modality").get_by_role("button", name="Modality", exact=False).first.click()
    expect(view.facet("Modality").get_by_role("checkbox")).to_have_count(0)
    page.wait_for_timeout(300)
    said = notebook.execute("print(explorer._panel)")
    assert "StudyDescription" in said
    assert "Modality" in said
    notebook.run(1)  # the same Explorer shown again
    again = page.get_by_role("region", name="IDC Explorer").nth(1)
    again_there = again.get_by_role("group", name="Study description").get_by_role("checkbox").first
    expect(again_there).to_be_visible(timeout=45_000)
    expect(again.get_by_role("group", name="Modality").get_by_role("checkbox")).to_have_count(0)


@pytest.fixture
def bare_lab(tmp_path: Path, catalog: Catalog, mirror: SpawnedMirror) -> Iterator[Lab]:
    """A JupyterLab on a machine that has fetched no table yet."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / catalog.index.database.cache_path.name).symlink_to(catalog.index.database.cache_path)
    found = Lab(
        tmp_path / "lab",
        {
            "IDC_WIDGETS_CACHE_DIR": str(tmp_path / "cache"),
            "IDC_WIDGETS_STATE_DIR": str(tmp_path / "state"),
            "IDC_WIDGETS_RELEASE_URL": f"{mirror.endpoint}/releases/download",
        },
    )
    yield found
    found.close()


def test_other_tables_are_fetched_when_picked_and_errors_are_sentences(bare_lab: Lab, page: Page) -> None:
    view, notebook = _open(bare_lab, page, "tables.ipynb")
    view.root.get_by_role("button", name="Add a filter").click()
    page.get_by_label("Search columns").fill("nominal reconstructed slice thickness")
    expect(page.get_by_role("dialog")).to_contain_text("fetched once from 127.0.0.1")
    page.keyboard.press("Enter")
    facet = view.facet("Slice thickness (CT)")
    expect(facet.get_by_role("checkbox").first).to_be_visible(timeout=60_000)
    facet.get_by_label("Slice thickness (CT) to").fill("1.5")
    facet.get_by_label("Slice thickness (CT) to").press("Enter")
    chips = view.root.get_by_role("group", name="Active filters")
    expect(chips).to_contain_text("Slice thickness (CT) up to 1.5")
    stat = view.root.locator("[data-stat=series] .idc-stat-value")
    expect(stat).not_to_contain_text(re.compile("^1,044,191|…"))
    said = notebook.execute(
        "print(f'{explorer.catalog.cohort(idc.col(\"ct_index.SliceThickness\") <= 1.5).counts.series:,}')"
    )
    assert view.stat("series") == said.strip()
    facet.get_by_label("Slice thickness (CT) to").fill("thin")
    facet.get_by_label("Slice thickness (CT) to").press("Enter")
    expect(facet.get_by_role("alert")).to_contain_text("“thin” cannot be read")
    # No network: a sentence that names the address, and another try.
    notebook.execute("import os; os.environ['IDC_WIDGETS_RELEASE_URL'] = 'http://127.0.0.1:9'")
    view.root.get_by_role("button", name="Add a filter").click()
    page.get_by_label("Search columns").fill("mr_index.EchoTime")
    expect(page.get_by_role("group", name="Columns").get_by_role("button").first).to_be_visible()
    page.keyboard.press("Enter")
    facet = view.facet("Echo time (MR)")
    expect(facet.get_by_role("alert")).to_contain_text("127.0.0.1:9", timeout=60_000)
    expect(facet.get_by_role("button", name="Try again")).to_be_visible()
    assert "Traceback" not in facet.inner_text()
    page.screenshot(path=ARTIFACTS / "panel-no-network.png")


def test_undo_redo_and_editing_chips(view: ExplorerView) -> None:
    page = view.page
    chips = view.root.get_by_role("group", name="Active filters")
    view.value("Modality", "CT").click()
    view.value("Sex", "F").click()
    expect(chips).to_contain_text("Sex F")
    page.keyboard.press("Control+z")
    expect(chips).not_to_contain_text("Sex F")
    expect(chips).to_contain_text("Modality CT")
    page.keyboard.press("Control+Shift+z")
    expect(chips).to_contain_text("Sex F")
    view.root.get_by_role("button", name="Undo").click()
    view.root.get_by_role("button", name="Undo").click()
    expect(chips).to_have_count(0)
    expect(view.root.get_by_role("button", name="Undo")).to_be_disabled()
    assert view.stat("series") == "1,044,191"
    view.root.get_by_role("button", name="Redo").click()
    chips.get_by_role("button", name="Edit Modality CT").click()
    expect(view.value("Modality", "CT")).to_be_focused()
    chips.get_by_role("button", name="Clear all").click()
    expect(chips).to_have_count(0)


def test_conditions_without_a_control_read_as_words(lab: Lab, page: Page) -> None:
    view, notebook = _open(lab, page, "words.ipynb")
    notebook.execute(
        "explorer.cohort = explorer.catalog.cohort(idc.with_modalities('CT', 'SEG'), "
        "~idc.contains('SeriesDescription', 'scout'), SeriesNumber=None)"
    )
    chips = view.root.get_by_role("group", name="Active filters")
    for words in ("Studies with CT and SEG", "not Description contains “scout”", "Series number missing"):
        expect(chips).to_contain_text(words)
    chips.get_by_role("button", name="Remove Series number missing").click()
    expect(chips).not_to_contain_text("Series number")
    page.wait_for_timeout(300)
    assert "SeriesNumber" not in notebook.execute(WHERE)


def test_the_code_is_one_click_away(view: ExplorerView) -> None:
    page = view.page
    view.value("Modality", "CT").click()
    view.root.get_by_role("button", name="Code of this cohort").click()
    code = page.get_by_role("dialog").get_by_label("Code")
    expect(code).to_have_value(re.compile(r"catalog\.cohort\(Modality='CT'\)"))
    for button, text in (
        ("SQL (DuckDB)", "read_parquet"),
        ("SQL (BigQuery)", "bigquery-public-data"),
        ("idc-index", "IDCClient"),
    ):
        page.get_by_role("button", name=button).click()
        expect(code).to_have_value(re.compile(text))
    page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("dialog")).to_contain_text("Copied.")
    page.screenshot(path=ARTIFACTS / "panel-code.png")


def test_search_suggests_finds_and_takes_lists(view: ExplorerView, plain: duckdb.DuckDBPyConnection) -> None:
    page = view.page
    box = view.root.get_by_role("searchbox").first
    chips = view.root.get_by_role("group", name="Active filters")
    box.press_sequentially("national lung scr")
    offer = page.get_by_role("option", name=re.compile("nlst"))
    expect(offer).to_be_visible()
    page.screenshot(path=ARTIFACTS / "panel-suggestions.png")
    box.press("ArrowDown")
    box.press("Enter")
    expect(chips).to_have_text(re.compile("^Collection nlst"))
    assert view.stat("series") == "592,600"
    chips.get_by_role("button", name="Clear all").click()
    # A DOI, a study, a patient: each finds its own.
    doi, study, patient = plain.execute(
        "SELECT source_DOI, StudyInstanceUID, PatientID FROM idx WHERE collection_id = 'cmb_lca' LIMIT 1"
    ).fetchall()[0]
    for typed, column, value in (
        (f"https://doi.org/{doi}", "source_DOI", doi),
        (study, "StudyInstanceUID", study),
        (patient, "PatientID", patient),
    ):
        box.fill(typed)
        box.press("Enter")
        n = plain.execute(f"SELECT count(*) FROM idx WHERE {column} = ?", [value]).fetchall()[0][0]
        expect(view.root.locator("[data-stat=series] .idc-stat-value")).to_have_text(re.compile(f"^{n:,} "))
    box.fill("")
    box.press("Enter")
    # Thousands of UIDs, two of which nobody knows.
    uids = [
        u for (u,) in plain.execute("SELECT SeriesInstanceUID FROM idx WHERE Modality = 'MR' LIMIT 3000").fetchall()
    ]
    page.evaluate(PASTE, "\n".join([*uids, "1.2.3.4", "nobody"]))
    expect(chips).to_contain_text("List 3,000 series")
    expect(view.root.locator("[data-stat=series] .idc-stat-value")).to_contain_text("3,000 series")
    told = view.root.get_by_text("2 entries of the list are unknown")
    expect(told).to_be_visible()
    page.get_by_role("button", name="Show them").click()
    expect(page.get_by_role("dialog").get_by_label("Unknown entries")).to_have_value(
        re.compile(r"^1\.2\.3\.4\t.*\nnobody\t")
    )
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Dismiss").click()
    expect(told).to_have_count(0)
    # Other filters go on over the list, by the cube.
    assert sum(view.counts("Modality").values()) == 3000


def test_while_a_cell_runs_the_panel_goes_on_and_says_what_follows(
    lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection
) -> None:
    notebook = lab.notebook(page, "busy2.ipynb", [CELL, "import time\ntime.sleep(6)"])
    # Everything on the main thread, as with older kernels: a subshell would answer in spite of the cell.
    page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.commsOverSubshells = 'disabled'; }"
    )
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    notebook.run(1, wait=False)
    page.wait_for_timeout(400)
    view.value("Modality", "MR").click()
    found = plain.execute("SELECT BodyPartExamined, count(*) FROM idx WHERE Modality = 'MR' GROUP BY 1").fetchall()
    truth = dict(found)
    seen = view.counts("Body part")
    assert seen == {value: truth.get(value, 0) for value in seen}
    patients = view.root.locator("[data-stat=patients]")
    expect(patients).to_contain_text("updating")
    expect(view.root.get_by_text("the table follows")).to_be_visible()
    model = view.facet("Model")
    expect(model).to_contain_text("The kernel has not answered")
    mr = "SELECT count(DISTINCT (collection_id, PatientID)) FROM idx WHERE Modality = 'MR'"
    expect(patients).to_contain_text(f"{plain.execute(mr).fetchall()[0][0]:,}", timeout=20_000)
    expect(model).not_to_contain_text("The kernel has not answered")
