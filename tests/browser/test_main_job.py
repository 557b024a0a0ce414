"""The main job in a real browser: find, tick, download, restart the kernel in the middle of it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import duckdb
import pydicom
import pytest
from playwright.sync_api import Page, expect

from tests.browser.explorer import ExplorerView
from tests.browser.lab import Lab
from tests.mirror import SpawnedMirror

pytestmark = pytest.mark.browser

FACETS = {
    "Modality": "Modality",
    "Body part": "BodyPartExamined",
    "Sex": "PatientSex",
    "Collection": "collection_id",
    "Licence": "license_short_name",
    "Manufacturer": "Manufacturer",
}


def _truth(plain: duckdb.DuckDBPyConnection, column: str, where: str) -> dict[str | None, int]:
    found = plain.execute(f"SELECT {column}, count(*) FROM idx WHERE {where} GROUP BY 1").fetchall()
    return dict(found)


def _same(seen: dict[str | None, int], truth: dict[str | None, int]) -> None:
    """What is in view is exact, and there is as much of it as there is, up to a short list."""
    assert len(seen) >= min(5, len(truth))
    assert seen == {value: truth.get(value, 0) for value in seen}


def test_main_job(
    lab: Lab, page: Page, mirror: SpawnedMirror, plain: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    notebook = lab.notebook(page, "main_job.ipynb")
    start = time.monotonic()
    notebook.run(1)
    view = ExplorerView(page)
    view.wait()
    print(f"first rows {time.monotonic() - start:.2f} s after the cell was run")

    # Counts over everything, then under two filters, against plain SQL.
    everything = plain.execute("SELECT count(*) FROM idx").fetchall()[0][0]
    assert view.stat("series") == f"{everything:,}"
    assert view.row_count() == everything
    for label, column in FACETS.items():
        _same(view.counts(label), _truth(plain, column, "TRUE"))

    view.value("Modality", "CT").click()
    for label, column in FACETS.items():
        _same(view.counts(label), _truth(plain, column, "Modality = 'CT'" if column != "Modality" else "TRUE"))
    view.value("Collection", "rider_pilot").click()
    view.close_search("Collection")
    both = "Modality = 'CT' AND collection_id = 'rider_pilot'"
    own = {"Modality": "collection_id = 'rider_pilot'", "collection_id": "Modality = 'CT'"}
    for label, column in FACETS.items():
        _same(view.counts(label), _truth(plain, column, own.get(column, both)))
    series, patients = plain.execute(
        f"SELECT count(*), count(DISTINCT (collection_id, PatientID)) FROM idx WHERE {both}"
    ).fetchall()[0]
    assert view.stat("series") == f"{series:,}"
    assert view.stat("patients") == f"{patients:,}"

    # The next cell sees what the person sees, and the other way round.
    said = notebook.execute("print(explorer.cohort.counts.series, explorer.cohort)")
    assert said.strip() == f"{series} catalog.cohort(Modality='CT', collection_id='rider_pilot')"
    chips = view.root.get_by_role("group", name="Active filters")
    expect(chips.get_by_role("button", name="Remove Modality CT")).to_be_visible()
    chips.get_by_role("button", name="Remove Modality CT").click()
    assert notebook.execute("print(explorer.cohort)").strip() == "catalog.cohort(collection_id='rider_pilot')"

    # All rows, to the very last, and sorted.
    chips.get_by_role("button", name="Clear all").click()
    expect(view.grid).to_have_attribute("aria-rowcount", str(everything + 1))
    view.grid.focus()
    page.keyboard.press("Control+End")
    last = plain.execute(f"SELECT collection_id, PatientID FROM idx ORDER BY rowid OFFSET {everything - 1}").fetchall()
    assert tuple(view.cells(everything - 1)[:2]) == last[0]
    notebook.execute('explorer.cohort = explorer.catalog.cohort(Modality="CT", collection_id="rider_pilot")')
    expect(view.grid).to_have_attribute("aria-rowcount", str(series + 1))
    page.keyboard.press("Control+Home")
    view.sort("Size")
    uids = [
        r[0] for r in plain.execute(
            f"SELECT SeriesInstanceUID FROM idx WHERE {both} ORDER BY series_size_MB NULLS LAST, rowid LIMIT 6"
        ).fetchall()
    ]  # fmt: skip
    expect(view.grid.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "ascending")

    # Tick one, shift for a range, look at the bar, download.
    view.tick(0)
    view.tick(4, shift=True)
    bar = view.root.get_by_role("group", name="Selection")
    expect(bar).to_contain_text("5 series ticked")
    expect(bar).to_contain_text("patient")  # counted by the kernel
    page.wait_for_timeout(200)  # nobody runs a cell sooner than this after a click
    picked = notebook.execute("print(sorted(explorer.selection.series().SeriesInstanceUID))")
    assert picked.strip() == str(sorted(uids[:5]))
    files, size = plain.execute(
        "SELECT sum(instanceCount), sum(round(series_size_MB * 1e6)::BIGINT) FROM idx "
        f"WHERE SeriesInstanceUID IN {tuple(uids[:5])}"
    ).fetchall()[0]
    destination = tmp_path / "images"
    mirror.set(rate_mb=max(0.5, float(size) / 1e6 / 6))  # some six seconds, so that the bar is seen to move
    field = bar.get_by_label("Save to")
    field.fill(str(destination))
    field.press("Tab")
    expect(bar).to_contain_text("free")
    bar.get_by_role("button", name="Download").click()
    # The newest job, not one that stood there before.
    expect(view.job()).to_have_attribute("aria-valuemax", str(size))
    seen = [view.progress()[0]]
    end = time.monotonic() + 90
    while "complete" not in view.state() and time.monotonic() < end:
        seen.append(view.progress()[0])
        page.wait_for_timeout(100)
    assert "complete" in view.state(), view.state()
    assert seen == sorted(seen), "the bar went back"
    assert len(set(seen)) >= 3, "the bar was not seen to move"
    assert view.progress() == (size, size)
    mirror.set()
    _check_files(destination, uids[:5], plain, mirror)
    assert sum(1 for _ in destination.rglob("*.dcm")) == files

    # A second download, the kernel restarted in the middle of it.
    rows = plain.execute(
        f"SELECT SeriesInstanceUID, round(series_size_MB * 1e6)::BIGINT FROM idx WHERE {both} "
        "AND series_size_MB BETWEEN 5 AND 60 ORDER BY series_size_MB, SeriesInstanceUID LIMIT 3"
    ).fetchall()
    mirror.set(rate_mb=sum(b for _, b in rows) / 1e6 / 15)
    uids2 = [u for u, _ in rows]
    second = str(tmp_path / "second")
    notebook.execute(f"job = explorer.catalog.cohort(SeriesInstanceUID={uids2}).download({second!r}); print(job.state)")
    expect(view.job()).not_to_have_attribute("aria-valuetext", "complete", timeout=5000)
    notebook.restart_kernel()
    notebook.run(1)
    view.wait()
    assert any(word in view.state() for word in ("downloading", "listing", "verifying")), view.state()
    before = view.progress()[0]
    mirror.set()
    expect(view.job()).to_have_attribute("aria-valuetext", re.compile("^complete"), timeout=60_000)
    assert view.progress()[0] >= before
    _check_files(tmp_path / "second", uids2, plain, mirror)


def _check_files(destination: Path, uids: list[str], plain: duckdb.DuckDBPyConnection, mirror: SpawnedMirror) -> None:
    """Every file has its name, its size and its bytes, and is the DICOM that the index says."""
    for uid in uids:
        collection, patient, study, modality, uuid, count = plain.execute(
            "SELECT collection_id, PatientID, StudyInstanceUID, Modality, crdc_series_uuid, instanceCount "
            "FROM idx WHERE SeriesInstanceUID = ?",
            [uid],
        ).fetchall()[0]
        folder = destination / collection / patient / study / f"{modality}_{uid}"
        truth = {entry.key.split("/")[1]: entry for entry in mirror.truth(uuid)}
        assert len(truth) == count
        assert {p.name for p in folder.iterdir()} == set(truth)
        for name, entry in truth.items():
            path = folder / name
            assert path.stat().st_size == entry.size
            assert path.read_bytes() == mirror.body(entry.key)
        header = pydicom.dcmread(folder / next(iter(truth)))
        assert (header.SeriesInstanceUID, header.StudyInstanceUID) == (uid, study)
        assert (header.PatientID, header.Modality) == (patient, modality)
    assert not list((destination / ".idc_widgets").glob("staging/*"))
