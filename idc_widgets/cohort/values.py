"""Values of a column over a cohort's series: of the index, of the series' collection, or of "table.column"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.joins import Joined
from idc_widgets.catalog.terms import TERM_COLUMNS
from idc_widgets.cohort.compile import literal
from idc_widgets.lib.sql import identifier


def tally(index: Index, column: str, where: str, parameters: Sequence[Any]) -> list[tuple[Any, int, int]]:
    """Return value, series and bytes of each value, in no order; None is missing.

    A series counts under each of its values, where it has several: the terms of its collection, and the rows of
    another table that belong to it.

    Raises
    ------
    UnknownNameError
        If there is no such column; the message says which tables have it, or suggests near names.
    """
    if isinstance(column, str) and "." in column:
        return _of_table(index, index.joined(column), where, parameters)
    index.require_column(column)
    name = "collection_id" if column in TERM_COLUMNS else column
    rows = index.database.rows(
        f'SELECT "{name}", count(*), sum(series_bytes)::BIGINT FROM {SERIES} WHERE {where} GROUP BY ALL', parameters
    )
    if column not in TERM_COLUMNS:
        return rows
    found: dict[Any, list[int]] = {}
    for collection, number, size in rows:
        for term in index.terms[column].get(collection) or (None,):
            sums = found.setdefault(term, [0, 0])
            sums[0] += number
            sums[1] += size
    return [(t, sums[0], sums[1]) for t, sums in found.items()]


def _of_table(index: Index, j: Joined, where: str, parameters: Sequence[Any]) -> list[tuple[Any, int, int]]:
    series = f"SELECT row_id, series_bytes, {_ours(j)} FROM {SERIES} WHERE {where}"
    theirs = f"SELECT DISTINCT {_theirs(j)}, {_value(j)} AS v FROM {identifier(j.table)}"
    return index.database.rows(
        f"WITH s AS ({series}), t AS ({theirs}) SELECT v, count(*), sum(series_bytes)::BIGINT FROM "
        f"(SELECT DISTINCT row_id, series_bytes, v FROM s LEFT JOIN t ON {_on(j, 's', 't')} AND v IS NOT NULL) "
        "GROUP BY ALL",
        parameters,
    )


class Joins:
    """Columns of other tables beside the series `s` of a query, one value a series.

    Where several rows of the table belong to a series, its value is the list of their different ones.

    Attributes
    ----------
    sql
        What follows `FROM series s` in the query.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._aliases: dict[str, str] = {}
        self.sql = ""

    def read(self, column: str) -> str:
        """Return SQL that reads "table.column"; the table is brought in for it."""
        if column not in self._aliases:
            alias = f"_joined{len(self._aliases)}"
            j = self._index.joined(column)
            table, value = identifier(j.table), identifier(j.column)
            keys = ", ".join(f"k{i}" for i in range(len(j.keys)))
            most = self._index.database.rows(
                f"SELECT coalesce(max(n), 1) FROM (SELECT {_theirs(j)}, count(*) AS n FROM {table} GROUP BY {keys})"
            )[0][0]
            one = f"any_value({value})" if most == 1 else f"list(DISTINCT {_value(j)} ORDER BY {_value(j)})"
            if most > 1 and j.many:
                one = f"list_sort(list_distinct(flatten(list({value}))))"
            # Names of its own: the cohort's condition names columns of the series without saying so.
            self.sql += (
                f" LEFT JOIN (SELECT {_theirs(j, alias)}, {one} AS {alias} FROM {table} "
                f"GROUP BY {', '.join(f'{alias}k{i}' for i in range(len(j.keys)))}) AS {alias}t "
                f"ON {_on(j, 's', f'{alias}t', alias, ours=True)}"
            )
            self._aliases[column] = alias
        return self._aliases[column]


def _value(j: Joined) -> str:
    return f"unnest({identifier(j.column)})" if j.many else identifier(j.column)


def _ours(j: Joined) -> str:
    more = "" if j.collections is None else ', "collection_id"::VARCHAR AS of_collection'
    return ", ".join(f"{identifier(o)}::VARCHAR AS k{i}" for i, (o, _) in enumerate(j.keys)) + more


def _theirs(j: Joined, prefix: str = "") -> str:
    return ", ".join(f"{identifier(t)}::VARCHAR AS {prefix}k{i}" for i, (_, t) in enumerate(j.keys))


def _on(j: Joined, left: str, right: str, prefix: str = "", ours: bool = False) -> str:
    """Return the condition that joins series with the table; `ours`: the series have the columns of the index."""
    pairs = [
        f"{left}.{f'{identifier(o)}::VARCHAR' if ours else f'k{i}'} = {right}.{prefix}k{i}"
        for i, (o, _) in enumerate(j.keys)
    ]
    if j.collections is not None:
        collection = '"collection_id"::VARCHAR' if ours else "of_collection"
        pairs.append(f"{left}.{collection} IN ({', '.join(map(literal, j.collections))})")
    return " AND ".join(pairs)
