"""What a download says before it begins, and what it writes down when it has ended."""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets import Catalog, Cohort
from idc_widgets.api.download import documents_of
from idc_widgets.transfer import Item, Job, TransferError, plan
from tests.mirror import SpawnedMirror

from .conftest import SERIES_1550, STUDY, gets, pick, until

Fetch = Callable[..., Job]


def test_plan_in_full(fetch: Fetch, tmp_path: Path) -> None:
    items = pick(STUDY)
    assert fetch(items[:2]).wait(30)
    view = plan(items, tmp_path / "data")
    assert (view.series, view.files, view.bytes) == (3, 40, sum(i.bytes for i in items))
    assert (view.series_present, view.files_present) == (2, items[0].files + items[1].files)
    assert view.need == items[2].bytes and view.fits and view.provider == "aws"
    assert [uid for uid, _ in view.folders] == [i.series_uid for i in items]
    assert view.renamed == view.moved_aside == ()
    for part in ("2 series", "verified", str(tmp_path / "data"), "Free space"):
        assert part in str(view)


def test_paths_that_need_a_word(tmp_path: Path) -> None:
    one = pick(STUDY)[0]
    names = ["abc", "ABC", "a/b", "CON", "x" * 300]
    items = [Item(f"1.2.{n}", f"{n:08d}-aaaa", "b", 1, 1, {"PatientID": name}) for n, name in enumerate(names)]
    view = plan(items, tmp_path, layout="%PatientID")
    assert [uid for uid, _ in view.moved_aside] == ["1.2.1"]
    assert [uid for uid, _ in view.renamed] == ["1.2.2", "1.2.3", "1.2.4"]
    deep = plan([one], tmp_path / ("d" * 120), layout="%StudyInstanceUID/%SeriesInstanceUID")
    assert [uid for uid, _ in deep.too_long] == [one.series_uid] and "Too long for Windows" in str(deep)
    assert sys.platform == "win32" or deep.problem is None


