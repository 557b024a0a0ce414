"""The search box takes what people mean, in a real JupyterLab over the whole index."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

CELL = "import idc_widgets as idc\nexplorer = idc.Explorer()\nexplorer"


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (480, True)], ids=["wide-light", "narrow-dark"])
def test_enter_takes_terms_and_the_other_reading_is_one_key_away(width: int, dark: bool, lab: Lab, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    lab.theme(dark)
    try:
        notebook = lab.notebook(page, f"search{width}.ipynb", [CELL])
        notebook.run(0)
        view = ExplorerView(page)
        view.wait()
        box = view.root.get_by_role("searchbox").first
        chips = view.root.get_by_role("group", name="Active filters")
        box.fill("glioblastoma")
        box.press("Enter")
        expect(chips).to_contain_text("Cancer type Glioblastoma")
        expect(chips).to_contain_text("42,201 series, or")
        other = chips.get_by_role("button", name=re.compile("^as text ?: 0$"))
        expect(other).to_be_visible()
        page.screenshot(path=ARTIFACTS / f"search-term-{width}.png")
        box.press("Alt+Enter")
        expect(chips).to_contain_text("As text: 0 series, or")
        # Nothing matches: the nearest step is offered.
        step = view.root.locator(".idc-ways").get_by_role("button", name=re.compile("^cancer type Glioblastoma"))
        expect(step).to_be_visible()
        page.screenshot(path=ARTIFACTS / f"search-empty-{width}.png")
        step.click()
        expect(chips).to_contain_text("Cancer type Glioblastoma")
        view.root.get_by_role("button", name="Undo").click()
        expect(chips).to_contain_text("As text: 0 series, or")
        # Misspelt, and never confirmed by Enter: near names come by themselves.
        box.fill("gliobastoma")
        expect(view.root.locator(".idc-ways").get_by_role("button", name=re.compile("Glioblastoma"))).to_be_visible()
    finally:
        lab.theme(False)
