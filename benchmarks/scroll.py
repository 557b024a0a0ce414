"""Scrolling the table over 100,000 rows and more, in JupyterLab in a headless Chromium, from a warm cache.

Three ways: as a wheel does, as a fast finger does, and the bar dragged through all rows. For each: frames a second,
beside what the same page draws when nothing moves, and the share of the time in which some row in view was blank.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.measure import line
from idc_widgets import Catalog
from tests import chromium
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab

SECONDS = 12

# Moves the view by so many pixels a second (0: not at all) and looks at each frame.
MEASURE = """async ([speed, seconds]) => {
  const grid = document.querySelector('[role=grid][aria-label=Results]');
  grid.scrollTop = 0;
  await new Promise(done => setTimeout(done, 800));
  const start = performance.now();
  let last = start, blank = 0, frames = 0, from = Number(grid.querySelector('.idc-row').ariaRowIndex);
  const worst = [];
  for (;;) {
    const now = await new Promise(requestAnimationFrame);
    if (now - start > seconds * 1000) break;
    const way = now - last;
    last = now;
    frames++;
    worst.push(way);
    if (grid.querySelector('.idc-row.idc-loading:not([hidden])')) blank += way;
    if (speed) grid.scrollTop += speed * way / 1000;
  }
  const rows = Math.round(grid.scrollTop / 30);
  worst.sort((a, b) => a - b);
  return {fps: frames / seconds, blank: blank / (last - start), rows, p95: worst[Math.floor(worst.length * 0.95)]};
}"""


def main() -> None:
    """Measure and print."""
    Catalog().index.database.wait_for_cache()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as p:
        lab = Lab(Path(folder), {"IDC_WIDGETS_STATE_DIR": str(Path(folder) / "state")})
        browser = p.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1320, "height": 1100})
            code = "import idc_widgets as idc\nc = idc.Catalog().cohort(Modality='MR')\nidc.Explorer(c)"
            notebook = lab.notebook(page, "scroll.ipynb", [code])
            notebook.run(0)
            view = ExplorerView(page)
            view.wait()
            total = view.row_count()
            still: dict[str, Any] = page.evaluate(MEASURE, [0, 4])
            ways = {"wheel, 1,500 px/s": 1500, "finger, 6,000 px/s": 6000, "bar through all": total * 30 / SECONDS}
            for name, speed in ways.items():
                found: dict[str, Any] = page.evaluate(MEASURE, [speed, SECONDS])
                line(
                    f"scrolling, {name} ({found['rows']:,} rows)",
                    f"{found['fps']:.0f} frames/s, p95 {found['p95']:.0f} ms",
                    f"at rest {still['fps']:.0f} frames/s",
                    f"{found['fps'] / still['fps']:.2f}",
                    f"blank {found['blank']:.1%} of the time" + ("; target 0 %" if speed < 10_000 else ""),
                )
        finally:
            browser.close()
            lab.close()
