"""`verify` at its edges: what should be here, other ETags, damage that stays told."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from idc_widgets import Catalog
from idc_widgets.cli import exits, main
from idc_widgets.transfer import Item, TransferError, receipt
from idc_widgets.transfer.model import ResourceError
from idc_widgets.transfer.receipt import receipt_path
from idc_widgets.transfer.registry import record_path
from idc_widgets.transfer.series import Object
from tests.mirror import SpawnedMirror

from .conftest import LARGE, STUDY, default_folder, gets, pick, until
from .test_present import flip, put
from .verifying import RIDER, Check, Fetch, files, forget, kinds, relist
from .verifying import make_check as make_check
from .verifying import make_data as make_data

# -- what should be here


def test_what_a_failed_job_did_not_get_is_absent(fetch: Fetch, mirror: SpawnedMirror, check: Check) -> None:
    items = pick(STUDY)
    mirror.faults.add("status", status=404, match=f"{items[1].crdc_series_uuid}/*")
    job = fetch(items)
    assert not job.wait(60) and job.state == "failed"
    mirror.faults.clear()
    for offline in (False, True):
        found = check(job.path, offline=offline)
        assert kinds(found) == [("absent", items[1].series_uid)] and found.ok is False
        assert "download of it failed" in found.problems[0].reason
    receipt_path(job.path).unlink()
    assert kinds(check(job.path, offline=True)) == [("absent", items[1].series_uid)]
    shutil.rmtree(record_path(job.path).parent.parent)  # the journal too
    assert kinds(check(job.path, offline=True)) == [("absent", items[1].series_uid)]


def test_what_a_paused_job_has_not_got_is_absent_until_it_is_cancelled(
    fetch: Fetch, mirror: SpawnedMirror, check: Check
) -> None:
    items = pick(STUDY)
    mirror.faults.add("hang", match=f"{items[1].crdc_series_uuid}/*")
    job = fetch(items)
    until(lambda: job.progress.series_done == 2)
    job.pause()
    mirror.faults.clear()
    found = check(job.path)
    assert kinds(found) == [("absent", items[1].series_uid)]
    assert "a download of it is paused" in found.problems[0].reason
    job.cancel()
    assert check(job.path).ok and check(job.path, offline=True).ok


def test_cancelling_takes_nothing_back_of_what_was_there(
    fetch: Fetch, mirror: SpawnedMirror, check: Check, data: Path
) -> None:
    """A series that another machine received, damaged since, and a download of it that was cancelled."""
    items = pick(STUDY)
    wrong = files(data, items[0])[0]
    wrong.write_bytes(wrong.read_bytes()[:-1])
    mirror.faults.add("hang", match=f"{items[0].crdc_series_uuid}/*.dcm")
    job = fetch(items[:1], data)
    until(lambda: gets(mirror))
    job.cancel()
    mirror.faults.clear()
    other = files(data, items[0])[1]
    flip(other)
    for offline in (True, False):
        assert {problem.path for problem in check(data, offline=offline).problems} >= {other}


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_expected(check: Check, catalog: Catalog, data: Path, tmp_path: Path, offline: bool) -> None:
    items = pick(STUDY)
    forget(data)
    shutil.rmtree(data / default_folder(items[2]))
    all_right = None if offline else True
    assert check(data, offline=offline).ok is all_right
    here = catalog.cohort(SeriesInstanceUID=[item.series_uid for item in items[:2]])
    assert check(data, offline=offline, expect=here).ok is all_right
    manifest = tmp_path / "manifest.s5cmd"
    manifest.write_text("".join(f"cp s3://{i.bucket}/{i.crdc_series_uuid}/* .\n" for i in items))
    assert kinds(check(data, offline=offline, expect=manifest)) == [("absent", items[2].series_uid)]
    # It is known from then on.
    assert kinds(check(data, offline=True)) == [("absent", items[2].series_uid)]
    strange = f"1.3.6.1.4.1.14519.5.2.1.9.9\n{items[0].series_uid}\n"
    found = check(data, offline=offline, expect=strange)
    assert ("absent", "1.3.6.1.4.1.14519.5.2.1.9.9") in kinds(found)
    with pytest.raises(TransferError, match=r"is no manifest|names no series"):
        check(data, offline=offline, expect="no list at all")


def test_the_command_lines_exit_codes(
    mirror: SpawnedMirror, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], catalog: Catalog,
) -> None:  # fmt: skip
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", mirror.endpoint)
    items = pick(STUDY)
    manifest = tmp_path / "list.txt"
    manifest.write_text("\n".join(item.series_uid for item in items))
    forget(data)
    assert main(["verify", str(data), "--offline"]) == exits.UNCHECKED
    assert "content not checked: 40 files, because" in capsys.readouterr().out
    assert main(["verify", str(data), "--expect", str(manifest)]) == exits.OK
    assert main(["verify", str(data), "--offline"]) == exits.OK  # with the receipt that the check wrote
    shutil.rmtree(data / default_folder(items[2]))
    capsys.readouterr()
    assert main(["verify", str(data), "--expect", str(manifest), "--json"]) == exits.WRONG
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False and [p["kind"] for p in said["problems"]] == ["absent"]
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", "http://127.0.0.1:9")
    assert main(["verify", str(data)]) == exits.ENVIRONMENT
    assert main(["verify", str(tmp_path / "none")]) == exits.USAGE
    assert main(["verify", str(data), "--expect", str(tmp_path / "none.txt")]) == exits.USAGE


def test_the_folder_is_read_as_a_downloads_is(check: Check, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE_IT_IS", str(data))
    assert check(Path(f' "{data}" '), offline=True).ok
    assert check(Path("$WHERE_IT_IS"), offline=True).ok
    for wrong in ("", "s3://idc-open-data/x", "a\0b"):
        with pytest.raises(TransferError):
            check(wrong, offline=True)  # type: ignore[arg-type]


# -- what is told stays told


@pytest.mark.parametrize("records", ["receipt", "none"])
def test_twenty_checks_in_a_row(check: Check, data: Path, records: str) -> None:
    items = pick(STUDY)
    if records == "none":
        forget(data)
        assert check(data).ok
    flip(files(data, items[0])[0])
    files(data, items[0])[3].unlink()
    shutil.rmtree(data / default_folder(items[1]))
    right = [("absent", items[1].series_uid), ("damaged", items[0].series_uid), ("missing", items[0].series_uid)]
    for n in range(20):
        assert kinds(check(data, offline=bool(n % 3))) == right
    size = receipt_path(data).stat().st_size
    check(data)
    assert receipt_path(data).stat().st_size == size  # nothing new, nothing written
    receipt_path(data).unlink()
    assert kinds(check(data, offline=True)) == right
    shutil.rmtree(record_path(data).parent)
    assert kinds(check(data, offline=True)) == right


def test_a_folder_that_cannot_be_written(check: Check, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = pick(STUDY)
    real, before = receipt._write, receipt_path(data).read_bytes()

    def write(path: Path, line: str) -> None:
        if path == receipt_path(data):
            raise PermissionError(13, "Permission denied")
        real(path, line)

    monkeypatch.setattr(receipt, "_write", write)
    shutil.rmtree(data / default_folder(items[1]))
    assert kinds(check(data)) == [("absent", items[1].series_uid)] and receipt_path(data).read_bytes() == before
    receipt_path(data).unlink()
    assert kinds(check(data, offline=True)) == [("absent", items[1].series_uid)]

    def refuse(*_: object) -> None:
        raise ResourceError("the state folder cannot be used")

    monkeypatch.setattr(receipt, "make_private", refuse)
    files(data, items[0])[0].unlink()
    found = check(data)
    assert ("missing", items[0].series_uid) in kinds(found) and [note.kind for note in found.notes] == ["record"]


def test_a_series_scattered_over_folders(check: Check, data: Path) -> None:
    """What one folder lacks another has; what is damaged stays told offline, and what goes is missed."""
    item = pick(STUDY)[0]
    forget(data)
    (data / "half").mkdir()
    for path in files(data, item)[::2]:
        path.rename(data / "half" / path.name)
    assert check(data).ok and check(data, offline=True).ok
    wrong, lost = sorted((data / "half").iterdir())[:2]
    flip(wrong)
    lost.unlink()
    for offline in (True, False, True):
        found = check(data, offline=offline)
        assert {(p.kind, p.path.name) for p in found.problems} == {("damaged", wrong.name), ("missing", lost.name)}
    shutil.rmtree(data / "half")
    assert {kind for kind, _ in kinds(check(data, offline=True))} == {"missing"}


def test_two_copies_that_are_both_damaged(check: Check, data: Path) -> None:
    item = pick(STUDY)[0]
    forget(data)
    shutil.copytree(data / default_folder(item), data / "copy")
    one, other = files(data, item)[0], sorted((data / "copy").iterdir())[1]
    other.write_bytes(other.read_bytes()[:-2])
    found = check(data, offline=True)  # whose sizes differ: one of them is wrong
    assert kinds(found) and {kind for kind, _ in kinds(found)} == {"damaged"}
    flip(one)
    assert {problem.path for problem in check(data).problems} == {one, other}
    assert {problem.path for problem in check(data, offline=True).problems} == {one, other}


def test_files_moved_between_folders(check: Check, data: Path) -> None:
    """A folder's name does not speak for what was put into it."""
    items = sorted(pick(STUDY), key=lambda item: item.files)
    small, large = items[0], items[-1]
    forget(data)
    for path in files(data, small):  # all of one series into the folder that is named after another
        path.rename(data / default_folder(large) / path.name)
    (data / default_folder(small)).rmdir()
    found = check(data)
    assert found.ok and (found.series, found.files, found.extra) == (3, 40, [])
    forget(data)
    mine = {path.name for path in files(data, large)}
    moved = next(path for path in files(data, large) if path.read_bytes().find(small.series_uid.encode()) > 0)
    flip(moved)
    assert kinds(check(data)) == [("damaged", small.series_uid)] and moved.name in mine


