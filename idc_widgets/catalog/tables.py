"""The tables by name: those that come with `idc-index-data`, those fetched when first named, and the user's own."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from idc_widgets.catalog import bundled, fetch
from idc_widgets.catalog.clinical import Clinical
from idc_widgets.catalog.database import SERIES, Database
from idc_widgets.catalog.fetch import TableUnavailableError
from idc_widgets.catalog.joins import Joined, resolve
from idc_widgets.catalog.parse import tables_in
from idc_widgets.catalog.suggest import UnknownNameError, did_you_mean, held_by, nearest, short
from idc_widgets.lib import arguments
from idc_widgets.lib.arguments import shown
from idc_widgets.lib.sql import identifier, literal

if TYPE_CHECKING:
    import pandas as pd

_DUCKDB_TYPES = {"STRING": "VARCHAR", "INTEGER": "BIGINT", "FLOAT": "DOUBLE", "RECORD": "STRUCT"}
_PARQUET = (".parquet", ".pq")
_MISSING = re.compile(r"Catalog Error: Table with name (.+?) does not exist")
_CSV = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


class Tables:
    """What queries can name.

    Parameters
    ----------
    database
        Where the tables are registered; it asks back when a query names one that is not there yet.
    cache_dir
        Folder of the cache, see `idc_widgets.catalog.cache.folder`.
    """

    def __init__(self, database: Database, cache_dir: str | Path | None = None) -> None:
        self._database = database
        self.cache_dir = cache_dir
        self._ready: set[str] = set()
        self._locks = {name: threading.Lock() for name in bundled.fetched_names()}
        self._own: dict[str, str] = {}  # name as given → where from
        self._files: dict[str, str] = {}  # name as given → SQL that reads its file
        self.clinical = Clinical(
            database, cache_dir, lambda: self.bring("clinical_index"), lambda: self.available("clinical_index")
        )
        database.supply = self._supply

    def names(self) -> tuple[str, ...]:
        """Return all names: IDC's, the main index first, then the user's own."""
        return (*bundled.table_names(), *bundled.fetched_names(), *self._own)

    def require(self, name: str) -> str:
        """Return `name` if there is such a table, the clinical ones apart.

        Raises
        ------
        UnknownNameError
            If there is none; the message suggests near ones.
        """
        if not isinstance(name, str):
            raise TypeError(f'{short(repr(name))} is no name of a table: a text such as "ct_index" is wanted.')
        if name not in self.names():
            raise self._unknown(name)
        return name

    def require_any(self, name: str) -> str:
        """Return `name` if there is such a table, in any letter case, the clinical ones included; see `require`."""
        folded = str(name).casefold()
        if isinstance(name, str) and (any(n.casefold() == folded for n in self.names()) or self._clinical(name)):
            return name
        return self.require(name)

    def _unknown(self, name: str) -> UnknownNameError:
        near = nearest(name, (*self.names(), *self.clinical.known()))
        holders = "" if near and near[0].casefold() == name.casefold() else held_by(self.holding(name), name)
        reason = self.clinical.reason
        return UnknownNameError(
            f'There is no table "{short(name)}".{did_you_mean(near)}{holders and f" It is a column: {holders}"}'
            + (f" Whether it is a clinical table cannot be said: {reason}" if reason and not holders else "")
        )

    def holding(self, column: str) -> list[str]:
        """Return the tables beside the index, those of one's own too, that have a column of this name in any case."""
        return [f"{t}.{c}" for t, c in self._columns() if c.casefold() == column.casefold()]

    def _columns(self) -> Iterator[tuple[str, str]]:
        for name in self.names():
            if name in self._own:
                yield from ((name, n) for n, *_ in self._database.rows(f'DESCRIBE "{name}"'))
            elif name != "index":
                yield from ((name, c.name) for c in bundled.table(name).columns)

    def unknown_column(self, name: str, known: Iterable[str]) -> UnknownNameError:
        """Return the error for a column that the index does not have; it says which tables do."""
        known = list(known)
        exact = [k for k in known if k.casefold() == name.casefold()]
        if not exact and (holding := self.holding(name)):
            return UnknownNameError(f'There is no column "{short(name)}" in the index; {held_by(holding, name)}')
        elsewhere: dict[str, str] = {}
        for table, column in self._columns():
            elsewhere.setdefault(column, f"{table}.{column}")
        near = exact or nearest(name, {**elsewhere, **dict.fromkeys(known)})
        shown = [n if n in known else elsewhere[n] for n in near]
        return UnknownNameError(f'There is no column "{short(name)}" in the index.{did_you_mean(shown)}')

    # -- fetched on first use

    def _supply(self, error: duckdb.CatalogException) -> bool:
        """Bring in the table whose lack DuckDB reports; UnknownNameError if it is nobody's."""
        found = _MISSING.match(str(error))
        if found is None:
            return False
        name = found[1]
        known = next((n for n in self._locks if n.casefold() == name.casefold()), None)
        if known is None:
            known = self._clinical(name)
        if known is None:
            raise self._unknown(name)
        if known in self._ready or known in self.clinical.ready:
            return False  # it is there, and yet not found: in a schema of another name
        self.bring(known)
        return True

    def _clinical(self, name: str) -> str | None:
        """Return the clinical table of this name; which there are may have to be fetched first."""
        if not isinstance(name, str) or name in self.names():
            return None
        folded = [n.casefold() for n in self.names()]
        # So near to another table that a slip of the finger is likelier.
        ask = bool(name) and not difflib.get_close_matches(name[:200].casefold(), folded, 1, 0.8)
        return self.clinical.find(name, ask=ask)

    def bring(self, name: str, progress: fetch.Progress | None = None) -> None:
        """Make a table usable in queries, fetching it where it is not on this machine.

        Raises
        ------
        UnknownNameError
            If there is no such table.
        TableUnavailableError
            If it could not be fetched; the message says how to get it.
        """
        if clinical := self._clinical(name):
            self.clinical.bring(clinical, progress)
            return
        if self.require(name) not in self._locks:
            return
        with self._locks[name]:
            if name in self._ready:
                return
            target = fetch.path(self.cache_dir, name)
            if not (target.is_file() and self._opened(name, target)):
                fetch.fetch(name, target, progress)
                if not self._opened(name, target):
                    raise TableUnavailableError(
                        f'The table "{name}" was fetched from {fetch.addresses(name)[0]}, but DuckDB cannot read it.'
                    )
            self._ready.add(name)

    def _opened(self, name: str, path: Path) -> bool:
        """Register a fetched file; one that cannot be read is removed."""
        try:
            self._database.view(name, path)
        except duckdb.Error:
            with contextlib.suppress(OSError):
                path.unlink()
            return False
        return True

    def available(self, name: str) -> bool:
        """Whether queries can use the table without fetching it."""
        if name not in self._locks:
            return True
        if name not in self._ready and fetch.path(self.cache_dir, name).is_file():
            with self._locks[name]:
                if name not in self._ready and self._opened(name, fetch.path(self.cache_dir, name)):
                    self._ready.add(name)
        return name in self._ready

    def origin(self, name: str) -> tuple[str, str]:
        """Return the URL that a table is fetched from and the folder that it is kept in."""
        if name in self._locks:
            return fetch.addresses(name)[0], str(fetch.path(self.cache_dir, name).parent)
        return self.clinical.origin()

    # -- tables of one's own

    def add(self, name: str, source: str | os.PathLike[str] | Any) -> None:
        """Register a parquet file, a CSV file or a data frame under a name; a name of one's own may be given anew.

        Raises
        ------
        ValueError
            If the name is not one, or IDC's; if the file is of another kind or cannot be read.
        FileNotFoundError
            If there is no such file.
        TypeError
            If `source` is neither a path nor a data frame.
        """
        self._require_new(name)
        select = ""
        if isinstance(source, str | os.PathLike):
            path = self._require_file(arguments.path(source, "source", "the path of a parquet or CSV file"))
            try:
                parquet = path.name.lower().endswith(_PARQUET)
                select = f"SELECT * FROM read_parquet({literal(path)})" if parquet else self._csv(path)
                self._put(name, "VIEW" if parquet else "TABLE", select)
            except duckdb.Error as error:
                raise ValueError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
            origin = str(path)
        else:
            self._put_frame(name, source)
            origin = f"a {type(source).__name__}"
        # Queries do not tell "Mine" from "mine".
        self._own = {n: o for n, o in self._own.items() if n.casefold() != name.casefold()}
        self._files = {n: o for n, o in self._files.items() if n.casefold() != name.casefold()}
        self._own[name] = f"Your own, from {origin}"
        if select:
            self._files[name] = select

    def _require_new(self, name: str) -> None:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,199}", name):
            raise ValueError(
                f"name={shown(name)} is no name for a table: letters, digits and _ are wanted, no digit first."
                f"{_such_as(re.sub(r'[^A-Za-z0-9_]+', '_', str(name)[:40]).strip('_'))}"
            )
        taken = {n.casefold() for n in (*bundled.table_names(), *bundled.fetched_names(), SERIES)}
        # Pages keep their orders in tables order_1, order_2, …
        if name.casefold() in taken or re.fullmatch(r"order_\d+", name.casefold()):
            raise ValueError(f'The name "{name}" is taken: queries know IDC\'s table by it.{_such_as(name)}')
        reserved = self._database.rows(
            "SELECT 1 FROM duckdb_keywords() WHERE keyword_name = lower(?) AND keyword_category = 'reserved'", [name]
        )
        if reserved:
            raise ValueError(f'"{name}" is a word of SQL, so no name for a table.{_such_as(name)}')

    @staticmethod
    def _require_file(path: Path) -> Path:
        path = path.expanduser().absolute()
        try:
            there = path.is_file()
        except OSError as error:  # too long a name, say
            raise ValueError(f"source={shown(str(path))} is no name of a file: {error.strerror or error}.") from None
        if not there:
            near: list[str] = []
            with contextlib.suppress(OSError):
                near = nearest(path.name, [p.name for p in path.parent.iterdir() if p.is_file()])
            raise FileNotFoundError(f"There is no file {path}.{did_you_mean(near)}")
        if not path.name.lower().endswith((*_PARQUET, *_CSV)):
            raise ValueError(f"{path.name} is no table: a file ending in {', '.join((*_PARQUET, *_CSV))} is wanted.")
        return path

    def _csv(self, path: Path) -> str:
        """Return SQL that reads a CSV; columns named as a text column of the index are text.

        PatientIDs such as 0042 would else become numbers, and no longer be those of the index.
        """
        text = {c.name.casefold() for c in bundled.table("index").columns if c.type == "STRING"}
        found = self._database.rows(f"DESCRIBE SELECT * FROM read_csv({literal(path)})")
        types = ", ".join(f"{literal(n)}: 'VARCHAR'" for n, *_ in found if n.casefold() in text)
        return f"SELECT * FROM read_csv({literal(path)}{f', types = {{{types}}}' if types else ''})"

    def _put(self, name: str, kind: str, select: str, cursor: duckdb.DuckDBPyConnection | None = None) -> None:
        """Create the table or view in place of what had its name, or leave all as it was."""
        with contextlib.ExitStack() as stack:
            cursor = cursor or stack.enter_context(contextlib.closing(self._database.cursor()))
            cursor.execute("BEGIN")
            try:
                for (old,) in cursor.execute(
                    "SELECT table_type FROM information_schema.tables WHERE table_catalog = 'memory' "
                    "AND table_schema = 'main' AND lower(table_name) = lower(?)",
                    [name],
                ).fetchall():
                    cursor.execute(f'DROP {"VIEW" if old == "VIEW" else "TABLE"} memory.main."{name}"')
                cursor.execute(f'CREATE {kind} memory.main."{name}" AS {select}')
                cursor.execute("COMMIT")
            except BaseException:
                cursor.execute("ROLLBACK")
                raise

    def _put_frame(self, name: str, frame: Any) -> None:
        """Copy a data frame: what its owner does to it later is not seen by queries in other threads."""
        kind = type(frame).__name__
        if not (hasattr(frame, "columns") or hasattr(frame, "schema")):
            raise TypeError(f"A {kind} is no table: the path of a parquet or CSV file, or a data frame is wanted.")
        with contextlib.closing(self._database.cursor()) as cursor:
            try:
                cursor.register("_frame", frame)
                self._put(name, "TABLE", "SELECT * FROM _frame", cursor)
            except duckdb.Error as error:
                raise ValueError(f"The {kind} cannot be read: {str(error).splitlines()[0]}") from None

    # -- joined with the index

    def joined(self, name: str, column: str) -> Joined:
        """Return how a table's column joins with the index; the table is brought in for it.

        Raises
        ------
        UnknownNameError
            If there is no such table or column; the message suggests near ones.
        ValueError
            If nothing in the table says which series a row is of.
        TableUnavailableError
            If the table is not on this machine and could not be fetched.
        """
        self.bring(name)
        collections = None
        if clinical := self._clinical(name):
            name, collections = clinical, self.clinical.collections_of(clinical)
        types = {n: t for n, t, *_ in self._database.rows(f"DESCRIBE {identifier(name)}")}
        return resolve(name, column, types, collections)

    def named_in(self, sql: str) -> set[str]:
        """Return the tables, the index apart, that a query reads; see `parse.tables_in`."""
        folded = {n.casefold(): n for n in (*self.clinical.known(), *self.names()) if n != "index"}
        return {folded[n.casefold()] for n in tables_in(sql) if n.casefold() in folded}

    def select(self, name: str) -> str:
        """Return DuckDB SQL that reads a table from its files, wherever it is run on this machine.

        Raises
        ------
        ValueError
            If it is a table of the user's own that came from no file.
        """
        if name in self._own:
            if name not in self._files:
                raise ValueError(
                    f'The table "{name}" is {self._own[name][len("Your own, from ") :]}, which lives in this Python '
                    "alone; add it from a parquet file, and SQL can name that."
                )
            return self._files[name]
        if name in bundled.table_names():
            return f"SELECT * FROM read_parquet({literal(bundled.table(name).path)})"
        if name in self._locks:
            self.bring(name)
            return f"SELECT * FROM read_parquet({literal(fetch.path(self.cache_dir, name))})"
        return self.clinical.select(name)

    # -- what there is, as data frames

    def listing(self) -> pd.DataFrame:
        """Return the tables: name, rows (missing until fetched), whether available, description."""
        import pandas as pd

        found = []
        for name in self.names():
            available = self.available(name)
            rows = self._database.rows(f'SELECT count(*) FROM "{name}"')[0][0] if available else None
            description = self._own.get(name) or bundled.table(name).description
            if name == "clinical_index":
                description += " Its tables, too, can be named in queries: catalog.clinical() lists them."
            found.append({"table": name, "rows": rows, "available": available, "description": description})
        # Those are known once clinical_index is here; nothing is fetched to list them.
        for name in self.clinical.known() if self.available("clinical_index") else ():
            available = self.clinical.available(name)
            if available:
                self.clinical.bring(name)
            rows = self._database.rows(f"SELECT count(*) FROM {identifier(name)}")[0][0] if available else None
            about = ", ".join(self.clinical.collections_of(name) or ())
            found.append({"table": name, "rows": rows, "available": available, "description": f"Clinical: {about}"})
        frame: pd.DataFrame = pd.DataFrame(found).astype({"rows": "Int64"})
        return frame

    def columns(self, name: str) -> pd.DataFrame:
        """Return the columns of a table: name, type, description. Nothing is fetched for it."""
        import pandas as pd

        frame: pd.DataFrame = pd.DataFrame(self.outline(name), columns=["column", "type", "description"])
        return frame

    def outline(self, name: str) -> list[tuple[str, str, str]]:
        """Return name, type and description of each column of a table. Nothing is fetched for it."""
        if clinical := self._clinical(name):
            return self._clinical_outline(clinical)
        described = {} if self.require(name) in self._own else {c.name: c for c in bundled.table(name).columns}
        if self.available(name):
            pairs = [(n, t) for n, t, *_ in self._database.rows(f'DESCRIBE "{name}"')]
        else:
            pairs = [
                (c.name, _DUCKDB_TYPES.get(c.type, c.type) + ("[]" if c.repeated else "")) for c in described.values()
            ]
        return [(n, t, described[n].description if n in described else "") for n, t in pairs]

    def _clinical_outline(self, name: str) -> list[tuple[str, str, str]]:
        labels = self.clinical.labels(name)
        if not self.clinical.available(name):
            return [(column, "VARCHAR", label) for column, label in labels.items()]
        self.clinical.bring(name)
        described = self._database.rows(f"DESCRIBE {identifier(name)}")
        return [(n, t, labels.get(n, "")) for n, t, *_ in described]


def _such_as(name: str) -> str:
    return f' "my_{name}" would do.' if name else ""
