"""Pages: rows m to n of any filter in any order, at the same cost wherever they stand.

A page takes a hundred row ids from its order and reads those rows alone. The first page does not wait for a slow
sort: it is asked as a top-n while the order is made behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from idc_widgets.catalog.bundled import NUMBER_COLUMNS
from idc_widgets.catalog.database import SERIES, Database
from idc_widgets.catalog.orders import Orders

_FIRST_ROWS = 300  # asked as a top-n when their order is not made yet
_ROW_GROUP = 122_880  # rows that DuckDB keeps together

Sort = Sequence[tuple[str, bool]]

# What collections_index says of a series' collection, as columns of the series.
COLLECTION_COLUMNS = ("collection_name", "cancer_types", "tumor_locations", "species")


def read(column: str) -> str:
    """Return SQL that reads a column of the series `s`, or of its collection."""
    if column not in COLLECTION_COLUMNS:
        return f's."{column}"'
    return f'(SELECT any_value(c."{column}") FROM collections_index c WHERE c.collection_id = s.collection_id::VARCHAR)'


def published(column: str) -> str:
    """Return SQL that reads a column of the series `s` as published: text, where the cache keeps ENUMs."""
    return read(column) if column in NUMBER_COLUMNS else f'{read(column)}::VARCHAR AS "{column}"'


class Pages:
    """Serves pages of filtered, sorted series."""

    def __init__(self, database: Database, orders: Orders) -> None:
        self._database = database
        self._orders = orders

    def page(
        self,
        where: str,
        parameters: Sequence[Any],
        sort: Sort,
        columns: Sequence[str],
        offset: int,
        limit: int,
    ) -> tuple[list[tuple[Any, ...]], int]:
        """Return rows `offset` to `offset + limit` and how many rows there are in all.

        Parameters
        ----------
        where, parameters
            A SQL condition over the series and its bound values.
        sort
            Pairs of column name and whether descending; missing values come last, ties in the index's order.
        columns
            Names of columns, known to exist, or `COLLECTION_COLUMNS`; each row starts with its row_id, then has these.
        """
        order = self._orders.find(_order(where, sort), parameters)
        if sort and not order.made.is_set() and offset + limit <= _FIRST_ROWS:
            self._orders.make_behind(order)
            names = "".join(f", {read(c)}" for c in columns)
            rows = self._database.rows(
                f"SELECT s.row_id{names} FROM {SERIES} s WHERE {where} ORDER BY {_by(sort)} LIMIT ? OFFSET ?",
                [*parameters, limit, offset],
            )
            total = self._database.rows(f"SELECT count(*) FROM {SERIES} s WHERE {where}", parameters)[0][0]
            return rows, total
        with self._orders.made(_order(where, sort), parameters) as order:
            ids = [r[0] for r in self._orders.rows(order, offset, offset + limit)]
            total = order.total
        return self._read(ids, columns), total

    def row_ids(self, where: str, parameters: Sequence[Any], sort: Sort, start: int, stop: int) -> list[int]:
        """Return the ids of rows `start` to `stop` (excluded) in this order."""
        with self._orders.made(_order(where, sort), parameters) as order:
            return [r[0] for r in self._orders.rows(order, start, stop)]

    def _read(self, ids: Sequence[int], columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the rows of these ids, in the order of the ids."""
        names = "".join(f", {read(c)}" for c in columns)
        found = {
            row[0]: row
            for near in _clusters(ids)
            for row in self._database.rows(
                f"SELECT s.row_id{names} FROM {SERIES} s WHERE s.place IN (SELECT unnest(?::BIGINT[]))", [near]
            )
        }
        return [found[i] for i in ids]


def _clusters(ids: Sequence[int]) -> Iterator[list[int]]:
    """Split ids where they are far apart: what lies between two of one query is read too."""
    near: list[int] = []
    for i in sorted(ids):
        if near and i - near[-1] > _ROW_GROUP:
            yield near
            near = []
        near.append(i)
    if near:
        yield near


def _order(where: str, sort: Sort) -> str:
    return f"SELECT s.row_id FROM {SERIES} s WHERE {where} ORDER BY {_by(sort)}"


def _by(sort: Sort) -> str:
    # ENUMs sort by their codes, which are in the order of their text, so no cast is needed.
    terms = [f"{read(column)} {'DESC' if descending else 'ASC'} NULLS LAST" for column, descending in sort]
    return ", ".join([*terms, "s.row_id"])
