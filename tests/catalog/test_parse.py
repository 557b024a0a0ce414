"""Which tables a query names."""

from __future__ import annotations

import pytest

import idc_widgets as idc
from idc_widgets.catalog.parse import tables_in

CASES = {
    "SELECT * FROM seg_index": {"seg_index"},
    "SELECT 'seg_index' FROM v": {"v"},
    "SELECT 1 /* seg_index */ FROM v -- ct_index": {"v"},
    "SELECT seg_index FROM v": {"v"},
    "SELECT seg_index.x AS ct_index FROM v AS seg_index": {"v"},
    'SELECT "seg_index" FROM "ct_index"': {"ct_index"},
    "SELECT 1 FROM v WHERE x IN (SELECT y FROM seg_index)": {"v", "seg_index"},
    "SELECT (SELECT count(*) FROM Seg_Index)": {"Seg_Index"},
    "SELECT * FROM a JOIN b USING (x), LATERAL (SELECT * FROM c)": {"a", "b", "c"},
    "WITH seg_index AS (SELECT 1) SELECT * FROM seg_index": set(),
    "WITH seg_index AS (SELECT 1) SELECT * FROM main.seg_index": {"seg_index"},
    "WITH seg_index AS (SELECT * FROM seg_index) SELECT * FROM SEG_INDEX": {"seg_index"},
    "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, c": {"c"},
    "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r, c) FROM r": {"c"},
    "SELECT (WITH a AS (SELECT 1) SELECT * FROM a), x FROM a": {"a"},
    "FROM other.seg_index": set(),
    "FROM memory.main.seg_index": {"seg_index"},
    "FROM 'seg_index.parquet'": {"seg_index.parquet"},
    "FROM a UNION ALL FROM b": {"a", "b"},
    "SELECT * FROM a; SELECT * FROM b": {"a", "b"},
    "DESCRIBE a": {"a"},
    "CREATE TABLE t AS SELECT 'b' FROM a": {"a"},
    "EXPLAIN FROM a": {"a"},
    "PIVOT a ON x USING count(*)": {"a"},
    "SELECT * FROM v ORDER BY (SELECT max(x) FROM a) LIMIT (SELECT 1 FROM b)": {"v", "a", "b"},
    "no SQL at all": set(),
    "": set(),
}


@pytest.mark.parametrize("sql", CASES)
def test_the_tables_that_a_query_reads(sql: str) -> None:
    assert tables_in(sql) == CASES[sql]


def test_of_the_catalogue_as_it_spells_them(catalog: idc.Catalog) -> None:
    assert catalog.index.tables_in("SELECT 'ct_index' FROM Seg_Index, index, nobody") == {"seg_index"}


def test_what_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        tables_in("SELECT " + "+1" * 900)
    with pytest.raises(ValueError, match="half a character"):
        tables_in("SELECT '\ud800'")
