"""A job as the last expression of a cell: live, in both themes, and in a notebook that is opened again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTIFACTS
from tests.browser.lab import Lab, Notebook
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser

#: Three series of a file of 0.5 MB.
COHORT = (
    "import idc_widgets as idc\n"
    "cohort = idc.Catalog().cohort(SeriesInstanceUID=['1.3.6.1.4.1.9328.50.1.54657', '1.3.6.1.4.1.9328.50.1.53734',\n"
    "                                                 '1.3.6.1.4.1.9328.50.1.69736'])\n"
)


@pytest.fixture(autouse=True)
def calm(mirror: SpawnedMirror, lab: Lab) -> Iterator[None]:
    yield
    mirror.set()
    lab.theme(dark=False)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_job_shows_itself(lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path, dark: bool) -> None:
    lab.theme(dark)
    folder = tmp_path / "data"
    name = f"job-{dark}.ipynb"
    other = f"cohort.download({str(tmp_path / 'other')!r}, title='Another').pause()\n"
    cells = [
        f"{COHORT}{other}job = cohort.download({str(folder)!r}, title='Two <b>series</b>', bandwidth='60 kB/s')\njob",
        "idc.jobs()",
    ]
    notebook = lab.notebook(page, name, cells)
    notebook.run(0)
    panel = page.locator(".idc-kind-downloads")
    rows = panel.get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Two <b>series</b>")
    expect(rows.locator(".idc-job-state")).to_have_text("downloading")
    expect(panel.locator(".idc-job-figures")).to_contain_text("kB/s")
    expect(page.locator("[data-idc-saved]")).to_be_hidden()
    page.screenshot(path=ARTIFACTS / f"job-{'dark' if dark else 'light'}.png")
    rows.get_by_role("button", name=re.compile("^Pause")).click()
    expect(rows.locator(".idc-job-state")).to_have_text("paused")
    notebook.execute("job.set_bandwidth(None); job.resume(); job.wait(60, progress=False)")
    expect(rows.locator(".idc-job-state")).to_have_text("complete, verified")
    expect(rows.get_by_role("button", name=re.compile("Remove from view"))).to_have_count(0)
    notebook.run(1)
    table = page.get_by_role("table").filter(has_text="Another")
    expect(table).to_contain_text("Two <b>series</b>")
    page.screenshot(path=ARTIFACTS / f"job-ended-{'dark' if dark else 'light'}.png")
    notebook.execute("[each.cancel() for each in idc.jobs() if each.title == 'Another']")  # others look at all jobs
    notebook.save()
    notebook.shut_down_kernel()
    page.reload()
    Notebook(lab, page, name)
    kept = page.locator("[data-idc-saved] table")
    expect(kept).to_be_visible()
    expect(kept).to_contain_text("Two <b>series</b>")
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    page.screenshot(path=ARTIFACTS / f"job-again-{'dark' if dark else 'light'}.png")


def test_waiting_in_a_notebook(lab: Lab, page: Page, mirror: SpawnedMirror, tmp_path: Path) -> None:
    folder = str(tmp_path / "data")
    cells = [f"{COHORT}job = cohort.download({folder!r}, bandwidth='500 kB/s')\njob.wait()"]
    notebook = lab.notebook(page, "wait.ipynb", cells)
    notebook.run(0)
    output = page.locator(".jp-OutputArea-output").filter(has_text="complete")
    expect(output.first).to_contain_text(re.compile("100%"))
    page.screenshot(path=ARTIFACTS / "job-wait.png")
    outputs = notebook.outputs(0)
    assert outputs[-1]["data"]["text/plain"] == "True"
