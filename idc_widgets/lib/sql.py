"""Text of SQL: names and literals quoted, for what cannot be bound as a parameter."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Return the name of a table or column, quoted for DuckDB and SQLite."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Return a text or path as a literal of standard SQL."""
    return "'" + str(value).replace("'", "''") + "'"
