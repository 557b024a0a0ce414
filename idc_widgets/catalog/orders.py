"""Result orders: which row stands where, made once for each filter and sort and kept as small tables.

A page then costs the same wherever it stands, and the first page need not wait for a slow sort: others can ask
without the order while it is made behind.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

from idc_widgets.catalog.database import Database

_KEPT = 8  # a million row ids take 4–8 MB


class Order:
    """The rows of one question in their order, as a table in DuckDB."""

    def __init__(self, table: str, select: str, parameters: list[Any]) -> None:
        self.table = table
        self.select = select
        self.parameters = parameters
        self.total = 0
        self.made = threading.Event()
        self.lock = threading.Lock()
        self.started = False
        self.dropped = False


class Orders:
    """Makes orders and keeps the last few."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, Order] = OrderedDict()
        self._count = 0

    def find(self, select: str, parameters: Sequence[Any]) -> Order:
        """Return the order of this query, made or not."""
        key = repr((select, list(parameters)))
        with self._lock:
            order = self._orders.get(key)
            if order is None:
                self._count += 1
                order = self._orders[key] = Order(f"memory.main.order_{self._count}", select, list(parameters))
            self._orders.move_to_end(key)
            dropped = []
            while len(self._orders) > _KEPT:
                dropped.append(self._orders.popitem(last=False)[1])
        for old in dropped:
            with old.lock:  # not while another thread makes or reads it
                old.dropped = True
                self._database.rows(f"DROP TABLE IF EXISTS {old.table}")
        return order

    @contextlib.contextmanager
    def made(self, select: str, parameters: Sequence[Any]) -> Iterator[Order]:
        """Hold an order whose table stands; nobody drops it meanwhile."""
        while True:
            order = self.find(select, parameters)
            with order.lock:
                if order.dropped:
                    continue  # others asked for many orders just now
                self._make(order)
                yield order
                return

    def rows(self, order: Order, start: int, stop: int) -> list[tuple[Any, ...]]:
        """Return rows `start` to `stop` (excluded) of an order that is held."""
        return self._database.rows(
            f"SELECT * FROM {order.table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid", [start, stop]
        )

    def _make(self, order: Order) -> None:
        """Make the table of an order whose lock is held."""
        if order.made.is_set():
            return
        self._database.rows(f"CREATE OR REPLACE TABLE {order.table} AS {order.select}", order.parameters)
        order.total = self._database.rows(f"SELECT count(*) FROM {order.table}")[0][0]
        order.made.set()

    def make_behind(self, order: Order) -> None:
        """Make an order on another thread, for the pages after the first."""

        def make() -> None:
            with order.lock:
                if not order.dropped:
                    self._make(order)

        if not order.started:
            order.started = True
            # No daemon: the interpreter must not end under a thread that is inside DuckDB. It takes a second at most.
            threading.Thread(target=make, name="idc-order").start()
