"""`Catalog`: the door to everything that IDC publishes about its data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from idc_widgets.api import shared
from idc_widgets.api.cohort import Cohort
from idc_widgets.catalog.fetch import Progress
from idc_widgets.catalog.index import Index
from idc_widgets.catalog.queries import answered, bound, query_text
from idc_widgets.catalog.remote import Remote
from idc_widgets.cohort import interpret
from idc_widgets.lib import arguments

if TYPE_CHECKING:
    import os

    import pandas as pd


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
        #: What the views read, and no user needs: the database, pages, the cube.
        self.index = Index(cache_dir)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name != "index"]

    # -- what this is

    @property
    def release(self) -> str:
        """Release of the index, such as "25.0.5"."""
        return self.index.release

    @property
    def version(self) -> int:
        """IDC version, such as 25."""
        return self.index.version

    @property
    def date(self) -> str:
        """Date of this IDC version (ISO), or "" where the index does not know it."""
        return self.index.date

    def __repr__(self) -> str:
        return f"<Catalog IDC v{self.version} ({self.release})>"

    # -- tables

    def tables(self) -> pd.DataFrame:
        """Return the tables: name, rows, whether available without fetching, description.

        Tables that are fetched on first use have their rows missing until then.
        """
        return self.index.tables.listing()

    def columns(self, table: str = "index") -> pd.DataFrame:
        """Return the columns of a table: name, type, IDC's description. Nothing is fetched for it.

        Raises
        ------
        UnknownNameError
            If there is no such table; the message suggests near ones.
        """
        return self.index.tables.columns(table)

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
            self.index.tables.bring(name, progress)

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
        self.index.tables.add(name, source)

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
            frame: pd.DataFrame = self.index.database.frame(query, parameters)
        return frame

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
        return self.index.tables.clinical.listing()

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
            return self.index.datasets()
        dataset = arguments.text(dataset, "dataset", 'the name of a dataset, such as "idc_current",')
        return self.index.remote(dataset, refresh)

    # -- cohorts

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
        return Cohort(self).where(*conditions, **columns)

    def interpret(self, text: str) -> interpret.Interpretation:
        """Return what a text such as "prostate cancer mri" means, as conditions: `cohort(*catalog.interpret(text))`.

        What is understood, and what stays text: `idc_widgets.cohort.interpret.interpret`.
        """
        return interpret.interpret(self.index, text)


shared.make = Catalog
