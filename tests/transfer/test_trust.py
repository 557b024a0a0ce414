"""What a download and a check take for theirs, and whom they believe: links, files of others, records, cancelling."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from idc_widgets import Catalog
from idc_widgets.transfer import Item, TransferError, plan
from tests.mirror import SpawnedMirror

from .conftest import STUDY, default_folder, pick, tree, truth, until, whole_truth
from .test_present import flip
from .verifying import Fetch, files, links
from .verifying import make_check as make_check
from .verifying import make_data as make_data

A, B, C = pick(STUDY)


def names_of(mirror: SpawnedMirror, item: Item) -> list[str]:
    return [entry.key.rpartition("/")[2] for entry in mirror.truth(item.crdc_series_uuid)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of the user's own, which is to be as it was at the end."""
    folder = tmp_path / "Documents"
    (folder / "thesis").mkdir(parents=True)
    (folder / "thesis/x.tex").write_text("years")
    (folder / "a.txt").write_text("mine")
    (folder / A.crdc_series_uuid).mkdir()
    (folder / A.crdc_series_uuid / "b.txt").write_text("mine")
    return folder


# -- links in what is ours


@links
@pytest.mark.parametrize("of", ["staging", "staging/{}"])
def test_a_staging_folder_that_is_a_link_is_refused(fetch: Fetch, tmp_path: Path, home: Path, of: str) -> None:
    before, data = tree(home), tmp_path / "data"
    link = data / ".idc_widgets" / of.format(A.crdc_series_uuid)
    link.parent.mkdir(parents=True)
    link.symlink_to(home)
    said = plan([A], data).problem or ""
    assert str(link) in said and "is a link" in said
    with pytest.raises(TransferError, match="is a link"):
        fetch((A,))
    assert tree(home) == before and not list((tmp_path / "data").glob("ispy1"))
    if of != "staging":
        assert plan([B], data).problem is None  # another series is not concerned


@links
@pytest.mark.parametrize("of", ["staging", "staging/{}"])
@pytest.mark.parametrize("then", ["resume", "cancel"])
def test_a_link_that_comes_later_is_not_followed(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, home: Path, of: str, then: str
) -> None:
    before, data = tree(home), tmp_path / "data"
    mirror.set(rate_mb=0.5)
    job = fetch((A,))
    until(lambda: job.progress.files_done > 0)
    job.pause()
    until(lambda: job.state == "paused")
    link = data / ".idc_widgets" / of.format(A.crdc_series_uuid)
    shutil.rmtree(link)
    link.symlink_to(home)
    mirror.set()
    if then == "resume":
        job.resume()
        until(lambda: job.state == "failed")
        assert "a link is not written through" in (job.error or "") and str(link) in (job.error or "")
        until(lambda: not job._lock().held_elsewhere(), 10)  # its process ends, too
    else:
        job.cancel()
    assert tree(home) == before


