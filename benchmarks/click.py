"""A click on a facet value, in JupyterLab in a headless Chromium, over the whole index.

Two times for each click: until the handler has returned and every count in view is committed to the page, and until
the frame that shows it was painted (a task posted from the next animation frame runs after it). Beside it, in turn,
a click that changes one square of the page and nothing else: what this machine takes for any frame.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import line, quantile
from idc_widgets import Catalog
from tests import chromium
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab

CLICKS = 60

# Clicks values of the first facets in turn, on and off again; nothing is asked of the kernel for the counts.
MEASURE = """async (clicks) => {
  const panel = document.querySelector('[role=region][aria-label=Filters]');
  const painted = () => new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now());
    channel.port2.postMessage(0);
  }));
  const pause = () => new Promise(done => setTimeout(done, 400));  // a person's pace
  const square = document.body.appendChild(document.createElement('i'));
  square.style.cssText = 'position:fixed;right:0;bottom:0;width:4px;height:4px';
  const names = ['Modality', 'Body part', 'SOP class'];
  const out = [];
  for (let i = 0; i < clicks; i++) {
    const facet = panel.querySelector(`[role=group][aria-label="${names[i % 3]}"]`);
    const boxes = [...facet.querySelectorAll('[role=checkbox]')].filter(e => !e.hidden);
    const box = boxes[(i >> 1) % Math.min(4, boxes.length)];
    await pause();
    let start = performance.now();
    square.style.background = i % 2 ? 'red' : 'blue';
    const empty = (await painted()) - start;
    await pause();
    start = performance.now();
    box.click();
    const committed = performance.now();
    out.push([committed - start, (await painted()) - start, empty]);
  }
  return out;
}"""

# Frames while a brush is dragged: their intervals, until `stop` is called.
WATCH = """() => {
  const at = [];
  let on = true;
  const next = () => { at.push(performance.now()); if (on) requestAnimationFrame(next); };
  requestAnimationFrame(next);
  window.stopWatching = () => { on = false; return at.slice(1).map((t, i) => t - at[i]); };
}"""
MOVES = 150

# From the last key in the search box: when the series' count is there, and when the page has all figures.
SEARCHED = """() => new Promise(done => {
  const input = document.querySelector('.idc-search input');
  const stats = document.querySelector('.idc-stats');
  let last = 0, began = 0, counted = 0;
  input.addEventListener('input', () => { last = performance.now(); }, { capture: true });
  const pending = name => stats.querySelector(`[data-stat=${name}]`).classList.contains('idc-pending');
  const watch = new MutationObserver(() => {
    const now = performance.now();
    if (pending('series')) began ||= now;
    else if (began) counted ||= now;
    if (!counted || pending('patients')) return;
    watch.disconnect();
    requestAnimationFrame(() => done([began - last, counted - began, performance.now() - began]));
  });
  watch.observe(stats, { subtree: true, attributes: true, childList: true, characterData: true });
})"""
SEARCHES = ("lung contrast", "breast mri", "ct abdomen", "prostate t2", "brain flair", "chest ct lung")

COUNTS = """() => [...document.querySelectorAll('[aria-label=Modality] .idc-count')].map(e => e.innerText).join()"""


def _frames(page: Page, label: str, moves: int) -> list[float]:
    """Drag over a histogram (without moves: move beside it) and return the intervals between frames, in ms."""
    plot = ExplorerView(page).facet(label).locator(".idc-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, height if moves else height + 400)
    if moves:
        page.mouse.down()
    page.evaluate(WATCH)
    for i in range(MOVES):
        part = 0.3 + 0.6 * abs(((i / 50) % 2) - 1)
        page.mouse.move(box["x"] + box["width"] * part, height if moves else height + 400)
    intervals: list[float] = page.evaluate("() => window.stopWatching()")
    if moves:
        page.mouse.up()
    return intervals


def _searches(page: Page) -> list[list[float]]:
    """Type searches at a person's pace; for each its pause, and from its end the count and all totals, in ms."""
    out = []
    box = page.locator(".idc-search input")
    for words in SEARCHES:
        box.fill("")
        page.keyboard.press("Enter")
        page.wait_for_timeout(1_000)
        page.evaluate(f"() => {{ window.searched = ({SEARCHED})() }}")
        box.press_sequentially(words, delay=60)
        out.append(page.evaluate("() => window.searched"))
    return out


def main() -> None:
    """Measure and print."""
    Catalog().index.database.wait_for_cache()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, sync_playwright() as p:
        lab = Lab(Path(folder), {"IDC_WIDGETS_STATE_DIR": str(Path(folder) / "state")})
        browser = p.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1320, "height": 1100})
            notebook = lab.notebook(page, "click.ipynb")
            notebook.run(1)
            ExplorerView(page).wait()
            before = page.evaluate(COUNTS)
            times = page.evaluate(MEASURE, CLICKS)
            assert page.evaluate(COUNTS) != before, "the clicks changed nothing"
            page.get_by_role("button", name="Clear all").click()
            searches = _searches(page)
            idle = _frames(page, "Study date", 0)
            dragged = _frames(page, "Study date", MOVES)
        finally:
            browser.close()
            lab.close()
    line(
        "brush drag, frame after frame",
        f"{quantile(dragged, 0.5):.1f} / {quantile(dragged, 0.95):.1f} ms",
        f"pointer alone {quantile(idle, 0.5):.1f} / {quantile(idle, 0.95):.1f} ms",
        f"{1000 * len(dragged) / sum(dragged):.0f} a s",
        "p50 / p95",
    )
    line(
        "search, pause over → count / all totals on screen",
        f"{quantile([s[1] for s in searches], 0.5):.0f} / {quantile([s[2] for s in searches], 0.5):.0f} ms",
        f"slowest {max(s[1] for s in searches):.0f} / {max(s[2] for s in searches):.0f} ms",
        f"pause {quantile([s[0] for s in searches], 0.5):.0f} ms",
        "≤ 100 ms",
    )
    committed = [t[0] for t in times]
    painted = [t[1] for t in times]
    cores = f"{os.cpu_count()} cores, software rendering"
    line(
        "facet click → all counts committed",
        f"{quantile(committed, 0.5):.1f} / {quantile(committed, 0.95):.1f} ms",
        "p50 / p95",
        "",
        "p95 ≤ 8 ms",
    )
    empty = [t[2] for t in times]
    line(
        "facet click → painted",
        f"{quantile(painted, 0.5):.1f} / {quantile(painted, 0.95):.1f} ms",
        f"any frame {quantile(empty, 0.5):.1f} / {quantile(empty, 0.95):.1f} ms",
        f"{quantile(painted, 0.5) / quantile(empty, 0.5):.1f}",
        f"p50 ≤ 20, p95 ≤ 33 ms ({cores})",
    )
