"""Conditions on other tables, references between series, and raw SQL, each beside plain SQL on the same parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlglot

import idc_widgets as idc
from idc_widgets.catalog import fetch
from idc_widgets.catalog.joins import REFERENCES
from tests.mirror import Mirror

TABLES = ("ct_index", "seg_index", "rtstruct_index", "ann_index", "ann_group_index", "volume_geometry_index")
REFERENCE = " UNION ALL ".join(f'SELECT SeriesInstanceUID AS s, "{c}" AS t FROM {t}' for t, c in REFERENCES.items())

# A condition, and the same in SQL over the index, `idx`, and the tables.
CASES: list[tuple[Any, str]] = [
    (
        idc.col("ct_index.SliceThickness") <= 1.5,
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM ct_index WHERE SliceThickness <= 1.5)",
    ),
    (
        idc.col("ct_index.SliceThickness") < 1.5,
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM ct_index WHERE SliceThickness < 1.5)",
    ),
    (
        idc.col("ct_index.SliceThickness").isna(),
        "SeriesInstanceUID NOT IN (SELECT SeriesInstanceUID FROM ct_index WHERE SliceThickness IS NOT NULL)",
    ),
    (
        idc.col("ct_index.KVP").isin([None, 80]),
        "NOT EXISTS (FROM ct_index c WHERE c.SeriesInstanceUID = idx.SeriesInstanceUID AND KVP <> 80)",
    ),
    (
        idc.col("ct_index.SliceThickness") != 1.25,
        "NOT EXISTS (FROM ct_index c WHERE c.SeriesInstanceUID = idx.SeriesInstanceUID AND SliceThickness = 1.25)",
    ),
    (
        idc.col("ct_index.ImageType") == "LOCALIZER",
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM ct_index WHERE list_contains(ImageType, 'LOCALIZER'))",
    ),
    (
        idc.col("volume_geometry_index.regularly_spaced_3d_volume") == True,  # noqa: E712
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM volume_geometry_index WHERE regularly_spaced_3d_volume)",
    ),
    (
        idc.col("seg_index.AlgorithmName").contains("TOTAL"),
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM seg_index WHERE AlgorithmName ILIKE '%total%')",
    ),
    (
        # Several rows of a series: some row is the one, some row the other.
        (idc.col("ann_group_index.AnnotationGroupLabel") == "Stroma")
        & (idc.col("ann_group_index.AnnotationGroupLabel") == "Nuclei"),
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM ann_group_index WHERE AnnotationGroupLabel = 'Stroma')"
        " AND "
        "SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM ann_group_index WHERE AnnotationGroupLabel = 'Nuclei')",
    ),
    (
        idc.col("collections_index.tumor_locations").contains("prostate"),
        "collection_id IN (SELECT collection_id FROM collections WHERE tumor_locations ILIKE '%prostate%')",
    ),
    (
        idc.referenced_by(idc.col("Modality").isin(["SEG", "ANN"])),
        f"SeriesInstanceUID IN (SELECT t FROM ({REFERENCE}) WHERE s IN "
        "(SELECT SeriesInstanceUID FROM idx WHERE Modality IN ('SEG', 'ANN')))",
    ),
    (
        idc.referenced_by(idc.col("seg_index.AlgorithmType") == "MANUAL"),
        "SeriesInstanceUID IN (SELECT segmented_SeriesInstanceUID FROM seg_index WHERE AlgorithmType = 'MANUAL')",
    ),
    (
        idc.references(idc.col("Modality").isin(["MR"])),
        f"SeriesInstanceUID IN (SELECT s FROM ({REFERENCE}) WHERE t IN "
        "(SELECT SeriesInstanceUID FROM idx WHERE Modality = 'MR'))",
    ),
    (idc.sql("series_size_MB / instanceCount < 0.1 -- small"), "series_size_MB / instanceCount < 0.1"),
    (idc.sql("Modality < 'D' OR BodyPartExamined IS NULL"), "Modality < 'D' OR BodyPartExamined IS NULL"),
]


@pytest.fixture(scope="module", autouse=True)
def mirror() -> Iterator[Mirror]:
    with Mirror() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDC_WIDGETS_RELEASE_URL", f"{running.endpoint}/releases/download")
        patch.setenv("IDC_WIDGETS_METADATA_ENDPOINT", running.endpoint)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield running


@pytest.fixture(scope="module")
def tables(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection, mirror: Mirror) -> duckdb.DuckDBPyConnection:
    """Plain DuckDB, with the mirror's tables beside the index."""
    catalog.fetch(*TABLES)
    found = plain.cursor()
    for table in TABLES:
        found.execute(f"CREATE OR REPLACE VIEW {table} AS FROM '{fetch.path(None, table)}'")
    return found


