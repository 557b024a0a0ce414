"""Keys and focus stay in the view: whatever is pressed there, no letter reaches the notebook, and nothing loses it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

EXPLORER = (
    "import idc_widgets as idc\nexplorer = idc.Explorer(idc.Catalog().cohort(collection_id='rider_pilot'))\nexplorer"
)
PARTS = """import idc_widgets as idc, ipywidgets
panel = idc.FilterPanel(idc.Catalog().cohort(collection_id='rider_pilot'))
table = idc.ResultTable(panel)
ipywidgets.VBox([ipywidgets.HBox([panel, table]), idc.DownloadPanel(table)])"""

#: What a notebook does in command mode, beside "d d": cut, paste, Markdown, code, insert, undo, merge, move.
COMMANDS = ("x", "v", "m", "y", "a", "b", "z", "Shift+M", "Delete", "Backspace", "c", "1", "l", "j", "k")

STATE = """() => { const p = window.jupyterapp.shell.currentWidget.content;
  return JSON.stringify([p.mode, p.widgets.map(w => [w.model.type, w.model.sharedModel.getSource()])]); }"""

#: Points of a view, 40 pixels apart, with its very edges, and the middle of one element of each class.
POINTS = """(root) => {
  const box = root.getBoundingClientRect(), points = [], seen = new Set();
  const steps = (from, to) => { const all = [from + 1]; for (let at = from + 20; at < to - 1; at += 40) all.push(at);
    return [...all, to - 2]; };
  for (const y of steps(box.top, box.bottom)) for (const x of steps(box.left, box.right)) points.push([x, y]);
  for (const e of root.querySelectorAll('*')) {
    const r = e.getBoundingClientRect(), key = e.tagName + e.getAttribute('class');
    if (seen.has(key) || !r.width || !r.height) continue;
    seen.add(key);
    points.push([r.x + r.width / 2, r.y + r.height / 2]);
  }
  return points.filter(([x, y]) => x > 0 && y > 0 && x < innerWidth && y < innerHeight
    && root.contains(document.elementFromPoint(x, y)));
}"""

INSIDE = """() => !!document.activeElement?.closest('.idc-root')
  || !!document.activeElement?.shadowRoot?.activeElement?.closest('.idc-root')"""


def close_what_opened(page: Page) -> None:
    """Close dialogs, menus and popovers that a press opened."""
    if page.evaluate("() => !!document.querySelector('.idc-root dialog[open], .idc-root .idc-popover')"):
        page.keyboard.press("Escape")


@pytest.mark.slow
@pytest.mark.parametrize("views", ["explorer", "narrow", "parts"])
def test_no_letter_reaches_the_notebook_wherever_one_presses(views: str, lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 480 if views == "narrow" else 1320, "height": 1100})
    notebook = lab.notebook(page, f"everywhere-{views}.ipynb", ["other = 1", PARTS if views == "parts" else EXPLORER])
    notebook.run(1)
    expect(page.get_by_role("grid").first.get_by_role("gridcell").nth(1)).not_to_be_empty(timeout=20_000)
    page.evaluate("document.addEventListener('click', e => e.target.closest('a') && e.preventDefault(), true)")
    before = page.evaluate(STATE)
    pressed = 0
    for number in range(page.locator(".idc-root").count()):
        root = page.locator(".idc-root").nth(number)
        root.scroll_into_view_if_needed()
        points = root.evaluate(POINTS)
        assert points
        for x, y in points:
            page.mouse.click(x, y)
            assert page.evaluate(INSIDE), f"the keyboard is elsewhere after a press at {x}, {y}"
            close_what_opened(page)
            typed = page.evaluate("() => document.activeElement.matches('input, textarea, select')")
            for key in ("d", "d", COMMANDS[pressed % len(COMMANDS)]) if not typed else ():
                page.keyboard.press(key)
            close_what_opened(page)
            assert page.evaluate(INSIDE), f"the keyboard is elsewhere after keys at {x}, {y}"
            pressed += 1
        assert page.evaluate(STATE) == before
    assert page.evaluate(STATE) == before
    assert pressed > 100


def test_what_removes_itself_leaves_the_keyboard_in_the_view(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "removed.ipynb", ["other = 1", EXPLORER])
    notebook.run(1)
    view = ExplorerView(page)
    view.wait()
    before = page.evaluate(STATE)

    def still(what: str) -> None:
        page.wait_for_timeout(80)
        assert page.evaluate(INSIDE), f"the keyboard is elsewhere after {what}"
        for key in ("b", "y", "z"):  # the notebook's; none of the view's own
            page.keyboard.press(key)
        assert page.evaluate(STATE) == before, what

    # The sheet of the keys, from an icon that is seen only while one is at it.
    icon = view.facet("Modality").get_by_role("button", name="What Modality means")
    icon.focus()
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    assert icon.evaluate("e => e === document.activeElement")
    still("the sheet")
    # Everything in view that says that it goes, until there is none of it.
    view.tick(0)
    view.root.get_by_role("button", name="Details").click()
    view.value("Modality", "CT").click()
    for name in ("Close details", "Remove", "Untick all", "Clear all"):
        if name == "Clear all":
            view.value("Modality", "CT").click()
        buttons = view.root.get_by_role("button", name=name)
        expect(buttons.last).to_be_visible()
        for _ in range(100):  # others may come in the place of those that went
            if buttons.count() == 0:
                break
            buttons.last.focus()
            page.keyboard.press("Enter")
            still(name)
        expect(buttons).to_have_count(0)
    # What is taken away, hidden or switched off by somebody else.
    for change in ("e.remove()", "e.hidden = true", "e.disabled = true", "e.parentElement.style.display = 'none'"):
        page.evaluate(
            "(change) => { const e = document.querySelectorAll('.idc-facet .idc-fold')[1]; e.focus(); "
            "new Function('e', change)(e); }",
            change,
        )
        page.wait_for_timeout(100)
        still(change)


def test_a_closed_drawer_gives_its_button_the_keyboard(lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 480, "height": 1100})
    notebook = lab.notebook(page, "drawer.ipynb", ["other = 1", EXPLORER])
    notebook.run(1)
    view = ExplorerView(page)
    view.wait()
    button = view.root.get_by_role("button", name="Filters (1)", exact=True)
    for close in (lambda: page.keyboard.press("Escape"), view.root.get_by_role("button", name="Done").click):
        button.click()
        expect(view.facet("Modality")).to_be_visible()
        close()
        expect(button).to_be_focused()


def test_a_ticked_value_stays_under_the_pointer(lab: Lab, page: Page) -> None:
    notebook = lab.notebook(page, "stays.ipynb", ["other = 1", EXPLORER])
    notebook.run(1)
    view = ExplorerView(page)
    view.wait()
    names = list(view.counts("Modality"))
    third = view.facet("Modality").get_by_role("checkbox").nth(2)
    third.click()
    expect(view.root.get_by_role("group", name="Active filters")).to_contain_text(str(names[2]))
    assert list(view.counts("Modality")) == names
    # Both have left: now it comes first.
    page.mouse.move(700, 300)
    view.grid.focus()
    expect(view.facet("Modality").get_by_role("checkbox").first).to_have_attribute("aria-checked", "true")


def test_download_pressed_while_it_waits_begins_and_the_cloud_is_chosen(lab: Lab, page: Page) -> None:
    cell = EXPLORER.replace("))", "), destination='pressed-early')")
    notebook = lab.notebook(page, "early.ipynb", ["other = 1", cell])
    notebook.run(1)
    view = ExplorerView(page)
    view.wait()
    cloud = view.root.get_by_label("Download from")
    cloud.select_option("gcs")
    assert notebook.execute("print(explorer.provider)").strip() == "gcs"
    notebook.execute("explorer.provider = 'aws'")
    expect(cloud).to_have_value("aws")
    view.tick(0)
    view.root.get_by_role("button", name="Download", exact=True).focus()
    page.keyboard.press("Enter")
    expect(view.job()).to_be_visible()
    view.root.get_by_role("button", name="Copy UIDs").click()
    expect(view.root.get_by_role("group", name="Selection")).to_contain_text("1 UID copied.")
    view.root.get_by_role("button", name="Details").click()
    expect(view.root.get_by_role("button", name="Copy DICOMweb address")).to_be_visible()
    for width in (1200, 480):
        page.set_viewport_size({"width": width, "height": 1100})
        page.wait_for_timeout(300)
        page.screenshot(path=ARTIFACTS / f"selection-{width}.png")
