from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from idc_widgets.transfer import Job, TransferError, jobs
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path
from tests.mirror import SpawnedMirror

from .conftest import SERIES_307, SERIES_1550, STUDY, gets, pick, refetched, tree, until, whole_truth

Fetch = Callable[..., Job]


def transports(folder: Path) -> list[psutil.Process]:
    """Return the s5cmd processes at work in a destination."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name().startswith("s5cmd") and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except psutil.Error:
            continue
    return found


def worker_of(job: Job) -> int:
    row = Journal.of(journal_path(job.path)).job(job.id)
    assert isinstance(row["pid"], int)
    return row["pid"]


def kill_worker(job: Job) -> None:
    until(lambda: Journal.of(journal_path(job.path)).job(job.id)["pid"])
    os.kill(worker_of(job), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)


def test_cancel_stops_within_half_a_second_and_tidies_up(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 10)
    before = time.monotonic()
    job.cancel()
    assert time.monotonic() - before < 0.5
    assert job.state == "cancelled"
    assert not transports(tmp_path)
    assert list((tmp_path / "data").iterdir()) == []
    with pytest.raises(TransferError, match="was cancelled"):
        job.resume()


@pytest.mark.parametrize("keep", [True, False])
def test_cancel_keeps_or_removes_what_is_complete(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, keep: bool
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/mine.txt").write_text("stays")
    largest = max(pick(STUDY), key=lambda item: item.bytes)
    mirror.faults.add("hang", match=f"{largest.crdc_series_uuid}/*")
    job = fetch(pick(STUDY))
    until(lambda: job.progress.series_done == 2)
    job.cancel(keep=keep)
    assert job.state == "cancelled" and not job.wait(0)
    left = tree(tmp_path / "data")
    assert left.pop("mine.txt") == b"stays"
    if keep:
        others = tuple(item for item in pick(STUDY) if item is not largest)
        assert left == whole_truth(mirror, others)
    else:
        assert left == {} and not (tmp_path / "data/ispy1").exists()


def test_pause_and_resume_fetch_nothing_twice(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=8)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 50)
    job.pause()
    assert job.state == "paused" and not transports(tmp_path)
    assert tree(tmp_path / "data") == {}
    done = job.progress.files_done
    assert 50 < done < 307
    mirror.set()
    job.resume()
    assert job.wait(30)
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(SERIES_307))
    assert len(refetched(mirror)) <= 64  # what was in flight
    assert mirror.requests()["LIST"] <= 3


def test_a_job_paused_before_its_worker_begins_stays_paused(fetch: Fetch, mirror: SpawnedMirror) -> None:
    job = fetch(pick(STUDY))
    job.pause()
    assert job.state in ("paused", "complete")
    job.resume()
    assert job.wait(30)


def test_killed_worker_is_noticed_and_resume_goes_on(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=12)
    items = pick(SERIES_1550)
    job = fetch(items)
    until(lambda: job.progress.files_done > 600)
    kill_worker(job)
    until(lambda: not transports(tmp_path), 3)
    assert tree(tmp_path / "data") == {}
    assert job.wait(20) is False
    assert job.state == "failed" and "ended unexpectedly" in str(job.error)
    done = job.progress.files_done
    mirror.set()
    (seen,) = jobs(tmp_path / "data")  # as another kernel would find it
    seen.resume()
    assert job.wait(30), job.error
    assert job.progress.files_done == 1550 > done
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
    assert len(refetched(mirror)) <= 64  # those in flight, and no file that was complete


def test_retry_while_the_job_goes_on(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    largest = max(pick(STUDY), key=lambda item: item.bytes)
    other = next(item for item in pick(STUDY) if item is not largest)
    mirror.faults.add("status", status=403, match=f"{other.crdc_series_uuid}/*")
    mirror.faults.add("slow", match=f"{largest.crdc_series_uuid}/*", rate=50_000)
    job = fetch(pick(STUDY))
    until(lambda: job.progress.failed)
    mirror.faults.clear()
    job.retry()
    until(lambda: job.progress.failed == 0 and job.progress.series_done == 2)
    assert job.state == "running"
    assert job.wait(30)
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))


def test_a_dead_job_can_be_paused_and_cancelled(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 5)
    kill_worker(job)
    until(lambda: job.state == "failed")
    job.pause()
    assert job.state == "paused"
    job.cancel()
    assert job.state == "cancelled"
    assert not (tmp_path / "data/.idc_widgets/staging").exists()


def test_killed_s5cmd_is_replaced(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=8)
    items = pick(SERIES_307)
    job = fetch(items)
    until(lambda: job.progress.files_done > 30)
    for process in transports(tmp_path):
        process.kill()
    mirror.set()
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_s5cmd_killed_while_it_lists_makes_no_partial_listing(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    """The second page of the list hangs: one page is known when the process dies."""
    mirror.faults.add("delay", operation="LIST", after=1, times=1, seconds=3)
    items = pick(SERIES_1550)
    job = fetch(items)
    until(lambda: mirror.requests()["LIST"] == 2)
    (lister,) = transports(tmp_path)
    lister.kill()
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_terminated_worker_leaves_a_paused_job(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 5)
    os.kill(worker_of(job), signal.SIGTERM)
    until(lambda: job.state == "paused")
    assert not transports(tmp_path)


def test_only_one_worker_takes_a_job(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, state: Path) -> None:
    from idc_widgets.transfer.spawn import spawn_worker

    job = fetch(pick(SERIES_307))
    spawn_worker(journal_path(job.path), job.id)
    assert job.wait(30)
    assert not refetched(mirror)


def test_a_large_resume_does_not_need_thousands_of_patterns(tmp_path: Path) -> None:
    from idc_widgets.transfer.series import Object, Series

    names = [f"{n:08x}-0000.dcm" for n in range(0, 2**32, 2**32 // 6000)]
    have = set(names[::2])
    objects = [Object(name, 1, "", "verified" if name in have else "pending") for name in names]
    row = {"n": 0, "uid": "1.2", "uuid": "u", "study": "", "bucket": "b", "path": "p"}
    series = Series(row, objects, tmp_path, tmp_path)
    commands = series.commands()
    assert all(command.count("clude") <= 1000 for command in commands)
    for name in names:  # each object that is wanted is fetched by one command, the others by none
        takers = 0
        for command in commands:
            prefix = command.split("s3://b/u/")[1].split("*")[0]
            if name.startswith(prefix):
                takers += f"--exclude u/{name}" not in command and (  # keys, since the wildcard ends part of a name
                    "--include" not in command or f"--include u/{name}" in command
                )
        assert takers == (name not in have)


def test_includes_and_excludes_cost_no_extra_requests(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    """1,300 files there and 250 missing: too many to exclude, so the missing ones are named."""
    items = pick(SERIES_1550)
    assert fetch(items).wait(30)
    files = sorted((tmp_path / "data").rglob("*.dcm"))
    for path in files[::6]:
        path.unlink()
    mirror.reset_counts()
    assert fetch(items).wait(30)
    assert gets(mirror) == len(files[::6]) and mirror.requests()["HEAD"] == 0
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


@pytest.mark.skipif(sys.platform == "win32", reason="there the job object does it")
def test_child_dies_with_its_parent() -> None:
    script = (
        "import sys; from idc_widgets.transfer.lifeline import tie_to_parent, _shell_watchdog\n"
        "import subprocess, time\n"
        "if sys.argv[1] == 'own': child = tie_to_parent(['sleep', '60'])[0]\n"
        "else:\n"
        "    child = subprocess.Popen(['sleep', '60'], start_new_session=True); _shell_watchdog(child.pid)\n"
        "print(child.pid, flush=True); time.sleep(60)\n"
    )
    for kind in ("own", "watchdog"):
        parent = subprocess.Popen(
            [sys.executable, "-c", script, kind], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        parent.stdout.close()
        until(lambda child=child: not _alive(child), 5)


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
