"""What `verify` finds and a download then does: both see the same folder, and the download mends what it is told."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from idc_widgets.cli import exits, main
from idc_widgets.transfer import TransferError, jobs, plan
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path
from tests.mirror import SpawnedMirror

from .conftest import STUDY, default_folder, pick, tree, whole_truth
from .verifying import Check, Fetch, files, forget, kinds, links
from .verifying import make_check as make_check
from .verifying import make_data as make_data


@pytest.mark.parametrize("swap", [True, False], ids=["swapped", "copied over"])
def test_a_file_of_another_series_is_mended(
    check: Check, fetch: Fetch, mirror: SpawnedMirror, data: Path, swap: bool
) -> None:
    items = pick(STUDY)
    forget(data)
    one, other = files(data, items[0])[0], files(data, items[1])[0]
    mine, theirs = one.read_bytes(), other.read_bytes()
    one.write_bytes(theirs)
    if swap:
        other.write_bytes(mine)
    assert check(data).problems
    assert fetch(items, data).wait(60)
    assert tree(data) == whole_truth(mirror, items)
    assert check(data).ok and check(data, offline=True).ok


@links
@pytest.mark.parametrize("depth", [0, 3], ids=["of the collection", "of the series"])
def test_nothing_is_written_through_a_link(
    check: Check, fetch: Fetch, mirror: SpawnedMirror, data: Path, tmp_path: Path, depth: int
) -> None:
    items = pick(STUDY)
    place = data.joinpath(*default_folder(items[0]).split("/")[: depth + 1])
    outside = tmp_path / "outside"
    place.rename(outside)
    place.symlink_to(outside)
    inner = next(p for p in sorted(outside.rglob("*.dcm")))
    inner.write_bytes(b"mine")
    assert {kind for kind, _ in kinds(check(data))} == {"absent"}
    said = plan(items, data, endpoint_url=mirror.endpoint).problem
    assert said and str(place) in said and "is a link" in said
    with pytest.raises(TransferError, match="is a link"):
        fetch(items, data)
    assert inner.read_bytes() == b"mine"


@links
def test_a_link_that_comes_while_it_runs(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    items = pick(STUDY)
    mirror.set(rate_mb=1)
    job = fetch(items)
    outside = tmp_path / "outside"
    outside.mkdir()
    place = tmp_path / "data" / default_folder(items[0]).split("/")[0]
    place.symlink_to(outside)
    assert not job.wait(60)
    assert job.error and "a link is not written through" in job.error
    assert not list(outside.iterdir())


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("name", ["z{}", "z{}.dcm"])
@pytest.mark.parametrize("content", [None, b"\0"], ids=["random", "zeros"])
def test_files_renamed_and_unreadable_are_no_series(
    check: Check, data: Path, offline: bool, name: str, content: bytes | None
) -> None:
    item = pick(STUDY)[0]
    forget(data)
    for n, file in enumerate(files(data, item)):
        size = file.stat().st_size
        file.write_bytes(os.urandom(size) if content is None else content * size)
        file.rename(file.with_name(name.format(n)))
    assert kinds(check(data, offline=offline)) == [("absent", item.series_uid)]


@pytest.mark.parametrize("break_it", ["link", "file", "receipt link", "receipt folder"])
def test_records_that_cannot_be_kept_are_told_before_a_download(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, break_it: str
) -> None:
    own = tmp_path / "data/.idc_widgets"
    own.parent.mkdir()
    if break_it == "link":
        own.symlink_to(tmp_path)
    elif break_it == "file":
        own.write_text("mine")
    else:
        own.mkdir()
        if break_it == "receipt link":
            (own / "receipt.jsonl").symlink_to(tmp_path / "other")
        else:
            (own / "receipt.jsonl").mkdir()
    with pytest.raises(TransferError, match=r"\.idc_widgets.* is (a link|no f)"):
        fetch(pick(STUDY))


def test_a_folder_in_the_place_of_a_file_is_named(fetch: Fetch, data: Path) -> None:
    item = pick(STUDY)[0]
    file = files(data, item)[0]
    file.unlink()
    (file / "mine").mkdir(parents=True)
    job = fetch([item], data)
    assert not job.wait(60)
    said = [job.error or "", *(failure["reason"] for failure in job.failures())]
    assert any(str(file) in each and "folder" in each for each in said), said


def test_a_journal_without_its_tables_is_put_aside_and_told(
    fetch: Fetch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetch(pick(STUDY)).wait(60)
    path = journal_path(tmp_path / "data")
    Journal.of(path).close()
    db = sqlite3.connect(path)
    for table in ("meta", "job", "series"):
        db.execute(f"DROP TABLE {table}")
    db.close()
    with pytest.warns(UserWarning, match="damaged"):
        assert jobs() == []
    main(["jobs"])
    said = capsys.readouterr().err
    assert "damaged" in said and "UserWarning" not in said
    assert fetch(pick(STUDY)).wait(60)


def test_what_verify_prints(
    mirror: SpawnedMirror,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", mirror.endpoint)
    items = pick(STUDY)
    forget(data)
    assert main(["verify", str(data), "--offline"]) == exits.UNCHECKED
    assert "Problem(" not in capsys.readouterr().out
    other = pick("collection_id = 'rider_pilot' AND instanceCount < 40")[0]
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("\n".join(i.series_uid for i in (*items, other)))
    assert main(["verify", str(data), "--expect", str(wanted)]) == exits.WRONG
    assert other.series_uid in capsys.readouterr().err
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", "http://127.0.0.1:9")
    assert main(["url", items[0].series_uid, "--files", "--json"]) == exits.ENVIRONMENT
