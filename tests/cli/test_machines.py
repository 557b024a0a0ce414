"""The command line for machines: JSON, exit codes, timestamps, quiet, closed pipes, signals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets import Catalog, jobs
from idc_widgets.catalog import bundled, fetch
from tests.cli.run import Run, start
from tests.mirror import SpawnedMirror

WHERE = ["--where", "collection_id=rider_pilot", "--where", "Modality=CT", "--where", "instanceCount=1"]
JOB = {
    *("id", "title", "path", "provider", "created", "state", "status", "reason", "error", "workers", "max_bytes"),
    *("bandwidth", "fraction", "bytes_total", "bytes_done", "bytes_in_flight", "files_total", "files_done"),
    *("series_total", "series_done", "failed", "speed", "eta"),
}


@pytest.fixture
def here(run: Run, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", mirror.endpoint)
    return tmp_path / "data"


def test_everything_that_lists_has_json(run: Run, here: Path) -> None:
    plan = run("download", *WHERE, "--to", str(here), "--dry-run", "--json")
    assert plan.code == 0 and plan.json["fits"] and plan.json["folders"][0]["SeriesInstanceUID"]
    assert plan.json["licences"][0]["licence"] == "CC BY 4.0" and not here.exists()
    done = run("download", *WHERE, "--to", str(here), "--json")
    row = done.json
    assert done.code == 0 and row["state"] == "complete" and row["failures"] == row["unknown"] == []
    assert set(row) == JOB | {"failures", "unknown"}
    assert row["files_done"] == row["files_total"] == plan.json["files"] and row["fraction"] == 1
    progress = [json.loads(line) for line in done.err.splitlines()]
    assert progress[-1]["files_done"] == row["files_done"] and progress[-1]["status"] == "complete"
    listed = run("jobs", str(here), "--json").json
    assert [set(each) for each in listed] == [JOB] and listed[0]["id"] == row["id"]
    series = run("series", row["id"], "--json").json
    uids = {each["SeriesInstanceUID"] for each in series}
    assert len(uids) == row["series_total"] and all(each["state"] == "complete" for each in series)
    files = run("files", row["id"], "--json").json
    assert len(files) == row["files_done"] and {each["SeriesInstanceUID"] for each in files} == uids
    assert all(Path(each["path"]).is_file() for each in files)
    assert run("files", row["id"], "--of", series[0]["SeriesInstanceUID"], "--json").json == files[:1]
    assert run("failures", row["id"], "--json").json == []
    good = run("verify", str(here), "--json")
    assert good.code == 0 and good.json["ok"] is True and good.json["problems"] == []
    Path(files[0]["path"]).unlink()
    bad = run("verify", str(here), "--json")
    assert bad.code == 1 and bad.json["ok"] is False
    assert {"path", "SeriesInstanceUID", "kind", "reason"} == set(bad.json["problems"][0])
    # Its only file: the whole series is missing, which is told once, by its folder.
    assert Path(bad.json["problems"][0]["path"]) == Path(files[0]["path"]).parent
    cached = run("cache", "--json").json
    assert cached["usable"] and cached["release"] == bundled.release()
    assert {"path", "bytes", "used"} == set(cached["files"][0])
    answer = run("workers", row["id"], "3", "--json").json
    assert answer["workers"] == 3 and set(answer) == JOB


def test_unknown_entries_and_failures_have_codes_of_their_own(
    run: Run, here: Path, mirror: SpawnedMirror, catalog: Catalog
) -> None:
    uid = catalog.cohort(collection_id="rider_pilot", instanceCount=1, Modality="CT").series(limit=1)
    one = str(uid["SeriesInstanceUID"][0])
    done = run("download", one, "1.2.3", "--to", str(here), "--json")
    assert done.code == 4 and done.json["state"] == "complete" and done.json["series_total"] == 1
    assert [each["entry"] for each in done.json["unknown"]] == ["1.2.3"]
    mirror.faults.add("status", status=403, match="*.dcm")
    done = run("download", *WHERE, "1.2.3", one, "--to", str(here / "b"), "--json")
    assert done.code == 1 and done.json["state"] == "failed"
    assert done.json["failures"][0]["SeriesInstanceUID"] == one and done.json["failures"][0]["reason"]
    job = done.json["id"]
    assert done.json["failures"] == run("failures", job, "--json").json
    assert run("failures", job).out.startswith("s3://")


def test_lines_have_their_time_where_no_terminal_is(run: Run, here: Path) -> None:
    done = run("download", *WHERE, "--to", str(here))
    assert done.code == 0
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d  \S")
    assert all(stamp.match(line) for line in done.out.splitlines()) and "complete" in done.out
    quiet = run("download", *WHERE, "--to", str(here), "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_steering_says_what_it_did(run: Run, here: Path, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=0.2)
    where = ["--where", "collection_id=rider_pilot", "--where", "instanceCount<=2"]
    begun = [run("download", *where, "--to", str(here / n), "--no-wait", "--json").json for n in "ab"]
    ids = {each["id"] for each in begun}
    paused = run("pause", "--all", "--json")
    assert ids <= {each["id"] for each in paused.json}
    assert {each["state"] for each in run("jobs", "--json").json if each["id"] in ids} == {"paused"}
    assert "4 files at once (paused)" in run("workers", begun[0]["id"], "4").out
    assert run("workers", begun[0]["id"], "0").code == 2
    mirror.set()
    resumed = run("resume", "--all")
    assert resumed.code == 0 and all(each in resumed.out for each in ids)
    for job in jobs():
        if job.id in ids:
            assert job.wait(60)
    assert run("pause", "--all").out == ""
    assert run("pause").code == run("pause", "--all", begun[0]["id"]).code == 2


def test_cancel_of_a_complete_download(run: Run, here: Path) -> None:
    row = run("download", *WHERE, "--to", str(here), "--json").json
    files = list(here.rglob("*.dcm"))
    assert files
    kept = run("cancel", row["id"])
    assert kept.code == 0 and "is complete" in kept.err and "--remove" in kept.err
    assert all(file.exists() for file in files)
    gone = run("cancel", row["id"], "--remove")
    assert gone.code == 0 and f"{len(files):,} files" in gone.err and "cancelled" in gone.out
    assert not list(here.rglob("*.dcm"))
    # What was removed on request is not missed by a later check.
    again = run("download", *WHERE, "--to", str(here), "--json").json
    assert again["state"] == "complete" and len(list(here.rglob("*.dcm"))) == len(files)
    assert run("verify", str(here)).code == 0


def test_version_and_help(run: Run) -> None:
    lines = dict(line.split(" ", 1) for line in run("--version").out.splitlines())
    assert lines["IDC"] == f"v{bundled.release().split('.')[0]} ({bundled.release()})"
    assert list(lines) == ["idc_widgets", "IDC", "DuckDB", "s5cmd", "Python"]
    assert "exit codes" in run("--help").out and "exit codes" in run("download", "--help").out


@pytest.mark.skipif(sys.platform == "win32", reason="pipes close otherwise there")
@pytest.mark.parametrize(
    "arguments",
    ["list --all --level study", "manifest --where collection_id=nlst", "--version", "--help", "jobs --help"],
)
def test_a_closed_pipe_ends_in_silence(arguments: str, catalog: Catalog) -> None:
    process = start(*arguments.split())
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    code = process.wait(60)
    assert code == 141
    assert "Broken" not in said and "Traceback" not in said and "Exception" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written(catalog: Catalog) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "idc_widgets", "list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5 and "cannot be written" in done.stderr and "Exception" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_130_and_the_download_goes_on(number: int, here: Path, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=0.2)
    process = start(
        "download", "--where", "collection_id=rider_pilot", "--where", "instanceCount<=2", "--to", str(here)
    )
    _until(lambda: any(job.state == "running" for job in jobs(here)))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "goes on in the background" in err and "Traceback" not in err
    (job,) = jobs(here)
    assert job.state in ("running", "verifying", "listing")
    mirror.set()
    assert job.wait(60)


def test_an_unwritable_state_folder_is_a_sentence(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for state in ("/dev/null", "/dev/null/state"):
        monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", state)
        for arguments in (["download", *WHERE, "--to", str(here)], ["jobs"], ["pause", "abc"], ["resume", "--all"]):
            done = run(*arguments)
            assert done.code == 5 and "IDC_WIDGETS_STATE_DIR" in done.err, arguments
            assert len(done.err.splitlines()) == 1
    assert not list(here.rglob("*.dcm"))


def test_pruning_keeps_tables_from_elsewhere(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDC_WIDGETS_CACHE_DIR", str(tmp_path))
    used = []
    for url in ("https://example.org/tables", "", "https://example.com/other"):
        monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", url)
        path = fetch.path(None, "ct_index")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"PAR1")
        used.append(path)
    old = tmp_path / "tables" / "1.0.0-0a1b2c3d" / "ct_index.parquet"
    older = tmp_path / "tables" / f"{bundled.release()}0" / "ct_index.parquet"
    for path in (old, older):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"PAR1")
    done = run("cache", "--prune", "--json")
    assert {Path(each["path"]) for each in done.json["deleted"]} == {old, older}
    assert all(path.exists() for path in used)


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_limit_of_bytes_ends_with_its_own_code_and_is_resumable(run: Run, here: Path) -> None:
    plan = run("download", *WHERE, "--to", str(here), "--dry-run", "--json").json
    stopped = run("download", *WHERE, "--to", str(here), "--json", "--max-bytes", str(plan["bytes"] // 2))
    row = stopped.json
    assert stopped.code == 6 and row["state"] == "paused" and "limit" in row["reason"]
    assert 0 < row["bytes_done"] <= plan["bytes"] // 2 == row["max_bytes"]
    nothing = run("download", *WHERE, "--to", str(here), "--max-bytes", "1")
    assert nothing.code == 6 and "idc-widgets resume" in nothing.err
    again = run("resume", row["id"], "--max-bytes", "1 TB", "--json")
    assert again.code == 0 and again.json["max_bytes"] == 10**12
    (job,) = [each for each in jobs(here) if each.id == row["id"]]
    assert job.wait(60) and job.progress.files_done == plan["files"]
    assert run("verify", str(here)).code == 0


def test_bandwidth_is_set_and_changed(run: Run, here: Path) -> None:
    done = run("download", *WHERE, "--to", str(here), "--json", "--bandwidth", "50MB/s", "--no-wait")
    assert done.code == 0 and done.json["bandwidth"] == 50_000_000
    assert "20 MB/s" in run("bandwidth", done.json["id"], "20 MB/s").out
    assert run("bandwidth", done.json["id"], "none", "--json").json["bandwidth"] is None
    refused = run("bandwidth", done.json["id"], "fast")
    assert refused.code == 2 and "fast" in refused.err
    (job,) = [each for each in jobs(here) if each.id == done.json["id"]]
    assert job.wait(60)
