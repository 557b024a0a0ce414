"""How much a download fetches, and how fast: measured where the bytes come from."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Job, TransferError, jobs, parse_bytes, parse_rate
from idc_widgets.transfer.limits import Budget, Throttle
from tests.mirror import SpawnedMirror

from .conftest import LARGE, SERIES_307, STUDY, pick, refetched, tree, until, whole_truth
from .test_control import kill_worker, transports

Fetch = Callable[..., Job]
ITEMS = pick(STUDY)
TOTAL = sum(item.bytes for item in ITEMS)


def files_sent(mirror: SpawnedMirror) -> int:
    """Return the bytes of files that the mirror sent, some of a listing's pages among them."""
    sent: int = mirror.requests()["bytes"]
    return sent


def settled(job: Job) -> str:
    until(lambda: job.state in ("paused", "complete", "failed"), 60)
    return job.state


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5 GB", 5 * 10**9), ("500MB", 500 * 10**6), ("1.5 TiB", 1.5 * 2**40), (1234, 1234), (5e9, 5 * 10**9),
        ("12", 12), (" 2 kB ", 2000), ("2KB", 2000), ("3kib", 3 * 2**10), ("0.5 mb", 500_000), (".5MB", 500_000),
        ("7 bytes", 7), ("1 PB", 10**15), ("5G", 5 * 10**9),
    ],
)  # fmt: skip
def test_sizes_that_are_read(text: object, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    [0, -1, 0.5, True, None, "", "0", "-5 GB", "5 QB", "GB", "5 GB/s", "1e9", "5,000", "5 Gb", "nan", float("nan"),
     float("inf"), "10000 PB", 2**63, [], b"5"],
)  # fmt: skip
def test_what_is_no_size_is_told(text: object) -> None:
    with pytest.raises(TransferError, match="max_bytes="):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("20 MB/s", 20 * 10**6), ("20MB", 20 * 10**6), ("1.5 MiB/s", 1.5 * 2**20), (5000, 5000),
        ("100 Mbit/s", 12_500_000), ("100 Mbps", 12_500_000), ("10 MBps", 10**7), ("8 kbit/s", 1000),
        ("2 MB / sec", 2 * 10**6),
    ],
)  # fmt: skip
def test_rates_that_are_read(text: object, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", [0, 1, "1 B/s", "999", "20 Mb/s", "20 mb/s", "20 MB/h", "fast", True, -5, "5 b/s"])
def test_what_is_no_rate_is_told(text: object) -> None:
    with pytest.raises(TransferError, match="bandwidth="):
        parse_rate(text)


def test_a_wrong_limit_starts_nothing(fetch: Fetch, tmp_path: Path) -> None:
    for options in ({"max_bytes": "much"}, {"bandwidth": "20 Mb/s"}, {"max_bytes": 0}, {"bandwidth": 0}):
        with pytest.raises(TransferError, match=next(iter(options))):
            fetch(ITEMS, **options)
    assert not (tmp_path / "data").exists()


# -- bytes


@pytest.mark.parametrize("share", [0.3, 0.5, 0.99])
def test_never_more_than_the_limit_and_what_is_left_is_resumed(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, share: float
) -> None:
    limit = int(TOTAL * share)
    job = fetch(ITEMS, max_bytes=limit)
    assert job.wait(30) is False  # and at once: nothing happens by itself any more
    assert job.state == "paused" and job.error is None and job.max_bytes == limit
    listings = 40 * 500
    biggest = max(entry.size for item in ITEMS for entry in mirror.truth(item.crdc_series_uuid))
    assert limit - biggest < job.progress.bytes_done <= limit
    assert job.progress.bytes_done <= files_sent(mirror) <= limit + listings
    status = job.status
    assert status.kind == "paused" and "limit of" in str(status) and "resume" in str(status) and status.reason
    assert len(tree(tmp_path / "data")) < 40
    (seen,) = jobs(tmp_path / "data")
    seen.resume()
    assert job.wait(30), job.failures()
    assert job.max_bytes is None and not refetched(mirror)
    assert tree(tmp_path / "data") == whole_truth(mirror, ITEMS)


def test_a_limit_of_exactly_the_size_is_enough(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(ITEMS, max_bytes=TOTAL)
    assert job.wait(30), job.status
    assert tree(tmp_path / "data") == whole_truth(mirror, ITEMS)


def test_a_limit_below_the_smallest_file_fetches_nothing(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(ITEMS, max_bytes="1 kB")
    assert not job.wait(30)
    assert job.state == "paused" and "limit of 1 kB reached: 0 bytes fetched" in str(job.status)
    assert not any("dcm" in key for key in mirror.requests()["keys"].get("GET", {}))
    job.resume(max_bytes="2 kB")
    assert not job.wait(30) and "limit of 2 kB" in str(job.status)
    job.retry()  # tries what failed, and keeps the limit
    assert not job.wait(30) and job.state == "paused"
    assert not any("dcm" in key for key in mirror.requests()["keys"].get("GET", {}))


def test_a_large_series_does_not_keep_smaller_ones_from_coming(fetch: Fetch, mirror: SpawnedMirror) -> None:
    large = pick(LARGE)[:1]
    job = fetch(large + ITEMS, max_bytes=TOTAL + 1000)
    assert not job.wait(30)
    assert job.state == "paused" and job.progress.series_done == 3 and job.progress.bytes_done == TOTAL


def test_resume_in_another_process_with_another_limit(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(ITEMS, max_bytes=TOTAL // 3)
    assert settled(job) == "paused"
    first = job.progress.bytes_done
    code = (
        "import sys; from idc_widgets import jobs; (job,) = jobs(sys.argv[1]); job.resume(max_bytes=int(sys.argv[2]));"
        "assert job.wait(30) is False and job.state == 'paused', job.status"
    )
    mirror.reset_counts()
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "data"), str(TOTAL // 3)], check=True, timeout=60)
    assert first < job.progress.bytes_done <= first + TOTAL // 3
    assert files_sent(mirror) <= TOTAL // 3 + 40 * 500


def test_a_pause_and_a_kill_keep_what_is_left_of_the_limit(fetch: Fetch, mirror: SpawnedMirror) -> None:
    """What arrives in the last moment before a kill, a fifth of a second, is not counted."""
    items, total = pick(SERIES_307), sum(item.bytes for item in pick(SERIES_307))
    mirror.set(rate_mb=3)
    job = fetch(items, max_bytes=total // 2, workers=4)
    until(lambda: job.progress.files_done > 30)
    job.pause()
    assert job.state == "paused" and job.status.reason is None
    job.resume()
    until(lambda: job.progress.files_done > 70)
    kill_worker(job)
    until(lambda: job.state == "failed")
    job.resume()
    mirror.set()
    assert settled(job) == "paused" and "limit" in str(job.status)
    assert job.max_bytes == total // 2
    assert files_sent(mirror) <= total // 2 + 1_500_000


def test_a_limit_cannot_be_changed_under_a_running_job(fetch: Fetch, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=1)
    job = fetch(ITEMS)
    with pytest.raises(TransferError, match="pause it"):
        job.resume(max_bytes="5 GB")


def test_more_series_for_a_job_with_a_limit(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    small, other = sorted(ITEMS, key=lambda item: item.bytes)[:2]
    job = fetch((small,), max_bytes=small.bytes + 100)
    assert job.wait(30)
    assert job.add([other]) == 1
    assert settled(job) == "paused" and job.progress.series_done == 1
    rest = tuple(item for item in ITEMS if item not in (small, other))
    assert job.add(rest) == 1 and job.state == "paused"
    job.resume()
    assert job.wait(30)
    assert tree(tmp_path / "data") == whole_truth(mirror, ITEMS)


@pytest.mark.parametrize("kind", ["status", "reset", "truncate", "short", "flip", "hang"])
def test_what_has_to_come_again_counts_again(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_STALL_SECONDS", "1")
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "4")
    mirror.faults.add(kind, match="*.dcm", probability=0.3, times=15, at=0.7)
    limit = int(TOTAL * 0.8)
    job = fetch(ITEMS, max_bytes=limit, bandwidth="8 MB/s")
    assert settled(job) == "paused"
    assert files_sent(mirror) <= limit + 40 * 500 + 15 * 500  # and the errors' own texts
    mirror.faults.clear()
    job.resume()
    assert job.wait(40), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, ITEMS)


def test_a_budget_is_kept() -> None:
    budget = Budget(100, spent=20)
    one, two = budget.allow(50), budget.allow(30)
    assert one is not None and two is not None and budget.allow(1) is None and budget.left == 0
    one.spend(50)
    one.refund(10)
    assert (budget.spent, budget.left) == (60, 0)
    assert not one.again(1)
    two.close()
    assert budget.left == 30 and one.again(20) and not one.again(20) and budget.left == 10
    assert Budget(None).allow(2**62) is not None and Budget(None).left is None


# -- bandwidth


def rate_seen(mirror: SpawnedMirror, seconds: float) -> float:
    before, began = files_sent(mirror), time.monotonic()
    time.sleep(seconds)
    return (files_sent(mirror) - before) / (time.monotonic() - began)


@pytest.mark.parametrize("where", [SERIES_307, LARGE])
def test_the_rate_holds(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, where: str) -> None:
    items = pick(where)[:1]
    rate = items[0].bytes / 8
    job = fetch(items, bandwidth=int(rate))
    until(lambda: job.progress.bytes_done + job.progress.bytes_in_flight > rate / 2)
    assert 0.85 * rate < rate_seen(mirror, 5) < 1.15 * rate
    speed = job.progress.speed
    assert speed is not None and 0.7 * rate < speed < 1.3 * rate
    assert not transports(tmp_path)  # s5cmd keeps no rate
    before = time.monotonic()
    job.cancel()
    assert time.monotonic() - before < 0.5 and job.state == "cancelled"
    assert list((tmp_path / "data").iterdir()) == []


def test_a_slow_download_is_paused_resumed_and_killed(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(STUDY)
    job = fetch(items, bandwidth="2 MB/s")
    until(lambda: job.progress.files_done > 3)
    before = time.monotonic()
    job.pause()
    assert time.monotonic() - before < 0.5 and job.state == "paused"
    sent = files_sent(mirror)
    assert rate_seen(mirror, 0.5) == 0 and files_sent(mirror) == sent
    job.resume()
    until(lambda: job.progress.files_done > 12)
    kill_worker(job)
    until(lambda: job.state == "failed")
    until(lambda: mirror.requests()["active"] == 0)
    job.resume()
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_the_rate_is_changed_while_it_runs(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=4)
    items = pick(SERIES_307)
    job = fetch(items)
    until(lambda: job.progress.files_done > 20)
    job.set_bandwidth("500 kB/s")
    assert job.bandwidth == 500_000
    until(lambda: not transports(tmp_path))
    mirror.set()
    until(lambda: mirror.requests()["active"] == 0)
    assert 0.8 * 500_000 < rate_seen(mirror, 4) < 1.2 * 500_000
    job.set_bandwidth(None)
    assert job.wait(20), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_a_crawl_ends_at_once(fetch: Fetch, mirror: SpawnedMirror) -> None:
    job = fetch(ITEMS, bandwidth=1000)
    until(lambda: job.progress.bytes_in_flight > 0)
    assert job.status.kind == "downloading"
    before = time.monotonic()
    job.cancel()
    assert time.monotonic() - before < 0.5


def test_an_absurd_rate_is_no_limit(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(ITEMS, bandwidth=2**62)
    assert job.wait(20)
    assert tree(tmp_path / "data") == whole_truth(mirror, ITEMS)


def test_a_throttle_forgets_what_was_waited_for_at_another_rate() -> None:
    throttle = Throttle(1000)
    assert throttle.wait(100_000, lambda: False)  # the next would wait for 100 s
    throttle.set(10**9)
    began = time.monotonic()
    assert throttle.wait(1000, lambda: False) and time.monotonic() - began < 1
    throttle.set(1000)
    assert throttle.wait(100_000, lambda: False)
    assert not throttle.wait(1000, lambda: time.monotonic() > began + 0.3)


def test_no_handle_is_left_open(fetch: Fetch, mirror: SpawnedMirror) -> None:
    code = (
        "import sys; from idc_widgets.transfer import jobs\n"
        "(job,) = jobs(sys.argv[1]); job.set_bandwidth('5 MB/s'); job.max_bytes; job.resume(max_bytes='1 GB');"
        "job.wait(30)"
    )
    job = fetch(ITEMS, max_bytes="1 MB")
    assert settled(job) == "paused"
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", code, str(job.path)],
        capture_output=True, text=True, timeout=60, env=os.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == "" and job.state == "complete"
