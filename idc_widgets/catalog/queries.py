"""Queries that people write: what they are given as, and what DuckDB says of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from idc_widgets.lib import arguments


class QueryError(ValueError, duckdb.Error):
    """A query that cannot be answered as it is written; the message has DuckDB's own, which names the place."""


def query_text(query: object) -> str:
    """Return a query, checked to be text; whether it is SQL is for DuckDB to say."""
    return arguments.text(query, "query", 'SQL such as "SELECT count(*) FROM index"')


def table_name(name: object) -> str:
    """Return the name of a table, checked to be text; whether there is one is for others to say."""
    return arguments.text(name, "table", 'the name of a table, such as "ct_index",')


def bound(parameters: object) -> Sequence[Any]:
    """Return the values for `?` in a query."""
    right = "a list of values, one for each ? in the query,"
    if not isinstance(parameters, list | tuple):
        raise TypeError(f"parameters={arguments.shown(parameters)}: {right} is wanted.")
    for each in parameters:
        if isinstance(each, str):
            arguments.text(each, "parameters", right, blank=True)
    return parameters


@contextlib.contextmanager
def answered(parameters: Sequence[Any] = ()) -> Iterator[None]:
    """Say in a sentence why DuckDB does not answer a query with these values.

    Raises
    ------
    QueryError
        In place of DuckDB's errors.
    """
    try:
        yield
    except QueryError:
        raise
    except duckdb.Error as error:
        beside = f" with parameters={arguments.shown(parameters)}" if parameters else ""
        raise QueryError(f"The query cannot be answered{beside}: {str(error)[:900]}") from error
