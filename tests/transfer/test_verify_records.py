"""`verify` and records from elsewhere: forged, torn, of an earlier format; links."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from idc_widgets.transfer import plan
from idc_widgets.transfer.receipt import receipt_path
from idc_widgets.transfer.registry import record_path
from tests.mirror import SpawnedMirror

from .conftest import STUDY, default_folder, gets, pick, tree, until, whole_truth
from .test_present import flip
from .verifying import Check, Fetch, files, forget, kinds, links
from .verifying import make_check as make_check
from .verifying import make_data as make_data

# -- records from elsewhere


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in receipt_path(root).read_text().splitlines() if line.strip()]


def write(root: Path, *documents: Any) -> None:
    with receipt_path(root).open("a") as file:
        for document in documents:
            file.write((document if isinstance(document, str) else json.dumps(document)) + "\n")


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_a_receipt_that_says_what_is_damaged_is_right(check: Check, data: Path) -> None:
    """Whatever it says, a check that asks the bucket finds it; one that does not finds it contradicted or unbacked."""
    item = pick(STUDY)[0]
    entry = next(line for line in lines(data) if line["series"] == item.series_uid)
    wrong, lost = files(data, item)[:2]
    flip(wrong)
    lost.unlink()
    forged = entry | {
        "files": [[n, s, md5(wrong) if n == wrong.name else m] for n, s, m in entry["files"] if n != lost.name],
        "own": {wrong.name: [md5(wrong), True]},
    }
    forget(data)
    (data / ".idc_widgets").mkdir()
    write(data, forged)
    assert kinds(check(data, offline=True)) == [("receipt", item.series_uid)]  # fewer files than the index says
    forget(data)
    (data / ".idc_widgets").mkdir()
    write(data, forged | {"uuid": "00000000-0000-4000-8000-000000000000", "bucket": "somebody-elses"})
    found = check(data, offline=True)
    assert found.ok is None and "the receipt alone names this version" in str(found)
    assert {kind for kind, _ in kinds(check(data))} == {"unlisted"}
    forget(data)
    (data / ".idc_widgets").mkdir()
    write(data, forged)
    # It is not what the bucket lists; that it is what was received, nothing but the receipt says.
    assert kinds(check(data)) == [("changed", item.series_uid), ("missing", item.series_uid)]
    assert plan(pick(STUDY)[:1], data).series_present == 0


@pytest.mark.parametrize("etags", ["parts", "odd", "none"])
def test_a_receipt_that_says_which_md5_is_right(etags: str, check: Check, data: Path, mirror: SpawnedMirror) -> None:
    """Only this machine's own record can say that a content had its ETag."""
    item = pick(STUDY)[0]
    mirror.set(etags=etags)
    wrong = files(data, item)[0]
    flip(wrong)
    entry = next(line for line in lines(data) if line["series"] == item.series_uid)
    forget(data)
    (data / ".idc_widgets").mkdir()
    write(data, entry | {"own": {wrong.name: [md5(wrong), True]}})
    found = check(data)
    if etags == "parts":
        assert kinds(found) == [("damaged", item.series_uid)]
    else:
        assert found.ok is None and wrong in {each.path for each in found.unchecked}


def test_a_receipt_does_not_outdo_what_this_machine_knows(check: Check, fetch: Fetch, tmp_path: Path) -> None:
    """Neither its record nor the journal of its downloads."""
    item = pick(STUDY)[0]
    root = fetch(pick(STUDY)).path
    until(lambda: check(root, offline=True).ok)
    record_path(root).unlink()
    wrong = files(root, item)[0]
    flip(wrong)
    entry = next(line for line in reversed(lines(root)) if line.get("series") == item.series_uid)
    forged = entry | {"files": [[n, s, md5(wrong) if n == wrong.name else m] for n, s, m in entry["files"]]}
    write(root, forged, {"receipt": 2, "withdrawn": [[item.crdc_series_uuid, default_folder(item)]]}, forged)
    assert kinds(check(root, offline=True)) == [("damaged", item.series_uid)]
    for path in files(root, item):
        path.unlink()
    write(root, {"receipt": 2, "withdrawn": [[item.crdc_series_uuid, default_folder(item)]]})
    assert kinds(check(root, offline=True)) == [("absent", item.series_uid)]


def test_a_receipt_of_one_file_makes_no_series_present(fetch: Fetch, mirror: SpawnedMirror, data: Path) -> None:
    items = pick(STUDY)
    entry = next(line for line in lines(data) if line["series"] == items[0].series_uid)
    for path in files(data, items[0])[1:]:
        path.unlink()
    kept = files(data, items[0])[0].name
    write(data, entry | {"files": [each for each in entry["files"] if each[0] == kept]})
    receipt_path(data).write_text(json.dumps(entry | {"files": [e for e in entry["files"] if e[0] == kept]}) + "\n")
    assert plan(items[:1], data).series_present == 0
    assert fetch(items[:1], data).wait(30)
    assert len(files(data, items[0])) == items[0].files and gets(mirror) == items[0].files - 1


