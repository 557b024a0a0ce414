"""A plan says what the download will do: what is there already, in whatever state, is counted as it is then treated."""

from __future__ import annotations

import importlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from idc_widgets import Catalog
from idc_widgets.transfer import Item, Job, Plan, TransferError, audit, plan, receipt
from idc_widgets.transfer.verify import md5_of
from tests.mirror import SpawnedMirror

from .conftest import LARGE, STUDY, body, default_folder, gets, pick, refetched, tree, truth, until, whole_truth

Fetch = Callable[..., Job]

#: Some forty series of two to six small files, several of one patient.
SMALL = (
    "instanceCount BETWEEN 2 AND 6 AND series_size_MB < 0.6 AND collection_id IN ('rider_pilot', 'ispy1', 'upenn_gbm')"
)
OTHER = "%PatientID/%SeriesInstanceUID"


def put(mirror: SpawnedMirror, item: Item, folder: Path, some: slice = slice(None)) -> dict[str, int]:
    """Copy files of a series to a folder, as a person would; return their sizes by name."""
    folder.mkdir(parents=True, exist_ok=True)
    put = {}
    for entry in mirror.truth(item.crdc_series_uuid)[some]:
        name = entry.key.rpartition("/")[2]
        (folder / name).write_bytes(body(mirror, entry.key))
        put[name] = entry.size
    return put


def write_receipt(mirror: SpawnedMirror, item: Item, data: Path, path: str, by: str = "md5") -> None:
    listed = mirror.truth(item.crdc_series_uuid)
    files = tuple((entry.key.rpartition("/")[2], entry.size, md5_of(entry.etag)) for entry in listed)
    receipt.append(data, receipt.Entry(item.series_uid, item.crdc_series_uuid, item.bucket, "aws", 25, path, files, by))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def fetched(mirror: SpawnedMirror, items: tuple[Item, ...]) -> int:
    """Return the bytes of all objects that were asked for."""
    sizes = {entry.key: entry.size for item in items for entry in mirror.truth(item.crdc_series_uuid)}
    counts = mirror.requests()["keys"].get("GET", {})
    return sum(sizes[key] * count for key, count in counts.items() if key in sizes)


def test_files_without_a_receipt_are_verified_where_they_are(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    for item in items:
        put(mirror, item, data / default_folder(item))
    view = plan(items, data)
    assert (view.series_present, view.series_unverified, view.files_unverified) == (0, 3, 40)
    assert (view.to_fetch, view.need) == (0, 0) and "will be verified, not fetched" in str(view)
    # A disk without any room is no reason to refuse it.
    used = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type(used)(used.total, used.total, 0))
    job = fetch(items)
    assert job.wait(30), job.failures()
    assert gets(mirror) == 0 and tree(data) == whole_truth(mirror, items)
    assert (plan(items, data).series_present, plan(items, data).files_unverified) == (3, 0)


