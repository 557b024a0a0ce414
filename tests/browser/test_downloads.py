"""The download panel in a real browser: series, steering by keyboard, failures, a busy kernel and one that is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab, Notebook
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser

PANEL = "panel = idc.DownloadPanel()\npanel"
IMPORT = "import idc_widgets as idc\ncatalog = idc.Catalog()"
#: 12 series of CT, 17 to 31 MB each.
SERIES = (
    "cohort = catalog.cohort(idc.between('series_size_MB', 8, 45), collection_id='rider_pilot', Modality='CT')\n"
    "uids = list(cohort.series(order_by='series_size_MB', limit=12).SeriesInstanceUID)"
)


@pytest.fixture(autouse=True)
def calm(mirror: SpawnedMirror) -> Iterator[None]:
    """Leave the mirror as it was, also where a test fails."""
    yield
    mirror.set()
    mirror.faults.clear()


def start(notebook: Notebook, folder: Path, series: str, title: str, **options: object) -> None:
    how = "".join(f", {name}={value!r}" for name, value in options.items())
    cohort = f"catalog.cohort(SeriesInstanceUID={series})"
    notebook.execute(f"job = {cohort}.download({str(folder)!r}, title={title!r}{how})")


def row_of(panel: Locator, title: str) -> Locator:
    return panel.get_by_role("listitem").filter(has=panel.page.get_by_role("progressbar", name=title))


def test_steered_by_keyboard(lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path) -> None:
    notebook = lab.notebook(page, "steer.ipynb", [f"{IMPORT}\n{SERIES}", PANEL])
    notebook.run(0)
    notebook.run(1)
    panel = page.locator(".idc-kind-downloads")
    mirror.set(rate_mb=1)  # so that the last series still waits when a slow machine gets to it
    start(notebook, tmp_path / "data", "uids", "By keyboard", workers=4)
    row = row_of(panel, "By keyboard")
    expect(row.locator(".idc-job-state")).to_have_text("downloading")
    expect(row.locator(".idc-job-folder")).to_contain_text("data")
    row.get_by_role("button", name="Series of By keyboard").focus()
    page.keyboard.press("Enter")
    series = row.get_by_role("listbox")
    expect(series.get_by_role("option")).to_have_count(8)  # those in view, of twelve
    series.focus()
    page.keyboard.press("End")
    last = row.get_by_role("group", name="The series chosen")
    expect(last).to_contain_text(notebook.execute("print(uids[0])").strip()[:12])
    chosen = series.locator("[aria-selected=true]")
    expect(chosen).to_have_attribute("aria-posinset", "12")
    # Whichever are listed first come first: the last of those that wait once four are at work.
    notebook.execute("while job.series_counts()['active'] < 4: __import__('time').sleep(0.05)")
    waits = notebook.execute("print(max(n for n, s in enumerate(job.series(0, 12)) if s['state'] == 'queued'))")
    series.focus()
    for _ in range(11 - int(waits)):
        page.keyboard.press("ArrowUp")
    expect(chosen).to_contain_text("queued")
    last.get_by_role("button", name="Fetch this next").focus()
    page.keyboard.press("Enter")
    mirror.set(rate_mb=3)
    expect(chosen).to_contain_text("downloading", timeout=60_000)
    field = row.get_by_label("Files at once")
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    expect(row.get_by_role("button", name="Set")).to_have_count(0)
    assert notebook.execute("print(job.workers)").strip() == "9"

    for key, said in (("Pause", "paused"), ("Resume", "downloading")):
        row.get_by_role("button", name=f"{key} By keyboard").focus()
        page.keyboard.press("Enter")
        expect(row.locator(".idc-job-state")).to_have_text(re.compile(said), timeout=10_000)
    row.get_by_role("button", name="Cancel By keyboard").focus()
    page.keyboard.press("Enter")
    question = row.get_by_role("alertdialog")
    expect(question.get_by_role("button", name="Go on")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.get_by_role("button", name="Cancel By keyboard")).to_be_focused()
    page.keyboard.press("Enter")
    question.get_by_role("button", name="delete").or_(
        question.get_by_role("button", name="Cancel the download")
    ).click()
    expect(row.locator(".idc-job-state")).to_have_text("cancelled")
    row.get_by_role("button", name="Remove from view By keyboard").click()
    expect(row).to_have_count(0)
    assert "cancelled" in notebook.execute("print(job.state)")


def test_failures_are_told_and_retried(lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path) -> None:
    notebook = lab.notebook(page, "failures.ipynb", [f"{IMPORT}\n{SERIES}", PANEL])
    notebook.run(0)
    notebook.run(1)
    panel = page.locator(".idc-kind-downloads")
    uuid = notebook.execute("print(catalog.cohort(SeriesInstanceUID=uids[:1]).items()[0].crdc_series_uuid)").strip()
    mirror.faults.add("status", status=404, match=f"{uuid}/*", times=3)
    start(notebook, tmp_path / "data", "uids[:3]", "With failures")
    row = row_of(panel, "With failures")
    expect(row.locator(".idc-job-state")).to_have_text("complete with 3 failures", timeout=30_000)
    row.get_by_role("button", name="Show what failed").click()
    expect(row.get_by_role("option")).to_have_count(1)
    row.get_by_role("option").click()
    expect(row.locator(".idc-reasons li")).to_have_count(3)
    expect(row.locator(".idc-reasons")).to_contain_text("not in the bucket (404)")
    row.get_by_role("button", name="Code and commands").click()
    code = row.get_by_role("textbox", name="pydicom")
    expect(code).to_have_value(re.compile(re.escape(repr(str(tmp_path / "data")))))
    row.get_by_role("button", name="Retry what failed of With failures").click()
    expect(row.locator(".idc-job-state")).to_have_text("complete, verified", timeout=30_000)
    # A server that is overloaded: said with the seconds until the next try, and why.
    mirror.faults.add("status", status=503)
    start(notebook, tmp_path / "more", "uids[3:4]", "Overloaded")
    row = row_of(panel, "Overloaded")
    expect(row.locator(".idc-job-state")).to_have_text(re.compile(r"waiting to retry in \d+ s"), timeout=30_000)
    expect(row).to_contain_text("SlowDown")
    mirror.faults.clear()
    expect(row.locator(".idc-job-state")).to_have_text("complete, verified", timeout=60_000)


def test_views_agree_through_a_busy_kernel_until_it_is_gone(
    lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    busy = "import time\ntime.sleep(6)"
    notebook = lab.notebook(page, "agree.ipynb", [f"{IMPORT}\n{SERIES}", PANEL, "panel", busy])
    for cell in range(3):
        notebook.run(cell)
    panels = page.locator(".idc-kind-downloads")
    mirror.set(rate_mb=1.5)
    start(notebook, tmp_path / "data", "uids", "Seen twice", workers=2)
    bars = [row_of(panels.nth(n), "Seen twice").get_by_role("progressbar") for n in range(2)]
    expect(bars[1]).to_have_attribute("aria-valuetext", re.compile("downloading.*/s"), timeout=20_000)
    notebook.run(3, wait=False)
    seen: list[list[int]] = [[], []]
    for _ in range(20):
        for n, bar in enumerate(bars):
            seen[n].append(int(bar.get_attribute("aria-valuenow") or 0))
        page.wait_for_timeout(200)
    assert seen[0] == sorted(seen[0]) and len(set(seen[0])) >= 3, seen[0]
    texts = page.evaluate(
        "() => [...document.querySelectorAll('.idc-progress')].map(e => e.getAttribute('aria-valuetext'))"
    )
    assert len(texts) % 2 == 0 and texts[: len(texts) // 2] == texts[len(texts) // 2 :]
    notebook.restart_kernel()
    for n in range(2):
        expect(panels.nth(n)).to_contain_text("when the kernel was last heard")
        expect(panels.nth(n)).not_to_contain_text("MB/s")
        expect(row_of(panels.nth(n), "Seen twice").get_by_role("button", name="Pause")).to_be_disabled()
    for cell in range(2):
        notebook.run(cell)
    expect(row_of(panels.first, "Seen twice").locator(".idc-job-state")).to_have_text("downloading")
    notebook.execute("[j.cancel() for j in idc.jobs() if j.title == 'Seen twice']")


def test_the_plan_before_meanwhile_and_after(lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path) -> None:
    cell = f"import idc_widgets as idc\nexplorer = idc.Explorer(destination={str(tmp_path / 'data')!r})\nexplorer"
    notebook = lab.notebook(page, "plan.ipynb", [cell])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    notebook.execute("explorer.cohort = explorer.catalog.cohort(collection_id='rider_pilot', instanceCount=1)")
    expect(view.grid).not_to_have_attribute("aria-rowcount", "1044192")
    view.tick(0)
    view.tick(1)
    bar = view.root.get_by_role("group", name="Selection")
    expect(bar.locator(".idc-plan")).to_contain_text("To fetch")
    size = notebook.execute(
        "from idc_widgets.lib.format import human_bytes as h\nprint(h(explorer.selection.counts.bytes))"
    )
    bar.get_by_role("button", name="Plan", exact=True).click()
    details = bar.locator(".idc-plan-details")
    expect(details).to_contain_text("2 series, 2 files, " + size.strip())
    expect(details).to_contain_text("Already downloadednothing")
    expect(details).to_contain_text("CC BY")
    mirror.set(rate_mb=0.008)
    bar.get_by_role("button", name="Download", exact=True).click()
    expect(bar.locator(".idc-plan")).to_contain_text(re.compile("Under way already.* to go"))
    expect(bar.locator(".idc-plan")).not_to_contain_text("To fetch")
    expect(bar.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    mirror.set()
    expect(bar.locator(".idc-plan")).to_contain_text("All downloaded already, verified", timeout=30_000)
    expect(details).to_contain_text("2 series, 2 files, " + size.strip() + ", verified")


@pytest.mark.parametrize("width", [1200, 480])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_overflows(width: int, dark: bool, lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 1100})
    lab.theme(dark)
    try:
        notebook = lab.notebook(page, f"panel{width}{dark}.ipynb", [f"{IMPORT}\n{SERIES}", PANEL])
        notebook.run(0)
        mirror.set(rate_mb=3)
        title = f"A title long enough to be cut off where there is no room {width} {dark}"
        start(notebook, tmp_path / "a folder with a rather long name" / "idc-data", "uids", title)
        notebook.run(1)
        panel = page.locator(".idc-kind-downloads")
        row = row_of(panel, title)
        expect(row.locator(".idc-job-state")).to_have_text("downloading", timeout=20_000)
        row.get_by_role("button", name="Series of").click()
        row.get_by_role("option").nth(1).click()
        expect(row.get_by_role("group", name="The series chosen")).to_be_visible()
        row.get_by_role("button", name="Cancel A title").click()
        panel.screenshot(path=ARTIFACTS / f"downloads-{width}-{'dark' if dark else 'light'}.png")
        assert panel.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
        boxes = row.locator(".idc-job-line > *").evaluate_all("es => es.map(e => e.getBoundingClientRect().toJSON())")
        right = panel.evaluate("e => e.getBoundingClientRect().right")
        assert all(box["right"] <= right for box in boxes)
        notebook.execute("job.cancel()")
    finally:
        lab.theme(False)
