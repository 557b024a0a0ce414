"""What is large: many objects, a series of many, one object of gigabytes; a small version of each, and the real one."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bucket import Bucket
from benchmarks.transfer import made_up, watch, worker_pid
from idc_widgets.transfer import Item, Job
from idc_widgets.transfer.blocks import BLOCK

from .conftest import until

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the fast bucket needs a system with fork")

Fetch = Callable[..., Job]
Series = list[tuple[str, object]]

WORKERS = 16
_slow = (pytest.mark.slow, pytest.mark.timeout(3600))


def begin(fetch: Fetch, bucket: Bucket, place: Path, series: int, files: int, size: int) -> Job:
    items = [Item(uid, shape.uuid, shape.bucket, files, shape.bytes) for uid, shape in made_up(series, files, size)]
    return fetch(tuple(items), place, endpoint_url=bucket.endpoint, layout="%SeriesInstanceUID", workers=WORKERS)


def room(place: Path, size: int, files: int) -> None:
    """Leave out what this disk has no room for."""
    need = size + files * 4096 + 1_000_000_000
    free = shutil.disk_usage(place).free
    if free < need:
        pytest.skip(f"{need / 1e9:.0f} GB are needed in {place}, {free / 1e9:.0f} GB are free")


def served(series: int, files: int, size: int, **options: int) -> Bucket:
    return Bucket([shape for _, shape in made_up(series, files, size)], **options)


def kill(job: Job) -> None:
    """Kill the worker, and see that it is noticed."""
    pid = worker_pid(job)
    assert pid is not None and job.state == "running"
    os.kill(pid, signal.SIGKILL)
    until(lambda: job.state == "failed")


@pytest.mark.parametrize(
    ("series", "files"),
    [
        (50, 100),
        (1, 5_000),
        pytest.param(1_000, 100, marks=_slow, id="100,000 objects"),
        pytest.param(1, 91_980, marks=_slow, id="a series of 91,980"),
    ],
)
def test_many_objects(fetch: Fetch, tmp_path: Path, series: int, files: int) -> None:
    room(tmp_path, 1000 * series * files, series * files)
    with served(series, files, 1000) as bucket:
        job = begin(fetch, bucket, tmp_path / "data", series, files, 1000)
        usage = watch(job)
        assert job.state == "complete", job.failures()[:3]
        counts = bucket.counts()
    pages = series * -(-files // 1000)
    print(f"{counts}; {pages} pages of listing; worker's memory {usage.megabytes:.0f} MB, CPU {usage.worker:.1f} s")
    assert counts["GET"] <= series * files + 1  # one asks whether a server is there
    assert counts["HEAD"] == 0 and counts["LIST"] <= 2 * pages
    assert sum(1 for _ in (tmp_path / "data").rglob("*.dcm")) == job.progress.files_done == series * files
    if sys.platform == "linux":
        assert 10 < usage.megabytes < 40 + series * files / 1000  # a kilobyte for each object that is open, at most


@pytest.mark.parametrize("files", [5_000, pytest.param(91_980, marks=_slow)])
def test_many_objects_interrupted(fetch: Fetch, tmp_path: Path, files: int) -> None:
    room(tmp_path, 1000 * files, files)
    with served(1, files, 1000, delay_ms=10) as bucket:
        job = begin(fetch, bucket, tmp_path / "data", 1, files, 1000)
        until(lambda: job.progress.files_done > files / 2, 600)
        kill(job)
        assert not list((tmp_path / "data").rglob("1.2.0"))  # nothing under its final name
        job.resume()
        watch(job)
        assert job.state == "complete", job.failures()[:3]
        counts = bucket.counts()
    again, pages = counts["GET"] - files - 1, -(-files // 1000)
    print(f"{again} of {files:,} objects fetched twice; {counts}")
    assert again <= 4 * WORKERS  # those in flight, and no file that was complete
    assert counts["HEAD"] == 0 and counts["LIST"] <= 3 * pages + 40  # then a page or two for each part of the names
    found = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert sum(path.suffix == ".dcm" for path in found) == files and len(found) == files + 1  # and the receipt


@pytest.mark.parametrize("size", [200_000_000, pytest.param(5_000_000_000, marks=_slow)])
def test_one_large_object_interrupted(fetch: Fetch, tmp_path: Path, size: int) -> None:
    room(tmp_path, size, 1)
    with served(1, 1, size, md5_up_to=size) as bucket:
        job = begin(fetch, bucket, tmp_path / "data", 1, 1, size)
        usage = watch(job, size / 2)
        kill(job)
        assert job.progress.bytes_done == 0
        job.resume()
        watch(job)
        assert job.state == "complete", job.failures()
        twice = bucket.counts()["bytes"] - size
        (etag,) = bucket._digests(size).values()
    print(f"{twice / 1e6:.1f} MB of {size / 1e6:,.0f} fetched twice; worker's memory {usage.megabytes:.0f} MB")
    assert twice <= WORKERS * (BLOCK + 100_000)  # what was in flight
    if size > 1_000_000_000:
        assert twice <= 0.02 * size
    (arrived,) = (tmp_path / "data").rglob("*.dcm")
    with arrived.open("rb") as file:
        digest = hashlib.md5(usedforsecurity=False)
        while data := file.read(1 << 20):
            digest.update(data)
    assert (arrived.stat().st_size, digest.hexdigest()) == (size, etag)
    assert job.files()[0]["verified_by"] == "md5"
    assert not (tmp_path / "data/.idc_widgets/staging").exists()
    arrived.unlink()  # pytest keeps folders of earlier runs
    if sys.platform == "linux":
        assert usage.megabytes < 40 + WORKERS * BLOCK / 1e6 * 1.1
