"""The journal of a destination: jobs, their series and objects, and requests to their workers, in SQLite.

The worker writes it; every reader (kernels, widgets, the command line) reads it and leaves requests in it.
It lies in the state folder, since WAL needs a local disk and destinations are often network drives.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .model import JournalError, TransferError
from .registry import make_private, unwritable

#: uid, uuid, bucket, files, bytes, path, study, source
SeriesRow = tuple[str, str, str, int, int, str, str, str | None]

_VERSION = 3
_MAY_HOLD = {
    "TEXT": "('text', 'null')",
    "INTEGER": "('integer', 'null')",
    "REAL": "('real', 'integer', 'null')",
}
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE job (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, provider TEXT NOT NULL, endpoint TEXT NOT NULL,
    layout TEXT NOT NULL, workers INTEGER NOT NULL, idc_version INTEGER NOT NULL, created REAL NOT NULL,
    state TEXT NOT NULL, error TEXT, heartbeat REAL NOT NULL, pid INTEGER,
    bytes_total INTEGER NOT NULL, files_total INTEGER NOT NULL, series_total INTEGER NOT NULL,
    bytes_done INTEGER NOT NULL DEFAULT 0, bytes_in_flight INTEGER NOT NULL DEFAULT 0,
    files_done INTEGER NOT NULL DEFAULT 0, series_done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0, speed REAL, eta REAL,
    verify TEXT NOT NULL DEFAULT 'md5',
    reuse TEXT DEFAULT 'copy', -- of files that are there under another layout: copy, link, or fetched again (NULL)
    -- bytes of files that may be fetched, and were, since that was set; bytes a second
    max_bytes INTEGER, spent INTEGER NOT NULL DEFAULT 0, bandwidth INTEGER,
    -- why nothing moves: retrying (until), stalled (since), queued behind other jobs, limit of bytes reached
    note TEXT, note_reason TEXT, note_at REAL,
    rate REAL -- bytes a second over all of it, to estimate later ones by
) WITHOUT ROWID;
-- state: pending (not listed), listed, done, failed; phase, of those at work: downloading, verifying, retrying (until)
CREATE TABLE series (
    job TEXT NOT NULL, n INTEGER NOT NULL, uid TEXT NOT NULL, uuid TEXT NOT NULL, bucket TEXT NOT NULL,
    files INTEGER NOT NULL, bytes INTEGER NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'pending',
    reason TEXT, study TEXT NOT NULL DEFAULT '', turn INTEGER NOT NULL DEFAULT 0,
    phase TEXT, in_flight INTEGER NOT NULL DEFAULT 0, retry_at REAL,
    source TEXT, -- the folder below the destination that has files of it under another layout
    PRIMARY KEY (job, n)
) WITHOUT ROWID;
CREATE INDEX series_path ON series (path);
CREATE INDEX series_state ON series (job, state, n);
CREATE INDEX series_phase ON series (job, phase, n) WHERE phase IS NOT NULL;
-- state: pending, verified, failed
CREATE TABLE object (
    job TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', reason TEXT, PRIMARY KEY (job, n, name)
) WITHOUT ROWID;
CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL, verb TEXT NOT NULL, argument TEXT);
-- who may write a series' staging folder; a claim of a job without a live worker counts for nothing
CREATE TABLE claim (uuid TEXT PRIMARY KEY, job TEXT NOT NULL) WITHOUT ROWID;
"""


