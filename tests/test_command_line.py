"""`idc-widgets`: the engine without a notebook, its errors as one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mirror import Mirror, SpawnedMirror


def _run(*arguments: str, endpoint: str = "http://127.0.0.1:9") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idc_widgets", *arguments],
        env={**os.environ, "IDC_WIDGETS_AWS_ENDPOINT": endpoint},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def mirror() -> Iterator[SpawnedMirror]:
    with Mirror.spawn() as m:
        yield m


def test_download_and_jobs(mirror: SpawnedMirror, tmp_path: Path) -> None:
    where = ["--where", "collection_id=rider_pilot", "--where", "Modality=CT", "--where", "instanceCount=1"]
    done = _run("download", *where, "--to", str(tmp_path / "data"), endpoint=mirror.endpoint)
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout
    files = list((tmp_path / "data").rglob("*.dcm"))
    assert files
    assert f"{len(files):,} files" in done.stdout
    listed = _run("jobs", str(tmp_path / "data"))
    assert "complete" in listed.stdout
    assert len(listed.stdout.splitlines()) == 1


def test_a_download_that_fails_ends_and_says_why(mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.faults.add("status", status=403, match="*.dcm")
    try:
        where = ["--where", "collection_id=rider_pilot", "--where", "Modality=CT", "--where", "instanceCount=1"]
        done = _run("download", *where, "--to", str(tmp_path / "data"), endpoint=mirror.endpoint)
    finally:
        mirror.faults.clear()
    assert done.returncode == 1
    assert "403" in done.stderr or "denied" in done.stderr.lower()
    assert not list((tmp_path / "data").rglob("*.dcm"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--where", "Modality=CTT"], 'Did you mean "CT"'),
        (["--where", "Modality"], "write COLUMN=VALUE"),
        (["--where", "Modalty=CT"], '"Modality"'),
        (["--where", "collection_id=rider_pilot", "--where", "instanceCount=1"], "127.0.0.1:9"),
    ],
)
def test_errors_are_sentences(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = _run("download", *arguments, "--to", str(tmp_path / "data"))
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.dcm"))
