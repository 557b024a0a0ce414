"""Cohorts from elsewhere: what their SQL may read, when they are loaded and when they are run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.api.catalog import Catalog

SECRET = "Modality,SeriesInstanceUID\nhidden,1\n"

# {file}, {folder} stand for the path of a CSV and its folder.
OUTSIDE = (
    "(SELECT content FROM read_text('{file}')) <> ''",
    "EXISTS (FROM read_csv('{file}'))",
    "EXISTS (FROM \"read_csv\"('{file}'))",
    "EXISTS (FROM Read_CSV_auto('{file}'))",
    "EXISTS (FROM main.read_csv('{file}'))",
    "EXISTS (FROM read_blob('{file}'))",
    "EXISTS (FROM glob('{folder}/*'))",
    "EXISTS (FROM '{file}')",
    'EXISTS (FROM "{file}")',
    'EXISTS (TABLE "{file}")',
    'EXISTS (FROM main."{file}")',
    "EXISTS (SELECT 1 FROM index, '{file}')",
    'EXISTS (SELECT 1 FROM index JOIN "{file}" USING (SeriesInstanceUID))',
    "EXISTS (SELECT (SELECT 1 FROM '{file}' LIMIT 1))",
    "SeriesInstanceUID IN (WITH t AS (FROM '{file}') SELECT SeriesInstanceUID FROM t)",
    'SeriesInstanceUID IN (WITH "{file}" AS (FROM "{file}") SELECT SeriesInstanceUID FROM "{file}")',
    'EXISTS (WITH RECURSIVE "{file}"(a) AS (SELECT Modality FROM "{file}" UNION ALL SELECT a FROM "{file}") '
    'FROM "{file}")',
    "EXISTS (WITH a AS (SELECT 1) FROM a) AND EXISTS (FROM (WITH b AS (FROM '{file}') FROM b))",
    "EXISTS (FROM query('FROM ''{file}'''))",
    "EXISTS (FROM query_table('{file}'))",
    "EXISTS (FROM query_table(['{file}']))",
    "EXISTS (FROM (SUMMARIZE '{file}'))",
    "EXISTS (FROM (DESCRIBE index))",
    "EXISTS (FROM (SHOW TABLES))",
    "EXISTS (FROM (PIVOT '{file}' ON Modality IN ('a') USING count(*)))",
    "EXISTS (FROM range((SELECT count(*) FROM '{file}')))",
    "EXISTS (SELECT 1 FROM index ORDER BY (SELECT 1 FROM '{file}'))",
    "EXISTS (SELECT sum(1) OVER (ORDER BY (SELECT 1 FROM '{file}')) FROM index)",
    "list_transform([1], lambda x: (SELECT count(*) FROM '{file}'))[1] = 1",
    "EXISTS (FROM index UNION ALL BY NAME FROM '{file}')",
    "EXISTS (FROM (VALUES ((SELECT count(*) FROM '{file}'))))",
    "EXISTS (FROM sqlite_master)",
    "EXISTS (FROM duckdb_settings())",
    "EXISTS (FROM duckdb_secrets())",
    "EXISTS (FROM pg_catalog.pg_settings)",
    "EXISTS (FROM information_schema.tables)",
    "EXISTS (FROM system.information_schema.tables)",
    "EXISTS (FROM cache.series)",
    "EXISTS (FROM parquet_metadata('{file}'))",
    "EXISTS (FROM sniff_csv('{file}'))",
    "EXISTS (FROM json_execute_serialized_sql(json_serialize_sql('FROM ''{file}''')))",
    "json_serialize_plan('FROM ''{file}''') IS NOT NULL",
    "getenv('HOME') <> ''",
    "'HOME'.getenv() <> ''",
    "current_setting('home_directory') <> ''",
    "\"current_setting\"('home_directory') <> ''",
    "getvariable('x') IS NULL",
    "current_query() <> ''",
    "current_user <> ''",
    "write_log('x') IS NULL",
    "pg_sleep(1) IS NULL",
    "nextval('x') > 0",
    "their_own() = 1",
    "EXISTS (FROM their_rows())",
    "EXISTS (FROM their_table)",
)
NOT_ONE = (
    "TRUE) OR EXISTS (FROM read_csv('{file}') WHERE (TRUE",
    "TRUE; COPY (SELECT 1) TO '{folder}/out.csv'",
    "TRUE; ATTACH '{folder}/x.db'",
    "TRUE; INSTALL httpfs",
    "(COPY (SELECT 1) TO '{folder}/out.csv')",
    "(PRAGMA version)",
)
INSIDE = (
    "SeriesDescription <> 'read_text(''/etc/passwd'')'",
    "SeriesDescription <> 'FROM /etc/passwd.csv; COPY x TO y' -- read_csv('x')",
    "/* glob('/') */ Modality = 'CT'",
    "Modality IN ('CT', 'MR') AND series_size_MB / instanceCount < 0.6",
    "SeriesDescription ILIKE '%chest%' ESCAPE '!' AND regexp_matches(SeriesDescription, 'a|b') AND NOT Modality ~ 'X'",
    "PatientID IN (SELECT PatientID FROM index GROUP BY ALL HAVING count(DISTINCT Modality) > 2)",
    "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM main.index QUALIFY rank() OVER (PARTITION BY PatientID) = 1)",
    "SeriesInstanceUID IN (WITH few AS (FROM index LIMIT 3), fewer AS (FROM few) SELECT SeriesInstanceUID FROM fewer)",
    "instanceCount IN (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n)",
    "instanceCount IN (FROM range(1, 5)) OR instanceCount IN (SELECT unnest([7, 8])) OR instanceCount IN (VALUES (9))",
    "CASE WHEN Modality = 'CT' THEN instanceCount > 100 ELSE extract(year FROM StudyDate::DATE) > 2000 END",
    "StudyDate::DATE < current_date AND StudyDate::TIMESTAMP < now() AND trim(lower(Modality)) = 'ct'",
    "collection_id IN (SELECT collection_id FROM collections_index WHERE len(cancer_types) > 5)",
    "[x + 1 FOR x IN [1, 2]][1] = 2 AND if(TRUE, 1, 2) = 1 AND coalesce(NULL, 1) = 1",
    "EXISTS (SELECT 1 FROM mine JOIN index AS i USING (SeriesInstanceUID) WHERE i.Modality = 'CT')",
    "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM MINE)",
)  # fmt: skip


@pytest.fixture(scope="module")
def one(catalog: Catalog) -> Catalog:
    """A catalogue with a table and functions of its user's own."""
    found = Catalog(cache_dir=catalog.index.database.cache_path.parent)
    uid = found.sql("SELECT SeriesInstanceUID FROM index LIMIT 1")
    found.add_table("mine", uid)
    for statement in (
        "CREATE MACRO their_own() AS 1",
        "CREATE MACRO their_rows() AS TABLE SELECT 1",
        "CREATE TABLE their_table AS SELECT 1",
    ):
        found.index.database.rows(statement)
    return found


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secret.csv").write_text(SECRET)
    return {"file": str(tmp_path / "secret.csv"), "folder": str(tmp_path)}