def test_paths_too_long_for_this_system_are_refused(
    fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("idc_widgets.transfer.plan")
    monkeypatch.setattr(module, "long_paths_work", lambda: False)
    with pytest.raises(TransferError, match="shorter destination or layout"):
        fetch(pick(STUDY), tmp_path / ("d" * 200))


def test_time_is_estimated_from_earlier_downloads(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    assert plan(pick(STUDY), tmp_path / "x").seconds is None
    mirror.set(rate_mb=12)
    big = pick(SERIES_1550)
    assert fetch(big).wait(60)
    seconds = plan(big, tmp_path / "x").seconds
    assert seconds is not None and 1 < seconds < 20
    assert "about" in str(plan(big, tmp_path / "x"))


def test_dry_run_of_a_cohort(catalog: Catalog, mirror: SpawnedMirror, tmp_path: Path) -> None:
    cohort = catalog.cohort(collection_id="rider_pilot", Modality="CT", instanceCount=1)
    view = cohort.download(tmp_path / "data", dry_run=True)
    assert view.licences == (("CC BY 4.0", cohort.counts.series, cohort.counts.bytes),)
    assert view.bytes == cohort.counts.bytes and not (tmp_path / "data").exists()
    assert mirror.requests()["GET"] == 0


@pytest.mark.parametrize("how", ["size", "md5", "dicom"])
def test_ways_of_verification(catalog: Catalog, mirror: SpawnedMirror, tmp_path: Path, how: str) -> None:
    cohort = catalog.cohort(SeriesInstanceUID=[i.series_uid for i in pick(STUDY)])
    job = cohort.download(tmp_path / "data", endpoint_url=mirror.endpoint, verify=how)
    assert job.wait(30), job.failures()
    assert {file["verified_by"] for file in job.files()} == {"size" if how == "size" else "md5"}
    view = cohort.download(tmp_path / "data", dry_run=True, verify="md5")
    assert view.series_present == (0 if how == "size" else 3)  # by size alone is not what is asked for here
    if how == "size":
        mirror.reset_counts()
        again = cohort.download(tmp_path / "data", endpoint_url=mirror.endpoint)
        assert again.wait(30) and gets(mirror) == 0  # verified where it lies
        assert cohort.download(tmp_path / "data", dry_run=True).series_present == 3


def test_header_of_another_series_is_found(fetch: Fetch, mirror: SpawnedMirror) -> None:
    one = pick(STUDY)[0]
    false = Item("1.2.3", one.crdc_series_uuid, one.bucket, one.files, one.bytes, {**one.fields})
    job = fetch((false,), verify="dicom")
    assert not job.wait(30)
    assert f"SeriesInstanceUID {one.series_uid}, the index says 1.2.3" in job.failures()[0]["reason"]
    with pytest.raises(TransferError, match="verify='sha': valid are 'md5', 'size', 'dicom'"):
        fetch((one,), verify="sha")


def test_manifest_and_readme(catalog: Catalog, mirror: SpawnedMirror, tmp_path: Path) -> None:
    data = tmp_path / "data"
    uids = [i.series_uid for i in pick(STUDY)]
    for some in (uids[:1], uids):
        cohort = catalog.cohort(SeriesInstanceUID=some)
        assert cohort.download(data, endpoint_url=mirror.endpoint, documents=True).wait(30)
        text = (data / "README.md").read_text("utf-8")
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["SeriesInstanceUID"] for row in rows) == sorted(uids)
    for row in rows:
        files = list((data / row["path"]).glob("*.dcm"))
        assert len(files) == int(row["files"]) and sum(f.stat().st_size for f in files) == int(row["bytes"])
        assert row["license_short_name"] and row["idc_version"] == "25" and row["collection_id"] == "ispy1"
    for part in (
        "IDC v25",
        "doi.org/10.1148/rg.230180",
        rows[0]["source_DOI"],
        rows[0]["license_short_name"],
        "by MD5",
    ):
        assert part.lower() in text.lower()
    assert text.count("<!-- download ") == 2
    code = "\n".join(line[6:] for line in text.splitlines() if line.startswith("      "))
    scope: dict[str, object] = {}
    exec(code[code.rindex("import") : code.rindex("cohort.download")], scope)
    assert scope["cohort"] == catalog.cohort(SeriesInstanceUID=uids)
    assert Cohort.from_manifest(data / "manifest.csv", catalog) == catalog.cohort(SeriesInstanceUID=uids)


def test_a_readme_leaves_long_lists_to_the_manifest(catalog: Catalog) -> None:
    cohort = catalog.cohort(
        SeriesInstanceUID=list(catalog.cohort(collection_id="rider_pilot").series().SeriesInstanceUID)
    )
    assert len(cohort.to_code()) > 10_000
    section = documents_of(cohort, "aws", "").section
    assert len(section) < 3_000 and 'from_manifest("manifest.csv")' in section


def test_series_that_are_added_have_the_same_columns(catalog: Catalog, mirror: SpawnedMirror, tmp_path: Path) -> None:
    one, *others = [i.series_uid for i in pick(STUDY)]
    job = catalog.cohort(SeriesInstanceUID=one).download(tmp_path, endpoint_url=mirror.endpoint, documents=True)
    assert job.add(catalog.cohort(SeriesInstanceUID=others)) == 2
    until(lambda: job.state == "complete" and job.progress.series_done == 3)
    with (tmp_path / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["SeriesInstanceUID"]: row for row in csv.DictReader(file)}
    assert rows.keys() == {one, *others}
    assert all(row["license_short_name"] and row["collection_id"] == "ispy1" for row in rows.values())
    text = (tmp_path / "README.md").read_text("utf-8")
    assert all(uid in text for uid in rows) and "Here of this: 3 series" in text


def test_a_readme_of_the_users_own_is_left_alone(catalog: Catalog, mirror: SpawnedMirror, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    cohort = catalog.cohort(SeriesInstanceUID=[pick(STUDY)[0].series_uid])
    assert cohort.download(tmp_path, endpoint_url=mirror.endpoint, documents=True).wait(30)
    assert (tmp_path / "README.md").read_text() == "mine" and (tmp_path / "idc-README.md").exists()
