"""IDC's metadata export in its bucket: which datasets, tables and files there are, and what each file holds.

A dataset is listed once and kept in the cache folder, and so are the statistics of each file that a question was ever
asked of: thousands of files answer "can this one match?" without a request.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb

from idc_widgets.catalog import cache, fetch
from idc_widgets.lib.files import part_of
from idc_widgets.lib.http import open_url
from idc_widgets.lib.sql import literal

BUCKET = "idc-open-metadata"
ROOT = "bigquery_export/"
_AWS = "https://s3.amazonaws.com"
_FRESH = 24 * 3600  # seconds that a listing is believed
_TAIL = 1 << 16  # bytes from a file's end in which its footer mostly lies
_THREADS = 32
_TRIES = 3

# Numbers are compared as such, all else (texts, ISO dates) as text.
_BOUND = (
    "CASE WHEN bool_or({value} IS NULL AND stats_null_count IS DISTINCT FROM num_values) THEN NULL "
    "WHEN any_value(type) = 'BYTE_ARRAY' OR bool_or({value} IS NOT NULL AND try_cast({value} AS DOUBLE) IS NULL) "
    "THEN {least}({value}) ELSE {which}({value}, try_cast({value} AS DOUBLE)) END"
)

Progress = Callable[[str, int, int], None]


def endpoint() -> str:
    """Return where the metadata bucket is; IDC_WIDGETS_METADATA_ENDPOINT stands in for AWS."""
    return (os.environ.get("IDC_WIDGETS_METADATA_ENDPOINT") or _AWS).rstrip("/")


def home(cache_dir: str | os.PathLike[str] | None) -> Path:
    """Return where listings and statistics are kept; what is not from IDC itself lies apart."""
    place = endpoint()
    origin = "aws" if place == _AWS else urllib.parse.quote(place.split("://")[-1], safe="")
    return cache.folder(cache_dir) / "export" / origin


@dataclass(frozen=True)
class File:
    """One parquet file: its key, its size in bytes, its ETag."""

    key: str
    size: int
    etag: str

    @property
    def url(self) -> str:
        """Where it is read from.

        S3 ignores parameters that start with "x-"; here it keeps what is cached of another version apart.
        """
        return f"{endpoint()}/{BUCKET}/{urllib.parse.quote(self.key)}?x-etag={urllib.parse.quote(self.etag)}"


def datasets() -> list[str]:
    """Return the names of the datasets, such as "idc_current"; one request."""
    _, prefixes = _list(ROOT, "/")
    return [p.removeprefix(ROOT).strip("/") for p in prefixes]


def tables(dataset: str, cache_dir: str | os.PathLike[str] | None, refresh: bool = False) -> dict[str, list[File]]:
    """Return the files of each table of a dataset, from the cache where it was listed within a day."""
    path = home(cache_dir) / f"{urllib.parse.quote(dataset, safe='')}.json"
    if not refresh:
        with contextlib.suppress(OSError, ValueError, TypeError):
            if time.time() - path.stat().st_mtime < _FRESH:
                return {t: [File(*f) for f in files] for t, files in json.loads(path.read_text("utf-8")).items()}
    found: dict[str, list[File]] = {}
    prefix = f"{ROOT}{dataset}/"
    for file in _list(prefix)[0]:
        table, _, name = file.key.removeprefix(prefix).partition("/")
        if name.endswith(".parquet"):
            found.setdefault(table, []).append(file)
    if found:
        _keep(path, json.dumps({t: [astuple(f) for f in files] for t, files in found.items()}).encode())
    return found


def _list(prefix: str, delimiter: str = "") -> tuple[list[File], list[str]]:
    files: list[File] = []
    prefixes: list[str] = []
    token = ""
    while True:
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        query |= {"delimiter": delimiter} if delimiter else {}
        query |= {"continuation-token": token} if token else {}
        body, _ = _get(f"{endpoint()}/{BUCKET}?{urllib.parse.urlencode(query)}")
        tree = ElementTree.fromstring(body)
        if tree.tag.rpartition("}")[2] != "ListBucketResult":
            raise fetch.Broken(f"{endpoint()} answers, but not as an S3 server does")
        for each in tree.iter():
            kind = each.tag.rpartition("}")[2]
            if kind == "Contents":
                fields = {c.tag.rpartition("}")[2]: c.text or "" for c in each}
                key = urllib.parse.unquote_plus(fields["Key"])
                files.append(File(key, int(fields["Size"]), fields["ETag"].strip('"')))
            elif kind == "CommonPrefixes":
                prefixes += [urllib.parse.unquote_plus(c.text or "") for c in each]
        token = next((e.text or "" for e in tree.iter() if e.tag.endswith("NextContinuationToken")), "")
        if not token:
            return files, prefixes


def _get(url: str, span: str = "") -> tuple[bytes, str]:
    """Return a body and the ETag that it is of; several tries where that may help."""
    for left in reversed(range(_TRIES)):
        try:
            with open_url(url, {"Range": span} if span else None) as response:
                return response.read(), str(response.headers.get("ETag", "")).strip('"')
        except OSError as error:
            if not left or not fetch.may_pass(error):
                raise
            time.sleep(0.3 * (_TRIES - left))
    raise AssertionError("unreachable")


# -- statistics


class Statistics:
    """What the files of one table hold: of each column of each file the least and the greatest value.

    Parameters
    ----------
    path
        Where they are kept, a parquet file with a row for each file and column.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET enable_progress_bar = false")
        empty = (
            "SELECT '' AS etag, '' AS name, '' AS kind, '' AS low, '' AS high, 0::BIGINT AS nulls, 0::BIGINT AS n, "
            "0::BIGINT AS bytes"
        )
        self._connection.execute(f"CREATE TABLE held AS {empty} LIMIT 0")
        with contextlib.suppress(duckdb.Error):
            self._connection.execute(f"INSERT INTO held BY NAME FROM read_parquet({literal(path)})")

    def gather(self, files: Sequence[File], progress: Progress | None = None) -> None:
        """Read the footers of those files whose statistics are not here; one request each, or two."""
        with self._lock:
            have = {row[0] for row in self._connection.execute("SELECT DISTINCT etag FROM held").fetchall()}
            lacking = [f for f in files if f.etag not in have]
            if not lacking:
                return
            pool = ThreadPoolExecutor(_THREADS, "idc-footers")
            try:
                with tempfile.TemporaryDirectory(prefix="idc_widgets-") as folder:
                    for number, (file, footer) in enumerate(zip(lacking, pool.map(_footer, lacking), strict=True), 1):
                        # All that DuckDB looks at for a file's metadata is its end.
                        (Path(folder) / f"{file.etag}.parquet").write_bytes(b"PAR1" + footer)
                        if progress is not None:
                            progress("statistics", number, len(lacking))
                    self._read(Path(folder))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
            with contextlib.suppress(OSError, duckdb.Error):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                part = part_of(self._path)
                self._connection.execute(f"COPY held TO {literal(part)} (FORMAT parquet)")
                part.replace(self._path)

    def _read(self, folder: Path) -> None:
        # Bounds of row groups become those of the file; one without bounds has none.
        self._connection.execute(
            "INSERT INTO held SELECT parse_filename(file_name, true), path_in_schema, any_value(type), "
            f"{_BOUND.format(least='min', which='arg_min', value='stats_min_value')}, "
            f"{_BOUND.format(least='max', which='arg_max', value='stats_max_value')}, "
            "sum(stats_null_count)::BIGINT, sum(num_values)::BIGINT, sum(total_compressed_size)::BIGINT "
            f"FROM parquet_metadata({literal(folder / '*.parquet')}) GROUP BY 1, 2"
        )

    def of(self, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, tuple[Any, ...]]]]:
        """Yield each file's ETag and, of the columns, (kind, low, high, nulls, values)."""
        found: dict[str, dict[str, tuple[Any, ...]]] = {}
        with self._lock:
            rows = self._connection.execute(
                "SELECT etag, name, kind, low, high, nulls, n FROM held WHERE name IN (SELECT unnest(?))",
                [list(columns)],
            ).fetchall()
        for etag, name, *rest in rows:
            found.setdefault(etag, {})[name] = tuple(rest)
        yield from found.items()

    def size(self, etags: Sequence[str], columns: Sequence[str] | None) -> int:
        """Return the compressed bytes of some columns (None: all) in some files."""
        with self._lock:
            return int(
                self._connection.execute(
                    "SELECT coalesce(sum(bytes), 0)::BIGINT FROM held WHERE etag IN (SELECT unnest(?)) "
                    "AND (? OR split_part(name, ',', 1) IN (SELECT unnest(?::VARCHAR[])))",
                    [list(etags), columns is None, list(columns or ())],
                ).fetchall()[0][0]
            )


def _footer(file: File) -> bytes:
    """Return the end of a parquet file: its metadata, their length, and the magic."""
    # A range may not be larger than the file.
    body, etag = _get(file.url, f"bytes={max(0, file.size - _TAIL)}-{file.size - 1}")
    length = int.from_bytes(body[-8:-4], "little") + 8
    if length > len(body):
        body, etag = _get(file.url, f"bytes={max(0, file.size - length)}-{file.size - 1}")
    if etag and etag != file.etag:
        raise fetch.Broken(f"{file.key} has changed since it was listed; remote(…, refresh=True) lists anew")
    if body[-4:] != b"PAR1":
        raise fetch.Broken(f"{file.key} is no parquet file")
    return body[-length:]


def _keep(path: Path, body: bytes) -> None:
    """Write to the cache; what cannot be kept is asked for again."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = part_of(path)
        part.write_bytes(body)
        part.replace(path)
