"""Look series up in the true index, lazily and fast.

The parquet of ``idc_index_data`` answers a point query in about 90 ms, slow for a server. So a DuckDB file with the
columns that matter and an index over the series uuid is made from it once per release (five to ten seconds, in a
background thread); it answers in about two milliseconds, and opening it costs nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import duckdb
import idc_index_data
import platformdirs

from .series import Series

BUCKETS = {
    # the name a client asks for -> the index's name (AWS)
    "idc-open-data": "idc-open-data",
    "idc-open-data-two": "idc-open-data-two",
    "idc-open-data-cr": "idc-open-data-cr",
    "idc-open-idc1": "idc-open-data-two",
    "idc-open-cr": "idc-open-data-cr",
}

COLUMNS = (
    *("PatientID", "PatientAge", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyDescription"),
    *("SeriesInstanceUID", "SeriesDate", "SeriesDescription", "SeriesNumber", "BodyPartExamined", "Modality"),
    *("SOPClassUID", "Manufacturer", "ManufacturerModelName"),
)
_PARQUET = str(idc_index_data.IDC_INDEX_PARQUET_FILEPATH).replace("'", "''")
_SELECT = (
    "SELECT crdc_series_uuid AS uuid, aws_bucket AS bucket, instanceCount AS count, "
    f"round(series_size_MB * 1e6)::BIGINT AS size, {', '.join(COLUMNS)} FROM read_parquet('{_PARQUET}')"
)


@lru_cache(maxsize=8)
def cache_dir(*modules: str) -> Path:
    """Return the folder for what is costly to make: a new one when the index or these modules change."""
    made_from = hashlib.sha256()
    for part in (version("idc-index-data"), duckdb.__version__):
        made_from.update(part.encode() + b"\0")
    for module in modules:
        made_from.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    folder = platformdirs.user_cache_path("idc_widgets") / "mirror" / made_from.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Index:
    """The series of the installed index release."""

    def __init__(self) -> None:
        # The parquet answers until the file is there.
        self._connection = _connect(":memory:")
        self._connection.execute(f"CREATE VIEW series AS {_SELECT}")
        self.series = lru_cache(maxsize=4096)(self._series)
        self._closed = False
        self._draft: duckdb.DuckDBPyConnection | None = None
        self._thread = threading.Thread(target=self._prepare, name="mirror-index", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """End the work in the background: a thread inside DuckDB when the interpreter ends would abort the process."""
        self._closed = True
        while self._thread.is_alive():
            if self._draft:
                with contextlib.suppress(duckdb.Error):
                    self._draft.interrupt()
            self._thread.join(0.05)
        atexit.unregister(self.close)

    def _prepare(self) -> None:
        path = cache_dir("index") / "series.duckdb"
        if path.exists() or self._build(path):
            self._connection = _connect(path, read_only=True)

    def _build(self, path: Path) -> bool:
        """Make the file; tell whether it is there."""
        for abandoned in path.parent.glob(f"{path.stem}.draft*"):
            # Windows refuses while another process still writes it.
            with contextlib.suppress(OSError):
                if time.time() - abandoned.stat().st_mtime > 600:
                    abandoned.unlink()
        draft = path.with_suffix(f".draft{os.getpid()}-{threading.get_ident()}")
        try:
            with _connect(draft) as self._draft:
                for step in (f"CREATE TABLE series AS {_SELECT}", "CREATE INDEX by_uuid ON series (uuid)"):
                    if self._closed:
                        return False
                    self._draft.execute(step)
            # Another process may have finished first, and Windows refuses to replace an open file: either will do.
            with contextlib.suppress(PermissionError):
                draft.replace(path)
            return True
        except duckdb.InterruptException:
            return False
        finally:
            draft.unlink(missing_ok=True)

    def _series(self, uuid: str) -> Series | None:
        """Return the series with this crdc_series_uuid, None if the index has none."""
        row = self._connection.cursor().execute("SELECT * FROM series WHERE uuid = ?", [uuid]).fetchone()
        return None if row is None else _series_from(row)

    def walk(self, bucket: str, prefix: str, start: str) -> Iterator[Series]:
        """Yield the series of an AWS bucket with uuids from `start` that agree with `prefix`, in order.

        `prefix` may be longer than a uuid (as an object's key is); then one series at most is meant.
        """
        if len(prefix) > 36:
            found = self.series(prefix[:36])
            if found and found.bucket == bucket and found.uuid >= start:
                yield found
            return
        query = "SELECT * FROM series WHERE bucket = ? AND starts_with(uuid, ?) AND uuid {} ? ORDER BY uuid LIMIT ?"
        operator, batch = ">=", 50
        while True:
            rows = self._connection.cursor().execute(query.format(operator), [bucket, prefix, start, batch]).fetchall()
            yield from map(_series_from, rows)
            if len(rows) < batch:
                return
            operator, start, batch = ">", rows[-1][0], 2000


def read(condition: str) -> list[Series]:
    """Return the series that satisfy a condition on the index, in the order of their uuids."""
    with _connect(":memory:") as connection:
        return [_series_from(row) for row in connection.execute(f"{_SELECT} WHERE {condition} ORDER BY 1").fetchall()]


def _connect(path: Path | str, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(path, read_only=read_only)
    # DuckDB draws it on standard output, which has a reader of its own here.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _series_from(row: tuple[object, ...]) -> Series:
    uuid, bucket, count, size, *fields = row
    assert isinstance(count, int) and isinstance(size, int)
    return Series(str(uuid), str(bucket), count, size, dict(zip(COLUMNS, fields, strict=True)))
