"""Questions to the catalogue, beside `IDCClient`, beside DuckDB on the parquet, and on an index four times as long."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import line, quantile
from idc_widgets.catalog import bundled

QUERY = "SELECT collection_id, count(*) AS n, sum(series_size_MB) AS mb FROM index WHERE Modality = 'MR' GROUP BY ALL"


def clock(question: Callable[[], Any], times: int = 7) -> float:
    """Return the median time of a question in milliseconds."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        question()
        spent.append((time.perf_counter() - start) * 1000)
        for thread in threading.enumerate():  # an order made behind the first page is not the next question's cost
            if thread.name == "idc-order":
                thread.join()
    return quantile(spent, 0.5)


def ours(index: Path | None, folder: str | None) -> dict[str, float]:
    """Return the time of each question, and the memory afterwards, in a process that does nothing else."""
    if index is not None:
        own = bundled.Table
        published = own.path.fget  # type: ignore[attr-defined]
        own.path = property(lambda t: index if t.name == "index" else published(t))  # type: ignore[misc,assignment]
    start = time.perf_counter()
    import psutil

    import idc_widgets as idc

    catalog = idc.Catalog(cache_dir=folder)
    if not catalog.index.database.wait_for_cache():
        sys.exit(catalog.index.database.note)
    found = {"cache built": (time.perf_counter() - start) * 1000}
    found["open"] = clock(lambda: idc.Catalog(cache_dir=folder))
    rows = catalog.index.database.rows("SELECT count(*) FROM index")[0][0]
    found["sql"] = clock(lambda: catalog.sql(QUERY))
    words = iter(
        ["prostate t2", "liver axial", "chest contrast", "brain flair", "breast dynamic", "spine sag", "lung ct"]
    )
    found["search"] = clock(lambda: catalog.cohort(idc.search(next(words))).counts)
    found["cube, whole"] = clock(lambda: idc.Catalog(cache_dir=folder).index.cube(), 3)
    outside = catalog.cohort(idc.contains("SeriesDescription", "t2"))
    where, parameters = outside.compiled()
    kept = [c.to_json() for c in outside.conditions]
    found["cube, filtered"] = clock(lambda: catalog.index.cube(where, parameters, kept))
    columns = list(catalog.index.columns)
    sorts = iter(["SeriesDescription", "PatientID", "StudyDate", "series_size_MB", "Manufacturer"])
    found["first page, new sort"] = clock(
        lambda: catalog.index.pages.page("TRUE", [], [(next(sorts), True)], columns, 0, 100), 5
    )
    sizes = iter([1, 2, 3, 4, 5])

    def first_page() -> None:
        where, parameters = catalog.cohort(idc.between("instanceCount", next(sizes), 500)).compiled()
        catalog.index.pages.page(where, parameters, [], columns, 0, 100)

    found["first page, new cohort"] = clock(first_page, 5)
    sort = [("SeriesDescription", True)]
    catalog.index.pages.page("TRUE", [], sort, columns, rows // 2, 100)
    for share in (0, 0.5, 0.9):
        offset = int(rows * share)
        catalog.index.pages.page("TRUE", [], sort, columns, offset, 100)
        found[f"page at {share:.0%}"] = clock(
            lambda o=offset: catalog.index.pages.page("TRUE", [], sort, columns, o, 100), 15
        )
    few = columns[:9]
    found["page at 50%, 9 columns"] = clock(lambda: catalog.index.pages.page("TRUE", [], sort, few, rows // 2, 100), 15)
    shown = ["PatientID", "collection_id", "PatientSex", "studies", "series", "Modality", "series_bytes"]
    by_size = [("series_bytes", True)]
    for level in ("patient", "study"):
        start = time.perf_counter()
        _, groups = catalog.index.levels.page(level, "TRUE", [], by_size, shown, 0, 100)  # type: ignore[arg-type]
        found[f"first page, {level}, new sort"] = (time.perf_counter() - start) * 1000
        found[f"page at 50%, {level}"] = clock(
            lambda n=level, o=groups // 2: catalog.index.levels.page(n, "TRUE", [], by_size, shown, o, 100), 15
        )
    found["memory"] = psutil.Process().memory_info().rss / 1e6
    return found


def _asked(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.catalog", *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def theirs() -> dict[str, float]:
    """Return what the same questions cost `IDCClient`."""
    import psutil
    from idc_index import IDCClient

    client = IDCClient()
    found = {"sql": clock(lambda: client.sql_query(QUERY), 3)}
    found["memory"] = psutil.Process().memory_info().rss / 1e6
    return found


def plain() -> dict[str, float]:
    """Return what they cost DuckDB that reads the parquet anew each time."""
    parquet = bundled.table("index").path
    con = duckdb.connect()

    def ask(sql: str) -> Callable[[], Any]:
        return lambda: con.execute(sql).fetchall()

    text = (
        "concat_ws(' ', collection_id, StudyDescription, SeriesDescription, BodyPartExamined, Modality, Manufacturer)"
    )
    page = f"SELECT * FROM '{parquet}' ORDER BY SeriesDescription DESC LIMIT 100 OFFSET"
    return {
        "sql": clock(ask(QUERY.replace("index", f"'{parquet}'"))),
        "search": clock(
            ask(f"SELECT count(*) FROM '{parquet}' WHERE {text} ILIKE '%prostate%' AND {text} ILIKE '%t2%'"), 3
        ),
        "first page, new sort": clock(ask(f"{page} 0"), 3),
        "page at 50%": clock(ask(f"{page} 522095"), 3),
    }


def repeat(times: int, target: Path) -> None:
    """Write the index several times over, each series under identifiers of its own."""
    parquet = bundled.table("index").path
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = true")
        con.execute(
            f"COPY (SELECT i.* REPLACE (SeriesInstanceUID || '.' || n AS SeriesInstanceUID, "
            f"StudyInstanceUID || '.' || n AS StudyInstanceUID) "
            f"FROM range({times}) r(n), '{parquet}' i) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


_TARGETS = {
    "sql": "≥ 100× IDCClient", "search": "≤ 100 ms", "first page, new sort": "≤ 100 ms",
    "first page, new cohort": "≤ 100 ms", "page at 0%": "≤ 20 ms", "page at 50%": "≤ 20 ms", "page at 90%": "≤ 20 ms",
    "page at 50%, 9 columns": "≤ 20 ms", "first page, patient, new sort": "≤ 100 ms",
    "first page, study, new sort": "≤ 100 ms",
}  # fmt: skip


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        one = _asked("ours", "", str(top / "one"))
        beside = {"IDCClient": _asked("theirs"), "parquet": _asked("plain")}
        for what, spent in one.items():
            unit = "MB" if what == "memory" else "ms"
            others = [(who, found[what]) for who, found in beside.items() if what in found]
            for who, other in others or [("", 0.0)]:
                against, ratio = (f"{who} {other:.0f} {unit}", f"1/{other / spent:.1f}") if who else ("", "")
                line(what, f"{spent:.1f} {unit}", against, ratio, _TARGETS.get(what, ""))
        repeat(4, top / "four.parquet")
        four = _asked("ours", str(top / "four.parquet"), str(top / "four"))
        for what, spent in four.items():
            unit = "MB" if what == "memory" else "ms"
            line(f"{what}, index × 4", f"{spent:.1f} {unit}", f"× 1 {one[what]:.1f} {unit}",
                 f"{spent / one[what]:.1f}", "≤ 4")  # fmt: skip


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    answer = {"theirs": theirs, "plain": plain}.get(kind)
    print(json.dumps(answer() if answer else ours(Path(rest[0]) if rest[0] else None, rest[1])))
