from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Item, Job, jobs, plan
from idc_widgets.transfer.receipt import entries, receipt_path
from tests.mirror import SpawnedMirror

from .conftest import SERIES_307, STUDY, default_folder, gets, pick, refetched, tree, truth, until, whole_truth

Fetch = Callable[..., Job]


def test_complete_download_is_byte_identical(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(STUDY)
    job = fetch(items, title="a study")
    assert job.wait(30), job.error
    assert tree(tmp_path / "data") == whole_truth(mirror, items)

    progress = job.progress
    total = sum(item.bytes for item in items)
    assert (progress.bytes_total, progress.bytes_done, progress.bytes_in_flight) == (total, total, 0)
    assert (progress.files_done, progress.files_total, progress.series_done) == (40, 40, 3)
    assert (job.state, job.error, job.failures(), job.title) == ("complete", None, [], "a study")
    assert job.path == tmp_path / "data"

    requests = mirror.requests()
    assert gets(mirror) == 40 and requests["HEAD"] == 0
    assert requests["LIST"] <= 2 * len(items)
    assert not (tmp_path / "data/.idc_widgets/staging").exists()

    files = job.files()
    assert all(file["state"] == "verified" and file["path"].stat().st_size == file["bytes"] for file in files)
    assert {file["SeriesInstanceUID"] for file in files} == {item.series_uid for item in items}


def test_the_receipt_is_portable_and_complete(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(STUDY)
    assert fetch(items).wait(30)
    moved = tmp_path / "elsewhere"
    (tmp_path / "data").rename(moved)
    found = {entry.crdc_series_uuid: entry for entry in entries(moved)}
    for item in items:
        entry = found[item.crdc_series_uuid]
        assert entry.intact(moved) and entry.bytes == item.bytes and entry.idc_version == 25
        expected = {(e.key.rpartition("/")[2], e.size, e.etag.strip('"')) for e in mirror.truth(item.crdc_series_uuid)}
        assert set(entry.files) == expected
    assert str(tmp_path) not in receipt_path(moved).read_text()
    assert all("verified" in json.loads(line) for line in receipt_path(moved).read_text().split("\n") if line)

    mirror.reset_counts()
    job = fetch(items, moved)
    assert job.wait(30) and gets(mirror) == 0


def test_rerun_fetches_nothing_and_a_lost_file_alone_is_fetched_again(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    items = pick(STUDY)
    assert fetch(items).wait(30)
    assert plan(items, tmp_path / "data").need == 0
    mirror.reset_counts()
    again = fetch(items)
    assert again.wait(30) and again.progress.files_done == 40 and len(again.files()) == 40
    assert (gets(mirror), mirror.requests()["LIST"]) == (0, 0)

    victim = next((tmp_path / "data").rglob("*.dcm"))
    victim.unlink()
    third = fetch(items)
    assert third.wait(30) and third.progress.bytes_done == third.progress.bytes_total
    assert gets(mirror) == 1
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


def test_files_that_are_there_without_a_receipt_are_verified_not_fetched(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    items = pick(STUDY)
    assert fetch(items).wait(30)
    receipt_path(tmp_path / "data").unlink()
    damaged = sorted((tmp_path / "data").rglob("*.dcm"))[3]
    body = bytearray(damaged.read_bytes())
    body[-1] ^= 255
    damaged.write_bytes(body)
    mirror.reset_counts()
    assert fetch(items).wait(30)
    assert gets(mirror) == 1
    assert tree(tmp_path / "data") == whole_truth(mirror, items)


@pytest.mark.parametrize("layout", ["%StudyDate/%Modality-%SeriesInstanceUID", "%PatientID", ""])
def test_other_layouts(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, layout: str) -> None:
    items = pick(STUDY)
    assert fetch(items, layout=layout).wait(30)
    result = tree(tmp_path / "data")
    bodies = whole_truth(mirror, items)
    assert sorted(result.values()) == sorted(bodies.values())
    folders = {name.rpartition("/")[0] for name in result}
    assert len(folders) == (3 if layout else 1)
    if layout.startswith("%StudyDate"):
        one = items[0]
        folder = f"{one.fields['StudyDate']}/{one.fields['Modality']}-{one.series_uid}"
        assert truth(mirror, one, folder).items() <= result.items()
    assert fetch(items, layout=layout).wait(30)
    assert not refetched(mirror)


def test_hostile_values_stay_inside(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    names = ["../../x", "a/b", "q\"uo'te $(id)", "new\nline"]
    items = [
        Item(o.series_uid, o.crdc_series_uuid, o.bucket, o.files, o.bytes, {"PatientID": name})
        for o, name in zip(pick(STUDY), names, strict=False)
    ]
    job = fetch(tuple(items), tmp_path / 'it\'s *my* "data"', layout="%PatientID")
    assert job.wait(30), job.error
    assert len(list((tmp_path / 'it\'s *my* "data"').glob("*/*.dcm"))) == 40
    assert {path.name for path in tmp_path.iterdir()} == {"state", 'it\'s *my* "data"'}


def test_google_under_its_own_bucket_names(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(SERIES_307)
    assert items[0].bucket == "idc-open-data-two"
    job = fetch(items, provider="gcs")
    assert job.wait(30), job.error
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
    assert mirror.requests()["LIST"] == 2


def test_download_outlives_the_script_that_started_it(mirror: SpawnedMirror, tmp_path: Path) -> None:
    item = pick(SERIES_307)[0]
    mirror.set(rate_mb=8)
    script = (
        "import sys, json; from idc_widgets.transfer import Item, start\n"
        "item = Item(*json.loads(sys.argv[1]))\n"
        "job = start([item], sys.argv[2], endpoint_url=sys.argv[3], idc_version=25); print(job.id)\n"
    )
    values = [item.series_uid, item.crdc_series_uuid, item.bucket, item.files, item.bytes, dict(item.fields)]
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(values), str(tmp_path / "data"), mirror.endpoint],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    (job,) = jobs()
    assert job.id == done.stdout.strip() and job == jobs(tmp_path / "data")[0]
    assert job.state in ("queued", "listing", "running")
    assert job.wait(30)
    assert tree(tmp_path / "data") == truth(mirror, item, default_folder(item))


def test_progress_never_falls_and_two_readers_agree(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=8)
    job = fetch(pick(SERIES_307))
    reader = (
        "import sys; from idc_widgets.transfer import jobs\n"
        "job = jobs(sys.argv[1])[0]; job.wait(30); print(job.state, job.progress.bytes_done)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", reader, str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ.copy(),
    )
    seen: list[int] = []
    states = set()
    while not job.wait(0.02):
        seen.append(job.progress.bytes_done)
        states.add(job.state)
        assert job.progress.bytes_done <= job.progress.bytes_total
    assert seen == sorted(seen) and len(set(seen)) > 3
    assert states <= {"queued", "listing", "running", "verifying"} and "running" in states
    assert other.communicate(timeout=30)[0].split() == ["complete", str(job.progress.bytes_total)]


def test_two_jobs_for_the_same_series_do_not_fight(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=15)
    items = pick(SERIES_307)
    first, second = fetch(items), fetch(items)
    assert first.wait(30) and second.wait(30)
    assert not refetched(mirror)
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
    assert [job.id for job in jobs(tmp_path / "data")] == [second.id, first.id]
    assert jobs(tmp_path / "other") == []


def test_bytes_done_are_the_verified_bytes_on_disk(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=6)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 50)
    job.pause()
    progress = job.progress
    staged = sum(path.stat().st_size for path in (tmp_path / "data/.idc_widgets/staging").rglob("*.dcm"))
    verified = sum(file["bytes"] for file in job.files() if file["state"] == "verified")
    assert progress.bytes_done == verified <= staged
