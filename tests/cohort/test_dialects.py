"""A cohort as SQL and programs for others: GoogleSQL through its parser, idc-index's through plain DuckDB."""

from __future__ import annotations

import ast
import re
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

import idc_widgets as idc
from idc_widgets.catalog import bundled
from idc_widgets.cohort import conditions
from tests.conftest import condition_cases

CASES = condition_cases()
HOSTILE = ["'", '"""', "\\", "'; DROP TABLE index; --", "`", "a\nb", "\x00", "%_", "ü☃\u2028", "{x}", "@p", "?"]

# What our conditions come to in GoogleSQL; a name beyond these has to be looked up in its reference first.
KNOWN_FUNCTIONS = {
    "ARRAY", "ARRAY_TO_STRING", "CASE", "CAST", "CHR", "COALESCE", "COUNT", "INSTR", "LEAST", "LOWER", "NULLIF",
    "REGEXP_CONTAINS", "REGEXP_EXTRACT", "RIGHT", "STARTS_WITH", "UPPER",
}  # fmt: skip


def _cohort(catalog: idc.Catalog, case: dict[str, Any]) -> idc.Cohort:
    return idc.Cohort(catalog, [conditions.from_json(c) for c in case["where"]])


def _everything_said(catalog: idc.Catalog) -> idc.Cohort:
    """A cohort with every kind of condition."""
    return catalog.cohort(
        idc.search("t2 a.b 1.3.6"),
        idc.contains("SeriesDescription", "it's 100%"),
        idc.with_modalities("CT", "SEG", per="patient"),
        idc.with_modalities("CT", "SEG", keep="all"),
        idc.between("PatientAge", 1, 60) | idc.between("StudyDate", 2010, 2015),
        idc.between("series_size_MB", 1.5, None),
        PatientSex=["F", None],
        cancer_types="Lung Cancer",
    ).exclude(collection_id="nlst")


def _parsed(sql: str) -> exp.Expression:
    (tree,) = sqlglot.parse(sql, read="bigquery", error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    assert not list(tree.find_all(exp.Command))
    return tree


def _functions(sql: str) -> set[str]:
    bare = re.sub(r"'(?:[^'\\]|\\.)*'", "''", sql, flags=re.DOTALL)
    return set(re.findall(r"\b([A-Z_]+)\(", bare)) - {"IN", "AND", "OR", "NOT", "WHERE", "AS", "SELECT"}


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_bigquery_is_googlesql_over_this_version(case: dict[str, Any], catalog: idc.Catalog) -> None:
    sql = _cohort(catalog, case).to_sql("bigquery")
    tables = {t.sql(dialect="bigquery") for t in _parsed(sql).find_all(exp.Table)}
    public = {t for t in tables if "bigquery-public-data" in t}
    assert public
    assert all(f"idc_v{catalog.version}." in t for t in public)
    # Nothing of DuckDB's is left in what follows the making of the index.
    ours = sql[sql.index("FROM `index`") :]
    assert not re.search(r"::|read_parquet|VARCHAR", ours)
    assert _functions(ours) <= KNOWN_FUNCTIONS


def test_bigquery_of_every_kind_of_condition(catalog: idc.Catalog) -> None:
    sql = _everything_said(catalog).to_sql("bigquery")
    tree = _parsed(sql)
    assert _functions(sql[sql.index("FROM `index`") :]) <= KNOWN_FUNCTIONS
    # The index has the columns that the published one has, in its order.
    made = tree.find(exp.CTE)
    assert made is not None
    assert made.this.named_selects == list(catalog.index.columns)
    assert "ORDER BY\n" not in sql


def test_bigquery_means_the_same(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    """The query on the index, translated back, finds the same series."""
    cohort = _everything_said(catalog) | catalog.cohort(
        idc.with_modalities("CT", "MR", per="patient"), idc.between("PatientAge", 1, 60)
    )
    sql = cohort.to_sql("bigquery")
    query = sqlglot.transpile(sql[sql.rindex("SELECT\n  *\nFROM `index`") :], read="bigquery", write="duckdb")[0]
    found = plain.execute(f'WITH "index" AS (FROM idx) SELECT count(*) FROM ({query})').fetchone()
    assert found == (cohort.counts.series,)
    assert cohort.counts.series > 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_a_literal(text: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(idc.contains("SeriesDescription", text))
    literals = {node.this for node in _parsed(cohort.to_sql("bigquery")).find_all(exp.Literal) if node.is_string}
    assert text.lower() in literals
    for sql in (cohort.to_sql(), _query_of(cohort.to_code("idc-index"))):
        shadow = f'WITH "index" AS (FROM idx) SELECT count(*) FROM ({sql})'
        assert plain.execute(shadow).fetchone() == (cohort.counts.series,)


def _query_of(program: str) -> str:
    """The query in an idc-index program; the program is nothing but import, client and query."""
    body = ast.parse(program).body
    assert [type(n).__name__ for n in body] == ["ImportFrom", "Assign", "Assign"]
    assert isinstance(body[2], ast.Assign)
    assert isinstance(body[2].value, ast.Call)
    query = ast.literal_eval(body[2].value.args[0])
    assert isinstance(query, str)
    return query


@pytest.mark.parametrize("case", CASES, ids=[c["name"] for c in CASES])
def test_idc_index_flavour_finds_the_same_rows(case: dict[str, Any], catalog: idc.Catalog) -> None:
    cohort = _cohort(catalog, case)
    program = cohort.to_code("idc-index")
    assert program.startswith("from idc_index import IDCClient\n")
    assert str(bundled.table("index").path.parent) not in program
    con = duckdb.connect()
    con.execute(f"CREATE VIEW index AS FROM '{bundled.table('index').path}'")
    assert con.execute(f"SELECT count(*) FROM ({_query_of(program)})").fetchone() == (cohort.counts.series,)


def test_wrong_dialects_and_flavours_name_the_two(catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match=r"sql\(dialect='mysql'\): the dialect is \"duckdb\" or \"bigquery\"\."):
        catalog.cohort().to_sql("mysql")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"code\(flavour='r'\): the flavour is \"idc_widgets\" or \"idc-index\"\."):
        catalog.cohort().to_code("r")  # type: ignore[arg-type]
