"""Writes the table, or a manifest of it, to a file while the notebook goes on; never over another unasked."""

from __future__ import annotations

import contextlib
import csv
import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from idc_widgets.api import Catalog
from idc_widgets.api.manifest import manifest
from idc_widgets.catalog.levels import COUNT_COLUMNS, Level
from idc_widgets.catalog.pages import Sort, published, read
from idc_widgets.lib.files import part_of, remove
from idc_widgets.lib.sql import literal
from idc_widgets.transfer import Provider

_FORMATS = ("csv", "parquet", "s5cmd")
_SLICE = 1_000  # groups that are summed up at a time

# Sums and counts are numbers; of other numbers a group may have a range, which is text.
_TYPES = {**dict.fromkeys((*COUNT_COLUMNS, "instanceCount"), "BIGINT"), "series_size_MB": "DOUBLE"}


@dataclass
class _Job:
    path: str
    state: str = "running"  # then "done", "failed" or "stopped"
    share: float = 0.0  # of the work, from 0 to 1
    rows: int = 0
    bytes: int = 0
    error: str = ""


class _Stopped(Exception):
    """The person does not want the file any more."""


class Saving:
    """The files that one widget writes; manifests name the bucket of `provider`."""

    def __init__(self, catalog: Catalog, provider: Callable[[], Provider]) -> None:
        self._catalog, self._provider = catalog, provider
        self._jobs: dict[int, tuple[_Job, threading.Event]] = {}
        self._numbers = itertools.count(1)

    def start(
        self,
        where: str,
        parameters: Sequence[Any],
        level: Level | None,
        sort: Sort,
        columns: Sequence[str],
        path: str,
        kind: str,
        confirmed: bool,
    ) -> dict[str, Any]:
        """Start writing and return a number to ask about it by, or the question that comes first.

        Raises
        ------
        ValueError
            If the path or the format cannot be.
        """
        if kind not in _FORMATS:
            raise ValueError(f'"{kind}" is no format that is written here: csv, parquet or s5cmd.')
        if not path.strip():
            raise ValueError("Name a file to write to, such as idc-series.csv.")
        target = Path(path.strip()).expanduser().absolute()
        if target.is_dir():
            raise ValueError(f"{target} is a folder; add a file name, such as idc-series.{kind}.")
        if not target.parent.is_dir():
            raise ValueError(f"There is no folder {target.parent}; make it first, or name another.")
        if not os.access(target.parent, os.W_OK):
            raise ValueError(f"{target.parent} cannot be written to; choose another folder.")
        if target.exists() and not confirmed:
            return {"confirm": f"{target} exists already. Replace it?"}
        columns = [c for c in columns if level is not None or c not in COUNT_COLUMNS]
        job, stop = _Job(str(target)), threading.Event()
        number = next(self._numbers)
        self._jobs[number] = job, stop

        def write(part: Path) -> None:
            if kind == "s5cmd":  # of series, whatever a row is
                text = manifest(self._catalog.index, where, parameters, self._provider())
                part.write_text(text, encoding="utf-8", newline="\n")
                job.rows = text.count("\ncp ")
            elif level is None:
                self._series(part, kind, where, parameters, sort, columns, job, stop)
            else:
                self._groups(part, kind, level, where, parameters, sort, columns, job, stop)

        # No daemon: the interpreter must not end under a thread that is inside DuckDB.
        threading.Thread(target=_run, args=(job, target, confirmed, write), name="idc-saving").start()
        return {"saving": number, **asdict(job)}

    def progress(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Tell how far a file is."""
        return asdict(self._job(message)[0])

    def stop(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Stop writing; nothing of the file is left."""
        job, stop = self._job(message)
        stop.set()
        return asdict(job)

    def _job(self, message: Mapping[str, Any]) -> tuple[_Job, threading.Event]:
        found = self._jobs.get(int(message["saving"]))
        if found is None:
            raise ValueError("The kernel knows nothing of this file any more; save it again.")
        return found

    def _series(
        self,
        part: Path,
        kind: str,
        where: str,
        parameters: Sequence[Any],
        sort: Sort,
        columns: Sequence[str],
        job: _Job,
        stop: threading.Event,
    ) -> None:
        by = ", ".join([f"{read(c)} {'DESC' if down else 'ASC'} NULLS LAST" for c, down in sort] + ["s.row_id"])
        sql = f"SELECT {', '.join(map(published, columns))} FROM series s WHERE {where} ORDER BY {by}"
        self._copy(part, kind, sql, parameters, job, stop)

    def _groups(
        self,
        part: Path,
        kind: str,
        level: Level,
        where: str,
        parameters: Sequence[Any],
        sort: Sort,
        columns: Sequence[str],
        job: _Job,
        stop: threading.Event,
    ) -> None:
        table = part if kind == "csv" else part.with_name(part.name + ".csv")
        try:
            with table.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                offset, total = 0, 1
                while offset < total:
                    if stop.is_set():
                        raise _Stopped
                    rows, total = self._catalog.index.levels.page(
                        level, where, parameters, sort, columns, offset, _SLICE
                    )
                    writer.writerows([r[1:] for r in rows])
                    offset += _SLICE
                    job.rows = min(offset, total)
                    job.share = 0.9 * job.rows / total if total else 0.9
            if kind == "parquet":
                types = ", ".join(f"'{c}': '{_TYPES.get(c, 'VARCHAR')}'" for c in columns)
                sql = f"SELECT * FROM read_csv({literal(table)}, header = true, columns = {{{types}}})"
                self._copy(part, kind, sql, [], job, stop)
        finally:
            if table != part:
                with contextlib.suppress(OSError):
                    table.unlink()

    def _copy(
        self, part: Path, kind: str, sql: str, parameters: Sequence[Any], job: _Job, stop: threading.Event
    ) -> None:
        options = "FORMAT csv, HEADER" if kind == "csv" else "FORMAT parquet, COMPRESSION zstd"
        cursor = self._catalog.index.database.cursor()
        over = threading.Event()
        try:
            # Without these DuckDB does not keep count of how far it is.
            cursor.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
            cursor.execute("SET progress_bar_time = 0")

            def watch() -> None:
                while not over.wait(0.2):
                    if stop.is_set():
                        cursor.interrupt()
                    with contextlib.suppress(AttributeError, duckdb.Error):
                        job.share = max(job.share, min(0.99, cursor.query_progress() / 100))

            watcher = threading.Thread(target=watch, name="idc-saving-watch", daemon=True)
            watcher.start()
            found = cursor.execute(f"COPY ({sql}) TO {literal(part)} ({options})", list(parameters)).fetchall()
            job.rows = int(found[0][0])
        except duckdb.InterruptException:
            raise _Stopped from None
        finally:
            over.set()
            cursor.close()


def _run(job: _Job, target: Path, replace: bool, write: Callable[[Path], None]) -> None:
    part = part_of(target)
    state = "failed"
    try:
        write(part)
        if replace:
            part.replace(target)
        else:
            _put(part, target)
        job.bytes = target.stat().st_size
        job.share = 1.0
        state = "done"
    except _Stopped:
        state = "stopped"
    except (OSError, duckdb.Error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        job.error = f"{target} could not be written: {reason}"
    finally:
        remove(part)
        job.state = state  # last: whoever sees it finds nothing half-written


def _put(part: Path, target: Path) -> None:
    """Give a file its name, unless one of that name came up meanwhile."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise FileExistsError("a file of that name came up meanwhile") from None
    except OSError:  # a file system without hard links
        with target.open("xb"):
            pass
        part.replace(target)
