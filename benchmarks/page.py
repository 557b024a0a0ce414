"""The page: from running the cell to rows on screen, what is sent for it, and the page's memory after use; beside quak.

Both show the same table, the index's parquet, in the same JupyterLab in a headless Chromium. Use is the same for both
as far as they have the same controls: scrolling the table up and down; ours is filtered in between.
`IDC_WIDGETS_BENCH_MINUTES` sets for how long (2; the figure to reach is for 10).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.measure import line
from idc_widgets import Catalog
from idc_widgets.catalog import bundled
from tests import chromium
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab

MINUTES = float(os.environ.get("IDC_WIDGETS_BENCH_MINUTES", "2"))
IMPORTS = "import idc_widgets as idc, duckdb\ntry:\n    import quak\nexcept ImportError:\n    quak = None"
OURS = "idc.Explorer()"
THEIRS = "quak.Widget(duckdb.sql(\"SELECT * FROM '{}'\"))"
# Rows as either of them draws these; quak's live in a shadow root.
OUR_ROWS = "() => [...document.querySelectorAll('.idc-row:not([hidden])')].some(r => r.innerText.trim().length > 20)"
THEIR_ROWS = """() => [...document.querySelectorAll('*')].some(e => e.shadowRoot &&
  [...e.shadowRoot.querySelectorAll('tbody td')].filter(d => d.innerText.trim()).length > 20)"""
SCROLL = """async ([selector, shadow]) => {
  const inside = (e) => e.shadowRoot ? [...e.shadowRoot.querySelectorAll('*')] : [];
  const all = shadow ? [...document.querySelectorAll('*')].flatMap(inside) : [...document.querySelectorAll(selector)];
  const box = all.find(e => e.scrollHeight > e.clientHeight + 50 && /auto|scroll/.test(getComputedStyle(e).overflowY));
  if (!box) return;
  for (let i = 0; i < 20; i++) { box.scrollTop += 240; await new Promise(done => setTimeout(done, 50)); }
  box.scrollTop = 0;
}"""


class Shown:
    """What was measured of one widget."""

    def __init__(self, browser: Browser, lab: Lab, name: str, cell: str, rows: str, use: Callable[[Page, int], None]):
        page = browser.new_page(viewport={"width": 1320, "height": 1100})
        sent = [0]
        page.on("websocket", lambda s: s.on("framereceived", lambda f: sent.__setitem__(0, sent[0] + len(f))))
        notebook = lab.notebook(page, f"{name}.ipynb", [IMPORTS, cell])
        notebook.run(0)
        page.wait_for_timeout(1000)
        session = page.context.new_cdp_session(page)
        empty, sent[0] = heap(session), 0
        begin = time.perf_counter()
        notebook.run(1, wait=False)
        page.wait_for_function(rows, polling=50, timeout=120_000)
        self.seconds = time.perf_counter() - begin
        page.wait_for_timeout(3000)
        self.sent = sent[0]
        self.fresh = heap(session) - empty
        end = time.monotonic() + MINUTES * 60
        turn = 0
        while time.monotonic() < end:
            use(page, turn)
            turn += 1
        self.used = heap(session) - empty
        page.close()


def heap(session: object) -> float:
    """Return the megabytes that the page's scripts hold, after a collection."""
    session.send("HeapProfiler.collectGarbage")  # type: ignore[attr-defined]
    found: float = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6  # type: ignore[attr-defined]
    return found


def use_ours(page: Page, turn: int) -> None:
    """Tick a value or take it back, and scroll."""
    boxes = ExplorerView(page).facet("Modality").get_by_role("checkbox")
    boxes.nth(turn % 4).click()
    page.wait_for_timeout(300)
    page.evaluate(SCROLL, [".idc-grid", False])


def use_theirs(page: Page, turn: int) -> None:
    """Scroll."""
    page.wait_for_timeout(300)
    page.evaluate(SCROLL, ["", True])


def main() -> None:
    """Measure and print."""
    Catalog().index.database.wait_for_cache()
    parquet = Path(bundled.table("index").path).as_posix()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as p:
        lab = Lab(Path(folder), {"IDC_WIDGETS_STATE_DIR": str(Path(folder) / "state")})
        browser = p.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        try:
            ours = Shown(browser, lab, "ours", OURS, OUR_ROWS, use_ours)
            try:
                theirs = Shown(browser, lab, "theirs", THEIRS.format(parquet), THEIR_ROWS, use_theirs)
            except Exception as error:  # not installed, or it shows nothing: ours is told all the same
                print(f"quak: {str(error).splitlines()[0]}")
                theirs = None
        finally:
            browser.close()
            lab.close()

    def row(what: str, mine: float, other: float | None, unit: str, digits: int = 1) -> None:
        line(
            what,
            f"{mine:.{digits}f} {unit}",
            "" if other is None else f"quak {other:.{digits}f} {unit}",
            "" if other is None else f"1/{other / mine:.1f}",
            "",
        )

    row("cell run → rows on screen", ours.seconds, theirs and theirs.seconds, "s", 2)
    row("sent to the browser for it", ours.sent / 1e6, theirs and theirs.sent / 1e6, "MB", 2)
    row("page's scripts hold, at first", ours.fresh, theirs and theirs.fresh, "MB")
    row(f"page's scripts hold, after {MINUTES:g} min of use", ours.used, theirs and theirs.used, "MB")
