"""Several downloads at once, killed ones, streams that cannot be written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from idc_widgets import Catalog, jobs
from tests.cli.run import Run
from tests.cli.test_machines import WHERE, _until
from tests.mirror import SpawnedMirror


@pytest.fixture
def here(run: Run, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", mirror.endpoint)
    monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "data"


def test_a_download_whose_folder_is_gone_stops_no_other(run: Run, here: Path, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=0.4)
    where = ["--where", "collection_id=rider_pilot", "--where", "instanceCount<=2"]
    here.mkdir()
    ids = []
    for name in "cba":
        row = run("download", *where, "--to", str(here / name), "--workers", "2", "--no-wait", "--json").json
        ids.append(row["id"])
        assert run("pause", row["id"]).code == 0
    mirror.set()
    lost = ids[-1]  # the newest, which is asked first
    (job,) = [each for each in jobs() if each.id == lost]
    shutil.rmtree(job.path)
    resumed = run("resume", "--all", "--json")
    assert resumed.code == 2 and str(job.path) in resumed.err
    said = {each["id"]: each for each in resumed.json}
    assert set(said) == set(ids) and "is gone" in said[lost]["error"]
    assert all(each.wait(60) for each in jobs() if each.id != lost)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_download_killed_a_moment_ago_is_resumed(run: Run, here: Path, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=0.2)
    row = run("download", *WHERE, "--to", str(here), "--no-wait", "--json").json
    (job,) = jobs(here)
    _until(lambda: job.state == "running" and job._journal.job(job.id)["pid"])
    os.kill(job._journal.job(job.id)["pid"], signal.SIGKILL)
    mirror.set()
    assert run("resume", row["id"]).code == 0
    assert job.wait(60) and job.state == "complete"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", ["--version", "--help", "verify --help", "jobs --json"])
def test_results_that_cannot_be_written_are_a_sentence(arguments: str, catalog: Catalog) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "idc_widgets", *arguments.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5 and "cannot be written" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", ["list --json", "search lung ct --json"])
def test_notes_that_cannot_be_written_change_no_outcome(arguments: str, catalog: Catalog) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "idc_widgets", *arguments.split()]
        done = subprocess.run(command, stderr=full, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0 and done.stdout.startswith("{")


def test_what_a_folder_and_a_receipt_say_steers_no_terminal(run: Run, here: Path) -> None:
    assert run("download", *WHERE, "--to", str(here)).code == 0
    (file, *_) = here.rglob("*.dcm")
    name = "copy\x1b[31m\n0 problems"
    shutil.copytree(file.parent, here / name)
    next((here / name).glob("*.dcm")).write_bytes(b"no DICOM")
    found = run("verify", str(here))
    assert found.code in (1, 3) and "\x1b" not in found.out + found.err
    assert not any(line.startswith("0 problems") for line in (found.out + found.err).splitlines())
    said = run("verify", str(here), "--json").json
    for each in (*said["problems"], *said["unchecked"]):
        assert set(each) == {"path", "SeriesInstanceUID", "kind", "reason"}