# -- the disk and the bucket


def test_a_difference_in_the_bucket_is_no_damage(
    check: Check, data: Path, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = pick(STUDY)[0]
    changed, damaged = files(data, item)[:2]
    with monkeypatch.context() as patch:
        names = {changed.name, damaged.name}
        relist(patch, lambda o: Object(o.name, o.size, "0" * 32) if o.name in names else o)
        flip(damaged)
        for offline in (False, True, True, False):
            found = check(data, offline=offline)
            assert {(p.path, p.kind) for p in found.problems} == {(changed, "changed"), (damaged, "damaged")}
            reasons = {p.path: p.reason for p in found.problems}
            assert "the bucket has another object now" in reasons[changed]
            assert reasons[damaged].startswith("damaged on this disk")
    assert fetch(pick(STUDY), data).wait(30)
    assert check(data).ok and check(data, offline=True).ok


def etag_of_parts(data: bytes, part: int) -> str:
    digests = [hashlib.md5(data[n : n + part]).digest() for n in range(0, len(data), part)]
    return f"{hashlib.md5(b''.join(digests)).hexdigest()}-{len(digests)}"


@pytest.mark.parametrize("part", [5 << 20, 8 << 20, 15 * 10**6, 16 << 20, 50 << 20])
def test_part_sizes_that_tools_use(
    part: int, check: Check, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, data = pick(LARGE)[0], tmp_path / "data"
    put(mirror, item, data)
    path = next(data.iterdir())
    etag = etag_of_parts(path.read_bytes(), part)
    assert not etag.endswith("-1")
    relist(monkeypatch, lambda o: Object(o.name, o.size, etag))
    found = check(data)
    assert found.ok and found.files_by_md5 == 1
    flip(path)
    for offline in (True, False):  # with its MD5, which the check took
        assert kinds(check(data, offline=offline)) == [("damaged", item.series_uid)]
    forget(data)  # nothing is left to say that it was right once
    found = check(data)
    assert found.ok is None and "parts of unusual size" in found.unchecked[0].reason


@pytest.mark.parametrize("etag", ["", "opaque", f"{'0' * 32}-3"])
def test_etags_that_tell_nothing(etag: str, check: Check, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget(data)
    relist(monkeypatch, lambda o: Object(o.name, o.size, etag))
    found = check(data)
    assert found.ok is None and len(found.unchecked) == 40 and found.files_by_md5 == 0
    assert "content not checked: 40 files, because" in str(found)
    item = pick(STUDY)[0]
    wrong = files(data, item)[0]
    flip(wrong)
    for n in range(4):
        assert [(p.kind, p.path) for p in check(data, offline=bool(n % 2)).problems] == [("damaged", wrong)]
    # A copy of what was seen is compared with it too.
    shutil.copytree(data / default_folder(item), data / "copy")
    assert {p.path for p in check(data).problems} == {wrong, data / "copy" / wrong.name}


@pytest.mark.parametrize("layout", ["%collection_id/%PatientID", "%StudyInstanceUID", "%PatientID"])
@pytest.mark.parametrize("offline", [False, True])
def test_folders_that_look_like_series(
    layout: str, offline: bool, check: Check, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    """PatientIDs and studies look like series there: the headers tell."""
    items = pick(RIDER)[:3]
    assert all(set(str(item.fields["PatientID"])) <= set("0123456789.") for item in items)
    names: dict[Item, Path] = {}
    for item in items:
        folder = layout
        for key in ("collection_id", "PatientID", "StudyInstanceUID"):
            folder = folder.replace(f"%{key}", str(item.fields[key]))
        names[item] = tmp_path / "data" / folder
        put(mirror, item, names[item])
    assert check(tmp_path / "data", offline=offline).ok is (None if offline else True)
    forget(tmp_path / "data")
    mine = {entry.key.rpartition("/")[2] for entry in mirror.truth(items[0].crdc_series_uuid)}
    wrong = next(path for path in sorted(names[items[0]].iterdir()) if path.name in mine)
    flip(wrong)
    found = check(tmp_path / "data", offline=offline)
    if offline:
        assert found.ok is None and wrong in {each.path for each in found.unchecked}
    else:
        assert [(p.kind, p.path) for p in found.problems] == [("damaged", wrong)]


def test_an_empty_object_is_damaged_whoever_it_is_of(check: Check, data: Path) -> None:
    items = pick(STUDY)
    forget(data)
    flat = data / "all"
    flat.mkdir()
    for path in [*files(data, items[0])]:
        path.rename(flat / path.name).write_bytes(b"")
    found = check(data)
    assert found.ok is False and len(found.problems) == items[0].files
    assert {p.reason for p in found.problems} == {"damaged on this disk: the file is empty"}


@pytest.mark.parametrize("records", ["receipt", "none"])
@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("body", [b"not DICOM", b"", b"\0" * 128 + b"DICM" + b"\xff" * 100])
def test_a_folder_of_which_nothing_can_be_read(
    body: bytes, offline: bool, records: str, check: Check, data: Path
) -> None:
    item = pick(STUDY)[0]
    if records == "none":
        forget(data)
    for path in files(data, item):
        path.unlink()
    (data / default_folder(item) / "a.dcm").write_bytes(body)
    for _ in range(2):
        assert kinds(check(data, offline=offline))[0] == ("absent", item.series_uid)


def test_results_under_the_name_of_a_series_are_no_damage(check: Check, data: Path, mirror: SpawnedMirror) -> None:
    """A file that can be read and is of no series of IDC, in a folder named after one."""
    other = next(path for path in files(data, pick(STUDY)[1]))
    forget(data)
    mine = data / "results" / "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
    mine.mkdir(parents=True)
    uid = pick(STUDY)[1].series_uid.encode()
    (mine / "seg.dcm").write_bytes(other.read_bytes().replace(uid, b"2.25." + b"7" * (len(uid) - 5)))
    found = check(data)
    assert found.ok and found.extra == [mine / "seg.dcm"]