@links
@pytest.mark.parametrize("ends", ["", ".part", ".blocks"])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("bandwidth", [None, "50 MB/s"])
def test_a_link_among_staged_files_is_not_written_to(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, ends: str, hard: bool, bandwidth: str | None
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    place = tmp_path / "data/.idc_widgets/staging" / A.crdc_series_uuid / (names_of(mirror, A)[0] + ends)
    place.parent.mkdir(parents=True)
    place.hardlink_to(precious) if hard else place.symlink_to(precious)
    job = fetch((A,), bandwidth=bandwidth)
    assert job.wait(60), job.error
    assert precious.read_text() == "mine"
    assert tree(tmp_path / "data") == truth(mirror, A, default_folder(A))


# -- cancelling with removal


@links
def test_removing_goes_through_no_link(fetch: Fetch, tmp_path: Path) -> None:
    job = fetch((A, B))
    assert job.wait(60)
    disk, data = tmp_path / "disk", tmp_path / "data"
    place = default_folder(A)
    (data / place).rename(disk)
    (data / place).symlink_to(disk)
    job.cancel(keep=False)
    assert len(list(disk.iterdir())) == A.files and not (data / default_folder(B)).exists()
    assert f"{A.files} files were left" in str(job.status) and job.state == "cancelled"


@pytest.mark.parametrize("edit", ["size", "content", "content and time", "link"])
@pytest.mark.parametrize("receipt", [True, False])
def test_removing_leaves_what_was_changed(fetch: Fetch, tmp_path: Path, edit: str, receipt: bool) -> None:
    job = fetch((A,))
    assert job.wait(60)
    mine, *_ = files(tmp_path / "data", A)
    status = mine.stat()
    until(lambda: time.time() > status.st_ctime + 2)
    if edit == "size":
        mine.write_text("hours of work")
    elif edit == "link":
        kept = mine.rename(tmp_path / "kept")
        mine.symlink_to(kept)
    else:
        flip(mine)
        if edit == "content and time":
            os.utime(mine, ns=(status.st_atime_ns, status.st_mtime_ns))
    if not receipt:
        shutil.rmtree(tmp_path / "data/.idc_widgets")
    job.cancel(keep=False)
    assert [path.name for path in files(tmp_path / "data", A)] == [mine.name]
    assert "1 file was left" in str(job.status)


# -- documents


@links
def test_documents_are_written_to_nobody_elses_files(
    mirror: SpawnedMirror, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    mine = tmp_path / "bashrc"
    mine.write_text("mine")
    for name in ("manifest.csv", "idc-manifest.csv", "README.md"):
        (data / name).write_text(f"my {name}")
    (data / "idc-README.md").symlink_to(mine)
    for name in ("manifest.csv", "idc-manifest.csv", "README.md", "idc-README.md", "idc-2-manifest.csv"):
        (data / f".{name}.draft").symlink_to(mine)
    job = catalog.cohort(SeriesInstanceUID=B.series_uid).download(data, endpoint_url=mirror.endpoint, documents=True)
    assert job.wait(60, progress=False), job.error
    assert mine.read_text() == "mine" and (data / "idc-README.md").is_symlink()
    for name in ("manifest.csv", "idc-manifest.csv", "README.md"):
        assert (data / name).read_text() == f"my {name}"
    assert B.series_uid in (data / "idc-2-manifest.csv").read_text()
    assert B.series_uid in (data / "idc-2-README.md").read_text() or job.id in (data / "idc-2-README.md").read_text()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_in_the_place_of_documents(
    mirror: SpawnedMirror, catalog: Catalog, tmp_path: Path, kind: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("manifest.csv", "README.md"):
        (data / name).mkdir() if kind == "folder" else os.mkfifo(data / name)
    job = catalog.cohort(SeriesInstanceUID=B.series_uid).download(data, endpoint_url=mirror.endpoint, documents=True)
    assert job.wait(60, progress=False), job.error
    left = {path.name for path in data.iterdir()} - {"ispy1", ".idc_widgets"}
    assert left == {"manifest.csv", "README.md", "idc-manifest.csv", "idc-README.md"}


# -- what is in the way


def unprivileged() -> None:
    """Take from a process what lets root read and write everything; it needs to be called before it begins."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


linux = pytest.mark.skipif(sys.platform != "linux", reason="permissions as Linux has them")


def as_other(script: str, *arguments: object) -> Any:
    """Run a script as somebody whom permissions bind; it prints JSON."""
    ran = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True, text=True, check=False, preexec_fn=unprivileged, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


PLAN = """
import json, sys
from pathlib import Path
from idc_widgets.transfer import plan
from tests.transfer.conftest import STUDY, pick
print(json.dumps(plan(pick(STUDY)[:1], Path(sys.argv[1])).problem))
"""


@pytest.mark.parametrize("depth", [1, 3, 4], ids=["collection", "study", "series"])
def test_a_file_in_the_place_of_a_folder(fetch: Fetch, tmp_path: Path, depth: int) -> None:
    place = tmp_path.joinpath("data", *default_folder(A).split("/")[:depth])
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    said = plan([A], tmp_path / "data").problem or ""
    assert str(place) in said and "is a file where a folder is to be" in said
    with pytest.raises(TransferError, match="is a file"):
        fetch((A,))
    assert place.read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_fails_one_series(fetch: Fetch, mirror: SpawnedMirror, data: Path) -> None:
    file, *_ = files(data, A)
    file.unlink()
    (file / "mine").mkdir(parents=True)
    (files(data, B)[0]).unlink()
    said = plan([A, B, C], data).problem or ""
    assert str(file) in said and "is a folder" in said
    job = fetch((A, B, C), data)
    assert not job.wait(60)
    assert [series["state"] for series in job.series()] == ["failed", "complete", "complete"]
    assert str(file) in (job.error or "") and job.failures()[0]["key"].endswith(file.name)
    assert job.progress.failed == 1 and str(job.status) == "complete with 1 failure"
    (file / "mine").rmdir()
    file.rmdir()
    job.retry()
    assert job.wait(60) and tree(data) == whole_truth(mirror, (A, B, C))


@linux
def test_a_folder_that_may_not_be_written(data: Path) -> None:
    folder = files(data, A)[0].parent
    folder.chmod(0o555)
    assert as_other(PLAN, data) is None  # nothing is to be written
    folder.chmod(0o755)
    files(data, A)[0].unlink()
    folder.chmod(0o555)
    said = as_other(PLAN, data)
    assert str(folder) in said and "may not be written" in said
    folder.chmod(0o000)
    assert str(folder) in as_other(PLAN, data)
