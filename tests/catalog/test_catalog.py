"""The catalogue: tables, the cube against plain SQL, pages, the cache."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
import zlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.catalog import bins, bundled, cache, cube


def decode(packed: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Read a packed cube as the browser does: dimensions' values, bins' codes, series, instances, bytes."""
    data = zlib.decompress(base64.b64decode(packed["data"]))
    at = 0

    def take(kind: str, n: int) -> array[Any]:
        nonlocal at
        size = array(kind).itemsize * n
        column = array(kind, data[at : at + size])
        at += size + -size % 8
        return column

    groups, rows = packed["groups"], packed["rows"]
    codes = [take("B" if d["bits"] == 8 else "H", groups) for d in packed["dimensions"]]
    group_of = [g for g, n in enumerate(take("I", groups)) for _ in range(n)]
    cells = [take(kind, rows) for kind in ["B"] * len(packed["bins"]) + ["I", "I", "d"]]
    assert at == len(data)
    assert len(group_of) == rows
    values = [d["values"] for d in packed["dimensions"]]
    return [
        (*(v[c[g]] for v, c in zip(values, codes, strict=True)), *(c[i] for c in cells[:-1]), int(cells[-1][i]))
        for i, g in enumerate(group_of)
    ]


def _code(b: bins.Binned, value: str, extra: Sequence[bins.Edge] = ()) -> str:
    """Return plain SQL for a code: how many edges a value has passed."""
    passed = [f"({value} >= {e!r})::INT" for e in b.edges] + [
        f"({value} {'>' if side else '>='} {e!r})::INT" for e, side in extra
    ]
    missing = len(passed) + 1
    return f"CASE WHEN {b.column} IS NULL THEN {missing} ELSE coalesce({' + '.join(passed)}, {missing + 1}) END"


def plain_cube(plain: duckdb.DuckDBPyConnection, where: str, extra: bins.Extra | None = None) -> set[tuple[Any, ...]]:
    """Return what a cube holds, asked of the published index in plain SQL."""
    dimensions = ", ".join(cube.DIMENSIONS)
    codes = ", ".join(
        _code(b, "age(PatientAge)" if b.column == "PatientAge" else b.column, (extra or {}).get(b.column, ()))
        for b in bins.BINNED
    )
    return set(
        plain.execute(
            f"SELECT {dimensions}, {codes}, count(*), sum(instanceCount)::BIGINT, "
            f"sum(round(series_size_MB * 1e6)::BIGINT)::BIGINT FROM idx WHERE {where} GROUP BY ALL"
        ).fetchall()
    )