class Journal:
    """One destination's journal.

    Parameters
    ----------
    path
        The SQLite file.
    destination
        Given, the journal is made when it does not exist; a damaged one is put aside first.

    Attributes
    ----------
    destination
        The absolute folder that this is the journal of.

    Raises
    ------
    JournalError
        From every method too, where the file is damaged or cannot be used now.
    """

    destination: Path

    def __init__(self, path: Path, destination: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()  # one connection serves every thread of this process
        if destination is not None:
            make_private(path.parent)
        elif not path.exists():
            raise TransferError(f"there is no journal {path}")
        try:
            self._db = self._connect(destination)
            row = self._db.execute("SELECT value FROM meta WHERE key = 'destination'").fetchone()
            self.destination = Path(row["value"] if row else "")
        except sqlite3.DatabaseError as error:
            if destination is None:
                raise self._error(error) from error
            if isinstance(error, sqlite3.OperationalError) and not str(error).startswith("no such"):
                raise unwritable(str(error)) from error
            # Damaged, or of an earlier format. Nothing is lost: the destination's receipt and staging tell the rest.
            _put_aside(path)
            self._db = self._connect(destination)
            self.destination = destination
        self._identity = _identity(path)

    @classmethod
    def of(cls, path: Path) -> Journal:
        """Return this process' open journal of an existing file, opening it if need be."""
        with _open_lock:
            journal = _open.get(path)
            if journal is None or journal._identity != _identity(path):  # deleted meanwhile, or put aside
                journal = _open[path] = cls(path)
            return journal

    def _connect(self, destination: Path | None) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=15, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if destination is not None:
                _check(db)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and destination is not None:
                db.execute("BEGIN IMMEDIATE")
                if db.execute("PRAGMA user_version").fetchone()[0] == 0:  # nobody else was faster
                    for statement in _SCHEMA.split(";\n"):
                        db.execute(statement)
                    db.execute("INSERT INTO meta VALUES ('destination', ?)", (str(destination),))
                    db.execute(f"PRAGMA user_version = {_VERSION}")
                db.execute("COMMIT")
            elif version == _VERSION:
                _check_form(db, destination)
            elif version < _VERSION:  # 0: just being made by another process, or by one that was killed at it
                raise sqlite3.DatabaseError(f"a journal of format {version}")
            else:
                raise TransferError(
                    f"the journal {self.path} has format {version}, this version of idc_widgets reads {_VERSION}: "
                    "update idc_widgets, or set IDC_WIDGETS_STATE_DIR to another folder"
                )
        except BaseException:
            db.close()
            raise
        return db

    @property
    def lost(self) -> bool:
        """Whether its file was deleted or replaced, so that nobody reads what is written."""
        return self._identity != _identity(self.path)

    def check(self) -> None:
        """Read all of the file anew: what this process has in memory may be right where the disk is not."""
        with self._used(), contextlib.closing(self._connect(None)) as db:
            _check(db)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._db.close()

    def _error(self, error: sqlite3.Error) -> JournalError:
        if isinstance(error, sqlite3.OperationalError) and not str(error).startswith("no such"):
            return JournalError(f"the journal {self.path} cannot be used now: {error}")
        if isinstance(error, sqlite3.ProgrammingError):
            return JournalError(f"the journal {self.path} was damaged, and another took its place", damaged=True)
        return JournalError(
            f"the journal {self.path} is damaged ({error}); start the download again: what is verified in its "
            "destination is not fetched again",
            damaged=True,
        )

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise self._error(error) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold a write transaction: all of it happens, or nothing."""
        with self._used() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # it was rolled back already, by a full disk say
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return a query's rows."""
        with self._used() as db:
            return db.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        """Return a query's first row, if any."""
        with self._used() as db:
            row: sqlite3.Row | None = db.execute(sql, values).fetchone()
            return row

    def changes(self) -> tuple[int, int]:
        """Return a mark that differs once anyone, in any process, has written to the journal."""
        with self._used():
            return self._db.execute("PRAGMA data_version").fetchone()[0], self._db.total_changes

    def job(self, job_id: str) -> sqlite3.Row:
        """Return a job's row."""
        row = self.one("SELECT * FROM job WHERE id = ?", (job_id,))
        if row is None:
            raise TransferError(f"the journal of {self.destination} knows no download {job_id!r}")
        return row

    def update_job(self, job_id: str, **columns: Any) -> None:
        """Set columns of a job's row."""
        with self.transaction() as db:
            set_columns(db, job_id, columns)

    def add_job(self, job: dict[str, Any], series: Iterable[SeriesRow]) -> None:
        """Enter a job and its series."""
        with self.transaction() as db:
            names = ", ".join(job)
            db.execute(f"INSERT INTO job ({names}) VALUES ({', '.join('?' * len(job))})", tuple(job.values()))
            _insert_series(db, job["id"], 0, series)

    def add_series(self, job_id: str, series: Iterable[SeriesRow]) -> None:
        """Enter more series of a job, and raise its totals."""
        with self.transaction() as db:
            first = db.execute("SELECT COALESCE(MAX(n) + 1, 0) FROM series WHERE job = ?", (job_id,)).fetchone()[0]
            _insert_series(db, job_id, first, series)
            db.execute(
                "UPDATE job SET (series_total, files_total, bytes_total) ="
                " (SELECT COUNT(*), SUM(files), SUM(bytes) FROM series WHERE job = ?1) WHERE id = ?1",
                (job_id,),
            )

    def request(self, job_id: str, verb: str, argument: str | None = None) -> None:
        """Leave a request for a job's worker."""
        with self.transaction() as db:
            db.execute("INSERT INTO request (job, verb, argument) VALUES (?, ?, ?)", (job_id, verb, argument))

    def take_requests(self, job_id: str) -> list[tuple[str, str | None]]:
        """Return the (verb, argument) left for a job, oldest first, and strike them off."""
        rows = self.all("SELECT id, verb, argument FROM request WHERE job = ? ORDER BY id", (job_id,))
        if rows:
            with self.transaction() as db:
                db.execute("DELETE FROM request WHERE job = ? AND id <= ?", (job_id, rows[-1]["id"]))
        return [(row["verb"], row["argument"]) for row in rows]

    def owned_paths(self) -> list[tuple[str, str]]:
        """Return (path, crdc_series_uuid) of each folder that some job of this destination has, oldest first."""
        rows = self.all(
            "SELECT path, uuid FROM series JOIN job ON job.id = series.job"
            " WHERE path != '' AND (series.state = 'done' OR job.state NOT IN ('cancelled')) ORDER BY created, n"
        )
        return [(row["path"], row["uuid"]) for row in rows]

    def listed(self, uuids: Iterable[str]) -> Iterator[tuple[str, str, int]]:
        """Yield (crdc_series_uuid, name, size) of the objects of these series, as far as they were ever listed."""
        wanted = sorted(uuids)
        for first in range(0, len(wanted), 500):  # SQLite of old takes 999 values
            some = wanted[first : first + 500]
            rows = self.all(
                "SELECT DISTINCT uuid, name, size FROM series JOIN object USING (job, n)"
                f" WHERE uuid IN ({', '.join('?' * len(some))})",
                some,
            )
            yield from ((row["uuid"], row["name"], row["size"]) for row in rows)


def _insert_series(db: sqlite3.Connection, job_id: str, first: int, series: Iterable[SeriesRow]) -> None:
    db.executemany(
        "INSERT INTO series (job, n, uid, uuid, bucket, files, bytes, path, study, source)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((job_id, n, *row) for n, row in enumerate(series, first)),
    )


def _check(db: sqlite3.Connection) -> None:
    found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(" ".join(found.split()))


def _check_form(db: sqlite3.Connection, destination: Path | None) -> None:
    """Refuse a journal that lacks a table or column, is another folder's, or holds jobs of values of other types."""
    lacking = _columns() - _columns_in(db)
    if lacking:
        raise sqlite3.DatabaseError(f"it lacks {min(lacking)[0]}.{min(lacking)[1]}")
    (of,) = db.execute("SELECT value FROM meta WHERE key = 'destination'").fetchone() or ("",)
    if destination is not None and of != str(destination):
        raise sqlite3.DatabaseError(f"it is of the folder {of!r}")
    wrong = (f"typeof({name}) NOT IN {_MAY_HOLD[kind]}" for table, name, kind in _columns() if table == "job")
    if db.execute(f"SELECT 1 FROM job WHERE {' OR '.join(wrong)}").fetchone():
        raise sqlite3.DatabaseError("a download in it has values of other types")


@functools.cache
def _columns() -> frozenset[tuple[str, str, str]]:
    """Return the table, name and type of each column of a journal."""
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA)
        return _columns_in(db)


def _columns_in(db: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    rows = db.execute(
        "SELECT m.name, c.name, c.type FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"
    )
    return frozenset((str(table), str(name), str(kind)) for table, name, kind in rows)


def _put_aside(path: Path) -> None:
    """Rename a damaged journal, so that another can take its place."""
    with _open_lock:
        known = _open.pop(path, None)
    if known is not None:
        known.close()  # Windows renames no file that is open
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        damaged = path.with_name(name)
        try:
            if damaged.exists():
                damaged.replace(path.with_name(f"{name}.damaged-{time.time_ns()}"))
        except OSError as error:
            raise unwritable(f"{damaged} is damaged and cannot be renamed: {error.strerror or error}") from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def set_columns(db: sqlite3.Connection, job_id: str, columns: dict[str, Any]) -> None:
    """Set columns of a job's row within a transaction."""
    assignments = ", ".join(f"{name} = ?" for name in columns)
    db.execute(f"UPDATE job SET {assignments} WHERE id = ?", (*columns.values(), job_id))


_open: weakref.WeakValueDictionary[Path, Journal] = weakref.WeakValueDictionary()
_open_lock = threading.Lock()