NOISE: list[Any] = [
    "", "{", "[]", "null", '"text"', "\0\0\0", "9" * 5000, "[" * 100_000, '{"uuid": 1}', '{"asked": 3}',
    '{"withdrawn": [1]}', '{"unasked": {"a": 1}}', '{"receipt": 2, "series": "1.',
    {"asked": [["1.2.3", "u\ud800", "b", "p", 1, 1], ["1.2", "u", "b", "../x", 1, 1]]},
    {"asked": [["1.2", "u", "b", "p", 1, 10**400]]},
    *({"series": "1.2.3.4", "uuid": "u", "bucket": "b", "provider": "aws", "idc_version": 25, "path": "p",
       "files": [["a.dcm", 1, None]]} | more for more in (
        {"path": "../outside"}, {"path": "/etc"}, {"path": "a/../../b"}, {"path": "C:\\x"}, {"path": "\ud800"},
        {"path": "a\nb"}, {"path": ".IDC_WIDGETS/x"}, {"path": "x" * 5000}, {"files": [["../a.dcm", 1, None]]},
        {"files": [["/etc/passwd", 1, None]]}, {"files": [["a.dcm", -1, None]]}, {"files": [["a.dcm", 10**400, None]]},
        {"files": [["a.dcm", 1.5, None]]}, {"series": "1.2\n3"}, {"series": "\ud800"}, {"uuid": "../x"},
        {"uuid": "a b"}, {"bucket": "b/../c"}, {"bucket": "b --flag"}, {"idc_version": "x"}, {"idc_version": 10**400},
        {"own": 3}, {"own": {"a.dcm": 3}}, {"found": {"a.dcm": 3}}, {"etags": [1]}, {"files": "a.dcm"})),
]  # fmt: skip


@pytest.mark.parametrize("where", ["before", "after"])
def test_noise_in_a_receipt_is_passed_over(where: str, check: Check, data: Path) -> None:
    genuine = receipt_path(data).read_bytes()
    noise = b"".join((n if isinstance(n, str) else json.dumps(n)).encode() + b"\n" for n in NOISE)
    noise += b"\xff\xfe\x00broken\n" + b"x" * (1 << 27) + b"\n"
    receipt_path(data).write_bytes(noise + genuine if where == "before" else genuine + noise)
    assert check(data, offline=True).ok and check(data).ok
    assert not (data.parent / "outside").exists()
    with receipt_path(data).open("ab") as file:  # torn
        file.write(genuine.strip().splitlines()[-1][:-40])
    shutil.rmtree(data / default_folder(pick(STUDY)[0]))
    for offline in (True, False, True):
        assert kinds(check(data, offline=offline)) == [("absent", pick(STUDY)[0].series_uid)]


def test_receipts_of_the_first_format(check: Check, data: Path, fetch: Fetch, mirror: SpawnedMirror) -> None:
    """They told a damaged series by an entry without files."""
    old = [line | {"receipt": 1} for line in lines(data)]
    receipt_path(data).unlink()
    write(data, *old)
    assert check(data, offline=True).ok
    receipt_path(data).unlink()
    record_path(data).unlink()
    write(data, *old, old[0] | {"files": []})
    flip(files(data, next(i for i in pick(STUDY) if i.series_uid == old[0]["series"]))[0])
    for offline in (True, False):
        assert kinds(check(data, offline=offline)) == [("damaged", old[0]["series"])]
    forget(data)
    (data / ".idc_widgets").mkdir()
    write(data, *old[1:], old[0] | {"files": []})  # and never one with files
    assert kinds(check(data, offline=True)) == [("receipt", old[0]["series"])]
    assert kinds(check(data)) == [("damaged", old[0]["series"])]
    assert fetch(pick(STUDY), data).wait(30) and tree(data) == whole_truth(mirror, pick(STUDY))
    assert check(data).ok and check(data, offline=True).ok


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_left_open(check: Check, data: Path) -> None:
    for offline in (False, True):
        assert check(data, offline=offline).ok
    gc.collect()


# -- links


@links
def test_links_are_not_followed_out_of_the_folder(check: Check, data: Path, tmp_path: Path) -> None:
    items, outside = pick(STUDY), tmp_path / "outside"
    outside.mkdir()
    one, two, three = files(data, items[0])[:3]
    one.rename(outside / one.name)
    one.symlink_to(outside / one.name)
    two.unlink()
    two.symlink_to(tmp_path / "nowhere")
    three.rename(data / "kept")
    three.symlink_to(data / "kept")  # which stays inside
    (data / default_folder(items[1])).rename(outside / "series")
    (data / default_folder(items[1])).symlink_to(outside / "series")
    for offline in (False, True):
        found = check(data, offline=offline)
        assert {(p.kind, p.path) for p in found.problems} == {
            ("unreadable", one), ("unreadable", two), ("absent", data / default_folder(items[1]))
        }  # fmt: skip
        assert "which is not followed" in str([problem.reason for problem in found.problems])


@links
@pytest.mark.parametrize("what", ["receipt", "folder", "pipe"])
def test_a_receipt_that_is_a_link_is_neither_read_nor_written(
    what: str, check: Check, data: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "receipt.jsonl").write_text("precious\n")
    shutil.rmtree(data / ".idc_widgets")
    if what == "folder":
        (data / ".idc_widgets").symlink_to(outside)
    else:
        (data / ".idc_widgets").mkdir()
        if what == "pipe":
            os.mkfifo(receipt_path(data))
        else:
            receipt_path(data).symlink_to(outside / "receipt.jsonl")
    assert check(data).ok
    assert (outside / "receipt.jsonl").read_text() == "precious\n"
    assert check(data, offline=True).ok  # by this machine's own record
