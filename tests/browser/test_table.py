"""The result table as a person uses it: levels, ticks, columns, details, files; by mouse and by keyboard."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

from tests.browser.explorer import TableView
from tests.browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

CELL = "import idc_widgets as idc\nexplorer = idc.Explorer()\nexplorer"
RIDER = "explorer.cohort = explorer.catalog.cohort(collection_id='rider_pilot')"


def opened(lab: Lab, page: Page, name: str) -> tuple[Notebook, TableView]:
    notebook = lab.notebook(page, name, [CELL])
    notebook.run(0)
    view = TableView(page)
    view.wait()
    return notebook, view


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_levels_keep_the_filter_and_open_row_by_row(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook, view = opened(lab, page, "levels.ipynb")
    notebook.execute("explorer.cohort = explorer.catalog.cohort(Modality='CT')")
    for level, key in (
        ("Patients", "(collection_id, PatientID)"), ("Studies", "StudyInstanceUID"), ("Collections", "collection_id"),
    ):  # fmt: skip
        view.level(level)
        truth = plain.execute(f"SELECT count(DISTINCT {key}) FROM idx WHERE Modality = 'CT'").fetchall()[0][0]
        expect(view.grid).to_have_attribute("aria-rowcount", str(truth + 1))
    collection, name, cancers, patients, series, modalities = view.cells(0)[:6]
    assert modalities == "CT"
    truth = plain.execute(
        "SELECT count(DISTINCT PatientID), count(*) FROM idx WHERE collection_id = ? AND Modality = 'CT'", [collection]
    ).fetchall()[0]
    assert (number(patients), number(series)) == truth
    said = plain.execute("SELECT collection_name, cancer_types FROM collections WHERE collection_id = ?", [collection])
    assert (name, cancers) == said.fetchall()[0]
    # Unfolded: its patients, one's studies, one's series; folded again they are gone.
    rows = view.row_count()
    view.twisty(0).click()
    expect(view.grid).to_have_attribute("aria-rowcount", str(rows + truth[0] + 1))
    expect(view.mark(1)).to_be_visible()
    patient = view.cells(1)[0]
    view.twisty(1).click()
    its = plain.execute(
        "SELECT count(DISTINCT StudyInstanceUID), count(*) FROM idx "
        "WHERE collection_id = ? AND PatientID = ? AND Modality = 'CT'",
        [collection, patient],
    ).fetchall()[0]
    expect(view.grid).to_have_attribute("aria-rowcount", str(rows + truth[0] + its[0] + 1))
    view.twisty(1).click()
    view.twisty(0).click()
    expect(view.grid).to_have_attribute("aria-rowcount", str(rows + 1))
    # Opened: the table shows the patients of the collection alone, and the way back.
    view.row(0).get_by_role("gridcell").nth(1).dblclick()
    expect(view.grid).to_have_attribute("aria-rowcount", str(truth[0] + 1))
    crumbs = view.root.get_by_role("navigation", name="Opened rows")
    expect(crumbs).to_contain_text(collection)
    view.row(0).get_by_role("gridcell").nth(1).dblclick()
    expect(view.grid).to_have_attribute("aria-rowcount", str(its[0] + 1))
    crumbs.get_by_role("button", name=collection).click()
    expect(view.grid).to_have_attribute("aria-rowcount", str(truth[0] + 1))
    crumbs.get_by_role("button", name="All that match").click()
    expect(view.grid).to_have_attribute("aria-rowcount", str(rows + 1))
    assert notebook.execute("print(explorer.cohort)").strip() == "catalog.cohort(Modality='CT')"


def test_ticks_at_every_level(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook, view = opened(lab, page, "ticks.ipynb")
    bar = view.root.get_by_role("group", name="Selection")
    notebook.execute(RIDER)
    view.level("Patients")
    per_patient = plain.execute(
        "SELECT count(*) FROM idx WHERE collection_id = 'rider_pilot' GROUP BY PatientID ORDER BY min(rowid)"
    ).fetchall()
    view.tick(0)
    expect(bar).to_contain_text(f"{per_patient[0][0]} series ticked")
    expect(view.mark(0)).to_have_attribute("aria-checked", "true")
    # One series less: its patient is partly ticked, its study too, and the header.
    view.twisty(0).click()
    view.twisty(1).click()
    expect(view.mark(2)).to_have_attribute("aria-checked", "true")
    view.tick(2)
    expect(view.mark(2)).to_have_attribute("aria-checked", "false")
    expect(view.mark(1)).not_to_have_attribute("aria-checked", "true")
    expect(view.mark(0)).to_have_attribute("aria-checked", "mixed")
    expect(bar).to_contain_text(f"{per_patient[0][0] - 1} series ticked")
    view.twisty(0).click()
    # A range of patients, with Shift.
    view.tick(1)
    view.tick(3, shift=True)
    wanted = per_patient[0][0] - 1 + sum(n for (n,) in per_patient[1:4])
    expect(bar).to_contain_text(f"{wanted} series ticked")
    everything = view.grid.get_by_role("checkbox", name="Tick all that match")
    expect(everything).to_have_attribute("aria-checked", "mixed")
    # They survive sorting, another level and another filter, which says how many it hides.
    view.sort("Size")
    expect(bar).to_contain_text(f"{wanted} series ticked")
    notebook.execute("explorer.cohort = explorer.catalog.cohort(Modality='MR')")
    expect(bar).to_contain_text(f"{wanted} not among what the filters show")
    view.level("Series")
    view.tool("Only ticked").click()
    expect(view.grid).to_have_attribute("aria-rowcount", str(wanted + 1))
    expect(view.mark(0)).to_have_attribute("aria-checked", "true")
    view.tick(0)  # unticked by mistake, it stays in view
    expect(view.grid).to_have_attribute("aria-rowcount", str(wanted + 1))
    view.tick(0)
    view.tool("Only ticked").click()
    # All that match come on top of what was ticked, as a condition.
    everything.click()
    total = wanted + 128_143
    expect(bar).to_contain_text(f"{total:,} series ticked")
    expect(everything).to_have_attribute("aria-checked", "true")
    assert notebook.execute("print(explorer.selection.counts.series)").strip() == str(total)
    everything.click()
    expect(bar).to_contain_text(f"{wanted} series ticked")


def test_columns_are_chosen_moved_sized_and_sorted(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    notebook, view = opened(lab, page, "columns.ipynb")
    notebook.execute(RIDER)
    expect(view.grid).not_to_have_attribute("aria-rowcount", "1044192")
    view.tool("Columns").click()
    chooser = view.root.get_by_role("dialog", name="Choose and order the columns")
    assert chooser.get_by_role("checkbox").count() == 31 + 4  # and those of the collection
    chooser.get_by_label("Search columns").fill("S3 bucket")  # words of a description
    assert 0 < chooser.get_by_role("checkbox").count() < 31
    chooser.get_by_label("Search columns").fill("SeriesNumber")
    chooser.get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    expect(chooser).to_have_count(0)
    assert view.headers()[-1] == "Series number"
    # To the left by keyboard, past its neighbour; then dragged to the front.
    view.header("SeriesNumber").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(view.grid.locator("[data-column]").nth(8)).to_have_attribute("data-column", "SeriesNumber")
    source, target = view.header("Modality").bounding_box(), view.header("collection_id").bounding_box()
    assert source and target
    page.mouse.move(source["x"] + 20, source["y"] + 10)
    page.mouse.down()
    page.mouse.move(target["x"] + 60, target["y"] + 10, steps=6)
    page.mouse.up()
    assert view.headers()[:2] == ["Modality", "Collection"]
    assert view.cells(0)[1] == "rider_pilot"
    # Widths: by keyboard, by the edge, back to the usual one.
    cell = view.grid.locator('[data-column="PatientID"]')
    before = cell.evaluate("e => e.offsetWidth")
    view.header("PatientID").focus()
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+ArrowRight")
    expect(cell).to_have_js_property("offsetWidth", before + 32)
    edge = cell.locator(".idc-edge").bounding_box()
    assert edge
    page.mouse.move(edge["x"] + 3, edge["y"] + 10)
    page.mouse.down()
    page.mouse.move(edge["x"] + 63, edge["y"] + 10, steps=5)
    page.mouse.up()
    expect(cell).to_have_js_property("offsetWidth", before + 92)
    # Two sort keys: the second with Shift.
    view.header("Modality").click()
    view.header("series_size_MB").click(modifiers=["Shift"])
    view.header("series_size_MB").click(modifiers=["Shift"])
    truth = plain.execute(
        "SELECT Modality, instanceCount FROM idx WHERE collection_id = 'rider_pilot' "
        "ORDER BY Modality, series_size_MB DESC, rowid LIMIT 3"
    ).fetchall()
    images = view.headers().index("Images")
    expect(view.grid.locator('[data-column="series_size_MB"]')).to_have_attribute("aria-sort", "descending")
    page.wait_for_timeout(400)
    assert [(view.cells(i)[0], number(view.cells(i)[images])) for i in range(3)] == truth
    view.tool("Columns").click()
    view.root.get_by_role("button", name="Usual columns").click()
    assert view.headers()[0] == "Collection"


def test_the_scrollbar_reaches_every_row_and_names_stay_in_view(
    lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection
) -> None:
    _, view = opened(lab, page, "scroll.ipynb")
    rows = view.row_count()
    for share in (1.0, 0.5, 0.25):
        view.grid.evaluate("(e, s) => { e.scrollTop = s * (e.scrollHeight - e.clientHeight); }", share)
        page.wait_for_timeout(600)
        first = int(
            view.grid.locator("[role=row][aria-rowindex]:not([hidden])").nth(1).get_attribute("aria-rowindex") or 0
        )
        assert abs(first - 2 - share * rows) < 0.001 * rows + 30
    # While the bar is dragged on and on no row can be there in time; which one it is at is told.
    view.grid.evaluate("e => { window.dragging = setInterval(() => { e.scrollTop += 20_000; }, 16); }")
    hint = page.locator(".idc-whereabouts")
    expect(hint).to_have_text(re.compile(rf"^[\d,]+ of {rows:,}$"))
    page.evaluate("() => clearInterval(window.dragging)")
    expect(hint).to_be_hidden()
    view.grid.evaluate("e => { e.scrollTop = e.scrollHeight; }")
    expect(view.row(rows - 1)).to_be_visible()
    last = plain.execute("SELECT collection_id, PatientID FROM idx ORDER BY rowid DESC LIMIT 1").fetchall()[0]
    assert tuple(view.cells(rows - 1)[:2]) == last
    # Sideways: the box, the first column and the header stay.
    page.set_viewport_size({"width": 700, "height": 1000})
    page.wait_for_timeout(300)
    view.grid.evaluate("e => { e.scrollTop = e.scrollHeight; e.scrollLeft = 400; }")
    edge = view.grid.bounding_box()
    name = view.row(rows - 1).get_by_role("gridcell").nth(1).bounding_box()
    head = view.header("collection_id").bounding_box()
    assert edge and name and head
    assert 0 <= name["x"] - edge["x"] < 60
    assert 0 <= head["x"] - edge["x"] < 60
    assert 0 <= head["y"] - edge["y"] < 10


def test_the_details_of_a_row(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook, view = opened(lab, page, "details.ipynb")
    notebook.execute("explorer.cohort = explorer.catalog.cohort(collection_id='rider_pilot', Modality='CT')")
    expect(view.grid).not_to_have_attribute("aria-rowcount", "1044192")
    view.row(1).get_by_role("gridcell").nth(2).dblclick()
    pane = view.pane()
    expect(pane).to_contain_text("SeriesInstanceUID")
    uid, study, doi = plain.execute(
        "SELECT SeriesInstanceUID, StudyInstanceUID, source_DOI FROM idx "
        "WHERE collection_id = 'rider_pilot' AND Modality = 'CT' ORDER BY rowid LIMIT 1 OFFSET 1"
    ).fetchall()[0]
    expect(pane).to_contain_text(uid)
    assert pane.locator(".idc-field").count() == 31
    links = {a.inner_text(): a.get_attribute("href") for a in pane.get_by_role("link").all()}
    assert links["Open in OHIF"] == (
        f"https://viewer.imaging.datacommons.cancer.gov/v3/viewer/?StudyInstanceUIDs={study}"
        f"&initialSeriesInstanceUID={uid}"
    )
    assert links[f"DOI {doi}"] == f"https://doi.org/{doi}"
    assert "collection_id=rider_pilot" in (links["Collection page"] or "")
    assert all(a.get_attribute("rel") == "noopener noreferrer" for a in pane.get_by_role("link").all())
    pane.get_by_role("button", name="Copy Series UID").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == uid
    pane.get_by_role("button", name="Copy code").click()
    code = page.evaluate("() => navigator.clipboard.readText()")
    assert notebook.execute(f"catalog = explorer.catalog; print({code}.counts.series)").strip() == "1"
    # Another series of the study, then another row.
    count = plain.execute("SELECT count(*) FROM idx WHERE StudyInstanceUID = ?", [study]).fetchall()[0][0]
    siblings = pane.locator(".idc-siblings button")
    assert siblings.count() == count
    view.row(3).get_by_role("gridcell").nth(2).click()
    expect(pane).not_to_contain_text(uid)
    view.tool("Details").click()
    expect(pane).to_have_count(0)


def test_everything_by_keyboard(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook, view = opened(lab, page, "keys.ipynb")
    notebook.execute(RIDER)
    view.level("Patients")
    expect(view.grid).not_to_have_attribute("aria-rowcount", "1044192")
    rows = view.row_count()
    view.grid.focus()
    press = page.keyboard.press
    press("ArrowRight")
    press("ArrowRight")  # unfolds
    expect(view.twisty(0)).to_have_attribute("aria-expanded", "true")
    assert view.cells(1)[0]
    press("ArrowDown")
    press("Space")
    expect(view.mark(1)).to_have_attribute("aria-checked", "true")
    expect(view.mark(0)).not_to_have_attribute("aria-checked", "false")
    press("ArrowLeft")  # to the row that holds it
    press("ArrowLeft")  # folds
    expect(view.grid).to_have_attribute("aria-rowcount", str(rows + 1))
    press("i")
    expect(view.pane()).to_contain_text("Patient")
    press("i")
    expect(view.pane()).to_have_count(0)
    press("Enter")  # its studies
    expect(view.root.get_by_role("navigation", name="Opened rows")).to_be_visible()
    expect(view.grid).to_be_focused()
    expect(view.header("StudyDescription")).to_be_visible()
    assert view.cells(0)[0]
    press("Enter")  # the study's series
    expect(view.header("SeriesDescription")).to_be_visible()
    expect(view.grid).to_have_attribute("aria-busy", "false")
    # Copying: a cell, then the whole row.
    press("Home")
    for _ in range(2):
        press("ArrowRight")
    cells = view.cells(0)
    press("Control+c")
    expect(view.root.get_by_text("Copied.", exact=True)).to_be_visible()
    patient = plain.execute("SELECT PatientID FROM idx WHERE collection_id = 'rider_pilot' LIMIT 1").fetchall()[0][0]
    assert page.evaluate("() => navigator.clipboard.readText()") == patient  # whole, also where the cell cuts it
    press("Control+Shift+C")
    expect(view.root.get_by_text("Row copied.")).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()").split("\t")
    # What identifies the row follows what is shown, so that a pasted row means the row.
    uid = plain.execute("SELECT SeriesInstanceUID FROM idx WHERE SeriesInstanceUID = ?", copied[-1:]).fetchall()
    assert [len(copied), len(uid)] == [len(cells) + 1, 1]
    assert copied[:4] == [cells[0], patient, *cells[2:4]]
    # A cut text is shown whole where the keyboard is.
    view.header("SeriesDescription").focus()
    for _ in range(6):
        press("Alt+ArrowLeft")
    view.grid.focus()
    press("End")
    for _ in range(3):  # Licence, Size, Images: Description
        press("ArrowLeft")
    description = view.cells(0)[5]
    if description:
        expect(view.root.get_by_role("tooltip")).to_be_visible()


def test_the_table_as_a_file(lab: Lab, page: Page, plain: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    notebook, view = opened(lab, page, "file.ipynb")
    notebook.execute("explorer.cohort = explorer.catalog.cohort(Modality='MR')")
    expect(view.grid).to_have_attribute("aria-rowcount", "128144")
    target = tmp_path / "mr.csv"
    view.tool("Save").click()
    dialog = view.root.get_by_role("dialog", name="Save the table as CSV, Parquet or a manifest")
    expect(dialog).to_contain_text("128,143 series")
    expect(dialog).to_contain_text("the 9 shown and SeriesInstanceUID")
    dialog.get_by_role("textbox", name="File").fill(str(target))
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_contain_text("Saved 128,143 rows", timeout=60_000)
    expect(dialog).to_contain_text(str(target))
    with target.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert len(rows) == 128_143
    assert {r["Modality"] for r in rows[::1000]} == {"MR"}
    first = plain.execute("SELECT PatientID, SeriesInstanceUID FROM idx WHERE Modality = 'MR' LIMIT 1").fetchall()[0]
    assert (rows[0]["PatientID"], rows[0]["SeriesInstanceUID"]) == first  # by which the row is found again
    # Once more: it asks before it replaces.
    before = target.stat().st_mtime_ns
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alertdialog")).to_contain_text("exists already")
    assert target.stat().st_mtime_ns == before
    dialog.get_by_role("radio", name="Parquet").check()
    dialog.get_by_role("radio", name="all").check()
    dialog.get_by_role("textbox", name="File").fill(str(tmp_path / "mr.parquet"))
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_contain_text("Saved 128,143 rows", timeout=60_000)
    columns = plain.execute(f"DESCRIBE FROM '{tmp_path / 'mr.parquet'}'").fetchall()
    assert len(columns) == 31
    # For another machine: the same series as a manifest.
    dialog.get_by_role("radio", name="Manifest").check()
    expect(dialog.get_by_role("radio", name="all")).to_have_count(0)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog).to_contain_text("Saved 128,143 series", timeout=60_000)
    lines = (tmp_path / "mr.s5cmd").read_text("utf-8").splitlines()
    assert sum(line.startswith("cp s3://") for line in lines) == 128_143
    # Where it cannot be: a sentence.
    dialog.get_by_role("textbox", name="File").fill(str(tmp_path / "not" / "there.csv"))
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is no folder")
