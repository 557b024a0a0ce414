"""`catalog.remote(…)`: DuckDB over the parquet files of IDC's metadata export, where they lie."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import duckdb

from idc_widgets.catalog import export, fetch
from idc_widgets.catalog.database import Database
from idc_widgets.catalog.export import File, Progress, Statistics
from idc_widgets.catalog.fetch import TableUnavailableError
from idc_widgets.catalog.interrupt import interruptible
from idc_widgets.catalog.parse import serialized
from idc_widgets.catalog.pruning import Wanted, can_match, wanted
from idc_widgets.catalog.queries import QueryError, answered, bound, query_text
from idc_widgets.catalog.suggest import UnknownNameError, did_you_mean, nearest, short
from idc_widgets.lib import arguments, http
from idc_widgets.lib.sql import literal

if TYPE_CHECKING:
    import pandas as pd


_FIRST = 96  # files whose statistics are asked first where any rows will do


@dataclass(frozen=True)
class Estimate:
    """What a query reads: files of files, and bytes at most (of the columns that it names)."""

    files: int
    of_files: int
    bytes: int

    def __str__(self) -> str:
        return f"{self.files:,} of {self.of_files:,} files, {self.bytes / 1e6:,.1f} MB at most"


class Remote:
    """One dataset of the export.

    Made by `catalog.remote(name)`. Its tables are read where they lie: only the files that can match, and of these
    only the columns that a query names.
    """

    def __init__(self, database: Database, cache_dir: str | Path | None, dataset: str, refresh: bool = False) -> None:
        self.dataset = dataset
        self._database = database
        self._cache_dir = cache_dir
        self._statistics: dict[str, Statistics] = {}
        self._types: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        with reachable(f'The dataset "{short(dataset)}"'):
            self._tables = export.tables(dataset, cache_dir, refresh)
            if not self._tables:
                near = did_you_mean(nearest(dataset, export.datasets()))
                raise UnknownNameError(f'There is no dataset "{short(dataset)}" in {export.BUCKET}.{near}')

    def __repr__(self) -> str:
        return f"<Remote {self.dataset}: {len(self._tables)} tables>"

    def tables(self) -> pd.DataFrame:
        """Return its tables: table, files, bytes."""
        import pandas as pd

        rows = [(t, len(files), sum(f.size for f in files)) for t, files in self._tables.items()]
        frame: pd.DataFrame = pd.DataFrame(rows, columns=["table", "files", "bytes"])
        return frame

    def columns(self, table: str) -> pd.DataFrame:
        """Return the columns of a table: column, type; reads the end of one file.

        Raises
        ------
        UnknownNameError
            If there is no such table; the message suggests near ones.
        """
        import pandas as pd

        frame: pd.DataFrame = pd.DataFrame(list(self.types(table).items()), columns=["column", "type"])
        return frame

    def types(self, table: str) -> dict[str, str]:
        """Return the columns of a table with DuckDB's names of their types."""
        files = self.files(table)
        if table not in self._types:
            with contextlib.closing(self._cursor()) as cursor, reachable(f'The table "{table}"'):
                rows = cursor.execute(f"DESCRIBE {_read(files[:1])}").fetchall()
            self._types[table] = {r[0]: r[1] for r in rows}
        return self._types[table]

    def files(self, table: str) -> list[File]:
        """Return all files of a table."""
        arguments.text(table, "table", 'the name of a table, such as "dicom_all",')
        if table not in self._tables:
            near = did_you_mean(nearest(table, self._tables))
            raise UnknownNameError(f'There is no table "{short(table)}" in {self.dataset}.{near}')
        return self._tables[table]

    # -- asking

    def sql(self, query: str, parameters: Sequence[Any] = (), progress: Progress | None = None) -> pd.DataFrame:
        """Return the result of a DuckDB query over its tables; those of `catalog.sql` can be joined.

        Files that cannot match are not read: conditions of the WHERE that compare a column with constants are held
        against what the files say of themselves. That is asked once of each file of a table and kept in the cache.
        Ctrl-C ends a query.

        Parameters
        ----------
        query
            SQL in DuckDB's dialect.
        parameters
            Values for `?` in the query; conditions with them leave no file out.
        progress
            Called with what is going on ("statistics", "reading"), how far it is and of how much.

        Raises
        ------
        QueryError
            If the query is wrong; DuckDB's message names the place.
        TableUnavailableError
            If the bucket does not answer, or DuckDB's httpfs cannot be had.
        """
        query, parameters = query_text(query), bound(parameters)
        _told(progress)
        with answered(parameters):
            return self.ask(query, parameters, self.plan(query, progress), progress)

    def estimate(self, query: str, progress: Progress | None = None) -> Estimate:
        """Return what `sql(query)` would read, without reading it; statistics that lack are gathered for it."""
        query = query_text(query)
        _told(progress)
        if (parsed := serialized(query))["error"]:
            raise QueryError(f"The query cannot be read: {parsed.get('error_message')}")
        files = bytes_ = of_files = 0
        for table, kept in self.plan(query, progress).items():
            want = wanted(query, table, self.types(table))
            files, of_files = files + len(kept), of_files + len(self._tables[table])
            with reachable(f'The table "{table}"'):
                statistics = self._statistics_of(table, progress)
            bytes_ += statistics.size([f.etag for f in kept], want.columns)
        return Estimate(files, of_files, bytes_)

    def plan(self, query: str, progress: Progress | None = None) -> dict[str, list[File]]:
        """Return each table that a query names with the files that can match."""
        words = {w.casefold() for w in re.findall(r"\w+", query)}
        named = [t for t in self._tables if t.casefold() in words]
        return {t: self._matching(t, wanted(query, t, self.types(t)), progress) for t in named}

    def holding(self, table: str, column: str, values: Sequence[str], progress: Progress | None) -> list[File]:
        """Return the files of a table in which a column may have one of the values."""
        return self._matching(table, Wanted(None, {column: [("in", sorted(values))]}), progress)

    def _matching(self, table: str, want: Wanted, progress: Progress | None) -> list[File]:
        files, types = self.files(table), self.types(table)
        if not want.conditions or len(files) < 2:
            return files
        # Some rows, whichever, are mostly found in the first files.
        asked = files[:_FIRST] if want.any_rows else files
        with reachable(f'The table "{table}"'):
            held = dict(self._statistics_of(table, progress, asked).of(list(want.conditions)))
        kept = [f for f in files if can_match(want, held.get(f.etag, {}), types)]
        return kept or files[:1]  # of which no row will match

    def _statistics_of(self, table: str, progress: Progress | None, files: Sequence[File] | None = None) -> Statistics:
        with self._lock:
            if table not in self._statistics:
                path = export.home(self._cache_dir) / self.dataset / f"{table}.parquet"
                self._statistics[table] = Statistics(path)
        self._statistics[table].gather(self.files(table) if files is None else files, progress)
        return self._statistics[table]

    def ask(
        self,
        query: str,
        parameters: Sequence[Any],
        files: dict[str, list[File]],
        progress: Progress | None = None,
    ) -> pd.DataFrame:
        """Return the result of a query that sees of each table these files only."""
        with contextlib.closing(self._cursor()) as cursor, reachable(f'The dataset "{self.dataset}"'):
            for table, kept in files.items():
                cursor.execute(f'CREATE OR REPLACE TEMP VIEW "{table}" AS {_read(kept)}')
            while True:
                try:
                    with _watched(cursor, progress):
                        frame: pd.DataFrame = interruptible(
                            lambda: cursor.execute(query, list(parameters)).df(), cursor.interrupt
                        )
                        return frame
                except duckdb.CatalogException as error:
                    if not self._database.supply(error):
                        raise

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._database.cursor()
        try:
            load_httpfs(cursor)
        except BaseException:
            cursor.close()
            raise
        return cursor


