"""The answers to the table: pages at every level, ticks, details, files; against plain SQL."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.widgets import ticks
from tests.widgets.conftest import Browser

CT = {"op": "in", "column": "Modality", "values": ["CT"]}
RIDER = {"op": "in", "column": "collection_id", "values": ["rider_pilot"]}
NLST = {"op": "in", "column": "collection_id", "values": ["nlst"]}
NOTHING: dict[str, Any] = {"base": None, "minus": [], "plus": []}


def test_pages_carry_exact_bytes(browser: Browser, plain: duckdb.DuckDBPyConnection) -> None:
    page = browser.get(
        op="page", where=[RIDER], sort=[{"column": "series_size_MB", "descending": True}],
        columns=["SeriesInstanceUID", "patients", "series_size_MB"], offset=0, limit=20,
    )  # fmt: skip
    truth = plain.execute(
        "SELECT rowid, SeriesInstanceUID, NULL, round(series_size_MB * 1e6)::BIGINT FROM idx "
        "WHERE collection_id = 'rider_pilot' ORDER BY 4 DESC, 1 LIMIT 20"
    ).fetchall()
    assert page["rows"] == [list(r) for r in truth]
    total = plain.execute("SELECT count(*) FROM idx WHERE collection_id = 'rider_pilot'").fetchall()[0][0]
    assert page["total"] == total


@pytest.mark.parametrize(
    ("level", "key"),
    [("collection", "collection_id"), ("patient", "(collection_id, PatientID)"), ("study", "StudyInstanceUID")],
)
def test_pages_of_groups(browser: Browser, plain: duckdb.DuckDBPyConnection, level: str, key: str) -> None:
    page = browser.get(
        op="page", where=[CT], level=level, sort=[{"column": "series", "descending": True}],
        columns=["collection_id", "series", "series_size_MB"], offset=10, limit=30,
    )  # fmt: skip
    truth = plain.execute(
        "SELECT min(rowid), any_value(collection_id), count(*), sum(round(series_size_MB * 1e6)::BIGINT)::BIGINT "
        f"FROM idx WHERE Modality = 'CT' GROUP BY {key} ORDER BY 3 DESC, 1"
    ).fetchall()
    assert page["total"] == len(truth)
    assert page["rows"] == [list(r) for r in truth[10:40]]
    # The page goes to the browser as JSON.
    json.dumps(page)


OF_COLLECTIONS = ["collection_name", "cancer_types", "tumor_locations", "species"]


@pytest.mark.parametrize("level", ["series", "study", "patient", "collection"])
def test_pages_tell_of_the_collection(browser: Browser, plain: duckdb.DuckDBPyConnection, level: str) -> None:
    key = {"series": "rowid", "study": "StudyInstanceUID", "patient": "(collection_id, PatientID)"}.get(
        level, "collection_id"
    )
    page = browser.get(
        op="page", where=[CT], level=level, sort=[{"column": "cancer_types", "descending": True}],
        columns=["collection_id", *OF_COLLECTIONS], offset=1, limit=200,
    )  # fmt: skip
    terms = ", ".join(f"any_value({c})" for c in OF_COLLECTIONS)
    truth = plain.execute(
        f"SELECT min(rowid), any_value(collection_id), {terms} FROM (SELECT idx.rowid, idx.*, "
        f"{', '.join(OF_COLLECTIONS)} FROM idx JOIN collections USING (collection_id)) WHERE Modality = 'CT' "
        f"GROUP BY {key} ORDER BY max(cancer_types) DESC NULLS LAST, 1"
    ).fetchall()
    assert page["total"] == len(truth)
    assert page["rows"] == [list(r) for r in truth[1:201]]


def test_columns_of_collections_are_offered_and_saved(
    browser: Browser, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    described = {n: text for n, _, text in catalog.index.outline("collections_index")}
    offered = {c["name"]: c for c in browser.widget._catalog["columns"]}
    for name in OF_COLLECTIONS:
        assert offered[name]["description"] == described[name]
        assert "levels" not in offered[name]  # everywhere
    assert browser.widget._catalog["levels"][0]["columns"][:3] == ["collection_id", "collection_name", "cancer_types"]
    path = tmp_path / "series.csv"
    columns = ["SeriesInstanceUID", *OF_COLLECTIONS]
    done = saved(browser, where=[RIDER], columns=columns, path=str(path), format="csv")
    truth = plain.execute(
        f"SELECT {', '.join(columns)} FROM idx JOIN collections USING (collection_id) "
        "WHERE collection_id = 'rider_pilot' ORDER BY 1"
    ).fetchall()
    assert done["rows"] == len(truth)
    source = f"read_csv('{path}', all_varchar = true)"
    assert plain.execute(f"SELECT {', '.join(columns)} FROM {source} ORDER BY 1").fetchall() == truth
    frame = catalog.cohort(collection_id="rider_pilot").series(columns=columns, order_by="SeriesInstanceUID")
    assert list(frame.itertuples(index=False, name=None)) == truth


def test_only_what_is_ticked(browser: Browser, plain: duckdb.DuckDBPyConnection) -> None:
    only = {"base": [RIDER], "minus": [], "plus": [7, 11]}
    first = browser.get(op="page", where=[RIDER], sort=[], columns=[], offset=0, limit=3)["rows"]
    only["minus"] = [r[0] for r in first]
    page = browser.get(op="page", where=[], only=only, sort=[], columns=["collection_id"], offset=0, limit=5)
    truth = plain.execute("SELECT count(*) FROM idx WHERE collection_id = 'rider_pilot'").fetchall()[0][0]
    assert page["total"] == truth - 3 + 2
    assert [r[0] for r in page["rows"][:2]] == [7, 11]
    patients = browser.get(
        op="page", where=[], only=only, level="patient", sort=[], columns=["series"], offset=0, limit=1000
    )
    assert sum(r[1] for r in patients["rows"]) == truth - 3 + 2


def series_of(catalog: idc.Catalog, given: dict[str, Any]) -> set[int]:
    sql, bound = ticks.to_sql(catalog, given)
    return {r[0] for r in catalog.index.database.rows(f"SELECT row_id FROM series WHERE {sql}", bound)}


def test_ticking_groups_small_and_large(browser: Browser, catalog: idc.Catalog) -> None:
    """A patient by its rows, a large collection as a condition; unticking one within the other; always the filter."""

    def tick(now: dict[str, Any], level: str, on: bool, where: list[Any], **rows: Any) -> dict[str, Any]:
        found: dict[str, Any] = browser.get(op="tick", ticks=now, level=level, on=on, where=where, sort=[], **rows)
        return found

    def first(level: str, where: list[Any]) -> int:
        found = browser.get(op="page", where=where, level=level, sort=[], columns=[], offset=0, limit=1)
        row: int = found["rows"][0][0]
        return row

    def expected(*conditions: str) -> set[int]:
        sql = " AND ".join(conditions)
        return {r[0] for r in catalog.index.database.rows(f"SELECT row_id FROM series WHERE {sql}")}

    nlst = first("collection", [NLST])
    everything = tick(NOTHING, "collection", True, [CT], rows=[nlst])
    assert everything["plus"] == everything["minus"] == []
    ct_of_nlst = expected("collection_id = 'nlst'", "Modality = 'CT'")
    assert series_of(catalog, everything) == ct_of_nlst

    patient = first("patient", [NLST])
    where = f"patient_key = (SELECT patient_key FROM series WHERE row_id = {patient})"
    less = tick(everything, "patient", False, [], rows=[patient])
    assert less["base"] == everything["base"]
    assert series_of(catalog, less) == ct_of_nlst - expected(where)
    again = tick(less, "patient", True, [CT], rows=[patient])
    assert series_of(catalog, again) == ct_of_nlst
    more = tick(again, "patient", True, [], rows=[patient])
    assert series_of(catalog, more) == ct_of_nlst | expected(where)
    # Unticking the large collection takes the single ones of it along, and leaves others.
    with_others = tick(more, "study", True, [RIDER], rows=[first("study", [RIDER])])
    study = series_of(catalog, with_others) - series_of(catalog, more)
    assert study
    left = tick(with_others, "collection", False, [], rows=[nlst])
    assert series_of(catalog, left) == study
    # What the trait holds is what Python's cohort holds.
    assert ticks.cohort_of(catalog, with_others).counts.series == len(series_of(catalog, with_others))


def test_a_range_of_patients(browser: Browser, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    asked = {"where": [CT], "level": "patient", "sort": [{"column": "series", "descending": False}]}
    now = browser.get(op="tick", ticks=NOTHING, on=True, **{"from": 20, "to": 3}, **asked)
    truth = plain.execute(
        "SELECT count(*) AS n, min(rowid) FROM idx WHERE Modality = 'CT' GROUP BY collection_id, PatientID "
        "ORDER BY n, 2 LIMIT 21"
    ).fetchall()
    assert len(series_of(catalog, now)) == sum(t[0] for t in truth[3:])
    marks = browser.get(op="marks", ticks=now, rows=[t[1] for t in truth], **asked)
    assert marks["ticked"] == [0, 0, 0, *(t[0] for t in truth[3:])]


def test_marks_of_series_and_what_filters_hide(browser: Browser, catalog: idc.Catalog) -> None:
    now = {"base": [RIDER], "minus": [], "plus": [0, 1]}
    inside = browser.get(op="page", where=[RIDER], sort=[], columns=[], offset=0, limit=2)["rows"]
    rows = [inside[0][0], 0, 5]
    assert browser.get(op="marks", where=[], ticks=now, rows=rows)["ticked"] == [1, 1, 0]
    hidden = browser.get(op="hidden", where=[CT], ticks={**now, "plus": []})["series"]
    cohort = catalog.cohort(collection_id="rider_pilot")
    assert hidden == cohort.exclude(Modality="CT").counts.series


def test_detail_of_a_series(browser: Browser, plain: duckdb.DuckDBPyConnection) -> None:
    row, uid, study = plain.execute(
        "SELECT rowid, SeriesInstanceUID, StudyInstanceUID FROM idx WHERE collection_id = 'rider_pilot' "
        "AND Modality = 'CT' ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    found = browser.get(op="detail", row=row)
    assert len(found["fields"]) == 31
    assert found["fields"]["SeriesInstanceUID"] == uid
    assert len(found["siblings"]) == len(
        plain.execute("SELECT 1 FROM idx WHERE StudyInstanceUID = ?", [study]).fetchall()
    )
    assert found["code"] == f"catalog.cohort(SeriesInstanceUID='{uid}')"
    assert next(link["url"] for link in found["links"]) == (
        "https://viewer.imaging.datacommons.cancer.gov/v3/viewer/"
        f"?StudyInstanceUIDs={study}&initialSeriesInstanceUID={uid}"
    )


def test_slides_open_in_slim(browser: Browser, plain: duckdb.DuckDBPyConnection) -> None:
    row, uid, study = plain.execute(
        "SELECT rowid, SeriesInstanceUID, StudyInstanceUID FROM idx WHERE Modality = 'SM' ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    urls = [link["url"] for link in browser.get(op="detail", row=row)["links"]]
    assert urls[0] == f"https://viewer.imaging.datacommons.cancer.gov/slim/studies/{study}/series/{uid}"
    assert any(u.startswith("https://doi.org/10.") for u in urls)
    urls = [link["url"] for link in browser.get(op="detail", level="study", row=row)["links"]]
    assert urls[0] == f"https://viewer.imaging.datacommons.cancer.gov/slim/studies/{study}"


@pytest.mark.parametrize("level", ["study", "patient", "collection"])
def test_detail_of_groups(browser: Browser, catalog: idc.Catalog, level: str) -> None:
    row = browser.get(op="page", where=[RIDER], level=level, sort=[], columns=[], offset=0, limit=1)["rows"][0][0]
    found = browser.get(op="detail", level=level, row=row)
    cohort = eval(found["code"], {"catalog": catalog})
    assert found["fields"]["series"] == cohort.counts.series > 0
    assert found["fields"]["series_size_MB"] == cohort.counts.bytes
    if level == "collection":
        assert found["about"]
        assert any("collection_id=rider_pilot" in link["url"] for link in found["links"])


def test_wrong_requests_are_sentences(browser: Browser, tmp_path: Path) -> None:
    page = {"op": "page", "where": [], "sort": [], "columns": [], "offset": 0, "limit": 1}
    save = {"op": "save", "where": [], "sort": [], "columns": [], "format": "csv"}
    (tmp_path / "there.csv").write_text("mine")
    for message, says in (
        ({**page, "level": "slide"}, "no level"),
        ({**page, "level": "patient", "columns": ["Modalty"]}, '"Modality"'),
        ({"op": "detail", "row": 10**8}, "no row"),
        ({**save, "path": str(tmp_path)}, "is a folder"),
        ({**save, "path": " "}, "Name a file"),
        ({**save, "path": str(tmp_path / "not" / "there.csv")}, "There is no folder"),
        ({**save, "path": str(tmp_path / "a.xlsx"), "format": "xlsx"}, "csv, parquet or s5cmd"),
    ):
        reply = browser.ask(**message)
        assert not reply["ok"], message
        assert says in reply["error"]
    asked = browser.get(**save, path=str(tmp_path / "there.csv"))
    assert "exists already" in asked["confirm"]
    assert (tmp_path / "there.csv").read_text() == "mine"


def saved(browser: Browser, **message: Any) -> dict[str, Any]:
    job = browser.get(op="save", sort=[], **message)
    for _ in range(600):
        now: dict[str, Any] = browser.get(op="saved", saving=job["saving"])
        if now["state"] != "running":
            return now
        time.sleep(0.05)
    raise AssertionError("it never ended")


COLUMNS = [
    "collection_id",
    "PatientID",
    "StudyDate",
    "Modality",
    "SeriesDescription",
    "instanceCount",
    "series_size_MB",
]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_hold_what_the_table_shows(
    browser: Browser, plain: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"it's.{kind}"
    done = saved(browser, where=[RIDER], columns=COLUMNS, path=str(path), format=kind)
    assert (done["state"], done["path"], done["bytes"]) == ("done", str(path), path.stat().st_size)
    names = ", ".join(COLUMNS)
    truth = plain.execute(f"SELECT {names} FROM idx WHERE collection_id = 'rider_pilot' ORDER BY rowid").fetchall()
    assert done["rows"] == len(truth)
    if kind == "parquet":
        quoted = str(path).replace("'", "''")
        assert plain.execute(f"FROM read_parquet('{quoted}')").fetchall() == truth
    else:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == COLUMNS
        assert rows == [["" if v is None else str(v) for v in r] for r in truth]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    # Asked before, it is replaced; all 31 columns when none are named.
    done = saved(browser, where=[RIDER], columns=[], path=str(path), format=kind, confirmed=True)
    assert done["state"] == "done"
    quoted = str(path).replace("'", "''")
    assert len(plain.execute(f"DESCRIBE FROM '{quoted}'").fetchall()) == 31


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_of_groups(browser: Browser, plain: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"patients.{kind}"
    done = saved(
        browser, where=[CT], level="patient", columns=["PatientID", "series", "StudyDate", "series_size_MB"],
        path=str(path), format=kind,
    )  # fmt: skip
    truth = plain.execute(
        "SELECT PatientID, count(*), sum(round(series_size_MB * 1e6)::BIGINT)::BIGINT / 1e6 "
        "FROM idx WHERE Modality = 'CT' GROUP BY collection_id, PatientID ORDER BY min(rowid)"
    ).fetchall()
    types = "" if kind == "parquet" else ", types = {'PatientID': 'VARCHAR'}"
    source = f"read_{kind}('{path}'{types})"
    assert done["state"] == "done", done
    assert plain.execute(f"SELECT PatientID, series, series_size_MB FROM {source}").fetchall() == truth
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("provider", ["aws", "gcs"])
def test_a_manifest_names_the_series_of_the_rows(
    browser: Browser, catalog: idc.Catalog, tmp_path: Path, provider: Literal["aws", "gcs"]
) -> None:
    browser.widget.provider = provider
    path = tmp_path / "ct.s5cmd"
    done = saved(browser, where=[RIDER, CT], level="patient", columns=["PatientID"], path=str(path), format="s5cmd")
    cohort = catalog.cohort(collection_id="rider_pilot", Modality="CT")
    assert (done["state"], done["rows"]) == ("done", cohort.counts.series)
    assert path.read_bytes() == cohort.to_manifest(provider=provider).encode()
    assert idc.Cohort.from_manifest(path, catalog).counts == cohort.counts


def test_saving_can_be_stopped(browser: Browser, tmp_path: Path) -> None:
    job = browser.get(op="save", where=[], sort=[], columns=[], path=str(tmp_path / "all.csv"), format="csv")
    browser.get(op="stop_saving", saving=job["saving"])
    for _ in range(400):
        now = browser.get(op="saved", saving=job["saving"])
        if now["state"] != "running":
            break
        time.sleep(0.05)
    assert now["state"] == "stopped"
    assert list(tmp_path.iterdir()) == []