@pytest.mark.parametrize(("condition", "sql"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_conditions_equal_plain_sql(
    catalog: idc.Catalog, tables: duckdb.DuckDBPyConnection, condition: idc.Condition, sql: str
) -> None:
    cohort = catalog.cohort(condition)
    want = tables.execute(
        "SELECT count(*), sum(round(series_size_MB * 1e6))::BIGINT, count(DISTINCT StudyInstanceUID) FROM idx "
        f"WHERE {sql}"
    ).fetchall()[0]
    assert 0 < want[0] < len(catalog.cohort())
    assert (cohort.counts.series, cohort.counts.bytes, cohort.counts.studies) == want
    # What it does not hold for is the rest.
    assert len(catalog.cohort(~condition)) == len(catalog.cohort()) - want[0]
    # And the same elsewhere.
    assert idc.Cohort.from_json(cohort.to_json(), catalog) == cohort
    assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort
    assert duckdb.sql(f"SELECT count(*) FROM ({cohort.to_sql()})").fetchall() == [(want[0],)]
    assert sqlglot.parse_one(cohort.to_sql("bigquery"), read="bigquery").find(sqlglot.exp.With)


def test_without_a_cache_it_is_the_same(bare_catalog: idc.Catalog, catalog: idc.Catalog) -> None:
    condition = (idc.col("ct_index.KVP") == 80) & idc.sql("Modality = 'CT'")
    # Its cache cannot be made, so neither can tables be kept: one of its own stands for them.
    bare_catalog.add_table("mine", catalog.sql("SELECT SeriesInstanceUID, KVP FROM ct_index WHERE KVP = 80"))
    assert len(bare_catalog.cohort(idc.col("mine.KVP") == 80, idc.sql("Modality = 'CT'"))) == len(
        catalog.cohort(condition)
    )


def test_the_program_for_idc_index_fetches_what_it_reads(catalog: idc.Catalog) -> None:
    code = catalog.cohort(idc.col("seg_index.total_segments") > 2, Modality="SEG").to_code("idc-index")
    assert 'client.fetch_index("seg_index")\n' in code
    assert "fetch_index" not in catalog.cohort(idc.col("collections_index.cancer_types").contains("lung")).to_code(
        "idc-index"
    )


def test_own_tables_join_by_series_study_patient_and_collection(
    catalog: idc.Catalog, tables: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    patient = tables.execute("SELECT collection_id, PatientID FROM idx WHERE Modality = 'MR' LIMIT 1").fetchall()[0]
    file = tmp_path / "readings.csv"
    file.write_text("collection_id,PatientID,grade,read\n" + ",".join(patient) + ",3,2015-06-01\n")
    catalog.add_table("readings", file)
    want = tables.execute("SELECT count(*) FROM idx WHERE collection_id = ? AND PatientID = ?", patient).fetchall()[0][
        0
    ]
    assert len(catalog.cohort(idc.col("readings.grade") > 2)) == want
    assert len(catalog.cohort(idc.col("readings.grade") > 3)) == 0
    assert len(catalog.cohort(idc.col("readings.read").between(2014, "2015-06"))) == want
    cohort = catalog.cohort(idc.col("readings.grade") == 3)
    assert duckdb.sql(f"SELECT count(*) FROM ({cohort.to_sql()})").fetchall() == [(want,)]
    with pytest.raises(ValueError, match="your own"):
        cohort.to_sql("bigquery")
    with pytest.raises(ValueError, match="readings"):
        cohort.to_code("idc-index")
    catalog.add_table("noted", pd.DataFrame({"PatientID": [patient[1]], "ok": [True]}))
    noted = catalog.cohort(idc.col("noted.ok") == True)  # noqa: E712
    assert len(noted) >= want
    with pytest.raises(ValueError, match="a DataFrame, which lives in this Python alone"):
        noted.to_sql()
    catalog.add_table("loose", pd.DataFrame({"n": [1]}))
    with pytest.raises(ValueError, match="says of no row which series"):
        catalog.cohort(idc.col("loose.n") == 1)


def test_companions_are_what_is_outside(catalog: idc.Catalog, tables: duckdb.DuckDBPyConnection) -> None:
    collection = tables.execute(
        "SELECT collection_id FROM idx WHERE Modality = 'RTSTRUCT' GROUP BY 1 ORDER BY count(*), 1 LIMIT 1"
    ).fetchall()[0][0]
    cohort = catalog.cohort(Modality="RTSTRUCT", collection_id=collection)
    more = cohort.companions()
    want = tables.execute(
        f"WITH ours AS (SELECT SeriesInstanceUID AS u FROM idx WHERE Modality = 'RTSTRUCT' AND collection_id = ?) "
        f"SELECT count(*), sum(round(series_size_MB * 1e6))::BIGINT FROM idx WHERE SeriesInstanceUID IN "
        f"(SELECT t FROM ({REFERENCE}) WHERE s IN (FROM ours) UNION SELECT s FROM ({REFERENCE}) WHERE t IN (FROM ours))"
        " "
        "AND SeriesInstanceUID NOT IN (FROM ours)",
        [collection],
    ).fetchall()[0]
    assert want[0] > 0
    assert (more.counts.series, more.counts.bytes) == want
    both = cohort | more
    assert both.counts.bytes == cohort.counts.bytes + more.counts.bytes
    assert eval(repr(both), {"idc": idc, "catalog": catalog}) == both
    # And back again: the images lead to the same structure sets.
    assert (cohort - more.companions()).counts.series == 0


def test_code_says_a_long_list_once(catalog: idc.Catalog) -> None:
    uids = list(catalog.cohort(collection_id="rider_pilot").series(limit=30).SeriesInstanceUID)
    cohort = catalog.cohort(SeriesInstanceUID=uids)
    more = cohort.companions()
    for found in (more, cohort | more, (cohort | more) - cohort, (cohort | more) & cohort):
        assert repr(found).count(uids[0]) == 1
        assert eval(repr(found), {"idc": idc, "catalog": catalog}) == found
        scope: dict[str, object] = {}
        exec(found.to_code(), scope)
        assert scope["cohort"] == found


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: idc.col("ct_indx.KVP") == 1, idc.UnknownNameError, 'no table "ct_indx".*"ct_index"'),
        (lambda: idc.col("ct_index.KVPP") == 1, idc.UnknownNameError, '"KVPP" in the table "ct_index".*"KVP"'),
        (lambda: idc.col("ct_index.KVP") == "120", ValueError, "'120': this column holds numbers"),
        (lambda: idc.col("seg_index.AlgorithmType") == "AUTO", idc.UnknownNameError, '"AUTO".*"AUTOMATIC"'),
        (lambda: idc.col("ct_index.ImageType") == "LOCALISER", idc.UnknownNameError, '"LOCALISER".*"LOCALIZER"'),
        (lambda: idc.col("volume_geometry_index.single_orientation") == "yes", ValueError, "True or False"),
        (lambda: idc.col("volume_geometry_index.single_orientation") > 0, ValueError, "true or false"),
        (lambda: idc.sql("TRUE) OR (TRUE"), ValueError, "no expression of SQL"),
        (lambda: idc.sql("TRUE; DROP VIEW index"), ValueError, "no expression of SQL"),
        (lambda: idc.sql("Modalty = 'CT'"), ValueError, "Modalty"),
        (lambda: idc.sql("TRUE ORDER BY 1"), ValueError, "no expression of SQL"),
        (lambda: idc.sql(" "), ValueError, "is empty"),
        (lambda: idc.between("StudyDate", "2010-13-01"), ValueError, "'2010-13-01' is no date"),
        (lambda: idc.col("series_size_MB") > float("nan"), TypeError, "compared with a missing value"),
        (lambda: 10 <= idc.col("series_size_MB") <= 20, TypeError, r"a range is idc.between\(|neither true nor false"),
        (lambda: idc.referenced_by("SEG"), TypeError, "'SEG' is no condition"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_told(catalog: idc.Catalog, make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        catalog.cohort(make())