def _told(progress: object) -> None:
    if progress is not None:
        arguments.function(progress, "progress", "what is going on, how far it is and of how much")


def _read(files: Sequence[File]) -> str:
    urls = ", ".join(literal(f.url) for f in files)
    return f"SELECT * FROM read_parquet([{urls}])"


@contextlib.contextmanager
def reachable(what: str) -> Iterator[None]:
    """Say in a sentence that the bucket does not answer."""
    try:
        yield
    except TableUnavailableError:
        raise
    except (OSError, SyntaxError, fetch.Broken, duckdb.IOException, duckdb.HTTPException) as error:
        raise TableUnavailableError(
            f"{what} could not be read from {export.endpoint()}/{export.BUCKET} "
            f"({str(fetch.reason(error)).splitlines()[0]}). It needs the network; IDC_WIDGETS_METADATA_ENDPOINT names "
            "a mirror."
        ) from None


@contextlib.contextmanager
def _watched(cursor: duckdb.DuckDBPyConnection, progress: Progress | None) -> Iterator[None]:
    """Tell `progress`, a few times a second, how far a query is."""
    if progress is None:
        yield
        return
    ended = threading.Event()
    told: Callable[[str, int, int], None] = progress

    def watch() -> None:
        while not ended.wait(0.2):
            with contextlib.suppress(duckdb.Error):
                percent = cursor.query_progress()
                if percent >= 0:
                    told("reading", int(percent), 100)

    thread = threading.Thread(target=watch, name="idc-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def load_httpfs(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make DuckDB read over HTTP.

    From DuckDB's own folder of extensions, else from the package `duckdb-extension-httpfs`, else by DuckDB's download.

    Raises
    ------
    TableUnavailableError
        If none has the extension for this DuckDB.
    """
    ways = ["LOAD httpfs"]
    spec = importlib.util.find_spec("duckdb_extension_httpfs")
    for folder in spec.submodule_search_locations or () if spec else ():
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
        if file.is_file():
            ways.insert(0, f"LOAD {literal(file)}")
    ways.append("INSTALL httpfs; LOAD httpfs")
    for way in ways:
        with contextlib.suppress(duckdb.Error):
            cursor.execute(way)
            break
    else:
        raise TableUnavailableError(
            f"DuckDB {duckdb.__version__} reads remote files with its extension httpfs, which is not on this machine "
            "and could not be downloaded from extensions.duckdb.org. `pip install duckdb-extension-httpfs` brings it, "
            "for the DuckDB of the same version."
        )
    # What a file says of itself is asked once.
    cursor.execute("SET GLOBAL enable_http_metadata_cache = true")
    cursor.execute("SET GLOBAL parquet_metadata_cache = true")
    cursor.execute("SET GLOBAL http_retries = 3")
    _as_the_environment_says(cursor)


def _as_the_environment_says(cursor: duckdb.DuckDBPyConnection) -> None:
    """Set the proxy and the certificates that the environment names now, as for all other requests."""
    proxy = http.proxy_of(export.endpoint())
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
    settings = {
        "http_proxy": f"{parts.hostname}:{parts.port or 80}" if parts else "",
        "http_proxy_username": unquote(parts.username or "") if parts else "",
        "http_proxy_password": unquote(parts.password or "") if parts else "",
        "ca_cert_file": os.environ.get("AWS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or "",
    }
    for name, value in settings.items():
        with contextlib.suppress(duckdb.Error):  # a DuckDB that has no such setting
            cursor.execute(f"SET GLOBAL {name} = {literal(value)}")
