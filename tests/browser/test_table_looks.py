"""The result table where there is little room, and how it looks: light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.lab import Lab
from tests.browser.test_table import opened

pytestmark = pytest.mark.browser


def test_narrow_it_is_usable_beside_ticks_and_downloads(lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": 480, "height": 1000})
    _, view = opened(lab, page, "narrow.ipynb")
    # One line for levels and tools; names of what is unfolded have room to be read.
    tops = view.root.locator(".idc-level, .idc-table-tools").evaluate_all("es => es.map(e => e.offsetHeight)")
    bar = view.root.locator(".idc-toolbar").bounding_box()
    assert bar and bar["height"] <= max(tops) + 12
    view.level("Collections")
    for row in range(3):
        view.twisty(row).click()
        expect(view.twisty(row)).to_have_attribute("aria-expanded", "true")
    expect(view.row(3)).to_have_attribute("data-depth", "3")
    name = view.row(3).locator(".idc-first")
    room = name.evaluate("e => e.clientWidth - parseFloat(getComputedStyle(e).paddingLeft)")
    assert room >= 140
    # Details have the view to themselves, and the keyboard; closed, it is back in the table.
    view.tick(1)
    expect(view.root.get_by_role("group", name="Selection")).to_contain_text("series ticked")
    view.row(1).get_by_role("gridcell").nth(1).click()
    page.keyboard.press("i")
    expect(view.pane()).to_contain_text("Collection page")
    box, area = view.pane().bounding_box(), view.root.bounding_box()
    assert box and area and box["height"] > 0.95 * area["height"]
    expect(view.pane().get_by_role("button", name="Close details")).to_be_focused()
    expect(view.grid).to_be_hidden()
    expect(view.root.get_by_role("group", name="Selection")).to_be_hidden()
    view.pane().get_by_role("button", name="Copy code").click()
    expect(view.root.get_by_text("Code copied.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(view.grid).to_be_focused()
    page.set_viewport_size({"width": 1320, "height": 1000})
    view.level("Studies")


@pytest.mark.parametrize("width", [1200, 480])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_how_it_looks(width: int, dark: bool, lab: Lab, page: Page) -> None:
    """Pictures to be looked at; what a machine can judge: nothing overflows, all usual columns fit at 1200."""
    page.set_viewport_size({"width": width, "height": 1000})
    lab.theme(dark)
    try:
        _, view = opened(lab, page, f"table{width}{dark}.ipynb")
        root = view.root

        def picture(name: str) -> None:
            page.wait_for_timeout(400)
            root.screenshot(path=ARTIFACTS / f"table-{name}-{width}-{'dark' if dark else 'light'}.png")
            assert root.evaluate("e => e.scrollWidth - e.clientWidth") <= 0

        picture("series")
        for level in ("Series", "Studies", "Patients", "Collections"):
            view.level(level)
            if width == 1200:
                assert view.grid.evaluate("e => e.scrollWidth - e.clientWidth") <= 0, level
        view.twisty(1).click()
        expect(view.twisty(2)).to_be_visible()
        view.twisty(2).click()
        view.tick(3)
        picture("unfolded")
        view.tool("Details").click()
        expect(view.pane()).to_contain_text("Collection page")
        picture("details")
        pane, area = view.pane().bounding_box(), root.bounding_box()
        assert pane and area
        assert pane["x"] >= area["x"] - 1
        assert pane["x"] + pane["width"] <= area["x"] + area["width"] + 1
        view.root.get_by_role("button", name="Close details").click()
        for tool in ("Columns", "Save"):
            view.tool(tool).click()
            box = root.locator(".idc-popover").bounding_box()
            assert box
            assert box["x"] >= area["x"] - 1
            assert box["x"] + box["width"] <= area["x"] + area["width"] + 1
            picture(tool.lower())
            page.keyboard.press("Escape")
    finally:
        lab.theme(False)
