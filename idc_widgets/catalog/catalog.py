"""`Catalog`: the door to everything that IDC publishes about its data."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from idc_widgets.catalog import cube, export, sources
from idc_widgets.catalog.bins import binned
from idc_widgets.catalog.cubes import Cubes
from idc_widgets.catalog.database import Database
from idc_widgets.catalog.fetch import Progress
from idc_widgets.catalog.joins import Joined
from idc_widgets.catalog.levels import Levels
from idc_widgets.catalog.names import short
from idc_widgets.catalog.orders import Orders
from idc_widgets.catalog.pages import Pages
from idc_widgets.catalog.queries import answered, bound, query_text, table_name
from idc_widgets.catalog.remote import Remote, reachable
from idc_widgets.catalog.sources import Column
from idc_widgets.catalog.tables import Tables
from idc_widgets.catalog.terms import TERM_COLUMNS, Terms
from idc_widgets.lib import arguments

if TYPE_CHECKING:
    import os

    import pandas as pd

    from idc_widgets.cohort import Cohort
    from idc_widgets.cohort.interpret import Interpretation


class Catalog:
    """IDC's catalogue at the release of the installed `idc-index-data`.

    Opening takes some hundredths of a second. The first time on a machine, a cache that makes every answer faster is
    built in the background; until it stands the bundled parquet answers.

    Parameters
    ----------
    cache_dir
        Folder of the cache; by default IDC_WIDGETS_CACHE_DIR, else the user's cache folder.

    Examples
    --------
    >>> catalog = Catalog()
    >>> catalog.sql("SELECT count(*) AS n FROM index WHERE Modality = 'MR'")  # doctest: +SKIP
            n
    0  128143
    """

    def __init__(self, cache_dir: str | Path | None = None) -> None:
        self.database = Database(cache_dir)
        orders = Orders(self.database)
        self.pages = Pages(self.database, orders)
        self.levels = Levels(self.database, orders)
        self._cubes = Cubes(self.database)
        self._terms = Terms(self.database)
        self._tables = Tables(self.database, cache_dir)
        self._remotes: dict[tuple[str, str], Remote] = {}
        self._remote_lock = threading.Lock()
        self._watchers: list[Callable[[], None]] = []
        self.database.ensure_cache(self._cache_ended)

    # -- what this is

    @property
    def release(self) -> str:
        """Release of the index, such as "25.0.5"."""
        return sources.release()

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

    def __repr__(self) -> str:
        return f"<Catalog IDC v{self.version} ({self.release})>"

    # -- tables

    def tables(self) -> pd.DataFrame:
        """Return the tables: name, rows, whether available without fetching, description.

        Tables that are fetched on first use have their rows missing until then.
        """
        return self._tables.listing()

    def columns(self, table: str = "index") -> pd.DataFrame:
        """Return the columns of a table: name, type, IDC's description. Nothing is fetched for it.

        Raises
        ------
        UnknownNameError
            If there is no such table; the message suggests near ones.
        """
        return self._tables.columns(table)

    def table_names(self) -> tuple[str, ...]:
        """Return the names of IDC's tables, the index first, and of those added by `add_table`."""
        return self._tables.names()

    def outline(self, table: str) -> list[tuple[str, str, str]]:
        """Return name, type and IDC's description of each column of a table; `columns` without a data frame."""
        return self._tables.outline(table)

    def available(self, table: str) -> bool:
        """Whether queries can use a table, a clinical one too, without fetching anything."""
        table_name(table)
        if table in self._tables.names():
            return self._tables.available(table)
        return self._tables.clinical.available(table)

    def origin(self, table: str) -> tuple[str, str]:
        """Return the URL that a table is fetched from and the folder that it is kept in."""
        return self._tables.origin(table_name(table))

    def fetch(self, *tables: str, progress: Progress | None = None) -> None:
        """Bring tables to this machine that queries would else fetch when they first name them.

        Parameters
        ----------
        *tables
            Names as in `tables()`; one that is here already costs nothing.
        progress
            Called with a table's name, the bytes so far and the bytes in all (None where unknown).

        Raises
        ------
        UnknownNameError
            If there is no such table; the message suggests near ones.
        TableUnavailableError
            If one could not be fetched; the message says how to get it.
        """
        if progress is not None:
            arguments.function(progress, "progress", "a table's name, the bytes so far and the bytes in all")
        for name in tables:
            self._tables.bring(name, progress)

    def add_table(self, name: str, source: str | os.PathLike[str] | pd.DataFrame) -> None:
        """Let queries use a table of one's own: a parquet file, a CSV file or a data frame.

        A CSV file and a data frame are copied into memory; a parquet file is read by each query. Columns of a CSV
        that have the name of a text column of the index, such as PatientID, are read as text. A name given before
        may be given anew.

        Parameters
        ----------
        name
            Name in queries: letters, digits and `_`.
        source
            Path of a .parquet, .csv or .tsv file (.gz too), or a data frame.

        Raises
        ------
        ValueError
            If the name is not one, or is taken by IDC; if the file is of another kind or cannot be read.
        FileNotFoundError
            If there is no such file.

        Examples
        --------
        >>> catalog.add_table("mine", "readings.csv")  # doctest: +SKIP
        >>> catalog.sql("SELECT * FROM mine JOIN index USING (SeriesInstanceUID)")  # doctest: +SKIP
        """
        self._tables.add(name, source)

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Return the result of a DuckDB query as a data frame.

        The tables have the names of `idc-index`: index, prior_versions_index, collections_index, seg_index and so on,
        see `tables()`. One that is not on this machine yet is fetched first. Ctrl-C ends a query.

        Parameters
        ----------
        query
            SQL in DuckDB's dialect.
        parameters
            Values for `?` in the query.

        Raises
        ------
        UnknownNameError
            If it names a table that there is not; the message suggests near ones.
        QueryError
            If the query is wrong otherwise; DuckDB's message names the place. It is a `duckdb.Error` too.
        TableUnavailableError
            If it names a table that could not be fetched; the message says how to get it.
        """
        query, parameters = query_text(query), bound(parameters)
        with answered(parameters):
            frame: pd.DataFrame = self.database.frame(query, parameters)
        return frame

    @functools.cached_property
    def index_columns(self) -> Mapping[str, Column]:
        """Columns of the index by name, with IDC's descriptions."""
        return {c.name: c for c in sources.table("index").columns}

    def require_column(self, name: str, more: Sequence[str] = TERM_COLUMNS) -> str:
        """Return `name` if it is a column of the index, or one of `more`.

        Raises
        ------
        UnknownNameError
            If it is neither; the message says which tables have it, or suggests near names.
        """
        if not isinstance(name, str):
            raise TypeError(f'{short(repr(name))} is no name of a column: a text such as "Modality" is wanted.')
        if name not in self.index_columns and name not in more:
            raise self._tables.unknown_column(name, (*self.index_columns, *more))
        return name

    def require_table(self, name: str) -> str:
        """Return `name` if it is a table, a clinical one too.

        Raises
        ------
        UnknownNameError
            If it is none; the message suggests near ones.
        """
        return self._tables.require_any(name)

    # -- tables beside the index

    def clinical(self) -> pd.DataFrame:
        """Return what is known of collections' patients beside their images, a row each column of a clinical table.

        Columns: collection_id, table (its name in `sql`, `cohort.clinical` and `idc.col`), column, label (its
        meaning) and values (the codes that it uses, with their meanings).

        Raises
        ------
        TableUnavailableError
            If IDC's `clinical_index` is not on this machine and could not be fetched.
        """
        return self._tables.clinical.listing()

    @overload
    def remote(self, dataset: None = None, *, refresh: bool = False) -> list[str]: ...

    @overload
    def remote(self, dataset: str, *, refresh: bool = False) -> Remote: ...

    def remote(self, dataset: str | None = None, *, refresh: bool = False) -> Remote | list[str]:
        """Return a dataset of IDC's metadata export in its bucket, to be queried where it lies.

        Parameters
        ----------
        dataset
            Its name: "idc_current", "idc_v25", "idc_current_clinical" …; without one, the names of all are returned.
        refresh
            Whether to list it anew where it was listed within a day.

        Raises
        ------
        UnknownNameError
            If there is no such dataset; the message suggests near ones.
        TableUnavailableError
            If the bucket does not answer.

        Examples
        --------
        >>> current = catalog.remote("idc_current")  # doctest: +SKIP
        >>> current.sql("SELECT * FROM dicom_all WHERE Modality = 'MR' LIMIT 1")  # doctest: +SKIP
        """
        arguments.flag(refresh, "refresh")
        if dataset is None:
            with reachable("The list of datasets"):
                return export.datasets()
        dataset = arguments.text(dataset, "dataset", 'the name of a dataset, such as "idc_current",')
        with self._remote_lock:
            if refresh or (export.endpoint(), dataset) not in self._remotes:
                found = Remote(self.database, self._tables.cache_dir, dataset, refresh)
                self._remotes[(export.endpoint(), dataset)] = found
            return self._remotes[(export.endpoint(), dataset)]

    def bring_clinical(self, table: str) -> tuple[str, ...]:
        """Make a clinical table usable in queries and return the collections it is about.

        Raises
        ------
        UnknownNameError
            If there is no such table; the message suggests near ones.
        TableUnavailableError
            If it could not be fetched.
        """
        return self._tables.clinical.bring(table_name(table))

    def clinical_dataset(self, table: str) -> str | None:
        """Return the dataset, such as "idc_v25_clinical", that holds a clinical table; None if there is none."""
        return self._tables.clinical.dataset_of(table_name(table))

    def joined(self, name: str) -> Joined:
        """Return how "table.column" joins with the index; see `idc.col`."""
        table, _, column = name.partition(".")
        return self._tables.joined(table, column)

    def tables_in(self, sql: str) -> set[str]:
        """Return the tables, the index apart, that a query names."""
        return self._tables.named_in(arguments.text(sql, "sql", "a query", blank=True))

    def select(self, table: str) -> str:
        """Return DuckDB SQL that reads a table from its files, without this catalogue."""
        return self._tables.select(table)

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

    # -- cohorts and the cache

    def cohort(self, *conditions: Any, **columns: Any) -> Cohort:
        """Return the series that satisfy all of these conditions.

        Parameters
        ----------
        *conditions
            `idc.between(...)`, `idc.contains(...)`, `idc.search(...)`, `idc.with_modalities(...)` or combinations.
        **columns
            Column name = value, or a list (any of); None means missing.

        Raises
        ------
        UnknownNameError
            If a column or a value is not in the catalogue; the message suggests near ones.
        """
        from idc_widgets.cohort import (
            Cohort,
        )  # upward only here: `catalog.cohort` is where people look for it

        return Cohort(self).where(*conditions, **columns)

    def interpret(self, text: str) -> Interpretation:
        """Return what a text such as "prostate cancer mri" means, as conditions: `cohort(*catalog.interpret(text))`.

        What is understood, and what stays text: `idc_widgets.cohort.interpret.interpret`.
        """
        from idc_widgets.cohort.interpret import interpret  # upward, as in `cohort`

        return interpret(self, text)

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


@functools.cache
def default_catalog() -> Catalog:
    """Return the catalogue that widgets share when none is given."""
    return Catalog()