def test_what_it_is(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    assert catalog.version == int(catalog.release.split(".")[0])
    assert catalog.date.count("-") == 2
    tables = catalog.tables().set_index("table")
    assert tables.rows["index"] == plain.execute("SELECT count(*) FROM idx").fetchall()[0][0]
    assert set(tables.index) >= {"index", "prior_versions_index", "collections_index", "version_metadata_index"}
    assert all(tables.description)


def test_columns_are_those_of_the_file_and_described(catalog: idc.Catalog) -> None:
    columns = catalog.columns("index")
    published = duckdb.sql(f"DESCRIBE FROM '{bundled.table('index').path}'").fetchall()
    assert list(zip(columns.column, columns.type, strict=True)) == [(n, t) for n, t, *_ in published]
    assert all(columns.description)
    with pytest.raises(idc.UnknownNameError, match="collections_index"):
        catalog.columns("collection_index")


def test_index_through_sql_is_the_published_one(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT count(*), sum(hash(t)) FROM {} t"
    ours = catalog.index.database.rows(query.format("index"))
    assert ours == plain.execute(query.format("idx")).fetchall()


def test_cube_equals_plain_sql(
    catalog: idc.Catalog, bare_catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    truth = plain_cube(plain, "TRUE")
    assert set(decode(catalog.index.cube())) == truth
    assert set(decode(bare_catalog.index.cube())) == truth


def test_cube_of_a_condition_that_is_no_dimension(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(idc.contains("SeriesDescription", "t2"))
    where, parameters = cohort.compiled()
    outside = [c.to_json() for c in cohort.conditions]
    packed = catalog.index.cube(where, parameters, outside)
    assert packed["outside"] == outside
    assert set(decode(packed)) == plain_cube(plain, "SeriesDescription ILIKE '%t2%'")
    # Values that no series of it has can still be shown with their zero.
    assert [d["values"] for d in packed["dimensions"]] == [d["values"] for d in catalog.index.cube()["dimensions"]]


def test_cube_with_bounds_of_ones_own(
    catalog: idc.Catalog, bare_catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    edges: dict[str, list[bins.Edge]] = {
        "series_size_MB": [(12.5, 0), (100, 1), (100, 0)],  # the last is an edge already
        "StudyDate": [("2000-01-02", 0), ("2000-01-02~", 0)],
        "PatientAge": [(18, 0), (60, 1)],
        "instanceCount": [(7, 0)],
    }
    used = {**edges, "series_size_MB": edges["series_size_MB"][:2]}
    truth = plain_cube(plain, "TRUE", used)
    for each in (catalog, bare_catalog):
        packed = each.index.cube(edges=edges)
        assert set(decode(packed)) == truth
        assert packed["outside"] == []
    totals = {b["name"]: b["total"] for b in packed["bins"]}
    assert totals == {b["name"]: b["total"] for b in catalog.index.cube()["bins"]}
    assert {sum(t) for t in totals.values()} == {catalog.cohort().counts.series}


@pytest.mark.parametrize(
    ("edges", "named"),
    [
        ({"PatientAge": [("old", 0)]}, "'old' is no place on the scale of PatientAge"),
        ({"StudyDate": [(2015, 0)]}, "2015 is no place on the scale of StudyDate"),
        ({"Modality": [("CT", 0)]}, '"Modality" has no bins; those with bins are StudyDate'),
        ({"instanceCount": [(n, 0) for n in range(100, 1100, 7)]}, "bounds on instanceCount are too many"),
    ],
)
def test_bounds_that_are_none(catalog: idc.Catalog, edges: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        catalog.index.cube(edges=edges)


def test_terms_of_collections(catalog: idc.Catalog) -> None:
    terms = catalog.index.terms["cancer_types"]
    assert terms["nlst"] == ("Lung Cancer", "Non-Cancer")
    every = {t for v in terms.values() for t in v}
    assert "Diffuse Large B-Cell Lymphoma, Not Otherwise Specified" in every
    assert "Renal Cell Carcinoma, Not Otherwise Specified" in terms["pdxnet"]
    assert "Not Otherwise Specified" not in every


@pytest.mark.parametrize("sort", [[], [("SeriesDescription", True)], [("series_bytes", False), ("Modality", True)]])
def test_pages_are_the_rows_in_order(
    sort: list[tuple[str, bool]], catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    by = {"series_bytes": "round(series_size_MB * 1e6)::BIGINT"}
    terms = [f"{by.get(c, c)} {'DESC' if d else 'ASC'} NULLS LAST" for c, d in sort]
    truth = [
        r[0]
        for r in plain.execute(
            f"SELECT SeriesInstanceUID FROM idx WHERE Modality = 'MR' ORDER BY {', '.join([*terms, 'rowid'])}"
        ).fetchall()
    ]
    where, parameters = catalog.cohort(Modality="MR").compiled()
    seen: list[str] = []
    for offset in (0, 100, 64_000, len(truth) - 50):
        rows, total = catalog.index.pages.page(where, parameters, sort, ["SeriesInstanceUID"], offset, 100)
        assert total == len(truth)
        assert [r[1] for r in rows] == truth[offset : offset + 100]
        seen += [r[1] for r in rows]
    assert len(seen) == 350


def test_threads_share_a_catalogue(catalog: idc.Catalog) -> None:
    errors: list[Exception] = []

    def ask(n: int) -> None:
        try:
            for i in range(5):
                where, parameters = catalog.cohort(Modality=["CT", "MR", "PT"][(n + i) % 3]).compiled()
                sort = [("SeriesDescription", bool(i % 2))]
                rows, _ = catalog.index.pages.page(where, parameters, sort, ["Modality"], 100 * n, 10)
                assert len(rows) == 10
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


def test_many_orders_at_once(catalog: idc.Catalog) -> None:
    """More orders than are kept, from several threads: each still gets its own rows."""
    errors: list[Exception] = []
    modalities = ["CT", "MR", "PT", "SM", "SEG", "MG", "CR", "DX", "US", "XA"]

    def ask(start: int) -> None:
        try:
            for i in range(20):
                modality = modalities[(start + i) % len(modalities)]
                where, parameters = catalog.cohort(Modality=modality).compiled()
                rows, _ = catalog.index.pages.page(
                    where, parameters, [("PatientID", False)], ["Modality"], 0, 5 + 400 * (i % 2)
                )
                assert {r[1] for r in rows} == {modality}
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(3 * n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors
    names = [
        r[0]
        for r in catalog.index.database.rows("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'order_%'")
    ]
    assert len(names) <= 8


# -- the cache


def test_a_second_catalogue_uses_the_cache(catalog: idc.Catalog) -> None:
    again = idc.Catalog()
    assert again.index.database.cached
    assert again.cohort(Modality="CT").counts == catalog.cohort(Modality="CT").counts


def test_without_a_cache_it_says_so_and_works(bare_catalog: idc.Catalog) -> None:
    assert "IDC_WIDGETS_CACHE_DIR" in bare_catalog.index.database.note
    assert bare_catalog.cohort(Modality="RWV").counts.series > 0


def test_a_damaged_cache_is_made_anew(catalog: idc.Catalog, tmp_path: Path) -> None:
    path = cache.path(tmp_path, catalog.release)
    path.write_bytes(b"this is no database" * 1000)
    found = idc.Catalog(cache_dir=tmp_path)
    assert found.cohort(Modality="CT").counts == catalog.cohort(Modality="CT").counts
    assert found.index.database.wait_for_cache(120)
    assert found.cohort(Modality="CT").counts == catalog.cohort(Modality="CT").counts


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "cache.duckdb"
    missing = tmp_path / "missing.parquet"
    done = subprocess.run(
        [sys.executable, "-m", "idc_widgets.catalog.cache", str(target), str(missing)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "missing.parquet" in done.stderr
    assert list(tmp_path.iterdir()) == []
