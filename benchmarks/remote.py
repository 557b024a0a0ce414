"""The metadata export on the mirror, 300 files and 50 ms before each answer: ours beside plain `read_parquet`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from benchmarks.measure import line
from idc_widgets import Catalog
from idc_widgets.catalog import export
from idc_widgets.catalog.remote import Remote, load_httpfs
from tests.mirror import Mirror

FILES, DELAY_MS, REAL = 300, 50, 5000


def main() -> None:
    """Measure and print."""
    catalog = Catalog()
    with Mirror() as mirror, pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as made:
        patch.setenv("IDC_WIDGETS_METADATA_ENDPOINT", mirror.endpoint)
        patch.setenv("NO_PROXY", "127.0.0.1")
        urls = _split(mirror, Path(made))
        mirror.set(delay_ms=DELAY_MS)
        uid = catalog.sql("SELECT min(SeriesInstanceUID) AS u FROM index WHERE collection_id = 'rider_pilot'")["u"][0]
        for what, query in (
            ("one MR instance", "SELECT * FROM dicom_all WHERE Modality = 'MR' LIMIT 1"),
            ("one series", f"SELECT SOPInstanceUID FROM dicom_all WHERE SeriesInstanceUID = '{uid}'"),
        ):
            naive = _seconds(lambda query=query: _naive(query, urls))
            with tempfile.TemporaryDirectory() as cache:
                cold = _seconds(lambda query=query, cache=cache: _ours(catalog, cache, query))
                # A new object: nothing but the cache folder is left of the first time.
                warm = _seconds(lambda query=query, cache=cache: _ours(catalog, cache, query))
            for name, seconds in (("first time", cold), ("later", warm)):
                line(
                    f"remote: {what}, {name}",
                    f"{seconds:.2f} s",
                    f"read_parquet {naive:.2f} s",
                    f"{seconds / naive:.2f}",
                    "-",
                )
        mirror.reset_counts()
        with tempfile.TemporaryDirectory() as cache:
            files = export.tables("idc_current", cache)["dicom_all"]
            gather = _seconds(lambda: export.Statistics(Path(cache) / "s.parquet").gather(files))
        line(
            f"remote: statistics of {FILES} files",
            f"{gather:.2f} s",
            f"for {REAL:,} files",
            f"{gather * REAL / FILES:.0f} s",
            "-",
        )


def _split(mirror: Mirror, folder: Path) -> list[str]:
    """Give the mirror the same rows in more files; return their addresses."""
    objects = mirror.server.export.objects
    ours = [k for k in objects if "/idc_current/dicom_all/" in k]
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE a AS SELECT *, ntile(?) OVER (ORDER BY SeriesInstanceUID, SOPInstanceUID) AS part "
            "FROM read_parquet(?)",
            [FILES, [str(objects[k].path) for k in ours]],
        )
        for key in ours:
            del objects[key]
        for number in range(FILES):
            path = folder / f"{number:012d}.parquet"
            connection.execute(
                f"COPY (SELECT * EXCLUDE (part) FROM a WHERE part = {number + 1}) TO '{path}' (FORMAT parquet)"
            )
            mirror.server.export.replace(f"bigquery_export/idc_current/dicom_all/{path.name}", path)
    ordered = dict(sorted(objects.items()))
    objects.clear()
    objects.update(ordered)
    return [f"{mirror.endpoint}/{export.BUCKET}/{k}" for k in ordered if "/idc_current/dicom_all/" in k]


def _naive(query: str, urls: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        load_httpfs(connection)
        listed = ", ".join(f"'{u}'" for u in urls)
        connection.execute(f"CREATE VIEW dicom_all AS FROM read_parquet([{listed}])")
        connection.execute(query).fetchall()


def _ours(catalog: Catalog, cache: str, query: str) -> None:
    Remote(catalog.index.database, cache, "idc_current").sql(query)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