def _saved(text: str, catalog: Catalog, wrap: bool) -> str:
    where: dict[str, Any] = {"op": "sql", "text": text}
    if wrap:
        where = {"op": "or", "args": [{"op": "not", "arg": where}, {"op": "references", "arg": where}]}
    loaded = json.loads(catalog.cohort().to_json())
    return json.dumps({**loaded, "where": [where]})


@pytest.mark.parametrize("text", (*OUTSIDE, *NOT_ONE))
def test_sql_that_reads_the_machine_is_refused(text: str, one: Catalog, places: dict[str, str]) -> None:
    written = text.format(**places)
    for attempt in (
        lambda: idc.Cohort.from_json(_saved(written, one, False), one),
        lambda: idc.Cohort.from_json(_saved(written, one, True), one),
        lambda: idc.Cohort.from_manifest(_saved(written, one, False), one),
        lambda: one.cohort(idc.sql(written)),
        lambda: len(idc.Cohort(one, [idc.sql(written)])),
    ):
        with pytest.raises(ValueError) as raised:
            attempt()
        assert len(str(raised.value).split()) > 5
        assert "hidden" not in str(raised.value)
    assert [p.name for p in Path(places["folder"]).iterdir()] == ["secret.csv"]


def test_the_file_could_be_read_otherwise(one: Catalog, places: dict[str, str]) -> None:
    frame = one.sql(f"FROM '{places['file']}'")
    assert list(frame["Modality"]) == ["hidden"]


@pytest.mark.parametrize("text", INSIDE)
def test_sql_over_the_catalogue_stays_allowed(text: str, one: Catalog) -> None:
    typed = one.cohort(idc.sql(text))
    loaded = idc.Cohort.from_json(typed.to_json(), one)
    assert loaded == typed
    assert loaded.counts.series == one.sql(f"SELECT count(*) FROM index WHERE ({text}\n)").iloc[0, 0]


def test_an_unknown_table_gets_near_names(one: Catalog) -> None:
    with pytest.raises(idc.UnknownNameError, match='"collections_index"'):
        one.cohort(idc.sql("collection_id IN (SELECT collection_id FROM collection_index)"))


def test_a_frame_in_the_callers_code_is_no_table(one: Catalog) -> None:
    theirs = pd.DataFrame({"a": [1]})
    assert len(theirs) == 1
    with pytest.raises(ValueError, match="theirs"):
        one.cohort(idc.sql("EXISTS (FROM theirs)"))
