"""The picture in the README, made anew: `python -m tests.browser.picture [dark]` writes docs/explorer.png.

JupyterLab against the small IDC on loopback, with the true index; the bar is caught on its way.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from idc_widgets import Catalog
from tests import chromium
from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab
from tests.mirror import Mirror

TARGET = Path(__file__).parents[2] / "docs" / "explorer.png"
CELL = "import idc_widgets as idc\n\nexplorer = idc.Explorer(destination={!r})\nexplorer"


def main(dark: bool) -> None:
    """Open an Explorer, filter, tick, download, take the picture."""
    Catalog().index.database.wait_for_cache()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True, prefix="images-") as destination,
        Mirror.spawn() as mirror,
        sync_playwright() as p,
    ):
        lab = Lab(
            Path(folder), {"IDC_WIDGETS_AWS_ENDPOINT": mirror.endpoint, "IDC_WIDGETS_STATE_DIR": f"{folder}/state"}
        )
        lab.theme(dark)
        browser = p.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1320, "height": 1150})
            notebook = lab.notebook(page, "picture.ipynb", [CELL.format(destination)])
            notebook.run(0)
            view = ExplorerView(page)
            view.wait()
            for label, value in (("Modality", "CT"), ("Modality", "SEG"), ("Body part", "LIVER")):
                view.value(label, value).click()
                view.close_search(label)
            view.filters.evaluate("e => e.scrollTop = 0")
            view.wait()
            for row in (1, 2, 4, 5):
                view.tick(row)
            mirror.set(rate_mb=3)
            view.root.get_by_role("button", name="Download", exact=True).click()
            view.job().wait_for()
            page.wait_for_timeout(5000)
            # A folder of anyone's, where the picture would show this machine's.
            view.root.get_by_label("Save to").evaluate("e => e.value = '/home/ada/idc-data'")
            view.root.locator(".idc-job-folder").evaluate("e => { e.textContent = '/home/ada/idc-data'; }")
            view.root.screenshot(path=TARGET)
        finally:
            browser.close()
            lab.close()


if __name__ == "__main__":
    main("dark" in sys.argv[1:])
