"""The metadata export, queried where it lies: a small one, served by the mirror."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import idc_widgets as idc
from idc_widgets.catalog import export, fetch, remote
from idc_widgets.catalog.remote import Remote
from tests.mirror import Mirror
from tests.mirror.export import COLLECTIONS, FILES

NAMED = ", ".join(f"'{c}'" for c in COLLECTIONS)


@pytest.fixture(scope="module", autouse=True)
def mirror() -> Iterator[Mirror]:
    with Mirror() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDC_WIDGETS_RELEASE_URL", f"{running.endpoint}/releases/download")
        patch.setenv("IDC_WIDGETS_METADATA_ENDPOINT", running.endpoint)
        patch.setenv("NO_PROXY", "127.0.0.1")
        assert running.server.export.objects  # made once, outside any test's time
        yield running


@pytest.fixture(autouse=True)
def calm(mirror: Mirror) -> Iterator[None]:
    yield
    mirror.set()
    mirror.faults.clear()
    mirror.reset_counts()


@pytest.fixture
def current(catalog: idc.Catalog) -> Remote:
    return catalog.remote("idc_current")


@pytest.fixture(scope="module")
def truth(mirror: Mirror) -> duckdb.DuckDBPyConnection:
    """Plain DuckDB over the same files on disk."""
    folder = next(iter(mirror.server.export.objects.values())).path.parents[2]
    found = duckdb.connect()
    found.execute(f"CREATE TABLE dicom_all AS FROM '{folder}/idc_current/dicom_all/*.parquet'")
    return found


def _rows(frame: Any) -> list[tuple[Any, ...]]:
    return sorted((tuple(r) for r in frame.astype(str).itertuples(index=False)), key=str)


def test_datasets_tables_and_columns_are_listed(catalog: idc.Catalog, current: Remote, mirror: Mirror) -> None:
    assert catalog.remote() == ["idc_current", "idc_current_clinical", "idc_v25", "idc_v25_clinical"]
    listed = current.tables().set_index("table")
    files = [f for k, f in mirror.server.export.objects.items() if "/idc_current/dicom_all/" in k]
    assert listed.loc["dicom_all"].tolist() == [FILES, sum(f.size for f in files)]
    assert {"SOPInstanceUID", "aws_url"} < set(current.columns("dicom_all")["column"])
    assert "table_metadata" in set(catalog.remote("idc_current_clinical").tables()["table"])


def test_a_misspelt_dataset_or_table_suggests_near_ones(catalog: idc.Catalog, current: Remote) -> None:
    with pytest.raises(idc.UnknownNameError, match=r'"idc_curent".*"idc_current"'):
        catalog.remote("idc_curent")
    with pytest.raises(idc.UnknownNameError, match=r'"dicom_al".*"dicom_all"'):
        current.columns("dicom_al")


def test_the_documented_example_is_the_same_by_hand(current: Remote, mirror: Mirror) -> None:
    ours = current.sql("SELECT * FROM dicom_all WHERE Modality = 'MR' ORDER BY SOPInstanceUID LIMIT 1")
    urls = [
        f"{mirror.endpoint}/{export.BUCKET}/{k}" for k in mirror.server.export.objects if "/idc_current/dicom_all/" in k
    ]
    with duckdb.connect() as by_hand:
        remote.load_httpfs(by_hand)
        hand = by_hand.execute(
            "SELECT * FROM read_parquet(?) WHERE Modality = 'MR' ORDER BY SOPInstanceUID LIMIT 1", [urls]
        ).df()
    assert len(ours) == 1
    assert _rows(ours) == _rows(hand)


def test_tables_of_the_index_can_be_joined(current: Remote, catalog: idc.Catalog) -> None:
    found = current.sql(
        'SELECT i.collection_id, count(*) AS n, sum(d.instance_size) AS size FROM dicom_all d JOIN "index" i '
        "USING (SeriesInstanceUID) GROUP BY 1 ORDER BY 1"
    )
    want = catalog.cohort(collection_id=list(COLLECTIONS)).collections().sort_values("collection_id")
    assert found["n"].tolist() == want["instances"].tolist()
    assert found["size"].tolist() == want["bytes"].tolist()


def test_only_files_that_can_match_are_read(current: Remote, truth: duckdb.DuckDBPyConnection) -> None:
    uid = truth.execute("SELECT SeriesInstanceUID FROM dicom_all ORDER BY 1 LIMIT 1 OFFSET 30000").fetchall()[0][0]
    query = f"SELECT SOPInstanceUID FROM dicom_all WHERE SeriesInstanceUID = '{uid}'"
    estimate = current.estimate(query)
    assert estimate.files == 1
    assert estimate.of_files == FILES
    assert 0 < estimate.bytes < 1e6
    assert str(estimate).startswith(f"1 of {FILES} files")
    assert _rows(current.sql(query)) == _rows(truth.execute(query).df())
    everything = current.estimate("SELECT * FROM dicom_all")
    assert everything.files == FILES
    assert everything.bytes > 50 * estimate.bytes


def test_statistics_are_asked_for_once(catalog: idc.Catalog, mirror: Mirror, tmp_path: Path) -> None:
    query = "SELECT count(*) AS n FROM dicom_all WHERE SeriesInstanceUID > '2'"

    def asked() -> int:
        mirror.reset_counts()
        found = Remote(catalog.index.database, tmp_path, "idc_current").estimate(query)
        assert found.files <= FILES
        return int(str(mirror.requests()["GET"])) + int(str(mirror.requests()["LIST"]))

    first = asked()
    assert first >= FILES
    assert asked() <= 3  # nothing of the footers, nothing of the listing


def test_a_file_that_changed_is_asked_anew(
    catalog: idc.Catalog, mirror: Mirror, tmp_path: Path, truth: duckdb.DuckDBPyConnection
) -> None:
    query = "SELECT count(*) AS n FROM dicom_all WHERE SeriesInstanceUID = 'new'"
    assert Remote(catalog.index.database, tmp_path, "idc_current").sql(query)["n"].tolist() == [0]
    objects = mirror.server.export.objects
    key = next(k for k in objects if "/idc_current/dicom_all/" in k)
    before = objects[key]
    other = tmp_path / "other.parquet"
    truth.execute(
        f"COPY (SELECT * REPLACE ('new' AS SeriesInstanceUID) FROM dicom_all LIMIT 3) TO '{other}' (FORMAT parquet)"
    )
    try:
        mirror.server.export.replace(key, other)
        assert Remote(catalog.index.database, tmp_path, "idc_current", refresh=True).sql(query)["n"].tolist() == [3]
    finally:
        objects[key] = before


VALUES = {
    "SeriesInstanceUID": st.sampled_from(["1", "1.3.6.1.4.1.14519.5.2.1", "1.4", "2", ""]),
    "Modality": st.sampled_from(["MR", "CT", "XX", "a'b"]),
    "StudyDate": st.sampled_from(["1990-01-01", "2004-05-06", "2030-12-31"]),
    "InstanceNumber": st.sampled_from([-1, 0, 1, 5, 100.5, 10**6]),
    "instance_size": st.integers(0, 10**6),
}


@st.composite
def comparisons(draw: st.DrawFn, column: str | None = None) -> str:
    name = column or draw(st.sampled_from(sorted(VALUES)))

    def literal() -> str:
        value = draw(VALUES[name])
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)

    match draw(st.sampled_from(["op", "turned", "in", "between", "null"])):
        case "op":
            return f"{name} {draw(st.sampled_from(['=', '<', '<=', '>', '>=', '<>']))} {literal()}"
        case "turned":
            return f"{literal()} {draw(st.sampled_from(['=', '<', '<=', '>', '>=']))} {name}"
        case "in":
            return f"{name} {draw(st.sampled_from(['IN', 'NOT IN']))} ({literal()}, {literal()})"
        case "between":
            return f"{name} BETWEEN {literal()} AND {literal()}"
    return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(comparisons(), min_size=1, max_size=3),
    glue=st.sampled_from(["AND", "AND", "OR"]),
    negated=st.booleans(),
)
def test_skipping_files_never_changes_a_result(
    current: Remote, mirror: Mirror, truth: duckdb.DuckDBPyConnection, parts: list[str], glue: str, negated: bool
) -> None:
    where = f" {glue} ".join(f"({p})" for p in parts)
    where = f"NOT ({where})" if negated else where
    # Read from disk, to be quick: which files are left is the question here.
    kept = current.plan(f"SELECT count(*) FROM dicom_all WHERE {where}")["dicom_all"]
    want = truth.execute(f"SELECT count(*) FROM dicom_all WHERE {where}").fetchall()
    files = [str(mirror.server.export.objects[f.key].path) for f in kept]
    assert duckdb.execute(f"SELECT count(*) FROM read_parquet(?) WHERE {where}", [files]).fetchall() == want


def test_any_row_asks_the_first_files_only(
    catalog: idc.Catalog, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_FIRST", 5)
    found = Remote(catalog.index.database, tmp_path, "idc_current")
    found.types("dicom_all")
    mirror.reset_counts()
    kept = found.plan("SELECT * FROM dicom_all WHERE Modality = 'no such' LIMIT 1")["dicom_all"]
    assert int(str(mirror.requests()["GET"])) == 5
    assert len(kept) == FILES - 5
    assert len(found.plan("SELECT * FROM dicom_all WHERE Modality = 'no such' ORDER BY 1 LIMIT 1")["dicom_all"]) == 1
    mirror.reset_counts()


def test_instances_of_a_cohort(catalog: idc.Catalog, truth: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(collection_id=COLLECTIONS[0]).where(idc.between("instanceCount", 2, 40))
    told: list[str] = []
    frame = cohort.instances(progress=lambda what, done, total: told.append(what))
    assert len(frame) == cohort.counts.instances > 100
    assert int(frame["instance_size"].sum()) == cohort.counts.bytes
    assert frame["SOPInstanceUID"].is_unique
    assert len(cohort.instances(columns=["SOPInstanceUID"], limit=5)) == 5
    with pytest.raises(idc.UnknownNameError, match=r'"SOPInstanceUI" in dicom_all.*"SOPInstanceUID"'):
        cohort.instances(columns=["SOPInstanceUI"])
    assert len((cohort - cohort).instances()) == 0


def test_clinical_rows_of_a_cohort(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    listed = catalog.clinical()
    assert {"collection_id", "table", "column", "label", "values"} == set(listed.columns)
    table = "tcga_acc_clinical"
    assert (listed["table"] == table).any()
    cohort = catalog.cohort(collection_id=["tcga_acc", "nlst"], Modality="SM")
    rows = cohort.clinical(table)
    want = plain.execute(
        "SELECT count(DISTINCT PatientID) FROM idx WHERE collection_id = 'tcga_acc' AND Modality = 'SM'"
    )
    assert len(rows) == want.fetchall()[0][0]
    assert set(rows["collection_id"]) == {"tcga_acc"}
    women = catalog.cohort(idc.col(f"{table}.gender") == "F")
    patients = set(rows.loc[rows["gender"] == "F", "PatientID"])
    assert set(women.where(Modality="SM").series(columns=["PatientID"])["PatientID"]) == patients
    assert duckdb.sql(f"SELECT count(*) FROM ({women.to_sql()})").fetchall() == [(len(women),)]
    assert "bigquery-public-data.idc_v25_clinical.tcga_acc_clinical" in women.to_sql("bigquery")
    assert len(catalog.sql(f"SELECT * FROM {table}")) >= len(patients)
    with pytest.raises(idc.UnknownNameError, match=r'clinical table "tcga_ac_clinical".*"tcga_acc_clinical"'):
        cohort.clinical("tcga_ac_clinical")


def test_a_query_ends_when_interrupted(catalog: idc.Catalog, current: Remote, mirror: Mirror) -> None:
    import _thread

    current.types("dicom_all")
    mirror.set(delay_ms=400)
    threading.Timer(0.6, _thread.interrupt_main).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        current.sql("SELECT max(length(aws_url)), max(crdc_instance_uuid) FROM dicom_all")
    assert time.monotonic() - began < 10  # of 33 s


def test_without_network_it_says_so(catalog: idc.Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDC_WIDGETS_METADATA_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(idc.TableUnavailableError, match=r'dataset "idc_current" could not be read.*127.0.0.1:9'):
        Remote(catalog.index.database, tmp_path, "idc_current")
    with pytest.raises(idc.TableUnavailableError, match="list of datasets"):
        catalog.remote()


def test_without_httpfs_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(remote.importlib.util, "find_spec", lambda name: None)
    with duckdb.connect() as bare:
        bare.execute(f"SET extension_directory = '{tmp_path}'")
        bare.execute("SET custom_extension_repository = 'http://127.0.0.1:9'")
        with pytest.raises(idc.TableUnavailableError, match="pip install duckdb-extension-httpfs"):
            remote.load_httpfs(bare)


def test_a_listing_of_many_pages_is_whole(current: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    real = mirror.server.export.listing
    monkeypatch.setattr(mirror.server.export, "listing", lambda query: real({**query, "max-keys": "7"}))
    files = export.tables("idc_current", None, refresh=True)["dicom_all"]
    assert [f.key for f in files] == [f.key for f in current.files("dicom_all")]
    assert fetch.may_pass(TimeoutError())