def test_cancelling_leaves_what_was_there_before(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    put(mirror, items[0], data / default_folder(items[0]))
    mirror.faults.add("hang", match=f"{items[1].crdc_series_uuid}/*")
    job = fetch(items)
    until(lambda: job.progress.series_done == 2)
    job.cancel(keep=False)
    assert tree(data) == truth(mirror, items[0], default_folder(items[0]))


def test_a_damaged_file_without_a_receipt_is_fetched(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "1")  # what was damaged on this disk is no failed try
    data, items = tmp_path / "data", pick(STUDY)[:1]
    names = list(put(mirror, items[0], data / default_folder(items[0])))
    flip(data / default_folder(items[0]) / names[0])
    assert fetch(items).wait(30)
    assert gets(mirror) == 1 and tree(data) == whole_truth(mirror, items)


@pytest.mark.parametrize("reuse", ["copy", "link", None])
@pytest.mark.parametrize("with_receipt", [True, False])
def test_another_layout(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, reuse: Any, with_receipt: bool) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    for item in items:
        put(mirror, item, data / item.fields["PatientID"] / item.series_uid)
        if with_receipt:
            write_receipt(mirror, item, data, f"{item.fields['PatientID']}/{item.series_uid}")
    before = tree(data)
    view = plan(items, data, reuse=reuse)
    total = sum(item.bytes for item in items)
    assert (view.series_elsewhere, view.files_elsewhere, view.bytes_elsewhere) == (3, 40, total)
    assert [uid for uid, _ in view.elsewhere] == [item.series_uid for item in items]
    assert view.to_fetch == (0 if reuse else total) and view.need in (
        (total, 0) if reuse == "copy" else (view.to_fetch,)
    )
    assert {"copy": "copied", "link": "linked", None: "fetched again"}[reuse] in str(view)
    job = fetch(items, reuse=reuse)
    assert job.wait(30), job.failures()
    assert gets(mirror) == (0 if reuse else 40)
    assert tree(data) == before | whole_truth(mirror, items)
    name = next(iter(truth(mirror, items[0], "")))
    new, old = data / default_folder(items[0]) / name, data / items[0].fields["PatientID"] / items[0].series_uid / name
    assert new.samefile(old) is (reuse == "link")
    assert plan(items, data).series_present == 3
    assert not (data / ".idc_widgets/staging").exists()


def test_a_damaged_source_is_fetched_and_left_as_it_is(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    assert fetch(items, layout=OTHER).wait(30)
    folder = data / str(items[0].fields["PatientID"]) / items[0].series_uid
    flipped, cut, lost = sorted(folder.iterdir())[:3]
    flip(flipped)
    cut.write_bytes(cut.read_bytes()[:-1])
    lost.unlink()
    before = tree(data)
    view = plan(items, data)
    assert view.to_fetch == sum(
        entry.size for entry in mirror.truth(items[0].crdc_series_uuid) if entry.key.endswith((cut.name, lost.name))
    )
    mirror.reset_counts()
    assert fetch(items).wait(30)
    assert set(mirror.requests()["keys"]["GET"]) >= {
        f"{items[0].crdc_series_uuid}/{path.name}" for path in (flipped, cut, lost)
    }
    assert gets(mirror) == 3 and tree(data) == before | whole_truth(mirror, items)


def test_mixed_and_flat_folders(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    """Folders whose names say no series: the headers of their files do."""
    data, items = tmp_path / "data", pick(STUDY)
    put(mirror, items[0], data / "p")
    put(mirror, items[1], data / "p")
    put(mirror, items[2], data)
    view = plan(items, data)
    assert (view.series_elsewhere, view.to_fetch, {folder for _, folder in view.elsewhere}) == (3, 0, {"p", ""})
    assert plan(items, data, layout="").files_unverified == items[2].files
    assert fetch(items).wait(30) and gets(mirror) == 0
    assert tree(data).items() >= whole_truth(mirror, items).items()


def test_added_series_use_what_is_there_too(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    put(mirror, items[2], data / "mine" / items[2].series_uid)
    job = fetch(items[:2])
    assert job.wait(30)
    before = gets(mirror)
    assert job.add(items) == 1
    until(lambda: job.state == "complete" and job.progress.series_done == 3)
    assert gets(mirror) == before and tree(data).items() >= whole_truth(mirror, items).items()


def test_a_large_object_is_taken_from_the_disk(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    data, items = tmp_path / "data", pick(LARGE)[:1]
    put(mirror, items[0], data / "slide")
    assert plan(items, data).to_fetch == 0
    job = fetch(items)
    assert job.wait(60) and gets(mirror) == 0
    assert tree(data).items() >= whole_truth(mirror, items).items()


def test_a_receipt_does_not_lead_out_of_the_folder(mirror: SpawnedMirror, tmp_path: Path) -> None:
    data, items = tmp_path / "data", pick(STUDY)[:1]
    put(mirror, items[0], tmp_path / "outside")
    data.mkdir()
    for path in ("../outside", str(tmp_path / "outside")):
        write_receipt(mirror, items[0], data, path)
    view = plan(items, data)
    assert view.to_fetch == view.bytes and view.elsewhere == () and view.series_present == 0


# -- whatever is there

STATES = ("nothing", "receipt", "weak receipt", "by hand", "partly", "partly, receipt", "other layout",
          "other layout, receipt", "mixed folder", "staged", "partly and other layout", "cut, receipt", "cut",
          "flipped", "flipped elsewhere", "renamed")  # fmt: skip


def arrange(state: str, item: Item, data: Path, mirror: SpawnedMirror, chance: random.Random) -> int:
    """Bring about a state of one series; return the bytes that the plan must take for right and are not."""
    own, other = data / default_folder(item), data / "old" / item.series_uid
    some = slice(chance.randrange(1, item.files))
    staging = data / ".idc_widgets/staging" / item.crdc_series_uuid
    if "receipt" in state:
        path = f"old/{item.series_uid}" if "other" in state else default_folder(item)
        write_receipt(mirror, item, data, path, "size" if "weak" in state else "md5")
    if state in ("receipt", "weak receipt", "by hand", "cut, receipt", "cut", "flipped", "renamed"):
        put(mirror, item, own)
    elif state.startswith("partly"):
        put(mirror, item, own, some)
    elif state == "mixed folder":
        put(mirror, item, data / "all of them")
    elif state == "staged":
        put(mirror, item, staging, some)
        (staging / f"{'x' * 8}.dcm1234").write_bytes(b"what s5cmd leaves when it is killed")
    if "other layout" in state or state == "flipped elsewhere":
        put(mirror, item, other)
    folder = other if "elsewhere" in state else own
    if state == "renamed":  # files are found by their names alone
        chance.choice(sorted(folder.iterdir())).rename(folder / "IM0001.dcm")
    if state.startswith(("cut", "flipped")):
        path = chance.choice(sorted(folder.iterdir()))
        if state.startswith("flipped"):
            flip(path)
            return path.stat().st_size
        path.write_bytes(path.read_bytes()[: -chance.randrange(1, 100)])
        return 0 if "receipt" in state else path.stat().st_size
    return 0


def one_case(seed: int, mirror: SpawnedMirror, data: Path, fetch: Fetch) -> Plan:
    chance = random.Random(seed)
    items = tuple(chance.sample(pick(SMALL), chance.randrange(1, 9)))
    states = [chance.choice(STATES) for _ in items]
    wrong = sum(arrange(state, item, data, mirror, chance) for state, item in zip(states, items, strict=True))
    view = plan(items, data)
    mirror.reset_counts()
    job = fetch(items, data)
    assert job.wait(60), (seed, job.error, job.failures()[:3])
    where = f"seed {seed}: {states}"
    assert fetched(mirror, items) == view.to_fetch + wrong, where
    assert refetched(mirror) == {}, where
    assert view.series_present == states.count("receipt"), where
    assert view.need - view.to_fetch in (0, view.bytes_elsewhere), where
    assert tree(data).items() >= whole_truth(mirror, items).items(), where
    again = plan(items, data)
    assert (again.series_present, again.to_fetch, again.need) == (len(items), 0, 0), where
    return view


@pytest.mark.parametrize("seed", range(12))
def test_what_the_plan_says_is_what_the_download_does(
    seed: int, fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    one_case(seed, mirror, tmp_path / "data", fetch)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_random_folders(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    first = int(os.environ.get("IDC_WIDGETS_SEED") or random.randrange(10**6))
    for seed in range(first, first + int(os.environ.get("IDC_WIDGETS_ROUNDS") or 200)):
        one_case(seed, mirror, tmp_path / str(seed), fetch)


# -- where names were cut before

LONG = "%collection_id_%PatientID_%StudyInstanceUID_%Modality_%SeriesInstanceUID"


def test_folders_with_names_cut_at_120_bytes_are_still_found(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    from idc_widgets.transfer.paths import _as_before

    data, items = tmp_path / "data", pick(STUDY)
    names = {item: "_".join(default_folder(item).split("/")) for item in items}
    assert all(len(name) > 120 for name in names.values())
    for item, name in names.items():
        put(mirror, item, data / _as_before(name))
        write_receipt(mirror, item, data, _as_before(name))
    view = plan(items, data, layout=LONG)
    assert (view.series_present, view.need) == (3, 0)
    assert fetch(items, layout=LONG).wait(30) and gets(mirror) == 0
    assert [uid for uid, folder in plan(items, tmp_path / "new", layout=LONG).folders if len(folder) > 120] == [
        item.series_uid for item in items
    ]


def test_dry_run_and_download_refuse_the_same(catalog: Catalog, mirror: SpawnedMirror, tmp_path: Path) -> None:
    cohort = catalog.cohort(SeriesInstanceUID=[item.series_uid for item in pick(STUDY)])
    for wrong in WRONG:
        said = []
        for dry_run in (True, False):
            options: dict[str, Any] = {"endpoint_url": mirror.endpoint} | wrong
            with pytest.raises(TransferError) as caught:
                cohort.download(options.pop("destination", tmp_path / "data"), dry_run=dry_run, **options)
            said.append(str(caught.value))
        name = next(iter(wrong))
        assert said[0] == said[1] and (name in said[0] or name == "destination"), (wrong, said)
    assert not (tmp_path / "data").exists()


WRONG: list[dict[str, Any]] = [
    {"provider": "gcp"}, {"provider": None}, {"provider": ["aws"]}, {"workers": 0}, {"workers": "8"}, {"workers": True},
    {"workers": 2.5}, {"workers": None}, {"workers": 10**6}, {"endpoint_url": "nonsense"}, {"endpoint_url": ""},
    {"endpoint_url": 3}, {"endpoint_url": "ftp://x"}, {"endpoint_url": "http://x?y=1"}, {"verify": "md4"},
    {"verify": None}, {"layout": None}, {"layout": "data"}, {"layout": "  "}, {"layout": "/%PatientID"},
    {"layout": "%Patient"}, {"layout": "C:\\%PatientID"}, {"title": 3}, {"title": b"x"}, {"reuse": "move"},
    {"reuse": True}, {"destination": None}, {"destination": ""}, {"destination": "  "}, {"destination": 3},
    {"destination": b"data"}, {"destination": "a\0b"}, {"destination": "a\nb"}, {"destination": '""'},
    {"destination": "$NO_SUCH_VARIABLE/x"}, {"destination": "%NO_SUCH_VARIABLE%/x"}, {"destination": "\ud800"},
    {"destination": "s3://bucket/x"}, {"destination": "~nobody-of-this-name/x"},
    *([] if os.name == "nt" else [{"destination": "C:\\data"}, {"destination": "\\\\server\\x"},
                                  {"destination": "my\\ data"}]),
]  # fmt: skip


def test_a_disk_too_small_for_copies_offers_links(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    for item in items:
        put(mirror, item, data / "old" / item.series_uid)
    monkeypatch.setattr(importlib.import_module("idc_widgets.transfer.plan"), "can_clone", lambda folder: False)
    used = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type(used)(used.total, used.total, 0))
    with pytest.raises(TransferError, match=r"or reuse='link': .* of it are there under another layout"):
        fetch(items)
    assert fetch(items, reuse="link").wait(30) and gets(mirror) == 0


def test_what_a_check_found_damaged_is_planned_as_to_be_fetched(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    data, items = tmp_path / "data", pick(STUDY)
    assert fetch(items).wait(30)
    wrong = sorted((data / default_folder(items[0])).iterdir())[0]
    assert plan(items, data).to_fetch == 0
    flip(wrong)
    known = {key: item for item in items for key in (item.series_uid, item.crdc_series_uuid)}
    found = audit(data, lambda _: known, idc_version=25, endpoint_url=mirror.endpoint)
    assert [problem.path for problem in found.problems] == [wrong]
    view = plan(items, data)
    assert (view.to_fetch, view.series_present) == (wrong.stat().st_size, 2)
    mirror.reset_counts()
    assert fetch(items).wait(30) and gets(mirror) == 1
    assert tree(data) == whole_truth(mirror, items) and plan(items, data).series_present == 3
