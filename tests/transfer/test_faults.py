from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Item, Job, TransferError, jobs
from idc_widgets.transfer.faults import classify
from tests.mirror import SpawnedMirror

from .conftest import LARGE, SERIES_307, STUDY, default_folder, gets, pick, tree, until, whole_truth

Fetch = Callable[..., Job]


FOREVER: list[tuple[dict[str, object], str]] = [
    ({"kind": "status", "status": 403}, "403"),
    ({"kind": "status", "status": 404}, "404"),
    ({"kind": "status", "status": 500}, "internal error"),
    ({"kind": "status", "status": 503}, "SlowDown"),
    ({"kind": "reset"}, "connection"),
    ({"kind": "truncate"}, "connection was cut"),
    ({"kind": "short"}, "bytes arrived"),
    ({"kind": "flip"}, "MD5"),
]


def victim_of(mirror: SpawnedMirror) -> tuple[Item, list[str]]:
    item = max(pick(STUDY), key=lambda item: item.files)
    return item, [entry.key for entry in mirror.truth(item.crdc_series_uuid)]


def test_what_never_works_is_a_failure_in_words(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    item, keys = victim_of(mirror)
    words = {}
    for (fault, expected), key in zip(FOREVER, keys[::3], strict=False):
        mirror.faults.add(**fault, match=key)  # type: ignore[arg-type]
        words[key] = expected
    job = fetch(pick(STUDY))
    assert job.wait(40) is False
    assert job.state == "failed" and "1 of 3 series" in str(job.error)
    failures = {failure["key"].partition("idc-open-data/")[2]: failure for failure in job.failures()}
    assert failures.keys() == words.keys() and len(words) == 8
    for key, expected in words.items():
        assert expected in failures[key]["reason"] and failures[key]["SeriesInstanceUID"] == item.series_uid
    assert job.progress.failed == 8 and job.progress.files_done == 32
    assert job.progress.bytes_done == sum(f["bytes"] for f in job.files() if f["state"] == "verified")
    others = tuple(other for other in pick(STUDY) if other is not item)
    assert tree(tmp_path / "data") == whole_truth(mirror, others)
    counts = mirror.requests()["keys"]["GET"]
    assert [counts[key] for key in list(words)[:2]] == [1, 1]  # 403 and 404 are not tried again

    mirror.faults.clear()
    mirror.reset_counts()
    job.retry()
    assert job.wait(30) and job.failures() == [] and job.progress.failed == 0 and job.error is None
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))
    counts = mirror.requests()["keys"]["GET"]
    assert {name for name in counts if name.endswith(".dcm")} == words.keys()


def test_what_works_the_second_time_is_complete(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    _, keys = victim_of(mirror)
    for kind, part in zip(("status", "reset", "truncate", "short", "flip"), range(5), strict=True):
        for key in keys[part::5]:
            mirror.faults.add(kind, match=key, times=1)
    job = fetch(pick(STUDY))
    assert job.wait(40), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))


@pytest.mark.parametrize("at", [None, 0.5])
def test_hanging_connection_is_noticed_and_begun_again(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: float | None
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_STALL_SECONDS", "1")
    mirror.faults.add("hang", match=victim_of(mirror)[1][4], times=1, at=at)
    job = fetch(pick(STUDY))
    assert job.wait(20), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))


def test_hanging_list_is_noticed(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_STALL_SECONDS", "1")
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "3")
    mirror.faults.add("hang", operation="LIST", times=2)
    job = fetch(pick(STUDY))
    assert job.wait(20), job.failures()


def test_list_that_fails_is_a_failure_of_its_series(fetch: Fetch, mirror: SpawnedMirror) -> None:
    item = pick(STUDY)[0]
    mirror.faults.add("status", status=403, operation="LIST", match=f"{item.crdc_series_uuid}*")
    job = fetch(pick(STUDY))
    assert job.wait(30) is False
    (failure,) = job.failures()
    assert failure["key"].endswith(f"{item.crdc_series_uuid}/") and "403" in failure["reason"]
    assert job.progress.failed == item.files and job.progress.series_done == 2
    mirror.faults.clear()
    job.resume()
    assert job.wait(30) and job.progress.series_done == 3


