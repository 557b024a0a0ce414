"""For everyone: axe-core finds nothing serious, the keyboard does everything, any width, zoom and height work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"
CELL = "import idc_widgets as idc\nexplorer = idc.Explorer(idc.Catalog().cohort(collection_id='rider_pilot'))\nexplorer"
PARTS = """import idc_widgets as idc, ipywidgets
panel = idc.FilterPanel(idc.Catalog().cohort(Modality="CT"))
table = idc.ResultTable(panel)
ipywidgets.VBox([ipywidgets.HBox([panel, table]), idc.DownloadPanel(table)])"""

# Text against what is painted behind it, as WCAG counts it; axe-core gives up where colours are mixed.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => a.slice(0, 3).map((v, i) => v * a[3] + b[i] * (1 - a[3]));
  const linear = (v) => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = (c) => { const [r, g, b] = c.map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { if (!e) return [255, 255, 255]; const c = rgba(getComputedStyle(e).backgroundColor);
    return c[3] === 1 ? c.slice(0, 3) : over(c, behind(e.parentElement)); };
  const found = [];
  for (const root of document.querySelectorAll('.idc-root')) {
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const e = walk.currentNode.parentElement;
      const text = walk.currentNode.data.trim();
      if (!text || !e.checkVisibility({visibilityProperty: true})) continue;
      if (e.closest('[disabled], .idc-hidden, [inert]')) continue;
      const back = behind(e);
      let fore = rgba(getComputedStyle(e).color);
      let opacity = 1;
      for (let p = e; p && p !== root; p = p.parentElement) opacity *= Number(getComputedStyle(p).opacity);
      fore[3] *= opacity;
      const [a, b] = [light(over(fore, back)), light(back)].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      const style = getComputedStyle(e);
      const large = parseFloat(style.fontSize) >= (Number(style.fontWeight) >= 700 ? 18.66 : 24);
      if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${e.className} "${text.slice(0, 30)}"`);
    }
    // What says something without words: bars, and boxes to tick.
    for (const [selector, property] of Object.entries({
      '.idc-bars > path:not(.idc-bars-all)': 'stroke', '.idc-plot-in, .idc-plot-out': 'fill',
      '.idc-box': 'borderTopColor',
    })) {
      for (const e of root.querySelectorAll(selector)) {
        if (e.closest('[inert]')) continue;
        const back = behind(e.parentElement);
        const [a, b] = [light(over(rgba(getComputedStyle(e)[property]), back)), light(back)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 3) found.push(`${ratio.toFixed(2)} ${selector}`);
      }
    }
  }
  return [...new Set(found)];
}"""


