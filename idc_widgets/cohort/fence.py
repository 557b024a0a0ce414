"""What an expression of SQL in a cohort may read: the catalogue, and nothing else of this machine.

A cohort may come from elsewhere, and its expressions are run when it is loaded. DuckDB's SQL also reads files, lists
folders and asks for settings; here the parse of an expression is held against what is allowed. The connection itself
cannot be closed to files: it reads the catalogue's, and those of tables of one's own.
"""

from __future__ import annotations

import functools
import re

from idc_widgets.catalog import Index
from idc_widgets.catalog.parse import Reference, built_in, references, serialized
from idc_widgets.catalog.suggest import short

# After FROM: tables, sub-queries, lists of values; and functions that make rows of their arguments alone.
_SOURCES = ("BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST")
_ROWS = ("unnest", "range", "generate_series")

# Built in, and yet no functions of their arguments: they read or change the machine or the session, or wait.
_OUTSIDE = re.compile(
    r"pg_\w+|has_\w+_privilege|current_(?!date$|time$|timestamp$|localtime$|localtimestamp$)\w+|user|session_user"
    r"|getenv|getvariable|get_block_size|in_search_path|json_serialize_plan|nextval|currval|txid_current|setseed|sleep_ms"
    r"|sleep|write_log|parse_duckdb_log_message|version|format_pg_type|map_to_pg_oid"
)
# Written without brackets they look like columns.
_KEYWORDS = ("current_user", "current_role", "current_catalog", "current_schema", "session_user", "user")
# Where no table has the name, DuckDB takes one with a dot or a slash for a file.
_NAME = re.compile(r"\w+")


def require_inside(index: Index, text: str) -> None:
    """Raise unless a text is one expression, by itself and in brackets, that reads the catalogue's tables alone.

    It is parsed, not run.

    Raises
    ------
    UnknownNameError
        If it names a table that there is not; the message suggests near ones.
    ValueError
        If it is no expression, or reads or calls something else.
    """
    known = {name.casefold() for name in (*index.table_names(), "series")}
    for each in _references(text):
        if each.kind == "BASE_TABLE" and each.ours and _NAME.fullmatch(each.name):
            if each.name.casefold() not in known:
                index.require_table(each.name)
        elif reason := _refused(each):
            raise ValueError(f"sql({short(text)!r}) {reason}")


@functools.lru_cache(256)
def _references(text: str) -> tuple[Reference, ...]:
    found: list[Reference] = []
    # What closes our bracket and opens one of its own fails by itself.
    for written in (f"({text}\n)", text):
        answer = serialized(f'SELECT 1 FROM "index" WHERE {written}')
        if answer["error"] or len(answer["statements"]) != 1:
            reason = str(answer.get("error_message") or "it is more than one statement").splitlines()[0]
            raise ValueError(f"sql({short(text)!r}) is no expression of SQL: {reason}")
        found += references(answer)
    return tuple(dict.fromkeys(found))


def _refused(each: Reference) -> str:
    name = f'"{short(each.name)}"'
    tables = "an expression reads the catalogue's tables alone; catalog.tables() lists them"
    match each.kind:
        case "BASE_TABLE":
            return f"reads {name}: {tables}."
        case "TABLE_FUNCTION" if each.name.casefold() in _ROWS:
            return ""
        case "TABLE_FUNCTION":
            return f"reads from {short(each.name)}(…): {tables}, or {', '.join(_ROWS)}."
        case "FUNCTION":
            folded = each.name.casefold()
            if not re.search(r"\w", folded):
                return ""  # an operator
            if each.ours and folded in built_in() | {*_ROWS} and not _OUTSIDE.fullmatch(folded):
                return ""
            return f"calls {short(each.name)}(…): an expression takes DuckDB's own functions of values alone."
        case "COLUMN" if each.name.casefold() in _KEYWORDS:
            return f"asks for {name}: an expression says something of the catalogue, and nothing of who reads it."
        case "WITH" if not _NAME.fullmatch(each.name):
            return f"names a part of it {name}: letters, digits and _ are wanted."
        case "COLUMN" | "WITH":
            return ""
        case kind if kind in _SOURCES:
            return ""
    return f"reads from {each.kind.removesuffix('_REF')}, which is no table: {tables}."
