"""A folder that has seen many jobs: what the journal forgets of them, and that nobody misses it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Board, Job, audit, cleanup, jobs
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path
from tests.mirror import SpawnedMirror

from .conftest import SERIES_307, STUDY, gets, pick, tree, until, whole_truth

Fetch = Callable[..., Job]


def objects(job: Job) -> int:
    row = Journal.of(journal_path(job.path)).one("SELECT COUNT(*) AS rows FROM object WHERE job = ?", (job.id,))
    assert row is not None
    return int(row["rows"])


def age(job: Job) -> None:
    Journal.of(journal_path(job.path)).update_job(job.id, heartbeat=time.time() - cleanup._KEPT_FOR - 1)


def test_what_is_forgotten_is_in_the_receipt(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(pick(STUDY))
    assert job.wait(30)
    files, series = job.files(), job.series()
    age(job)
    later = fetch(pick(SERIES_307))
    assert later.wait(30)
    until(lambda: objects(job) == 0)
    assert objects(later) == 307  # it is new
    assert job.files() == files and job.series() == series and job.progress.files_done == 40
    second = pick(STUDY)[1].series_uid
    assert job.files(second) == [f for f in files if f["SeriesInstanceUID"] == second]
    known = {item.series_uid: item for item in (*pick(STUDY), *pick(SERIES_307))}
    found = audit(job.path, lambda _: known, idc_version=25, endpoint_url=mirror.endpoint)
    assert found.problems == []
    job.retry()
    before = gets(mirror)
    again = fetch(pick(STUDY))
    assert again.wait(30) and gets(mirror) == before
    lost = files[0]["path"]
    lost.unlink()
    assert fetch(pick(STUDY)).wait(30) and gets(mirror) == before + 1 and lost.exists()


def test_a_job_that_goes_on_afterwards_knows_its_files(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    one, *others = pick(STUDY)
    job = fetch((one,))
    assert job.wait(30)
    age(job)
    cleanup.forget_objects(Journal.of(journal_path(job.path)))
    assert objects(job) == 0
    mirror.faults.add("hang", match=f"{others[0].crdc_series_uuid}/*")
    job.add(others)
    until(lambda: job.progress.series_done == 2)
    assert job.progress.files_done == one.files + others[1].files
    job.cancel(keep=False)
    assert job.state == "cancelled" and tree(tmp_path / "data") == {}


@pytest.mark.parametrize("why", ["no receipt", "new", "not complete"])
def test_what_is_not_forgotten(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, why: str) -> None:
    job = fetch(pick(STUDY))
    assert job.wait(30)
    journal = Journal.of(journal_path(job.path))
    if why != "new":
        age(job)
    if why == "no receipt":
        (tmp_path / "data/.idc_widgets/receipt.jsonl").unlink()
    if why == "not complete":
        journal.update_job(job.id, state="failed")
    cleanup.forget_objects(journal)
    assert objects(job) == 40


def test_two_thousand_jobs(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(pick(STUDY))
    assert job.wait(30)
    journal = Journal.of(journal_path(job.path))
    until(lambda: not job._lock().held_elsewhere())
    ids = [f"job{n:05}" for n in range(2000)]
    with journal.transaction() as db:
        for table, key in (("job", "id"), ("series", "job"), ("object", "job")):
            names = [row["name"] for row in db.execute(f"PRAGMA table_info({table})")]
            columns = ", ".join("?1" if name == key else f'"{name}"' for name in names)
            sql = f"INSERT INTO {table} SELECT {columns} FROM {table} WHERE {key} = ?2"
            db.executemany(sql, ((each, job.id) for each in ids))
    began = time.perf_counter()
    again = fetch(pick(STUDY))
    assert again.wait(30)
    until(lambda: not again._lock().held_elsewhere())
    until(lambda: sum(map(objects, jobs(job.path))) <= cleanup._KEPT_JOBS * 40)
    ended = time.perf_counter()
    assert len(jobs(job.path)) == 2002 and objects(again) == 40
    listed = time.perf_counter()
    assert len(Board().look()) == 2002
    shown = time.perf_counter()
    print(f"a download {ended - began:.2f} s, jobs() {listed - ended:.3f} s, a first look {shown - listed:.3f} s")
    assert listed - ended < 1 and shown - listed < 2  # tens of milliseconds, on a machine that is not busy
    oldest = next(each for each in jobs(job.path) if each.id == ids[0])
    assert len(oldest.series()) == 3 and len(oldest.files()) == 40
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))