def violations(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical in the views of a page."""
    page.evaluate(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run({include: ['.idc-root']}, {resultTypes: ['violations']})).violations.map("
        "v => ({impact: v.impact, id: v.id, nodes: v.nodes.slice(0, 5).map(n => n.html.slice(0, 160))}))"
    )
    return [f"{v['impact']} {v['id']}: {v['nodes']}" for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("width", [1200, 480])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_and_contrast_find_nothing(width: int, dark: bool, lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 1100})
    lab.theme(dark)
    name = f"{width}-{'dark' if dark else 'light'}"
    try:
        notebook = lab.notebook(page, f"axe{name}.ipynb", [CELL, PARTS])
        notebook.run(0)
        view = ExplorerView(page)
        view.wait()
        if width < 640:
            view.root.get_by_role("button", name="Filters").click()
            page.wait_for_timeout(300)
            assert violations(page) == []
            view.value("Modality", "CT").click()
            view.root.get_by_role("button", name="Done").click()
        else:
            view.value("Modality", "CT").click(modifiers=["Alt"])
        page.wait_for_timeout(300)
        view.tick(0)
        page.wait_for_timeout(600)
        assert violations(page) == []
        assert page.evaluate(CONTRAST) == []
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        assert violations(page) == []
        page.screenshot(path=ARTIFACTS / f"help-{name}.png")
        page.keyboard.press("Escape")
        notebook.run(1)
        expect(page.get_by_role("grid").nth(1).get_by_role("gridcell").nth(1)).not_to_be_empty(timeout=20_000)
        page.wait_for_timeout(600)
        assert violations(page) == []
        assert page.evaluate(CONTRAST) == []
        page.screenshot(path=ARTIFACTS / f"parts-{name}.png")
        for output in page.locator(".jp-OutputArea-output").all():
            assert output.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    finally:
        lab.theme(False)


def tab_until(page: Page, script: str, most: int = 60) -> None:
    """Press Tab until an expression of the focused element `e` holds."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"() => {{ const e = document.activeElement; return {script}; }}"):
            return
    raise AssertionError(f"{most} times Tab, and never {script}")


def focused(page: Page) -> str:
    """Return what is focused, by its name and class."""
    found: str = page.evaluate(
        "() => `${document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText} "
        "${document.activeElement.className}`"
    )
    return found


def test_from_opening_to_download_by_keyboard_alone(lab: Lab, page: Page, mirror: SpawnedMirror) -> None:
    notebook = lab.notebook(page, "keys.ipynb", [CELL.replace("))", "), destination='by-keys')"), "x = 1"])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    tab_until(page, "!!e.closest('.idc-root') && e.tagName === 'BUTTON'")
    press = page.keyboard.press
    # A filter …
    press("t")
    assert "Results" in focused(page)
    press("f")
    page.wait_for_function("() => !!document.activeElement.closest('.idc-panel')")
    tab_until(page, "e.getAttribute('role') === 'checkbox' && !!e.closest('[aria-label=Modality]')")
    press("ArrowDown")
    press("ArrowUp")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    press(" ")
    expect(view.root.get_by_role("group", name="Active filters")).to_contain_text("Modality")
    # … a search and back …
    press("/")
    assert "Search all text" in focused(page)
    press("Escape")
    # … rows …
    tab_until(page, "!!e.closest('.idc-root')")
    press("t")
    assert "Results" in focused(page)
    expect(view.grid).to_have_attribute("aria-busy", "false")
    view.cells(0)
    page.wait_for_timeout(500)
    press("ArrowDown")
    press(" ")
    expect(view.root.get_by_role("group", name="Selection")).to_contain_text("1 series ticked")
    # Keys that mean something to the notebook in command mode do nothing to it: b adds a cell, d d deletes one.
    for key in ("b", "a", "x", "j", "k"):
        press(key)
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length") == cells
    # … and the download.
    expect(view.root.get_by_role("button", name="Download", exact=True)).to_be_enabled()
    press("d")
    assert focused(page).startswith("Download")
    press("Enter")
    expect(view.job()).to_be_visible()
    for _ in range(200):
        if "complete" in view.state():
            break
        page.wait_for_timeout(100)
    assert "complete" in view.state()


def test_the_drawer_keeps_and_returns_the_focus(lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 480, "height": 1000})
    notebook = lab.notebook(page, "drawer.ipynb", [CELL])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    view.grid.focus()
    page.keyboard.press("f")
    expect(view.filters).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert not page.evaluate("() => !!document.activeElement.closest('.idc-results')")
    view.filters.get_by_role("button").first.focus()
    page.keyboard.press("Escape")
    expect(view.filters).to_be_hidden()
    assert "Filters" in focused(page)
    # Widened while it is open, nothing stays locked.
    page.keyboard.press("Enter")
    page.set_viewport_size({"width": 1200, "height": 1000})
    view.tick(0)
    expect(view.root.get_by_role("group", name="Selection")).to_contain_text("1 series ticked")


def test_height_from_python_by_drag_and_by_keyboard(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "height.ipynb", [CELL, "explorer"])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    first = page.get_by_role("region", name="IDC Explorer").first

    def tall() -> int:
        return round(first.evaluate("e => e.offsetHeight"))

    usual = tall()
    notebook.execute("explorer.height = 500")
    expect(first).to_have_css("height", "500px")
    grip = first.get_by_role("separator", name="Height")
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 104, steps=5)
    page.mouse.up()
    assert abs(tall() - 600) <= 2
    grip.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("PageDown")
    assert abs(tall() - 740) <= 2
    assert notebook.execute("print(explorer.height)").strip() == str(tall())
    # The rows fill it, and a second view of the model is as high.
    assert view.grid.evaluate("e => e.offsetHeight") > 350
    notebook.execute("explorer.height = '30em'")
    expect(first).to_have_css("height", "390px")
    grip.dblclick()
    expect(first).to_have_css("height", f"{usual}px")
    assert notebook.execute("print(explorer.height)").strip() == "None"


def test_zoomed_to_200_percent_nothing_is_lost(lab: Lab, page: Page) -> None:
    # 200 % in a window of 1280 pixels leaves 640 of the page's own.
    page.set_viewport_size({"width": 640, "height": 500})
    notebook = lab.notebook(page, "zoom.ipynb", [CELL.replace("))", "), height='90vh')")])
    notebook.run(0)
    view = ExplorerView(page)
    view.wait()
    page.screenshot(path=ARTIFACTS / "zoom-200.png")
    assert view.root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    for control in ("Filters", "Download"):
        expect(view.root.get_by_role("button", name=control).first).to_be_visible()
    assert view.grid.evaluate("e => e.clientHeight") >= 90  # a heading and rows


def test_reduced_motion_moves_nothing(lab: Lab, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 480, "height": 1000}, reduced_motion="reduce")
    try:
        page = context.new_page()
        notebook = lab.notebook(page, "motion.ipynb", [CELL])
        notebook.run(0)
        ExplorerView(page).wait()
        moving = page.evaluate(
            "() => [...document.querySelectorAll('.idc-root, .idc-root *')].filter(e => {"
            "const s = getComputedStyle(e); const long = t => t.split(',').some(d => parseFloat(d) > 0);"
            "return long(s.transitionDuration) || (s.animationName !== 'none' && long(s.animationDuration)); })"
            ".map(e => e.className)"
        )
        assert moving == []
    finally:
        context.close()
