"""Objects of many megabytes, which are fetched in blocks."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from idc_widgets.transfer import Job, Progress, blocks, plan
from idc_widgets.transfer.blocks import BLOCK, Draft
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path
from idc_widgets.transfer.series import Object, Series
from idc_widgets.transfer.web import Client
from tests.mirror import Mirror, SpawnedMirror
from tests.mirror import listing as mirror_listing

from .conftest import LARGE, SERIES_307, STUDY, body, pick, tree, until, whole_truth
from .test_control import kill_worker, worker_of

Fetch = Callable[..., Job]


def large() -> tuple[object, ...]:
    return pick(LARGE)[:1]


def key_of(mirror: SpawnedMirror) -> str:
    return mirror.truth(pick(LARGE)[0].crdc_series_uuid)[0].key


def test_arrives_byte_for_byte(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(LARGE)[:1]
    job = fetch(items)
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
    requests = mirror.requests()
    assert requests["HEAD"] == 0 and requests["keys"]["GET"][key_of(mirror)] == -(-items[0].bytes // BLOCK)
    assert not (tmp_path / "data/.idc_widgets/staging").exists()


@pytest.mark.parametrize("how", ["killed", "paused"])
def test_goes_on_where_it_was(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, how: str) -> None:
    items = pick(LARGE)[:1]
    mirror.set(rate_mb=15)
    job = fetch(items, workers=2)
    until(lambda: job.progress.bytes_in_flight > items[0].bytes / 2)
    until(lambda: job.series()[0]["bytes_in_flight"] > items[0].bytes / 3)
    assert job.progress.bytes_done == 0
    if how == "killed":
        kill_worker(job)
        until(lambda: job.state == "failed")
    else:
        job.pause()
        assert job.state == "paused"
    assert plan(items, tmp_path / "data").need < items[0].bytes * 0.7
    mirror.set()
    job.resume()
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
    assert mirror.requests()["bytes"] - items[0].bytes < 2 * BLOCK + 10_000  # those in flight: two connections


def test_cancel_leaves_nothing(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=20)
    job = fetch(large())
    until(lambda: job.progress.bytes_in_flight > 4 * BLOCK)
    job.cancel()
    assert job.state == "cancelled" and list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("kind", ["status", "reset", "truncate", "short", "flip", "hang"])
def test_what_works_the_second_time(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_STALL_SECONDS", "1")
    mirror.faults.add(kind, match=key_of(mirror), times=2, after=3)
    job = fetch(large())
    assert job.wait(40), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(LARGE)[:1])


@pytest.mark.parametrize(("status", "says"), [(403, "403"), (503, "SlowDown")])
def test_what_never_works(fetch: Fetch, mirror: SpawnedMirror, status: int, says: str) -> None:
    mirror.faults.add("status", match=key_of(mirror), status=status)
    job = fetch(large())
    assert not job.wait(40)
    (failure,) = job.failures()
    assert says in failure["reason"]
    mirror.faults.clear()
    job.retry()
    assert job.wait(30)


def test_another_object_than_the_listed_is_refused(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=20)
    job = fetch(large())
    until(lambda: job.progress.bytes_in_flight > 2 * BLOCK)
    job.pause()
    with Journal.of(journal_path(job.path)).transaction() as db:
        db.execute("UPDATE object SET etag = 'other'")
    job.resume()
    assert not job.wait(30)
    assert "another than the one that was listed" in job.failures()[0]["reason"]
    job.retry()  # lists again
    assert job.wait(30), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(LARGE)[:1])


def test_full_disk_in_a_large_object(fetch: Fetch, mirror: SpawnedMirror, small_disk: Path) -> None:
    other = small_disk / "data"
    items = pick(LARGE)[:1]
    with pytest.MonkeyPatch.context() as patch:  # the plan does not look, as when others fill the disk meanwhile
        patch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)) and _Plenty)
        job = fetch(items, other)
    assert not job.wait(30)
    assert "disk is full" in str(job.error)


class _Plenty:
    total = used = free = 10**12


def test_clock_that_goes_back(fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """s5cmd passes over objects that are younger than this computer's clock."""
    items = pick(SERIES_307)
    with Mirror(rate_mb=8) as mirror:
        job = fetch(items, endpoint_url=mirror.endpoint)
        until(lambda: job.progress.files_done > 10)
        job.pause()
        monkeypatch.setattr(mirror_listing, "LAST_MODIFIED", "2099-01-02T03:04:05.000Z")
        mirror.set()
        job.resume()
        assert job.wait(40), job.failures()
        assert tree(tmp_path / "data") == whole_truth(mirror, items)  # type: ignore[arg-type]
        other = fetch(pick(STUDY), endpoint_url=mirror.endpoint)
        assert not other.wait(40) and "is the clock right?" in other.failures()[0]["reason"]


