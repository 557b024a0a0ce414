"""`idc-widgets`: the engine without a notebook, its errors as one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from idc_widgets.cli import main
from tests.mirror import SpawnedMirror


def _run(*arguments: str, endpoint: str = "http://127.0.0.1:9") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idc_widgets", *arguments],
        env={**os.environ, "IDC_WIDGETS_AWS_ENDPOINT": endpoint},
        capture_output=True,
        text=True,
        timeout=120,
    )


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


def test_control_from_another_process(mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=0.5)
    try:
        where = ["--where", "collection_id=rider_pilot", "--where", "Modality=CT", "--where", "instanceCount=2"]
        begun = _run("download", *where, "--to", str(tmp_path / "data"), "--no-wait", endpoint=mirror.endpoint)
        assert begun.returncode == 0, begun.stderr
        job = _run("jobs", str(tmp_path / "data")).stdout.split()[0]
        assert "paused" in _run("pause", job).stdout
        assert "cancelled" in _run("cancel", job).stdout
    finally:
        mirror.set()
    assert "cancelled" in _run("jobs", str(tmp_path / "data")).stdout
    assert 'no download "nonsense"' in _run("pause", "nonsense").stderr


def test_cache_is_shown_pruned_and_rebuilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDC_WIDGETS_CACHE_DIR", str(tmp_path))
    old = tmp_path / "idc-1.0.0-duckdb0.1-l1.duckdb"
    old.write_bytes(b"x" * 2000)
    mine = tmp_path / "notes.txt"
    mine.write_text("not ours")
    assert "idc-1.0.0-duckdb0.1-l1.duckdb  (not used any more)" in _run("cache").stdout
    assert "deleted 1 files, 2 kB" in _run("cache", "--prune").stdout
    assert not old.exists()
    rebuilt = _run("cache", "--rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert len(list(tmp_path.glob("idc-*.duckdb"))) == 1
    assert mine.read_text() == "not ours"


@pytest.mark.parametrize(
    ("arguments", "says", "code"),
    [
        (["--where", "Modality=CTT"], 'Did you mean "CT"', 2),
        (["--where", "Modality"], "write COLUMN=VALUE", 2),
        (["--where", "Modalty=CT"], '"Modality"', 2),
        (["--where", "collection_id=rider_pilot", "--where", "instanceCount=1"], "127.0.0.1:9", 5),
    ],
)
def test_errors_are_sentences(arguments: list[str], says: str, code: int, tmp_path: Path) -> None:
    done = _run("download", *arguments, "--to", str(tmp_path / "data"))
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.dcm"))


def test_plan_steering_and_verification(
    mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", mirror.endpoint)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        return code, *capsys.readouterr()

    data = str(tmp_path / "data")
    where = ["--where", "collection_id=rider_pilot", "--where", "Modality=CT", "--where", "instanceCount=1"]
    code, out, _ = run("download", *where, "--to", data, "--dry-run")
    assert code == 0 and "CC BY 4.0" in out and "Free space" in out and not (tmp_path / "data").exists()
    mirror.set(rate_mb=0.2)
    try:
        assert run("download", *where, "--to", data, "--no-wait", "--documents", "--workers", "4")[0] == 0
        job = run("jobs", data)[1].split()[0][:6]
        assert run("workers", job, "2")[0] == 0
        more = ["--where", "collection_id=rider_pilot", "--where", "instanceCount=2"]
        assert "series added" in run("add", job, *more)[1]
        code, _, err = run("next", job, "1.2.3")
        assert code == 2 and "no series '1.2.3'" in err
        assert "cancelled" in run("cancel", job, "--remove")[1]
    finally:
        mirror.set()
    assert not list((tmp_path / "data").rglob("*.dcm"))
    assert run("download", *where, "--to", data)[0] == 0
    code, out, err = run("verify", data)
    assert code == 0 and "without a problem" in out, err
    next((tmp_path / "data").rglob("*.dcm")).unlink()
    code, _, err = run("verify", data, "--offline")
    assert code == 1 and "the series is not here" in err
