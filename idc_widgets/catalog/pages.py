"""Pages: rows m to n of any filter in any order, at the same cost wherever they stand.

A result order (the row ids, sorted) is made once for each filter and sort; a page joins a hundred of its ids with
the index. The first page does not wait for a slow sort: it is asked as a top-n while the order is made behind it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from idc_widgets.catalog.database import SERIES, Database

_KEPT_ORDERS = 6  # a million ids take 4–8 MB
_FIRST_ROWS = 300  # asked as a top-n when their order is not made yet

Sort = Sequence[tuple[str, bool]]


class Pages:
    """Serves pages of filtered, sorted rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, _Order] = OrderedDict()
        self._count = 0

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
            Names of columns, known to exist; each row starts with its row_id, then has these.
        """
        order = self._order(where, parameters, sort)
        names = ", ".join(f's."{c}"' for c in columns)
        select = f"SELECT s.row_id{', ' + names if names else ''}"
        if sort and not order.made.is_set() and offset + limit <= _FIRST_ROWS:
            self._make_behind(order)
            rows = self._database.rows(
                f"{select} FROM {SERIES} s WHERE {where} ORDER BY {order.by} LIMIT ? OFFSET ?",
                [*parameters, limit, offset],
            )
            total = self._database.rows(f"SELECT count(*) FROM {SERIES} s WHERE {where}", parameters)[0][0]
            return rows, total
        with self._made(where, parameters, sort) as order:
            rows = self._database.rows(
                f"{select} FROM memory.main.{order.table} o JOIN {SERIES} s ON s.row_id = o.row_id "
                "WHERE o.rowid >= ? AND o.rowid < ? ORDER BY o.rowid",
                [offset, offset + limit],
            )
            return rows, order.total

    def row_ids(self, where: str, parameters: Sequence[Any], sort: Sort, start: int, stop: int) -> list[int]:
        """Return the ids of rows `start` to `stop` (excluded) in this order."""
        with self._made(where, parameters, sort) as order:
            found = self._database.rows(
                f"SELECT row_id FROM memory.main.{order.table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid",
                [start, stop],
            )
        return [r[0] for r in found]

    @contextlib.contextmanager
    def _made(self, where: str, parameters: Sequence[Any], sort: Sort) -> Iterator[_Order]:
        """Hold an order whose table stands; nobody drops it meanwhile."""
        while True:
            order = self._order(where, parameters, sort)
            with order.lock:
                if order.dropped:
                    continue  # others asked for many orders just now
                self._make(order)
                yield order
                return

    def _order(self, where: str, parameters: Sequence[Any], sort: Sort) -> _Order:
        key = repr((where, list(parameters), list(sort)))
        with self._lock:
            order = self._orders.get(key)
            if order is None:
                self._count += 1
                order = self._orders[key] = _Order(f"order_{self._count}", where, list(parameters), _order_by(sort))
            self._orders.move_to_end(key)
            dropped = []
            while len(self._orders) > _KEPT_ORDERS:
                dropped.append(self._orders.popitem(last=False)[1])
        for old in dropped:
            with old.lock:  # not while another thread makes or reads it
                old.dropped = True
                self._database.rows(f"DROP TABLE IF EXISTS memory.main.{old.table}")
        return order

    def _make(self, order: _Order) -> None:
        """Make the table of an order whose lock is held."""
        if order.made.is_set():
            return
        self._database.rows(
            f"CREATE OR REPLACE TABLE memory.main.{order.table} AS "
            f"SELECT s.row_id FROM {SERIES} s WHERE {order.where} ORDER BY {order.by}",
            order.parameters,
        )
        found = self._database.rows(f"SELECT count(*) FROM memory.main.{order.table}")
        order.total = found[0][0]
        order.made.set()

    def _make_behind(self, order: _Order) -> None:
        def make() -> None:
            with order.lock:
                if not order.dropped:
                    self._make(order)

        if not order.started:
            order.started = True
            # No daemon: the interpreter must not end under a thread that is inside DuckDB. It takes a second at most.
            threading.Thread(target=make, name="idc-order").start()


class _Order:
    """The row ids of one filter in one order, as a table in DuckDB."""

    def __init__(self, table: str, where: str, parameters: list[Any], by: str) -> None:
        self.table = table
        self.where = where
        self.parameters = parameters
        self.by = by
        self.total = 0
        self.made = threading.Event()
        self.lock = threading.Lock()
        self.started = False
        self.dropped = False


def _order_by(sort: Sort) -> str:
    terms = []
    for column, descending in sort:
        # ENUMs sort by their codes, which are in the order of their text, so no cast is needed.
        terms.append(f's."{column}" {"DESC" if descending else "ASC"} NULLS LAST')
    return ", ".join([*terms, "s.row_id"])
