"""The Explorer as a person sees it: what is read from the page, and what is done there."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class ExplorerView:
    """One Explorer in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_role("region", name="IDC Explorer")
        self.filters = self.root.get_by_role("region", name="Filters")
        self.grid = self.root.get_by_role("grid", name="Results")
        self.downloads = page.get_by_role("region", name="Downloads")

    def wait(self) -> None:
        """Wait until rows are shown."""
        expect(self.grid.get_by_role("gridcell").nth(1)).not_to_be_empty()

    def facet(self, label: str) -> Locator:
        """Return the group of a facet."""
        return self.filters.get_by_role("group", name=label, exact=True)

    def counts(self, label: str) -> dict[str | None, int]:
        """Return the values in view of a facet and their counts; None is "missing"."""
        rows = (
            self.facet(label)
            .get_by_role("checkbox")
            .evaluate_all(
                """elements => elements.filter(e => !e.hidden).map(e => [
                e.querySelector('.idc-label').firstChild.data, e.querySelector('.idc-count').innerText])"""
            )
        )
        return {None if name == "missing" else name: int(n.replace(",", "")) for name, n in rows if n}

    def value(self, label: str, name: str) -> Locator:
        """Return the checkbox of a value, looked for in the facet's search where it is not in view."""
        facet = self.facet(label)
        box = facet.get_by_role("checkbox", name=re.compile(rf"^{re.escape(name)}\b"))
        if box.count() == 0:
            facet.get_by_role("button", name=f"Search {label}").click()
            facet.get_by_label(f"Search within {label}").fill(name)
        return box.first

    def close_search(self, label: str) -> None:
        """Fold a facet's long list again."""
        facet = self.facet(label)
        if facet.get_by_label(f"Search within {label}").count():
            facet.get_by_label(f"Search within {label}").press("Escape")

    def stat(self, name: str) -> str:
        """Return a figure of the header, such as "270,830", once it is known."""
        cell = self.root.locator(f"[data-stat={name}] .idc-stat-value")
        expect(cell).not_to_contain_text("…")
        return cell.inner_text().split(" " + name)[0].strip()

    def row(self, index: int) -> Locator:
        """Return the row of a position, from 0, that is in view."""
        return self.grid.locator(f"[role=row][aria-rowindex='{index + 2}']")

    def cells(self, index: int) -> list[str]:
        """Return the texts of a row's cells, without the tick."""
        row = self.row(index)
        expect(row.get_by_role("gridcell").nth(1)).not_to_be_empty()
        return row.get_by_role("gridcell").all_inner_texts()[1:]

    def row_count(self) -> int:
        """Return how many rows there are, in view or not."""
        return int(self.grid.get_attribute("aria-rowcount") or 0) - 1

    def sort(self, column: str) -> None:
        """Click a column's header."""
        self.grid.get_by_role("columnheader", name=column).get_by_role("button").click()

    def tick(self, index: int, shift: bool = False) -> None:
        """Click a row's box."""
        self.row(index).get_by_role("checkbox").click(modifiers=["Shift"] if shift else [])

    def job(self, number: int = 0) -> Locator:
        """Return the progress bar of a job, newest first."""
        return self.downloads.get_by_role("progressbar").nth(number)

    def progress(self, number: int = 0) -> tuple[int, int]:
        """Return a job's bytes done and in all, as the bar says them."""
        bar = self.job(number)
        return int(bar.get_attribute("aria-valuenow") or 0), int(bar.get_attribute("aria-valuemax") or 0)

    def state(self, number: int = 0) -> str:
        """Return what a job's row says of it."""
        return self.job(number).get_attribute("aria-valuetext") or ""


class TableView(ExplorerView):
    """The table's own controls."""

    def level(self, name: str) -> None:
        """Let a row be something else."""
        narrow = self.root.get_by_role("combobox", name="A row is")
        if narrow.is_visible():
            narrow.select_option(name)
        else:
            self.root.get_by_role("toolbar", name="A row is").get_by_role("button", name=name).click()
        expect(self.grid).to_have_attribute("aria-busy", "false")

    def tool(self, name: str) -> Locator:
        """Return a button of the bar above the table."""
        return self.root.get_by_role("toolbar", name="Table").get_by_role("button", name=name, exact=True)

    def twisty(self, index: int) -> Locator:
        """Return what unfolds a row."""
        return self.row(index).get_by_role("button", name="Show what")

    def mark(self, index: int) -> Locator:
        """Return the box of a row."""
        return self.row(index).get_by_role("checkbox")

    def headers(self) -> list[str]:
        """Return the columns' names, in their order."""
        names = self.grid.get_by_role("columnheader").get_by_role("button").all_inner_texts()
        return [re.sub(r"[▲▼\d\s]+$", "", n) for n in names]

    def header(self, column: str) -> Locator:
        """Return a column's button, by the column's name in the index."""
        return self.grid.locator(f'[data-column="{column}"] button')

    def pane(self) -> Locator:
        """Return the detail pane."""
        return self.root.get_by_role("region", name="Details")
