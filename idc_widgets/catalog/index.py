"""`Index`: one release of IDC's index, the tables beside it, its cube and its pages."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from idc_widgets.catalog import bundled, cube, export
from idc_widgets.catalog.bins import binned
from idc_widgets.catalog.bundled import Column
from idc_widgets.catalog.cubes import Cubes
from idc_widgets.catalog.database import Database
from idc_widgets.catalog.joins import Joined
from idc_widgets.catalog.levels import Levels
from idc_widgets.catalog.orders import Orders
from idc_widgets.catalog.pages import Pages
from idc_widgets.catalog.queries import table_name
from idc_widgets.catalog.remote import Remote, reachable
from idc_widgets.catalog.suggest import short
from idc_widgets.catalog.tables import Tables
from idc_widgets.catalog.terms import TERM_COLUMNS, Terms
from idc_widgets.lib import arguments


class Index:
    """What the rooms above and the views read: the database, the tables, the terms of collections, the cube, pages.

    Parameters
    ----------
    cache_dir
        Folder of the cache; see `idc.Catalog`.
    """

    def __init__(self, cache_dir: str | Path | None = None) -> None:
        self.database = Database(cache_dir)
        orders = Orders(self.database)
        self.pages = Pages(self.database, orders)
        self.levels = Levels(self.database, orders)
        self.tables = Tables(self.database, cache_dir)
        self._cubes = Cubes(self.database)
        self._terms = Terms(self.database)
        self._remotes: dict[tuple[str, str], Remote] = {}
        self._remote_lock = threading.Lock()
        self._watchers: list[Callable[[], None]] = []
        self.database.ensure_cache(self._cache_ended)

    @property
    def release(self) -> str:
        """Release of the index, such as "25.0.5"."""
        return bundled.release()

    @property
    def version(self) -> int:
        """IDC version, such as 25."""
        return int(self.release.split(".")[0])

    @functools.cached_property
    def date(self) -> str:
        """Date of this IDC version (ISO), or "" where the index does not know it."""
        rows = self.database.rows(
            "SELECT version_timestamp FROM version_metadata_index WHERE idc_version = ?", [self.version]
        )
        return str(rows[0][0]) if rows else ""

    # -- tables

    @functools.cached_property
    def columns(self) -> Mapping[str, Column]:
        """Columns of the index by name, with IDC's descriptions."""
        return {c.name: c for c in bundled.table("index").columns}

    def require_column(self, name: str, more: Sequence[str] = TERM_COLUMNS) -> str:
        """Return `name` if it is a column of the index, or one of `more`.

        Raises
        ------
        UnknownNameError
            If it is neither; the message says which tables have it, or suggests near names.
        """
        if not isinstance(name, str):
            raise TypeError(f'{short(repr(name))} is no name of a column: a text such as "Modality" is wanted.')
        if name not in self.columns and name not in more:
            raise self.tables.unknown_column(name, (*self.columns, *more))
        return name

    def require_table(self, name: str) -> str:
        """Return `name` if it is a table, a clinical one too.

        Raises
        ------
        UnknownNameError
            If it is none; the message suggests near ones.
        """
        return self.tables.require_any(name)

    def table_names(self) -> tuple[str, ...]:
        """Return the names of IDC's tables, the index first, and of those added by `add_table`."""
        return self.tables.names()

    def outline(self, table: str) -> list[tuple[str, str, str]]:
        """Return name, type and IDC's description of each column of a table; `columns` without a data frame."""
        return self.tables.outline(table)

    def available(self, table: str) -> bool:
        """Whether queries can use a table, a clinical one too, without fetching anything."""
        table_name(table)
        if table in self.tables.names():
            return self.tables.available(table)
        return self.tables.clinical.available(table)

    def origin(self, table: str) -> tuple[str, str]:
        """Return the URL that a table is fetched from and the folder that it is kept in."""
        return self.tables.origin(table_name(table))

    def joined(self, name: str) -> Joined:
        """Return how "table.column" joins with the index; see `idc.col`."""
        table, _, column = name.partition(".")
        return self.tables.joined(table, column)

    def tables_in(self, sql: str) -> set[str]:
        """Return the tables, the index apart, that a query names."""
        return self.tables.named_in(arguments.text(sql, "sql", "a query", blank=True))

    def select(self, table: str) -> str:
        """Return DuckDB SQL that reads a table from its files, without this catalogue."""
        return self.tables.select(table)

    def bring_clinical(self, table: str) -> tuple[str, ...]:
        """Make a clinical table usable in queries and return the collections it is about.

        Raises
        ------
        UnknownNameError
            If there is no such table; the message suggests near ones.
        TableUnavailableError
            If it could not be fetched.
        """
        return self.tables.clinical.bring(table_name(table))

    def clinical_dataset(self, table: str) -> str | None:
        """Return the dataset, such as "idc_v25_clinical", that holds a clinical table; None if there is none."""
        return self.tables.clinical.dataset_of(table_name(table))

    def datasets(self) -> list[str]:
        """Return the datasets of IDC's metadata export."""
        with reachable("The list of datasets"):
            return export.datasets()

    def remote(self, dataset: str, refresh: bool = False) -> Remote:
        """Return a dataset of IDC's metadata export; see `Catalog.remote`."""
        with self._remote_lock:
            if refresh or (export.endpoint(), dataset) not in self._remotes:
                found = Remote(self.database, self.tables.cache_dir, dataset, refresh)
                self._remotes[(export.endpoint(), dataset)] = found
            return self._remotes[(export.endpoint(), dataset)]

    # -- terms of collections

    @property
    def terms(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Term column → collection id → its terms, from collections_index."""
        return self._terms.by_column

    def collections_with(self, column: str, values: Sequence[str | None]) -> list[str]:
        """Return the collections that have any of these terms; None stands for those without a term."""
        return self._terms.collections_with(column, values)

    # -- the cube

    @property
    def vocabulary(self) -> cube.Vocabulary:
        """Values of the cube's dimensions over the whole catalogue."""
        return self._cubes.vocabulary

    @functools.cached_property
    def _derived(self) -> list[dict[str, Any]]:
        return self._terms.derived(self.vocabulary)

    def cube(
        self,
        where: str = "TRUE",
        parameters: Sequence[Any] = (),
        outside: Sequence[Mapping[str, Any]] = (),
        edges: Mapping[str, Sequence[Sequence[Any]]] | None = None,
    ) -> dict[str, Any]:
        """Return the facet cube, packed for the browser.

        Parameters
        ----------
        where, parameters
            SQL condition by which the rows are filtered first; by default the whole catalogue.
        outside
            The same condition as JSON, so that the browser knows what this cube was made for.
        edges
            Column → bounds, as pairs of a value and 0 (at it) or 1 (just above it), at which bins are to begin beside
            the usual ones.

        Raises
        ------
        ValueError
            If a bound is no place on its column's scale.
        """
        extra = {c: e for c, e in ((c, binned(c).clean(e)) for c, e in (edges or {}).items()) if e}
        message = self._cubes.of(where, parameters, extra) if outside or extra else self._cubes.whole
        return {**message, "outside": list(outside), "derived": self._derived}

    # -- the cache

    def on_cache(self, callback: Callable[[], None]) -> None:
        """Call back (on another thread) once the background build of the cache has ended; at once if it has."""
        if self.database.building:
            self._watchers.append(callback)
        else:
            callback()

    def _cache_ended(self) -> None:
        watchers, self._watchers = self._watchers, []
        for callback in watchers:
            callback()
