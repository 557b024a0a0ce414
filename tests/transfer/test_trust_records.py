"""What a check knows, and whom it believes: claims, names, what cannot be read, absences, cancelling."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from idc_widgets import Catalog
from idc_widgets.transfer import Item, plan
from idc_widgets.transfer.receipt import receipt_path
from idc_widgets.transfer.registry import record_path
from tests.mirror import SpawnedMirror

from .conftest import default_folder, gets, pick, tree, truth, until
from .test_present import flip, put
from .test_trust import A, B, C, as_other, linux
from .test_verify_records import md5, write
from .verifying import Check, Fetch, files, forget, kinds
from .verifying import make_check as make_check
from .verifying import make_data as make_data


def entry_for(mirror: SpawnedMirror, item: Item, **more: Any) -> dict[str, Any]:
    listed = [[e.key.rpartition("/")[2], e.size, e.etag.strip('"')] for e in mirror.truth(item.crdc_series_uuid)]
    return {
        "receipt": 2, "series": item.series_uid, "uuid": item.crdc_series_uuid, "bucket": item.bucket,
        "provider": "aws", "idc_version": 25, "path": default_folder(item), "verified": None, "by": "md5",
        "files": listed,
    } | more  # fmt: skip


def cancelled(fetch: Fetch, mirror: SpawnedMirror, data: Path, item: Item, **options: Any) -> None:
    mirror.faults.add("hang", match=f"{item.crdc_series_uuid}/*.dcm")
    before = gets(mirror)
    job = fetch((item,), data, **options)
    until(lambda: gets(mirror) > before)
    job.cancel()
    assert job.state == "cancelled"
    mirror.faults.clear()


@pytest.mark.parametrize("by", ["offline check", "expect", "failed download", "asked again"])
def test_cancelling_takes_back_what_was_asked_and_not_what_was_known(
    by: str, check: Check, fetch: Fetch, mirror: SpawnedMirror, catalog: Catalog, data: Path
) -> None:
    told = [("absent", A.series_uid)]
    forget(data)
    if by == "offline check":
        files(data, A)[0].unlink()
        assert kinds(check(data, offline=True)) == [("missing", A.series_uid)]
    shutil.rmtree(data / default_folder(A))
    if by == "expect":
        assert kinds(check(data, expect=catalog.cohort(SeriesInstanceUID=A.series_uid))) == told
    elif by == "failed download":
        mirror.faults.add("status", status=404, match=f"{A.crdc_series_uuid}/*.dcm")
        assert not fetch((A,), data).wait(60)
        mirror.faults.clear()
        assert kinds(check(data)) == told
        shutil.rmtree(record_path(data).parent.parent)
    elif by == "asked again":  # by the download alone
        cancelled(fetch, mirror, data, A)
        assert check(data).ok
        job = fetch((A,), data, max_bytes=10)
        until(lambda: job.state == "paused")
        assert kinds(check(data)) == told
        job.cancel()
        assert check(data).ok and check(data, offline=True).ok
        return
    assert kinds(check(data)) == told
    cancelled(fetch, mirror, data, A, **({"layout": ""} if by == "expect" else {}))
    for offline in (True, False, True):
        assert kinds(check(data, offline=offline)) == told


def test_a_receipts_claim_does_not_become_knowledge(check: Check, mirror: SpawnedMirror, data: Path) -> None:
    forget(data)
    shutil.rmtree(data / default_folder(B))
    shutil.rmtree(data / default_folder(C))
    for path in files(data, A)[3:]:
        path.unlink()
    flip(files(data, A)[0])
    invented = [[path.name, path.stat().st_size, md5(path)] for path in files(data, A)]
    (data / ".idc_widgets").mkdir()
    write(data, entry_for(mirror, A, uuid="11111111-1111-4111-8111-111111111111", files=invented))
    for _ in range(3):
        assert check(data, offline=True).ok is None
    receipt_path(data).unlink()
    assert check(data, offline=True).ok is None


def test_a_right_receipt_takes_the_place_of_a_claim(check: Check, mirror: SpawnedMirror, data: Path) -> None:
    forget(data)
    flip(files(data, A)[0])
    forged = [[path.name, path.stat().st_size, md5(path)] for path in files(data, A)]
    (data / ".idc_widgets").mkdir()
    write(data, entry_for(mirror, A, files=forged))
    check(data, offline=True)
    receipt_path(data).unlink()
    write(data, entry_for(mirror, A))
    assert check(data, offline=True).ok is False
    assert kinds(check(data)) == [("damaged", A.series_uid)] == kinds(check(data, offline=True))


def test_a_receipt_that_names_a_file_twice(check: Check, fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    two = next(
        item
        for item in pick("instanceCount = 2 AND series_size_MB < 0.6 AND collection_id IN ('rider_pilot', 'ispy1')")
        if len({entry.size for entry in mirror.truth(item.crdc_series_uuid)}) == 1
    )
    data = tmp_path / "data"
    put(mirror, two, data / default_folder(two), slice(1))
    entry = entry_for(mirror, two)
    for _ in range(2):
        write_new(data, entry | {"files": [entry["files"][0], entry["files"][0]]})
        assert kinds(check(data, offline=True)) == [("missing", two.series_uid)]
    record_path(data).unlink()
    write_new(data, entry | {"files": [entry["files"][0], entry["files"][0]]})
    assert (plan([two], data).series_present, plan([two], data).files_present) == (0, 0)
    assert fetch((two,), data).wait(60) and tree(data) == truth(mirror, two, default_folder(two))


def write_new(root: Path, *documents: Any) -> None:
    receipt_path(root).parent.mkdir(exist_ok=True)
    receipt_path(root).unlink(missing_ok=True)
    write(root, *documents)


@pytest.mark.parametrize("etags", ["odd", "none", "parts"])
@pytest.mark.parametrize("when", ["found before", "damaged after"])
def test_a_known_md5_stays_known(etags: str, when: str, check: Check, fetch: Fetch, mirror: SpawnedMirror) -> None:
    data = fetch((A,)).path
    until(lambda: check(data).ok)
    if when == "found before":
        flip(files(data, A)[0])
        assert kinds(check(data)) == [("damaged", A.series_uid)]
    mirror.set(etags=etags)
    if when == "damaged after":
        assert check(data).ok
        flip(files(data, A)[0])
    for offline in (False, True, False):
        assert kinds(check(data, offline=offline)) == [("damaged", A.series_uid)]
    flip(files(data, A)[0])
    assert check(data).ok and check(data, offline=True).ok
    mirror.set()
    assert check(data).ok


@pytest.mark.parametrize("etags", ["odd", "parts", "md5"])
@pytest.mark.parametrize("verified_by", ["size", "md5"])
def test_what_was_found_wrong_is_not_copied(
    etags: str, verified_by: str, check: Check, fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    mirror.set(etags=etags)
    put(mirror, A, data / "by hand")
    check(data)
    wrong = sorted((data / "by hand").iterdir())[0]
    flip(wrong)
    assert kinds(check(data)) == [("damaged", A.series_uid)]
    size = wrong.stat().st_size
    assert plan([A], data).to_fetch == size and plan([A], data).files_elsewhere == A.files - 1
    assert fetch((A,), data, verify=verified_by).wait(60) and gets(mirror) == 1
    assert {name: data for name, data in tree(data).items() if "hand" not in name} == truth(
        mirror, A, default_folder(A)
    )


@pytest.mark.skipif(os.name != "posix", reason="no such names there")
@pytest.mark.parametrize("folder", ["scans 2020:01/x", "back\\slash", "tab\there/y", "C:/x", "bad\udce9name", "a\nb"])
def test_a_folder_that_other_systems_would_not_take_is_remembered(check: Check, data: Path, folder: str) -> None:
    forget(data)
    place = data / folder
    place.parent.mkdir(exist_ok=True)
    (data / default_folder(A)).rename(place)
    assert check(data).ok
    flip(sorted(place.iterdir())[0])
    sorted(place.iterdir())[1].unlink()
    for offline in (True, False):
        assert kinds(check(data, offline=offline)) == [("damaged", A.series_uid), ("missing", A.series_uid)]
    shutil.rmtree(place)
    for offline in (False, True, False):
        assert kinds(check(data, offline=offline)) == [("absent", A.series_uid)]


VERIFY = """
import json, sys
from idc_widgets import verify
found = verify(sys.argv[1], offline=len(sys.argv) > 3, endpoint_url=sys.argv[2])
print(json.dumps([found.ok, [(p.kind, p.reason) for p in found.problems + found.unchecked + found.notes]]))
"""


@linux
@pytest.mark.parametrize("offline", [False, True])
def test_a_folder_that_cannot_be_read_is_told(mirror: SpawnedMirror, data: Path, offline: bool) -> None:
    forget(data)
    folder = data / default_folder(A)
    more = ["offline"] if offline else []
    folder.chmod(0o000)
    ok, said = as_other(VERIFY, data, mirror.endpoint, *more)
    assert ok is None and ["unchecked", "a folder cannot be read (Permission denied)"] in said
    folder.chmod(0o444)  # names can be seen, and nothing else
    ok, said = as_other(VERIFY, data, mirror.endpoint, *more)
    assert ok is False and "Permission denied" in str(said) and "leads nowhere" not in str(said)
    folder.chmod(0o755)


@linux
def test_a_folder_deeper_than_a_path_may_be_is_told(check: Check, data: Path) -> None:
    handle, name = os.open(data, os.O_RDONLY), "d" * 200
    for _ in range(22):
        os.mkdir(name, dir_fd=handle)
        handle, above = os.open(name, os.O_RDONLY, dir_fd=handle), handle
        os.close(above)
    os.close(handle)
    assert check(data).ok is None and "cannot be read" in str(check(data, offline=True))


@linux
@pytest.mark.parametrize("which", ["receipt", "record"])
def test_a_record_that_cannot_be_written_is_told(mirror: SpawnedMirror, data: Path, which: str) -> None:
    place = receipt_path(data) if which == "receipt" else record_path(data)
    place.parent.mkdir(parents=True, exist_ok=True)
    flip(files(data, A)[0])
    if place.exists():
        place.chmod(0o444)
    place.parent.chmod(0o555)
    ok, said = as_other(VERIFY, data, mirror.endpoint)
    place.parent.chmod(0o755)
    notes = [reason for kind, reason in said if kind == "record"]
    assert ok is False and len(notes) == 1 and "could not be written down" in notes[0]


def test_a_copy_that_a_download_has_made_needless(
    check: Check, fetch: Fetch, mirror: SpawnedMirror, data: Path
) -> None:
    forget(data)
    (data / default_folder(A)).rename(data / "by hand")
    assert check(data).ok and fetch((A,), data).wait(60) and gets(mirror) == 0 and check(data).ok
    shutil.rmtree(data / "by hand")
    assert kinds(check(data)) == [("absent", A.series_uid)]
    for offline in (True, False):
        assert check(data, offline=offline).ok


@pytest.mark.parametrize("how", ["moved away and back", "a copy that is deleted"])
def test_an_absence_that_is_none_any_more(how: str, check: Check, fetch: Fetch, tmp_path: Path) -> None:
    data = fetch((A, B)).path
    until(lambda: check(data).ok)
    place, other = data / default_folder(A), data / "other"
    shutil.copytree(place, other) if how != "moved away and back" else place.rename(other)
    assert check(data).ok is (how != "moved away and back")
    shutil.rmtree(other) if how != "moved away and back" else other.rename(place)
    assert kinds(check(data)) == [("absent", A.series_uid)]  # which has to be told once
    for offline in (True, False, True):
        assert check(data, offline=offline).ok
    place.rename(other)
    for offline in (False, True, True):  # where a download put it, it is missed until it is there again
        assert kinds(check(data, offline=offline)) == [("absent", A.series_uid)]
