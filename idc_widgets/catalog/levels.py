"""Pages of studies, patients and collections: series grouped, sorted, summed up, at any place at about the same cost.

A group is named by the row_id of its first series that matches, so an answer means the same before and after the
cache stands. The order holds each group's first and last row; only the groups of a page are summed up in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from idc_widgets.catalog.bundled import DATE_COLUMNS, NUMBER_COLUMNS
from idc_widgets.catalog.database import SERIES, Database
from idc_widgets.catalog.orders import Orders
from idc_widgets.catalog.pages import Sort, read

Level = Literal["collection", "patient", "study"]

# What makes a group. A patient is a (collection_id, PatientID) pair, which patient_key stands for.
_KEYS: dict[Level, str] = {"collection": '"collection_id"', "patient": "patient_key", "study": "study_key"}

# Counts of what a group holds, by the name of their column; NULL at the levels where they would always be 1.
_COUNTS: dict[str, tuple[str, tuple[Level, ...]]] = {
    "patients": ("count(DISTINCT s.patient_key)", ("collection",)),
    "studies": ("count(DISTINCT s.study_key)", ("collection", "patient")),
    "series": ("count(*)", ("collection", "patient", "study")),
}
COUNT_COLUMNS = tuple(_COUNTS)

_SUMS = ("instanceCount", "series_bytes", "series_size_MB")
_LISTED = 8  # values of a column that a row names; of more it says how many

Rows = list[tuple[Any, ...]]


class Levels:
    """Serves pages of groups of series."""

    def __init__(self, database: Database, orders: Orders) -> None:
        self._database = database
        self._orders = orders

    def page(
        self,
        level: Level,
        where: str,
        parameters: Sequence[Any],
        sort: Sort,
        columns: Sequence[str],
        offset: int,
        limit: int,
    ) -> tuple[Rows, int]:
        """Return groups `offset` to `offset + limit` of the series that match, and how many groups there are in all.

        Sizes and images are sums, dates and numbers their range where they differ, texts their distinct values.

        Parameters
        ----------
        level
            What is grouped by.
        where, parameters
            A SQL condition over the series and its bound values.
        sort
            Pairs of column name and whether descending: by the least value of a group, descending by its greatest;
            missing values come last, ties in the index's order.
        columns
            Columns of the index, `COLLECTION_COLUMNS` or `COUNT_COLUMNS`; each row starts with the row_id that names
            its group.
        """
        with self._orders.made(_order(level, where, sort), parameters) as order:
            groups = self._orders.rows(order, offset, offset + limit)
            total = order.total
        return self._sums(level, where, parameters, columns, groups), total

    def groups(
        self, level: Level, where: str, parameters: Sequence[Any], sort: Sort, start: int, stop: int
    ) -> list[int]:
        """Return the row ids that name groups `start` to `stop` (excluded) in this order."""
        with self._orders.made(_order(level, where, sort), parameters) as order:
            return [r[0] for r in self._orders.rows(order, start, stop)]

    def count_in(
        self,
        level: Level,
        where: str,
        parameters: Sequence[Any],
        part: str,
        bound: Sequence[Any],
        groups: Sequence[int],
    ) -> dict[int, tuple[int, int]]:
        """Return, for each group, how many of its series that match satisfy a second condition, and how many match."""
        key = _KEYS[level]
        found = self._database.rows(
            f"{_named(key)} SELECT k.rep, count(*) FILTER (WHERE {part}), count(*) "
            f"FROM {SERIES} s JOIN k ON s.{key} = k.k WHERE {where} GROUP BY k.rep",
            [list(groups), *bound, *parameters],
        )
        return {rep: (some, all_) for rep, some, all_ in found}

    def _sums(
        self,
        level: Level,
        where: str,
        parameters: Sequence[Any],
        columns: Sequence[str],
        groups: Rows,
    ) -> Rows:
        if not groups:
            return []
        key = _KEYS[level]
        selected = "".join(f", {_summed(level, c)}" for c in columns)
        found = self._database.rows(
            f"{_named(key)} SELECT k.rep{selected} FROM {SERIES} s JOIN k ON s.{key} = k.k "
            f"WHERE s.row_id BETWEEN ? AND ? AND {where} GROUP BY k.rep",
            [[g[0] for g in groups], min(g[0] for g in groups), max(g[1] for g in groups), *parameters],
        )
        by_rep = {row[0]: tuple(_told(c, v) for c, v in zip(("", *columns), row, strict=True)) for row in found}
        return [by_rep[g[0]] for g in groups]


def _named(key: str) -> str:
    # Looked up through a row: what the key is made of differs between the parquet and the cache.
    return f"WITH k AS (SELECT {key} AS k, row_id AS rep FROM {SERIES} WHERE place IN (SELECT unnest(?::BIGINT[])))"


def _order(level: Level, where: str, sort: Sort) -> str:
    terms = ", ".join(
        [f"{_sorted(c, down)} {'DESC' if down else 'ASC'} NULLS LAST" for c, down in sort] + ["min(s.row_id)"]
    )
    return (
        f"SELECT min(s.row_id) AS row_id, max(s.row_id) AS last FROM {SERIES} s "
        f"WHERE {where} GROUP BY s.{_KEYS[level]} ORDER BY {terms}"
    )


def _sorted(column: str, descending: bool) -> str:
    if column in _COUNTS:
        return _COUNTS[column][0]
    if column in _SUMS:
        return f'sum(s."{column}")'
    return f"{'max' if descending else 'min'}({read(column)})"


def _summed(level: Level, column: str) -> str:
    if column in _COUNTS:
        count, levels = _COUNTS[column]
        return count if level in levels else "NULL"
    name = read(column)
    if column == "series_size_MB":
        return "sum(s.series_bytes)::BIGINT / 1e6"  # without the rounding of a million additions
    if column in _SUMS:
        return f"sum({name})::BIGINT"
    if column in DATE_COLUMNS or column in NUMBER_COLUMNS:
        return f"[min({name}), max({name})]"
    return f"list(DISTINCT {name})"


def _told(column: str, value: Any) -> Any:
    """Return what a cell says of a group's values."""
    if not isinstance(value, list):
        return value
    if column in DATE_COLUMNS or column in NUMBER_COLUMNS:
        low, high = value
        return low if low == high else f"{low} – {high}"
    values = sorted(str(v) for v in value if v is not None)
    if len(values) <= 1:
        return values[0] if values else None
    between = " · " if column.endswith("Description") else ", "
    more = f" and {len(values) - _LISTED:,} more" if len(values) > _LISTED else ""
    return between.join(values[:_LISTED]) + more
