"""The connection: one in-memory DuckDB over the bundled parquet, and over the cache once it stands."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from idc_widgets.catalog import bundled, cache
from idc_widgets.catalog.fulltext import Words
from idc_widgets.catalog.interrupt import interruptible
from idc_widgets.lib.sql import literal

# What the rest of the package reads: the index plus row_id, series_bytes, study_key, patient_key and place, which is
# the row_id once more, but one by which DuckDB goes straight to the row where the cache stands.
SERIES = "series"

_log = logging.getLogger("idc_widgets")


class Database:
    """Answers SQL over IDC's tables from any thread.

    Every query runs on a cursor of its own: notebooks call from several threads (cells, comms on subshells, the
    publisher of downloads), and two threads on one DuckDB cursor crash.

    Parameters
    ----------
    cache_dir
        Folder of the cache, see `idc_widgets.catalog.cache.folder`.
    """

    def __init__(self, cache_dir: str | Path | None = None) -> None:
        self._lock = threading.RLock()
        self._root = duckdb.connect(":memory:")
        # DuckDB would write it to the standard output of a script, and block where nobody reads that.
        self._root.execute("SET enable_progress_bar = false")
        # A name in a query is a table, never a variable that some Python frame happens to have.
        self._root.execute("SET GLOBAL python_enable_replacements = false")
        # Brings in a table that a query names and DuckDB does not know; tells whether it did.
        self.supply: Callable[[duckdb.CatalogException], bool] = lambda error: False
        self.words = Words(self)
        self._parquet = bundled.table("index").path
        self.cache_path = cache.path(cache_dir, bundled.release())
        self.cached = False
        self.note = ""  # why there is no cache, in words, where building it failed
        self._damaged = False
        self._builder: threading.Thread | None = None
        for name in bundled.table_names():
            self.view(name, bundled.table(name).path)
        self._on_parquet()
        self._attach()

    def view(self, name: str, parquet: Path) -> None:
        """Let queries read a parquet file under this name; duckdb.Error if it is none."""
        with self._lock:
            self._view(name, f"SELECT * FROM read_parquet({literal(parquet)})")

    def _view(self, name: str, select: str) -> None:
        self._root.execute(f'CREATE OR REPLACE VIEW memory.main."{name}" AS {select}')

    def _on_parquet(self) -> None:
        self.view("index", self._parquet)
        self._view(SERIES, f"SELECT *, row_id AS place FROM ({cache.series_from_parquet(self._parquet)})")

    def _attach(self) -> bool:
        """Read from the cache where it stands and is sound; else stay on the parquet."""
        if not self.cache_path.is_file():
            return False
        with self._lock:
            try:
                # Not to be trusted by its name alone: it must be whole, and of the index that the parquet is.
                cache.attach(self._root, self.cache_path, self._parquet)
            except (duckdb.Error, OSError) as error:
                self._say(f"The local cache {self.cache_path} cannot be used: {cache.first_line(error)}")
                return False
            self._view(SERIES, "SELECT *, rowid AS place FROM cache.series")
            # For people, the published columns as published: text, not ENUM.
            casts = ", ".join(
                f'"{c.name}"::VARCHAR AS "{c.name}"' if c.name in cache.ENUMS else f'"{c.name}"'
                for c in bundled.table("index").columns
            )
            self._view("index", f"SELECT {casts} FROM cache.series")
            self.cached = True
        return True

    def _detach(self, error: duckdb.Error) -> bool:
        """Go back to the parquet where the cache turns out to be damaged, and build it anew, once.

        Returns whether the query that met `error` can be asked again.
        """
        text = str(error)
        if "Corrupt database file" not in text and str(self.cache_path) not in text:
            return False
        with self._lock:
            if self.cached:
                self._say(f"The local cache {self.cache_path} is damaged: {cache.first_line(error)}")
                self._on_parquet()
                self.cached = False
                self._root.execute("DETACH cache")
                with contextlib.suppress(OSError):
                    self.cache_path.unlink()
                if not self._damaged:
                    self._damaged = True
                    self._builder = None
                    self.ensure_cache()
                else:
                    self.note = "The local cache was damaged twice and is done without; everything works, more slowly."
        return True

    @staticmethod
    def _say(text: str) -> None:
        _log.warning("%s", text)

    def ensure_cache(self, done: Callable[[], None] | None = None) -> None:
        """Build the cache in the background where there is none; call `done` when that has ended, well or not."""
        with self._lock:
            if self.cached or self._builder is not None:
                return
            self._builder = threading.Thread(target=self._build, args=(done,), name="idc-cache", daemon=True)
            self._builder.start()

    def _build(self, done: Callable[[], None] | None) -> None:
        try:
            process = cache.start_build(self.cache_path, self._parquet)
            _, err = process.communicate()
            reason = err.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
            if process.returncode != 0 and not self.cache_path.is_file():
                raise OSError(reason[0])
            if not self._attach():
                raise OSError("the file that was built cannot be read")
        except OSError as error:
            self.note = (
                f"No local cache could be made in {self.cache_path.parent} ({error}); everything works, more slowly. "
                "IDC_WIDGETS_CACHE_DIR names another folder."
            )
            self._say(self.note)
        finally:
            if done is not None:
                done()

    @property
    def building(self) -> bool:
        """Whether the cache is being built now."""
        return self._builder is not None and self._builder.is_alive() and not self.cached

    def wait_for_cache(self, timeout: float | None = None) -> bool:
        """Wait until the background build has ended; return whether the cache is in use."""
        if self._builder is not None:
            self._builder.join(timeout)
        return self.cached

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor of the caller's own."""
        with self._lock:
            return self._root.cursor()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        rows: list[tuple[Any, ...]] = self._ask(sql, parameters, lambda result: result.fetchall())
        return rows

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a query as a pandas data frame."""
        return self._ask(sql, parameters, lambda result: result.df())

    def _ask(self, sql: str, parameters: Sequence[Any], take: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
        cursor = self.cursor()
        try:
            # One statement at a time: one that has run must not run again for a table that a later one lacks.
            statements = cursor.extract_statements(sql)
            if not statements:
                raise ValueError(f"The query {sql!r} is empty: a statement such as SELECT … is wanted.")
            *before, last = statements
            for statement in before:
                self._one(cursor, statement, [], lambda result: None)
            return self._one(cursor, last, list(parameters), take)
        finally:
            cursor.close()

    def _one(
        self,
        cursor: duckdb.DuckDBPyConnection,
        statement: duckdb.Statement,
        parameters: list[Any],
        take: Callable[[duckdb.DuckDBPyConnection], Any],
    ) -> Any:
        while True:
            cached = self.cached
            try:
                return interruptible(lambda: take(cursor.execute(statement, parameters)), cursor.interrupt)
            except duckdb.CatalogException as error:
                if not self.supply(error):
                    raise
            except duckdb.Error as error:
                if not cached or not self._detach(error):
                    raise
                if "cache." in statement.query:  # made for the cache; asked again, it is made for the parquet
                    raise duckdb.IOException(
                        "The local cache was damaged and is built anew; the same question asked again is answered."
                    ) from error

    def close(self) -> None:
        """Close the connection; a build that runs goes on."""
        with self._lock:
            self._root.close()
