"""What a query names, by DuckDB's own parse of it."""

from __future__ import annotations

import functools
import json
import threading
from typing import Any, NamedTuple

import duckdb

from idc_widgets.catalog.suggest import require_unicode

_lock = threading.Lock()


@functools.cache
def _blank() -> duckdb.DuckDBPyConnection:
    """A database without a table, so that no view stands in the way of a name."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET GLOBAL python_enable_replacements = false")
    return connection


def serialized(sql: str) -> dict[str, Any]:
    """Return DuckDB's parse of SELECT statements, or its error, as `json_serialize_sql` writes it.

    Raises
    ------
    ValueError
        If the query is nested too deeply, or is no text that DuckDB takes.
    """
    require_unicode(sql, "The SQL")
    try:
        with _lock:
            row = _blank().execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        answer: dict[str, Any] = json.loads(row[0] if row else "{}")
    except RecursionError:
        raise ValueError("The SQL is nested too deeply to be read.") from None
    except duckdb.Error as error:
        raise ValueError(f"The SQL cannot be read: {str(error).splitlines()[0]}") from None
    return answer


def tables_in(sql: str) -> set[str]:
    """Return the names of the tables that a query reads, as it writes them.

    What stands in strings and comments, and the names of columns, aliases and common table expressions, are no tables.
    Names in a schema other than `main` are left out. A query that DuckDB cannot parse names none.
    """
    answer = serialized(sql)
    if not answer.get("error", True):
        return _named(answer)
    # Other statements (CREATE TABLE … AS, EXPLAIN, COPY, PIVOT) are not serialized; most tell their names.
    try:
        with _lock:
            statements = _blank().extract_statements(sql)
            return set().union(*(_blank().get_table_names(s.query) for s in statements))
    except duckdb.Error:
        return _as_sqlglot_reads(sql)


def _as_sqlglot_reads(sql: str) -> set[str]:
    import sqlglot  # 0.1 s, and seldom needed
    from sqlglot import exp

    try:
        trees = [t for t in sqlglot.parse(sql, read="duckdb") if t is not None]
    except (sqlglot.errors.SqlglotError, RecursionError):
        return set()
    local = {c.alias_or_name.casefold() for t in trees for c in t.find_all(exp.CTE)}
    names = {n.name for t in trees for n in t.find_all(exp.Table) if n.text("db") in ("", "main")}
    return {n for n in names if n and n.casefold() not in local}


def _named(answer: dict[str, Any]) -> set[str]:
    return {ref.name for ref in references(answer) if ref.kind == "BASE_TABLE" and ref.ours}


class Reference(NamedTuple):
    """What a query reads or calls.

    Attributes
    ----------
    kind
        DuckDB's word for what stands after FROM ("BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF", …), or "FUNCTION" and
        "COLUMN" for what stands in an expression; "WITH" for a name that the query itself gives to a part of it.
    name
        As written; empty where there is none.
    ours
        Whether it is named by itself or in the schema `main`, and not of another database.
    """

    kind: str
    name: str
    ours: bool


def references(answer: dict[str, Any]) -> list[Reference]:
    """Return all that a parsed query reads and calls, but not the names of common table expressions around each.

    Parameters
    ----------
    answer
        What `serialized` returned.
    """
    found: list[Reference] = []
    # Of each node the names of the common table expressions around it. No recursion: a query may be deep.
    left: list[tuple[Any, frozenset[str]]] = [(answer.get("statements"), frozenset())]
    while left:
        node, around = left.pop()
        if isinstance(node, list):
            left += [(each, around) for each in node]
            continue
        if not isinstance(node, dict):
            continue
        kind = node.get("type")
        if kind == "BASE_TABLE":
            name = str(node["table_name"])
            if node.get("schema_name") or node.get("catalog_name") or name.casefold() not in around:
                found.append(Reference("BASE_TABLE", name, _is_ours(node.get("schema_name"), node.get("catalog_name"))))
        elif isinstance(kind, str) and "sample" in node and "alias" in node:  # what stands after FROM
            called = node.get("function") or {}
            found.append(Reference(kind, str(called.get("function_name") or ""), True))
            if called:  # its arguments may call more
                left.append((called.get("children"), around))
                node = {key: value for key, value in node.items() if key != "function"}
        elif "function_name" in node and not str(kind).startswith("WINDOW_"):
            ours = _is_ours(node.get("schema"), node.get("catalog"), ("", "memory", "system"))
            found.append(Reference("FUNCTION", str(node["function_name"]), ours))
        elif node.get("class") == "COLUMN_REF":
            found.append(Reference("COLUMN", ".".join(map(str, node.get("column_names") or ())), True))
        if kind == "RECURSIVE_CTE_NODE":
            found.append(Reference("WITH", str(node.get("cte_name")), True))
            around |= {str(node.get("cte_name")).casefold()}
        rest = dict(node)
        for entry in (rest.pop("cte_map", None) or {}).get("map", []):
            found.append(Reference("WITH", str(entry["key"]), True))
            left.append((entry["value"], around))  # one sees those before it
            around |= {str(entry["key"]).casefold()}
        left += [(each, around) for each in rest.values()]
    return found


def _is_ours(schema: Any, catalog: Any, catalogs: tuple[str, ...] = ("", "memory")) -> bool:
    return schema in (None, "", "main") and (catalog or "") in catalogs


@functools.cache
def built_in() -> frozenset[str]:
    """Return the names of DuckDB's own functions of values, without those of extensions that were loaded."""
    with _lock:
        rows = (
            _blank()
            .execute(
                "SELECT DISTINCT function_name FROM duckdb_functions() "
                "WHERE function_type IN ('scalar', 'aggregate', 'macro')"
            )
            .fetchall()
        )
    return frozenset(str(name) for (name,) in rows)
