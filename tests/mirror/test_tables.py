"""The tables beside the index: their schemas' columns, and references that agree with the index."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
import idc_index_data
import pytest

from tests.mirror import Mirror

from .asking import PARQUET, ask
from .tables import RELEASE, Tables

SCHEMAS = {
    path.name.removesuffix("_schema.json"): json.loads(path.read_text("utf-8"))["columns"]
    for path in Path(str(idc_index_data.__file__)).parent.glob("*_schema.json")
    if not path.with_name(path.name.replace("_schema.json", ".parquet")).exists()
}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables()


@pytest.fixture(scope="module")
def idx() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW idx AS FROM read_parquet('{PARQUET}')")
    return connection


def of(tables: Tables, name: str) -> str:
    path = tables.path(name)
    assert path
    return f"read_parquet('{path}')"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_columns_are_the_schema_s_and_series_the_index_s(
    name: str, tables: Tables, idx: duckdb.DuckDBPyConnection
) -> None:
    table = of(tables, name)
    described = {row[0]: row[1] for row in idx.execute(f"DESCRIBE FROM {table}").fetchall()}
    assert list(described) == [column["name"] for column in SCHEMAS[name]]
    for column in SCHEMAS[name]:
        assert described[column["name"]].endswith("[]") == (column["mode"] == "REPEATED")
    key = "collection_id" if name == "clinical_index" else "SeriesInstanceUID"
    rows, strange = idx.execute(
        f"SELECT count(*), count(*) FILTER ({key} NOT IN (SELECT {key} FROM idx)) FROM {table}"
    ).fetchall()[0]
    assert rows > 100 and strange == 0


@pytest.mark.parametrize(
    ("name", "column", "condition", "modalities"),
    [
        ("seg_index", "segmented_SeriesInstanceUID", "SOPClassUID LIKE '%.66.4' OR SOPClassUID LIKE '%.66.7'", "image"),
        ("rtstruct_index", "referenced_SeriesInstanceUID", "Modality = 'RTSTRUCT'", "volume"),
        ("ann_index", "referenced_SeriesInstanceUID", "Modality = 'ANN'", "slide"),
    ],
)
def test_references_lead_to_images_of_the_same_study(
    name: str, column: str, condition: str, modalities: str, tables: Tables, idx: duckdb.DuckDBPyConnection
) -> None:
    allowed = {"image": ("CT", "MR", "PT", "SM"), "volume": ("CT", "MR", "PT"), "slide": ("SM", "")}[modalities]
    rows, referring, agreeing = idx.execute(
        f"SELECT count(*), count({column}), "
        f"count(*) FILTER (r.StudyInstanceUID = i.StudyInstanceUID AND r.Modality IN {allowed}) "
        f"FROM {of(tables, name)} JOIN idx i USING (SeriesInstanceUID) "
        f"LEFT JOIN idx r ON r.SeriesInstanceUID = {column}"
    ).fetchall()[0]
    assert rows == idx.execute(f"SELECT count(*) FROM idx WHERE {condition}").fetchall()[0][0]
    assert agreeing == referring > 0.99 * rows


def test_instances_of_slides_are_objects(tables: Tables, idx: duckdb.DuckDBPyConnection) -> None:
    rows = idx.execute(
        f"SELECT crdc_series_uuid, crdc_instance_uuid, instance_size FROM {of(tables, 'sm_instance_index')} "
        "JOIN idx USING (SeriesInstanceUID) WHERE instanceCount < 5 AND series_size_MB < 50 ORDER BY 1, 2 LIMIT 3"
    ).fetchall()
    with Mirror() as mirror:
        for series, uuid, size in rows:
            answer = ask(mirror, f"/idc-open-data/{series}/{uuid}.dcm", "HEAD")
            assert (answer.status, answer.headers["content-length"]) == (200, str(size))
    assert len(rows) == 3


def test_geometry_is_consistent(tables: Tables, idx: duckdb.DuckDBPyConnection) -> None:
    table = of(tables, "volume_geometry_index")
    regular, spaced, contrary = idx.execute(
        "SELECT count(*) FILTER (regularly_spaced_3d_volume), count(slice_spacing_mm), "
        "count(*) FILTER (regularly_spaced_3d_volume AND NOT "
        f"(single_orientation AND unique_slice_positions AND uniform_slice_spacing)) FROM {table}"
    ).fetchall()[0]
    assert regular == spaced > 0 and contrary == 0


def test_it_serves_them_with_their_checksums() -> None:
    with Mirror() as mirror:
        place = f"/releases/download/{RELEASE}/clinical_index.parquet"
        body = ask(mirror, place).body
        assert body[:4] == body[-4:] == b"PAR1"
        assert ask(mirror, f"{place}.sha256").body.split() == [
            hashlib.sha256(body).hexdigest().encode(),
            b"clinical_index.parquet",
        ]
        wrong = (place.replace(RELEASE, "1.0.0"), place.replace("clinical", "no"), f"{place}.md5", "/releases/x")
        assert [ask(mirror, path).status for path in wrong] == [404] * 4
        assert mirror.requests()["GET"] == 6