def test_a_record_is_believed_only_as_far_as_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 13 * BLOCK + 17
    row = {"n": 0, "uid": "1.2", "uuid": "u", "study": "", "bucket": "b", "path": "p"}

    def draft(etag: str = "e") -> Draft:
        item = Object("a.dcm", size, etag)
        return Draft(Series(row, [item], tmp_path, tmp_path), item)

    first = draft()
    assert list(first.left) == list(range(14)) and first.span(13) == (13 * BLOCK, size)
    assert not first.keep(2, memoryview(b"x" * BLOCK)) and not first.keep(13, memoryview(b"y" * 17))
    with first.record.open("a") as file:
        file.write("999\nnonsense\n7")  # the last without its line break
    again = draft()
    assert again.done == {2, 13} and again.resumed == BLOCK + 17
    monkeypatch.setattr(blocks, "_BOOT", "another start of the system")  # blocks may be lost that were not flushed
    assert draft().done == set()
    monkeypatch.setattr(blocks, "_FLUSH_EVERY", 2)
    later = draft()
    for number in (4, 5, 6):
        later.keep(number, memoryview(b"z" * BLOCK))
    monkeypatch.setattr(blocks, "_BOOT", "and another one")
    assert draft().done == {4, 5} == draft().done
    assert draft("another").done == set()
    assert json.loads(first.record.read_text().split("\n")[0])["etag"] == "another"


def test_bodies_differ(mirror: SpawnedMirror) -> None:
    """A block at a wrong place would be noticed."""
    data = body(mirror, key_of(mirror))
    assert len({data[at : at + 64] for at in range(BLOCK, len(data) - 64, BLOCK)}) > 10


def test_everything_goes_through_the_proxy(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody serves the endpoint: the mirror, being asked for it by its full address, answers as its proxy."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, mirror.endpoint)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    items = (*pick(STUDY)[:1], *pick(LARGE)[:1])
    job = fetch(items, endpoint_url="http://s3.invalid")
    assert job.wait(40), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_hosts_that_need_no_proxy(mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    client = Client(mirror.endpoint, 5)
    key = key_of(mirror)
    for _ in range(2):  # over one connection
        with client.get(f"/{pick(LARGE)[0].bucket}/{key}", {"Range": "bytes=0-9"}) as answer:
            assert (answer.status, answer.read()) == (206, body(mirror, key)[:10])
    client.close()


@pytest.mark.parametrize("workers", [1, 4, 24])
def test_large_and_small_objects_share_the_workers(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, workers: int
) -> None:
    items = tuple(x for some in zip(pick(STUDY), pick(LARGE)[:3], strict=True) for x in some) + pick(SERIES_307)
    mirror.set(delay_ms=10)
    job = fetch(items, workers=workers)
    seen: list[tuple[int, int]] = []
    until(lambda: seen.append(_transfers(job)) or (job.state != "running" and job.progress.files_done > 0), 60)
    assert job.wait(60), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
    assert max(small + large for small, large in seen) <= workers, seen
    assert all(max(some) >= max(1, workers // 4) for some in zip(*seen, strict=True))


def _transfers(job: Job) -> tuple[int, int]:
    """Return the workers of a job's s5cmd processes, and its own connections."""

    def small() -> int:
        lines = [child.cmdline() for child in worker.children()]
        counts = (int(line[line.index("--numworkers") + 1]) for line in lines)
        return sum(count for count in counts if count != 16)  # that one lists

    try:
        worker = psutil.Process(worker_of(job))
        before = small()
        large = sum(place.status == psutil.CONN_ESTABLISHED for place in worker.net_connections())
        return min(before, small()), large  # since one of them may have ended meanwhile, and the other grown
    except (psutil.Error, AssertionError, ValueError):
        return 0, 0


def test_the_share_of_a_large_object_that_is_shown_moves(fetch: Fetch, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=20)
    job = fetch(pick(LARGE)[:1])
    seen: list[float] = []

    def half() -> bool:
        progress = job.progress
        seen.append(progress.fraction)
        assert progress.bytes_done == 0 or progress.fraction == 1  # which are the verified ones alone
        return 0.3 < progress.fraction < 1

    until(half)
    mirror.set()
    assert job.wait(30) and job.progress.fraction == 1
    assert seen == sorted(seen) and max(seen) < 1


def test_the_share_is_whole_only_when_all_is_verified() -> None:
    def share(total: int, done: int, flight: int) -> float:
        return Progress(total, done, flight, 1, 0, 1, 0, 0, None, None).fraction

    assert share(100, 0, 50) == 0.5 and share(100, 20, 30) == 0.5
    assert 0.99 < share(100, 0, 100) < 1 and 0.99 < share(100, 99, 50) < 1
    assert share(100, 100, 0) == 1 and share(0, 0, 0) == 1 and share(100, 0, -5) == 0
