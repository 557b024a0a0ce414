"""The download panel's Python side: what it sends, how often, and what it does when asked."""

# ruff: noqa: F811 -- fixtures of the download engine

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

import idc_widgets as idc
from idc_widgets.transfer import Job
from idc_widgets.widgets import kernel, snippets
from tests.mirror import SpawnedMirror
from tests.transfer.conftest import STUDY, enter, fetch, mirror, pick, served, state, until  # noqa: F401
from tests.widgets.conftest import Browser

RIDER = {"op": "in", "column": "collection_id", "values": ["rider_pilot"]}


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Iterator[idc.DownloadPanel]:
    monkeypatch.setattr(kernel, "asset", lambda name: "export default {}")
    found = idc.DownloadPanel()
    yield found
    found.close()


@pytest.fixture
def browser(panel: idc.DownloadPanel, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(panel, monkeypatch)


def test_every_panel_follows_every_job(
    panel: idc.DownloadPanel, fetch: Callable[..., Job], mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = idc.DownloadPanel()
    sent: list[tuple[float, dict[str, Any]]] = []
    monkeypatch.setattr(
        panel, "send_state", lambda key=None: sent.append((time.monotonic(), dict(panel._trait_values)))
    )
    mirror.set(rate_mb=2)
    job = fetch(pick(STUDY))
    until(lambda: panel._jobs and panel._jobs[0]["kind"] == "downloading")
    assert panel._jobs[0]["path"] == str(job.path) and panel._jobs[0]["workers"] == 64
    until(lambda: panel._past and other._past)
    assert panel._past == other._past
    assert (panel._past[0]["kind"], panel._jobs, panel._ended) == ("complete", [], 1)
    done = [jobs[0]["bytes_done"] for _, traits in sent if (jobs := traits["_jobs"] or traits["_past"])]
    assert done == sorted(done) and len(set(done)) >= 3
    spans = [after - before for (before, _), (after, _) in zip(sent, sent[10:], strict=False)]
    assert min(spans, default=1) >= 0.95, "more than ten messages a second"
    assert all(traits["_jobs"] or traits["_past"] for _, traits in sent[1:]), "between two lists a job was in none"
    other.close()


def test_what_is_asked_of_a_job(
    browser: Browser, panel: idc.DownloadPanel, fetch: Callable[..., Job], mirror: SpawnedMirror
) -> None:
    mirror.set(rate_mb=0.4)
    job = fetch(pick(STUDY), workers=2)
    until(lambda: panel._jobs and panel._jobs[0]["kind"] == "downloading")
    page = browser.get(op="series", job=job.id, offset=1, limit=2, state=None)
    assert [row["SeriesInstanceUID"] for row in page["rows"]] == job.series_uids()[1:3]
    assert sum(page["counts"].values()) == 3
    assert page["rows"][0]["path"].endswith(page["rows"][0]["below"])
    browser.get(op="workers", job=job.id, workers=5)
    assert job.workers == 5
    browser.get(op="next", job=job.id, series=job.series_uids()[-1])
    browser.get(op="pause", job=job.id)
    assert job.state == "paused"
    until(lambda: panel._jobs[0]["state"] == "paused")
    browser.get(op="resume", job=job.id)
    until(lambda: panel._jobs[0]["state"] == "running")
    browser.get(op="cancel", job=job.id, keep=False)
    until(lambda: panel._ended == 1)
    assert panel._past[0]["kind"] == "cancelled" and not list(job.path.rglob("*.dcm"))
    browser.get(op="away", jobs=[job.id])
    until(lambda: panel._ended == 0)
    assert panel._past == [] and job in idc.jobs()
    for message, says in (
        ({"op": "pause", "job": "gone"}, "no download gone"),
        ({"op": "workers", "job": job.id, "workers": 0}, "no download"),
    ):
        reply = browser.ask(**message)
        assert not reply["ok"] and says in reply["error"]


def test_failures_have_their_reasons(
    browser: Browser, panel: idc.DownloadPanel, fetch: Callable[..., Job], mirror: SpawnedMirror
) -> None:
    item = pick(STUDY)[0]
    mirror.faults.add("status", status=404, match=f"{item.crdc_series_uuid}/*", times=1)
    job = fetch(pick(STUDY))
    until(lambda: panel._ended == 1)
    assert (panel._past[0]["kind"], panel._past[0]["failed"]) == ("incomplete", 1)
    page = browser.get(op="series", job=job.id, offset=0, limit=10, state="failed")
    assert [row["SeriesInstanceUID"] for row in page["rows"]] == [item.series_uid]
    found = browser.get(op="failures", job=job.id, series=item.series_uid)
    assert len(found["failures"]) == 1 and "404" in found["failures"][0]["reason"]
    browser.get(op="retry", job=job.id)
    until(lambda: panel._past and panel._past[0]["kind"] == "complete")


def test_thousands_of_jobs_are_sent_by_the_page(browser: Browser, panel: idc.DownloadPanel, tmp_path: Path) -> None:
    ids = [f"job{n:04}" for n in range(2000)]
    enter(tmp_path / "data", ids)
    panel.refresh()
    assert panel._ended == 2000
    assert [job["id"] for job in panel._past] == ids[:-21:-1]
    older = browser.get(op="history", offset=20, limit=50)
    assert [job["id"] for job in older] == ids[-21:-71:-1]
    assert len(browser.get(op="history", offset=0, limit=2000)) == 200
    began = time.perf_counter()
    for _ in range(10):
        panel.refresh()
    assert (time.perf_counter() - began) / 10 < 0.1
    browser.get(op="away", jobs=[])
    until(lambda: panel._ended == 0)


def test_code_for_what_came_runs(
    browser: Browser, panel: idc.DownloadPanel, fetch: Callable[..., Job], tmp_path: Path
) -> None:
    items = pick(STUDY)
    job = fetch(items, tmp_path / 'it\'s a "folder"')
    assert job.wait(30)
    panel.refresh()
    ways = {way["label"]: way["text"] for way in browser.get(op="code", job=job.id)}
    assert list(ways) == ["pydicom", "SimpleITK", "MONAI", "Command line"]
    done = subprocess.run([sys.executable, "-c", ways["pydicom"]], capture_output=True, text=True, check=True)
    assert "40 files in 3 series" in done.stdout
    uids = {pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID for path in job.path.rglob("*.dcm")}
    assert uids == {item.series_uid for item in items}
    for text in (ways["SimpleITK"], ways["MONAI"]):
        compile(text, "snippet", "exec")
        assert repr(str(job.path)) in text
    for uid in job.series_uids():
        assert f"--where SeriesInstanceUID={uid}" in ways["Command line"]
    listed = subprocess.run(
        [sys.executable, "-m", "idc_widgets", "series", job.id], capture_output=True, text=True, check=True
    )
    assert listed.stdout.split() == job.series_uids()


def test_commands_are_quoted_for_their_shell() -> None:
    words = ["idc-widgets", "jobs", "C:\\My data"]
    assert snippets._for_shell(words, windows=True) == 'idc-widgets jobs "C:\\My data"'
    assert snippets._for_shell(["idc-widgets", "jobs", "/it's"], windows=False) == """idc-widgets jobs '/it'"'"'s'"""


def test_plans_know_of_downloads_under_way(
    catalog: idc.Catalog,
    fetch: Callable[..., Job],
    mirror: SpawnedMirror,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel, "asset", lambda name: "export default {}")
    explorer = idc.Explorer(catalog=catalog, destination=tmp_path / "data")
    browser = Browser(explorer, monkeypatch)
    items = pick(STUDY)

    def plan(*uids: str) -> dict[str, Any]:
        base = [{"op": "in", "column": "SeriesInstanceUID", "values": list(uids)}]
        ticks = {"base": base, "minus": [], "plus": []}
        found: dict[str, Any] = browser.get(op="plan", ticks=ticks, destination=str(tmp_path / "data"))
        return found

    uids = [item.series_uid for item in items]
    assert plan(*uids)["under_way"] == []
    mirror.set(rate_mb=0.2)
    job = fetch(items[:2])
    assert plan(*uids)["under_way"] == [{"job": job.id, "series": 2, "alone": True}]
    assert plan(uids[0])["under_way"] == [{"job": job.id, "series": 1, "alone": False}]
    assert plan(uids[2])["under_way"] == []
    job.pause()
    assert plan(*uids)["under_way"] == [{"job": job.id, "series": 2, "alone": True}]
    mirror.set()
    job.resume()
    assert job.wait(30), job.failures()
    after = plan(*uids)
    assert (after["under_way"], after["series_present"]) == ([], 2)
    explorer.close()


def test_plans_come_from_a_thread_of_their_own(
    catalog: idc.Catalog, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "asset", lambda name: "export default {}")
    explorer = idc.Explorer(catalog=catalog, destination=tmp_path / "data")
    browser = Browser(explorer, monkeypatch)
    ticks = {"base": [RIDER], "minus": [], "plus": []}
    truth = catalog.cohort(collection_id="rider_pilot").download(tmp_path / "data", dry_run=True)
    plan = browser.get(op="plan", ticks=ticks, destination=str(tmp_path / "data"))
    assert (plan["series"], plan["need"], plan["series_present"]) == (truth.series, truth.bytes, 0)
    assert sum(entry["series"] for entry in plan["licences"]) == truth.series
    headings = {heading for heading, _ in plan["lines"]}
    assert headings >= {"Destination", "To fetch", "Free space", "Too long for Windows" if truth.too_long else "Paths"}
    assert not plan["warnings"]
    # A slow one holds up nothing that is asked after it.
    real = idc.Cohort.download
    monkeypatch.setattr(idc.Cohort, "download", lambda *a, **k: (time.sleep(1), real(*a, **k))[1])
    browser.widget._handle_custom_msg({"id": "slow", "op": "plan", "ticks": ticks, "destination": str(tmp_path)}, [])
    browser.widget._handle_custom_msg({"id": "quick", "op": "totals", "where": [RIDER]}, [])
    assert browser.replies[-1]["id"] == "quick"
    until(lambda: browser.replies[-1]["id"] == "slow")
    assert browser.replies[-1]["ok"]
    explorer.close()