def test_index_and_bucket_that_disagree_are_told(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    first, second, third = pick(STUDY)
    wrong = (
        Item(first.series_uid, first.crdc_series_uuid, first.bucket, first.files, first.bytes + 1, first.fields),
        Item(second.series_uid, second.crdc_series_uuid, second.bucket, second.files + 1, second.bytes, second.fields),
        Item(third.series_uid, third.crdc_series_uuid, "idc-open-data-cr", third.files, third.bytes, third.fields),
    )
    job = fetch(wrong)
    assert job.wait(30) is False
    reasons = [failure["reason"] for failure in job.failures()]
    assert f"{first.bytes + 1:,} bytes" in reasons[0] and "disagree" in reasons[0]
    assert f"{second.files + 1:,} files" in reasons[1]
    assert "404" in reasons[2]
    assert tree(tmp_path / "data") == {}


@pytest.mark.parametrize("where", [SERIES_307, LARGE], ids=["small", "large"])
def test_removed_destination_ends_the_job(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, where: str) -> None:
    import shutil

    mirror.set(rate_mb=4)
    items = pick(where)[:1]
    job = fetch(items)
    until(lambda: job.progress.bytes_done + job.progress.bytes_in_flight > 1_000_000)
    while (tmp_path / "data").exists():
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
    assert job.wait(30) is False
    assert job.state == "failed" and "is gone" in str(job.error)
    assert not (tmp_path / "data").exists()
    with pytest.raises(TransferError, match="is gone"):
        job.resume()
    mirror.set()
    (tmp_path / "data").mkdir()
    job.resume()
    assert job.wait(30), job.error
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_file_where_a_folder_is_needed(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 10)
    blocked = tmp_path / "data" / default_folder(pick(SERIES_307)[0]).partition("/")[0]
    blocked.write_text("mine")  # where the series' collection is to be
    assert job.wait(30) is False
    assert job.state == "failed" and "cannot be put in its place" in str(job.error) and str(blocked) in str(job.error)
    assert tree(tmp_path / "data") == {blocked.name: b"mine"}
    before = gets(mirror)
    blocked.unlink()
    job.resume()
    assert job.wait(30), job.error
    assert tree(tmp_path / "data") == whole_truth(mirror, pick(SERIES_307)) and gets(mirror) == before


@pytest.mark.parametrize("kind", ["small", "large"])
def test_destination_that_becomes_read_only(
    fetch: Fetch, mirror: SpawnedMirror, small_disk: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file system does that finds itself damaged, or a network drive whose server says so."""
    items = pick(SERIES_307) if kind == "small" else pick(LARGE)[:1]
    remount(small_disk, "size=100m")
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "8")
    mirror.set(rate_mb=4)
    if kind == "small":  # s5cmd has a file open all the time, so it has to wait
        mirror.faults.add("short", match="*.dcm", after=50)
    job = fetch(items, small_disk / "data", workers=2)
    until(lambda: job.progress.bytes_done + job.progress.bytes_in_flight > 1_000_000)
    until(lambda: remount(small_disk, "ro"))  # refused while a file is being written
    mirror.faults.clear()
    assert job.wait(30) is False
    assert job.state == "failed" and "has become read-only" in str(job.error)
    assert str(small_disk / "data") in str(job.error) and "once that is mended" in str(job.error)
    assert tree(small_disk / "data") == {}
    with pytest.raises(TransferError, match="Read-only file system"):
        fetch(items, small_disk / "data")
    assert remount(small_disk, "rw")
    mirror.set()
    job.resume()
    assert job.wait(30), job.error
    assert tree(small_disk / "data") == whole_truth(mirror, items)


def remount(disk: Path, option: str) -> bool:
    """Mount it anew with another option; whether that could be done."""
    command = ["mount", "-o", f"remount,{option}", str(disk)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_full_disk_stops_the_job_at_once(fetch: Fetch, mirror: SpawnedMirror, small_disk: Path) -> None:
    mirror.set(rate_mb=20)
    items = pick(SERIES_307)
    job = fetch(items, small_disk / "data")
    while job.progress.files_done < 5:
        assert not job.wait(0.02) and job.state != "failed"
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 65536):
                pass
        except OSError:
            pass
    assert job.wait(30) is False
    assert job.state == "failed"
    assert "disk is full" in str(job.error) and "more are needed" in str(job.error)
    assert job.progress.files_done < 307
    filler.unlink()
    job.resume()
    assert job.wait(30), job.error
    assert tree(small_disk / "data") == whole_truth(mirror, items)


def test_errors_in_words() -> None:
    assert classify("SlowDown: Please reduce status code: 503, request id").kind == "transient"
    assert classify("AccessDenied: status code: 403").kind == "permanent"
    assert classify("write /x/y: no space left on device").kind == "fatal"
    assert classify("dial tcp: lookup nowhere: no such host").reason == "the server's name cannot be resolved"
    assert classify("something new") == ("transient", "something new")


def test_read_only_destination(fetch: Fetch, mirror: SpawnedMirror, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(TransferError, match="Read-only file system"):
        fetch(pick(STUDY), small_disk / "data")
    assert not jobs()
