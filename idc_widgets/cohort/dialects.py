"""A cohort as SQL for others to run: DuckDB over the published parquet, idc-index, and BigQuery."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.catalog import Index, bundled
from idc_widgets.cohort.compile import Compiler, literal, quoted
from idc_widgets.cohort.conditions import Condition
from idc_widgets.lib.arguments import shown

DIALECTS = ("duckdb", "bigquery")

# The patient as one text: a collection's id has no "/", and GoogleSQL cannot group by a pair.
_PATIENT = '("collection_id" || \'/\' || "PatientID")'

_DECLARED = re.compile(r"^\s*DECLARE\s+(\w+)\s+\w+\s+DEFAULT\s+([^;]+);.*\n", re.MULTILINE | re.IGNORECASE)

_DATASET = re.compile(r"\bbigquery-public-data\.idc_(v\d+|current)\b")


def to_sql(index: Index, conditions: Sequence[Condition], dialect: str) -> str:
    """Return a query that selects the series of a conjunction of conditions, complete in itself.

    Raises
    ------
    ValueError
        If there is no such dialect; the message names those that there are.
    """
    if not isinstance(dialect, str):
        dialect = shown(dialect)
    if dialect == "duckdb":
        return _duckdb(index, conditions)
    if dialect == "bigquery":
        return _bigquery(index, conditions)
    raise ValueError(f"sql(dialect={shown(dialect)}): the dialect is " + " or ".join(f'"{d}"' for d in DIALECTS) + ".")


def over_index(index: Index, conditions: Sequence[Condition]) -> tuple[str, list[str]]:
    """Return a DuckDB query over a table named `index`, as idc-index offers it, and the other tables it reads."""
    compiler = _compiler(index)
    where = compiler.where(conditions)
    return f"SELECT *\nFROM index\nWHERE {where}", sorted(compiler.tables)


def _duckdb(index: Index, conditions: Sequence[Condition]) -> str:
    compiler = _compiler(index)
    where = compiler.where(conditions)
    read = {"index": f"SELECT * FROM read_parquet({literal(str(bundled.table('index').path))})"}
    read |= {name: index.select(name) for name in sorted(compiler.tables)}
    tables = ",\n     ".join(f'"{name}" AS ({select})' for name, select in read.items())
    return f'WITH {tables}\nSELECT * FROM "index"\nWHERE {where}'


def _compiler(index: Index) -> Compiler:
    return Compiler(index, '"index"', '"StudyInstanceUID"', _PATIENT, bind=literal)


def _bigquery(index: Index, conditions: Sequence[Condition]) -> str:
    """Return GoogleSQL for IDC's public dataset of this version.

    The index is no table there, so the query that IDC makes it with comes first, as published.
    """
    import sqlglot  # 0.1 s, and only needed here
    from sqlglot import exp

    def googlesql(node: exp.Expression) -> exp.Expression:
        # The one function of ours that GoogleSQL lacks and sqlglot does not replace.
        if isinstance(node, exp.ConcatWs):
            between, *parts = node.expressions
            return exp.ArrayToString(this=exp.Array(expressions=parts), expression=between)
        return node

    compiler = Compiler(index, '"index"', '"StudyInstanceUID"', _PATIENT, bind=quoted, unnest=False)
    where = compiler.where(conditions)
    tree = sqlglot.parse_one(f'SELECT * FROM "index" WHERE {where}', read="duckdb").transform(googlesql)
    query = tree.sql(dialect="bigquery", pretty=True)
    made = []
    for name in ["index", *sorted(compiler.tables)]:
        body = "\n".join("  " + line for line in _making_of(index, name).splitlines())
        made.append(f"`{name}` AS (\n{body}\n)")
    return f"WITH {', '.join(made)}\n{query}"


def _making_of(index: Index, table: str) -> str:
    """Return the GoogleSQL that makes one of IDC's tables, as published with it."""
    if table not in (*bundled.table_names(), *bundled.fetched_names()):
        if dataset := index.clinical_dataset(table):
            return f"SELECT * FROM `bigquery-public-data.{dataset}.{table}`"
        raise ValueError(f'The table "{table}" is your own, which BigQuery does not have.')
    path = bundled.file(table, ".sql")
    if not path.is_file():
        raise FileNotFoundError(
            f"The installed idc-index-data {bundled.release()} lacks {path.name}, which says how that table is made "
            "in BigQuery; `pip install --force-reinstall idc-index-data` brings it back."
        )
    text = path.read_text("utf-8")
    text = re.sub(r"^\s*(#|--).*\n", "", text, flags=re.MULTILINE)
    # Where it is a script, its constants go to the places that they are named in.
    constants = dict(_DECLARED.findall(text))
    text = _DECLARED.sub("", text)
    for constant, value in constants.items():
        text = re.sub(rf"\b{constant}\b", value, text)
    text = re.sub(r"\nORDER BY\b[^()]*\Z", "", text.rstrip().removesuffix(";"))  # costs, and orders nothing in a CTE
    return _DATASET.sub(f"bigquery-public-data.idc_v{index.version}", text).strip()
