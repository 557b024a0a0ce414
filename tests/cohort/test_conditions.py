"""One definition of conditions: Python, plain SQL and the recorded counts agree (the browser's side: js/tests)."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.cohort import conditions
from tests.conftest import HERE, condition_cases

CASES = condition_cases()
RECORDED = json.loads((HERE / "conditions.json").read_text("utf-8"))["idc_version"]


def _cohort(catalog: idc.Catalog, case: dict[str, Any]) -> idc.Cohort:
    return idc.Cohort(catalog, [conditions.from_json(c) for c in case["where"]])


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_counts_equal_plain_sql(case: dict[str, Any], catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    counts = _cohort(catalog, case).counts
    truth = plain.execute(
        "SELECT count(*), count(DISTINCT StudyInstanceUID), count(DISTINCT (collection_id, PatientID)), "
        "count(DISTINCT collection_id), coalesce(sum(instanceCount), 0)::BIGINT, "
        f"coalesce(sum(round(series_size_MB * 1e6)::BIGINT), 0)::BIGINT FROM idx WHERE {case['sql']}"
    ).fetchone()
    assert truth is not None
    assert counts == idc.Counts(*truth)
    if catalog.version == RECORDED:
        assert (counts.series, counts.bytes) == (case["series"], case["bytes"])


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_same_without_the_cache(case: dict[str, Any], catalog: idc.Catalog, bare_catalog: idc.Catalog) -> None:
    assert not bare_catalog.index.database.cached
    assert _cohort(bare_catalog, case).counts == _cohort(catalog, case).counts


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_exported_sql_gives_the_same_rows(case: dict[str, Any], catalog: idc.Catalog) -> None:
    cohort = _cohort(catalog, case)
    fresh = duckdb.connect()
    found = fresh.execute(f"SELECT count(*), sum(hash(SeriesInstanceUID)) FROM ({cohort.to_sql()})").fetchone()
    where, parameters = cohort.compiled()
    ours = catalog.index.database.rows(
        f"SELECT count(*), sum(hash(SeriesInstanceUID)) FROM series WHERE {where}", parameters
    )
    assert found == ours[0]


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_round_trips(case: dict[str, Any], catalog: idc.Catalog) -> None:
    cohort = _cohort(catalog, case)
    assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort
    assert idc.Cohort.from_json(cohort.to_json(), catalog) == cohort
    assert hash(idc.Cohort.from_json(cohort.to_json(), catalog)) == hash(cohort)
