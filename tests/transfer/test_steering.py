"""What can be changed while a job runs, and what it says of itself meanwhile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idc_widgets.transfer import Job, TransferError, jobs, turns
from tests.mirror import SpawnedMirror

from .conftest import LARGE, SERIES_307, STUDY, pick, refetched, tree, until, whole_truth
from .test_campaign import KERNEL, values_of
from .test_control import kill_worker, transports

Fetch = Callable[..., Job]


def test_another_number_of_workers_at_once(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(delay_ms=150)
    job = fetch(pick(SERIES_307), workers=64)
    until(lambda: mirror.requests()["active"] > 32)
    began = time.monotonic()
    job.set_workers(3)
    assert time.monotonic() - began < 0.5 and job.workers == 3
    until(lambda: mirror.requests()["active"] <= 3, 2)
    for _ in range(10):
        assert mirror.requests()["active"] <= 3
        time.sleep(0.02)
    job.set_workers(40)
    until(lambda: mirror.requests()["active"] > 20)
    mirror.set()
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(SERIES_307))
    assert len(refetched(mirror)) <= 64 + 3
    with pytest.raises(TransferError, match="whole number from 1 to 512"):
        job.set_workers(0)


def test_a_series_that_is_to_come_next(fetch: Fetch, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=3)
    items = pick("collection_id = 'cmb_lca' AND instanceCount < 5 AND series_size_MB BETWEEN 0.2 AND 0.6")[:30]
    last = items[-1].series_uid
    job = fetch(items, workers=1)
    until(lambda: job.progress.series_done > 1)
    began = time.monotonic()
    job.prioritize(last)
    assert time.monotonic() - began < 0.5
    until(lambda: job.series(29, 1)[0]["state"] == "complete")
    assert job.progress.series_done < 20
    with pytest.raises(TransferError, match=r"no series '1\.2\.3'"):
        job.prioritize("1.2.3")
    job.pause()
    job.prioritize(items[-2].series_uid, items[-3].series_uid)  # kept for when it goes on
    job.resume()
    until(lambda: job.series(28, 1)[0]["state"] == "complete" and job.series(27, 1)[0]["state"] == "complete")
    assert job.progress.series_done < 30
    mirror.set()
    assert job.wait(30)


@pytest.mark.parametrize("when", ["running", "paused", "complete", "dead"])
def test_series_are_added(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, when: str) -> None:
    more = pick(SERIES_307)
    job = fetch(pick(STUDY)[:1])
    if when == "complete":
        assert job.wait(30)
    elif when == "paused":
        job.pause()
    elif when == "dead":
        mirror.set(rate_mb=0.2)
        kill_worker(job)
        until(lambda: job.state == "failed")
        mirror.set()
    assert job.add((*pick(STUDY), *more)) == 3
    assert (job.progress.series_total, job.progress.files_total) == (4, 347)
    if when == "paused" and job.state == "paused":
        job.resume()
    assert job.wait(30), job.error
    assert tree(tmp_path / "data") == whole_truth(mirror, (*pick(STUDY), *more))
    assert job.progress.bytes_done == job.progress.bytes_total == sum(i.bytes for i in (*pick(STUDY), *more))
    assert job.add(more) == 0


def test_series_in_pages(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(STUDY)
    bad = items[1]
    mirror.faults.add("status", status=403, match=f"{bad.crdc_series_uuid}/*")
    job = fetch(items)
    assert not job.wait(30)
    rows = job.series()
    assert [row["SeriesInstanceUID"] for row in rows] == [item.series_uid for item in items]
    assert [row["state"] for row in rows] == ["complete", "failed", "complete"]
    assert [row["bytes_done"] for row in rows] == [items[0].bytes, 0, items[2].bytes]
    assert "403" in rows[1]["reason"] and rows[0]["path"].is_dir()
    assert job.series(1, 1) == [rows[1]] == job.series(state="failed")
    assert job.series_counts() == {"queued": 0, "active": 0, "complete": 2, "failed": 1}
    assert job.status.kind == "incomplete" and str(job.status) == f"complete with {bad.files} failures"
    with pytest.raises(TransferError, match="'queued', 'active', 'complete', 'failed'"):
        job.series(state="done")  # type: ignore[arg-type]


def test_a_series_at_work_says_how_far_it_is(fetch: Fetch, mirror: SpawnedMirror) -> None:
    mirror.faults.add("slow", rate=200_000, match="*.dcm")
    mirror.set(rate_mb=4)
    job = fetch(pick(SERIES_307))
    until(lambda: job.series(state="active") and job.series()[0]["files_done"] > 3)
    (row,) = job.series(state="active")
    assert row["state"] == "downloading" and 0 < row["bytes_done"] < row["bytes"]
    assert row["retry_in"] is None
    until(lambda: job.series()[0]["bytes_in_flight"] > 0)
    assert job.status.kind == "downloading" and str(job.status) == "downloading"
    job.pause()
    (row,) = job.series()
    assert row["state"] == "queued" and row["bytes_in_flight"] == 0 and str(job.status) == "paused"


def test_files_of_a_series_say_how_far_they_are(fetch: Fetch, mirror: SpawnedMirror) -> None:
    items = (*pick(SERIES_307), *pick(LARGE)[:1])
    small, large = (item.series_uid for item in items)
    mirror.set(rate_mb=6)
    job = fetch(items)
    until(lambda: any(file["state"] == "verified" for file in job.files(small)))
    until(lambda: any(file["state"] == "downloading" for file in job.files(small)))
    until(lambda: any(file["bytes_in_flight"] > 4_000_000 for file in job.files(large)))
    (part,) = job.files(large)
    assert (part["state"], part["bytes"], part["verified_by"]) == ("downloading", items[1].bytes, None)
    assert part["path"].suffix == ".dcm" and not part["path"].exists()
    job.pause()
    (paused,) = job.files(large)
    assert paused["state"] == "pending" and part["bytes_in_flight"] <= paused["bytes_in_flight"] < items[1].bytes
    lost = next(file for file in job.files(small) if file["state"] == "pending")
    mirror.faults.add("status", status=403, match=f"*{lost['path'].name}")
    mirror.set()
    job.resume()
    assert not job.wait(40)
    states = [file["state"] for file in job.files()]
    assert (len(states), states.count("verified"), states.count("failed")) == (308, 307, 1)
    assert [file["reason"] for file in job.files(small) if file["state"] == "failed"] == [
        "the server refuses access (403)"
    ]
    with pytest.raises(TransferError, match=r"no series '1\.2\.3'"):
        job.files("1.2.3")


def test_waiting_to_retry_says_how_long_and_why(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "9")
    mirror.faults.add("status", status=503, match="*.dcm")
    job = fetch(pick(STUDY)[:1])
    until(lambda: job.status.kind == "retrying" and (job.status.seconds or 0) > 0.2, 60)
    status = job.status
    assert "SlowDown" in str(status.reason) and str(status).startswith("waiting to retry in ")
    (row,) = job.series(state="active")
    assert row["state"] == "retrying" and "SlowDown" in row["reason"] and row["retry_in"] > 0
    mirror.faults.clear()
    assert job.wait(30)
    assert str(job.status) == "complete"


def test_a_listing_that_is_refused_for_now_waits_too(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "9")
    mirror.faults.add("status", status=503, operation="LIST")
    job = fetch(pick(STUDY))
    until(lambda: job.status.kind == "retrying" and "SlowDown" in str(job.status), 60)
    mirror.faults.clear()
    assert job.wait(30)


def test_stalled_is_told(fetch: Fetch, mirror: SpawnedMirror) -> None:
    mirror.faults.add("hang", match="*.dcm")
    job = fetch(pick(STUDY))
    until(lambda: job.status.kind == "stalled", 20)
    assert "no byte for" in str(job.status) and "60 s" in str(job.status)
    job.cancel()
    assert str(job.status) == "cancelled"


def test_no_more_jobs_at_once_than_set(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_JOBS", "1")
    mirror.faults.add("hang", match="*.dcm")
    first = fetch(pick(STUDY))
    until(lambda: transports(tmp_path / "data"))
    second = fetch(pick(SERIES_307), tmp_path / "other")
    third = fetch(pick(STUDY), tmp_path / "third")
    until(lambda: "1 other downloads" in str(second.status) and second.state == "queued")
    third.pause()
    assert third.state == "paused" and not transports(tmp_path / "other")
    mirror.faults.clear()
    first.cancel()
    assert second.wait(30)
    third.resume()
    assert third.wait(30)


def test_jobs_begin_in_the_order_they_were_asked_for(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_JOBS", "1")
    mirror.faults.add("hang", match="*.dcm")
    first = fetch(pick(STUDY))
    others = [fetch(pick(STUDY), tmp_path / f"other{n}") for n in range(6)]
    until(lambda: first.state == "running" and all(job._journal.job(job.id)["pid"] for job in others))
    killed, paused, *rest = others
    kill_worker(killed)
    paused.pause()
    paused.resume()  # to the end of the queue
    mirror.faults.clear()
    mirror.set(delay_ms=30)
    first.cancel()
    ended: list[Job] = []
    order = [*rest, paused]
    until(lambda: ended.extend(j for j in order if j.state == "complete" and j not in ended) or len(ended) == 5, 40)
    assert ended == order
    assert not list((tmp_path / "state" / "queue").iterdir())


def test_a_ticket_without_a_worker_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "journals" / "a.sqlite"
    turns.queue_up(journal, "never")
    turns.queue_up(journal, "other")
    assert turns.take_slot(journal, "other", 1) is None
    monkeypatch.setattr(turns, "_START_PATIENCE", 0.0)
    slot = turns.take_slot(journal, "other", 1)
    assert slot is not None and not list((tmp_path / "queue").iterdir())
    assert turns.take_slot(journal, "third", 1) is None  # its ticket stays
    slot.release()
    assert turns.take_slot(journal, "third", 1) is not None


def test_clock_that_goes_back_does_not_hide_a_death(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.set(rate_mb=2)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 5)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 7200)
    assert job.state == "running"
    kill_worker(job)
    until(lambda: job.state == "failed", 5)
    monkeypatch.undo()


def test_two_kernels_and_a_command_line_at_once(mirror: SpawnedMirror, tmp_path: Path) -> None:
    """Two processes start the same at the same moment, a third one pauses and resumes what it finds."""
    mirror.set(rate_mb=6)
    items = pick(SERIES_307)
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", KERNEL, values_of(items), str(tmp_path / "data"), mirror.endpoint],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    for kernel in kernels:
        assert kernel.stdout is not None and kernel.stdout.readline()
    for _ in range(3):
        for job in jobs(tmp_path / "data"):
            job.pause()
            job.resume()
    mirror.set()
    for kernel in kernels:
        assert kernel.wait(30) == 0 and kernel.stdout is not None
        kernel.stdout.close()
    assert [job.state for job in jobs(tmp_path / "data")] == ["complete", "complete"]
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_series_begin_in_the_order_of_the_job(fetch: Fetch, mirror: SpawnedMirror) -> None:
    """All are listed at once, the first ones slowest."""
    items = pick("collection_id = 'cmb_lca' AND instanceCount < 5 AND series_size_MB BETWEEN 0.2 AND 0.6")[:12]
    for item, seconds in zip(items, (0.12, 0.08, 0.04), strict=False):
        mirror.faults.add("delay", operation="LIST", match=f"{item.crdc_series_uuid}/*", seconds=seconds, times=1)
    mirror.set(rate_mb=3)
    job = fetch(items, workers=1)
    begun: list[str] = []
    until(lambda: _note_begun(job, begun) or job.state == "complete")
    assert begun == [item.series_uid for item in items]


def _note_begun(job: Job, begun: list[str]) -> None:
    for row in job.series():
        if row["state"] != "queued" and row["SeriesInstanceUID"] not in begun:
            begun.append(row["SeriesInstanceUID"])


@pytest.mark.parametrize("value", ["8", 2.5, True, None, -1, 10**6])
def test_a_number_of_workers_that_is_none(fetch: Fetch, mirror: SpawnedMirror, value: Any) -> None:
    job = fetch(pick(STUDY)[:1], workers=5)
    with pytest.raises(TransferError, match="whole number from 1 to 512, such as 16"):
        job.set_workers(value)
    assert job.workers == 5


@pytest.mark.parametrize("value", ["x", None, ["1.2.3"], 5])
def test_what_cannot_be_added(fetch: Fetch, mirror: SpawnedMirror, value: Any) -> None:
    job = fetch(pick(STUDY)[:1])
    with pytest.raises(TransferError, match="give a cohort"):
        job.add(value)
