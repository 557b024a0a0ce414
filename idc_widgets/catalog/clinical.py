"""Clinical tables: what collections publish of their patients beside the images.

`clinical_index` says which there are and what their columns mean; the tables themselves lie in IDC's metadata bucket,
small, and are kept in the cache once fetched.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import os
import re
import shutil
import threading
import urllib.parse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from idc_widgets.catalog import bundled, export, fetch
from idc_widgets.catalog.database import Database
from idc_widgets.catalog.fetch import TableUnavailableError
from idc_widgets.catalog.suggest import UnknownNameError, did_you_mean, nearest, short
from idc_widgets.lib import folders
from idc_widgets.lib.files import part_of
from idc_widgets.lib.sql import identifier, literal

if TYPE_CHECKING:
    import pandas as pd

_DATASET = re.compile(r"\bidc_(?:v\d+|current)_clinical\b")


class Clinical:
    """The clinical tables of a release.

    Parameters
    ----------
    database
        Where they are registered.
    cache_dir
        Folder of the cache, see `idc_widgets.catalog.cache.folder`.
    bring_index
        Makes `clinical_index` usable in queries.
    index_here
        Whether it is, without fetching.
    """

    def __init__(
        self,
        database: Database,
        cache_dir: str | os.PathLike[str] | None,
        bring_index: Callable[[], None],
        index_here: Callable[[], bool],
    ) -> None:
        self._database = database
        self._cache_dir = cache_dir
        self._bring_index = bring_index
        self._lock = threading.Lock()
        self._index_here = index_here
        self.ready: set[str] = set()
        self.reason = ""  # why the last name asked for could not be looked up

    @functools.cached_property
    def _known(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Table → its dataset and its collections."""
        self._bring_index()
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for table, name, collection in self._database.rows(
            "SELECT DISTINCT short_table_name, table_name, collection_id FROM clinical_index "
            "WHERE short_table_name IS NOT NULL AND collection_id IS NOT NULL ORDER BY ALL"
        ):
            dataset = _DATASET.search(name or "")
            before = found.get(table, ("", ()))[1]
            found[table] = (dataset[0] if dataset else "idc_current_clinical", (*before, collection))
        return found

    def listing(self) -> pd.DataFrame:
        """Return a row for each column of each table: collection_id, table, column, label, values."""
        self._bring_index()
        frame: pd.DataFrame = self._database.frame(
            'SELECT collection_id, short_table_name AS "table", "column", column_label AS label, "values" '
            'FROM clinical_index ORDER BY collection_id, short_table_name, "column"'
        )
        return frame

    def known(self) -> tuple[str, ...]:
        """Return the names of the tables, none where `clinical_index` is not here to tell; nothing is fetched."""
        if "_known" in self.__dict__ or self._index_here():
            return tuple(self._known)
        return ()

    def find(self, name: str, *, ask: bool = True) -> str | None:
        """Return the table of this name in any letter case; `reason` says why, where it cannot be said.

        Parameters
        ----------
        ask
            Whether `clinical_index` may be fetched for it.
        """
        self.reason = ""
        names: Iterable[str] = self.known()
        if ask and not names:
            try:
                names = self._known
            except TableUnavailableError as error:
                self.reason = str(error)
        return next((n for n in names if n.casefold() == name.casefold()), None)

    def labels(self, table: str) -> dict[str, str]:
        """Return the columns of a table with their meanings, as `clinical_index` has them."""
        self._bring_index()
        rows = self._database.rows(
            'SELECT "column", any_value(column_label) FROM clinical_index WHERE short_table_name = ? GROUP BY 1 '
            "ORDER BY 1",
            [table],
        )
        return {str(column): str(label or "") for column, label in rows}

    def collections_of(self, table: str) -> tuple[str, ...] | None:
        """Return the collections that a table is about; None if there is no such table, or no telling offline."""
        try:
            return self._known[table][1] if table in self._known else None
        except TableUnavailableError:
            return None

    def dataset_of(self, table: str) -> str | None:
        """Return the dataset that holds a table; None if there is no such table, or no telling offline."""
        return self._known[table][0] if self.collections_of(table) else None

    def available(self, table: str) -> bool:
        """Whether queries can use a table without fetching anything."""
        return table in self.known() and self._folder(table).is_dir()

    def origin(self) -> tuple[str, str]:
        """Return the address that tables are fetched from and the folder that they are kept in."""
        return export.endpoint(), str(export.home(self._cache_dir))

    def bring(self, table: str, progress: fetch.Progress | None = None) -> tuple[str, ...]:
        """Make a table usable in queries; return its collections. See `Catalog.bring_clinical`."""
        if table not in self._known:
            near = did_you_mean(nearest(table, self._known))
            raise UnknownNameError(f'There is no clinical table "{short(table)}".{near} catalog.clinical() lists them.')
        with self._lock:
            if table not in self.ready:
                folder = self._folder(table)
                if not self._opened(table, folder):
                    self._fetch(table, folder, progress)
                    if not self._opened(table, folder):
                        raise TableUnavailableError(f'The clinical table "{table}" was fetched, but cannot be read.')
                self.ready.add(table)
        return self._known[table][1]

    def select(self, table: str) -> str:
        """Return SQL that reads the table from the cache."""
        self.bring(table)
        return _read(self._folder(table))

    def _folder(self, table: str) -> Path:
        folder = export.home(self._cache_dir) / bundled.release()
        return folder / self._known[table][0] / urllib.parse.quote(table, safe="")

    def _opened(self, table: str, folder: Path) -> bool:
        if not folder.is_dir():
            return False
        with contextlib.closing(self._database.cursor()) as cursor:
            try:
                cursor.execute(f"CREATE OR REPLACE VIEW memory.main.{identifier(table)} AS {_read(folder)}")
            except duckdb.Error:
                shutil.rmtree(folder, ignore_errors=True)
                return False
        return True

    def _fetch(self, table: str, folder: Path, progress: fetch.Progress | None) -> None:
        dataset = self._known[table][0]
        url = f"{export.endpoint()}/{export.BUCKET}/{export.ROOT}{dataset}/{table}/"
        part = part_of(folder)
        try:
            folders.make(part, "IDC_WIDGETS_CACHE_DIR")
            files = export.tables(dataset, self._cache_dir).get(table, [])
            if not files:
                raise fetch.Broken("there is no such file")
            for number, file in enumerate(files):
                told = progress or (lambda name, done, total: None)
                fetch.download(file.url, part / f"{number:06d}.parquet", functools.partial(told, table))
            with contextlib.suppress(OSError):  # another process was faster
                part.replace(folder)
        except folders.FolderError as error:
            raise TableUnavailableError(f'The clinical table "{table}" cannot be kept: {error}') from None
        except (OSError, ValueError, SyntaxError, http.client.HTTPException, fetch.Broken) as error:
            raise TableUnavailableError(
                f'The clinical table "{table}" is not on this machine and could not be fetched from {url} '
                f"({fetch.reason(error)}). It comes with the network; IDC_WIDGETS_METADATA_ENDPOINT names a mirror."
            ) from None
        except fetch.Unwritable as error:
            raise TableUnavailableError(
                f'The clinical table "{table}" cannot be kept at {folder}: {error}. '
                "IDC_WIDGETS_CACHE_DIR names another folder."
            ) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _read(folder: Path) -> str:
    return f"SELECT * FROM read_parquet({literal(folder / '*.parquet')})"
