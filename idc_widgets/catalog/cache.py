"""The cache: one DuckDB file a release, built once behind the first paint.

The bundled parquet has a single row group, so every scan of it runs on one core. The cache holds the same rows in
the same order with ENUM columns, several row groups and integer keys for patients and studies; questions that take
0.3 s on the parquet take a tenth of that on it. Its table `texts` holds the distinct combinations of the text columns
(146 thousand for a million series), so that a search reads those and not every row.

`python -m idc_widgets.catalog.cache FILE PARQUET` builds it, in a process of its own so that the notebook's memory
and first queries do not pay for the build. The file appears under its name only when whole; of several processes that
want it at once, one builds and the others find it made.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import platformdirs

from idc_widgets.catalog import bundled, cube
from idc_widgets.catalog.bins import BINNED
from idc_widgets.catalog.fulltext import HAYSTACK, MARKED
from idc_widgets.lib import arguments
from idc_widgets.lib.files import part_of, remove
from idc_widgets.lib.locks import lock
from idc_widgets.lib.sql import literal

_LONGEST_NAME = 255  # bytes, of file systems

LAYOUT = 5  # raise when the columns or tables below change: older files are then ignored

# Text columns of few distinct values, kept as ENUM. The rest (UIDs, descriptions) stay text.
ENUMS = (
    "collection_id", "analysis_result_id", "source_DOI", "PatientAge", "PatientSex", "StudyDate", "StudyDescription",
    "BodyPartExamined", "Modality", "SOPClassUID", "sop_class_name", "TransferSyntaxUID", "transfer_syntax_name",
    "PhotometricInterpretation", "PixelRepresentation", "Manufacturer", "ManufacturerModelName", "SeriesDate",
    "license_short_name", "aws_bucket",
)  # fmt: skip


def folder(cache_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return where caches live: `cache_dir`, else IDC_WIDGETS_CACHE_DIR, else the user's cache folder."""
    name = "IDC_WIDGETS_CACHE_DIR" if cache_dir is None else "cache_dir"
    chosen = os.environ.get("IDC_WIDGETS_CACHE_DIR") or None if cache_dir is None else cache_dir
    if chosen is None:
        return platformdirs.user_cache_path("idc_widgets", appauthor=False)
    found = arguments.path(chosen, name, "a folder for the cache")
    if any(len(os.fsencode(part)) > _LONGEST_NAME for part in found.parts):
        raise ValueError(f"{name}={arguments.shown(chosen)}: a folder cannot have so long a name; choose another.")
    return found


def path(cache_dir: str | os.PathLike[str] | None, release: str) -> Path:
    """Return the cache file for this release, this DuckDB and this layout."""
    duck = ".".join(duckdb.__version__.split(".")[:2])
    return folder(cache_dir) / f"idc-{release}-duckdb{duck}-l{LAYOUT}.duckdb"


def files(cache_dir: str | os.PathLike[str] | None = None) -> list[tuple[Path, int, bool]]:
    """Return what this package keeps in the cache folder: path, bytes, and whether this release and DuckDB use it.

    Files of others in the same folder are not among them.
    """
    top = folder(cache_dir)
    kept = path(cache_dir, bundled.release())
    tables = top / "tables"
    found = [
        (p, p == kept or _being_built(p))
        for p in sorted(top.glob("idc-*.duckdb*"))
        if p.is_file() and p.suffix != ".lock"
    ]
    found += [(p, _of_release(p.parent.name)) for p in sorted(tables.glob("*/*")) if p.is_file()]
    return [(p, p.stat().st_size, used) for p, used in found]


def _of_release(name: str) -> bool:
    # Tables that come from elsewhere (IDC_WIDGETS_RELEASE_URL) are in a folder with a mark of their origin behind.
    return re.fullmatch(rf"{re.escape(bundled.release())}(-[0-9a-f]{{8}})?", name) is not None


def prune(cache_dir: str | os.PathLike[str] | None = None, everything: bool = False) -> list[tuple[Path, int, bool]]:
    """Delete what is not used any more, or everything; return what was deleted."""
    gone = []
    for file in files(cache_dir):
        if everything or not file[2]:
            with contextlib.suppress(OSError):  # Windows keeps a file that another process reads
                file[0].unlink()
                gone.append(file)
    return gone


def _being_built(name: Path) -> bool:
    # A build takes seconds; what was not written to for an hour was left by one that was killed.
    return ".part" in name.name and time.time() - name.stat().st_mtime < 3600


def series_from_parquet(parquet: Path) -> str:
    """Return SQL that reads the index with the columns that only this package has.

    `row_id` is the row's number in the published file: stable within a release. `series_bytes` is exact, since
    series_size_MB is a whole number of bytes over 10^6 for every series. The codes of the cube's bins are there too.
    """
    # Each place on a scale is worked out once, below, for all the comparisons with edges.
    places = {b: f'"{b.code}_of"' for b in BINNED}
    placed = ", ".join(f"{b.value} AS {place}" for b, place in places.items())
    codes = ", ".join(f'{b.base(place)} AS "{b.code}"' for b, place in places.items())
    return (
        f"SELECT * EXCLUDE ({', '.join(places.values())}), {codes} FROM ("
        "SELECT * EXCLUDE (file_row_number), file_row_number::INTEGER AS row_id, "
        "round(series_size_MB * 1e6)::BIGINT AS series_bytes, "
        f"StudyInstanceUID AS study_key, (collection_id || chr(31) || PatientID) AS patient_key, {placed} "
        f"FROM read_parquet({literal(parquet)}, file_row_number = true))"
    )


def fingerprint(parquet: Path) -> str:
    """Return what tells one index from another, and a cache of this layout from older ones."""
    size = parquet.stat().st_size
    with parquet.open("rb") as file:
        file.seek(max(0, size - 65536))  # the footer: row count, statistics and places of all columns
        return f"{size}-{zlib.crc32(file.read()):08x}-l{LAYOUT}"


def attach(con: duckdb.DuckDBPyConnection, target: Path, parquet: Path) -> None:
    """Attach the cache as `cache`, if it is whole and made from `parquet`.

    Raises
    ------
    duckdb.Error
        If it is not; nothing is attached then.
    """
    con.execute(f"ATTACH {literal(target)} AS cache (READ_ONLY)")
    try:
        # DuckDB checks each block when it is read, but looks at the length only when it gets there.
        blocks, block_size = con.execute(
            "SELECT total_blocks, block_size FROM pragma_database_size() WHERE database_name = 'cache'"
        ).fetchall()[0]
        if target.stat().st_size < blocks * block_size:
            raise duckdb.IOException("it is cut short")
        if con.execute("SELECT fingerprint FROM cache.made").fetchall() != [(fingerprint(parquet),)]:
            raise duckdb.IOException("it was made from another index")
        con.execute("SELECT 1 FROM cache.series, cache.texts, cache.patients, cache.groups, cache.cube LIMIT 0")
    except BaseException:
        con.execute("DETACH cache")
        raise


def fault(target: Path, parquet: Path) -> str:
    """Return what is wrong with a cache file, in words; "" when it can be used."""
    with duckdb.connect(":memory:") as con:
        try:
            attach(con, target, parquet)
        except (duckdb.Error, OSError) as error:
            return first_line(error)
    return ""


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[bool]:
    """Hold the lock of a cache file, waiting for its holder; the system frees it when a process ends.

    Yields False where locks cannot be had: several may build at once then, and the last one's file stands.
    """
    name = target.with_name(target.name + ".lock")
    try:
        file = name.open("ab")
    except OSError:
        yield False
        return
    try:
        with file:
            yield lock(file, wait=True)
    finally:
        with contextlib.suppress(OSError):
            name.unlink()


def ensure(target: Path, parquet: Path) -> None:
    """See that a sound cache of `parquet` stands at `target`: build it, unless it does or another process does it.

    Raises
    ------
    OSError, duckdb.Error
        If the folder cannot be written or the disk is full; no file is left under the final name.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target) as alone:
        if target.is_file():
            if not fault(target, parquet):
                return
            with contextlib.suppress(OSError):  # room for the new one
                target.unlink()
        if alone:
            remove(*target.parent.glob(f"{target.name}.*.part*"))
        build(target, parquet)


def build(target: Path, parquet: Path) -> None:
    """Build the cache of `parquet` at `target`, atomically; see `ensure`."""
    part = part_of(target)
    try:
        with duckdb.connect(str(part)) as con:
            con.execute("SET preserve_insertion_order = true; SET enable_progress_bar = false")
            con.execute(f"CREATE TEMP VIEW source AS {series_from_parquet(parquet)}")
            columns = [row[0] for row in con.execute("DESCRIBE source").fetchall()]
            enums = [c for c in columns if c in ENUMS]
            for c in enums:
                con.execute(
                    f'CREATE TYPE "{c}" AS ENUM (SELECT DISTINCT "{c}" FROM source WHERE "{c}" IS NOT NULL ORDER BY 1)'
                )
            con.execute(
                "CREATE TEMP TABLE studies AS SELECT StudyInstanceUID AS uid, row_number() OVER ()::INTEGER AS key "
                "FROM (SELECT DISTINCT StudyInstanceUID FROM source)"
            )
            con.execute(
                "CREATE TABLE patients AS "
                "SELECT collection_id, PatientID, lower(PatientID) AS id, row_number() OVER ()::INTEGER AS key "
                "FROM (SELECT DISTINCT collection_id, PatientID FROM source)"
            )
            con.execute(
                "CREATE TEMP TABLE found AS SELECT row_number() OVER (ORDER BY haystack)::INTEGER AS key, haystack "
                f"FROM (SELECT DISTINCT {HAYSTACK} AS haystack FROM source)"
            )
            con.execute(f"CREATE TABLE texts AS SELECT key, {MARKED} AS marked FROM found ORDER BY key")
            con.execute(
                f"CREATE TABLE groups AS SELECT {cube.GROUP}, "
                f"row_number() OVER (ORDER BY {cube.GROUP})::INTEGER AS key "
                f"FROM (SELECT DISTINCT {cube.GROUP} FROM source)"
            )
            same_group = " AND ".join(f'groups."{d}" IS NOT DISTINCT FROM s."{d}"' for d in cube.DIMENSIONS)
            shown = [c for c in columns if c not in ("study_key", "patient_key")]
            select = ", ".join(f's."{c}"::"{c}" AS "{c}"' if c in enums else f's."{c}"' for c in shown)
            con.execute(
                f"CREATE TABLE series AS SELECT {select}, studies.key AS study_key, patients.key AS patient_key, "
                "found.key AS text_key, groups.key AS group_key "
                f"FROM (SELECT *, {HAYSTACK} AS haystack FROM source) s "
                "JOIN studies ON studies.uid = s.StudyInstanceUID "
                "JOIN patients ON patients.collection_id = s.collection_id AND patients.PatientID = s.PatientID "
                "JOIN found ON found.haystack = s.haystack "
                f"JOIN groups ON {same_group} "
                "ORDER BY s.row_id"
            )
            cells = cube.Cells.of(
                con.execute(cube.query("series", "TRUE", {}, "group_key")[0]).fetchall(),
                {row[-1]: row[:-1] for row in con.execute("FROM groups").fetchall()},
            )
            # Packed already: a notebook opens with it.
            whole = json.dumps(cube.encode(cells, cube.Vocabulary.of(cells), {}))
            con.execute("CREATE TABLE cube AS SELECT ? AS message", [whole])
            con.execute("CREATE TABLE made AS SELECT ? AS fingerprint", [fingerprint(parquet)])
            con.execute("DROP TABLE studies; DROP TABLE found; DROP VIEW source; CHECKPOINT")
        try:
            part.replace(target)
        except PermissionError:  # Windows, where another process reads the file that stands
            if fault(target, parquet):
                raise
    finally:
        remove(part, part.with_name(part.name + ".wal"))


def start_build(target: Path, parquet: Path) -> subprocess.Popen[bytes]:
    """Start building in a process of its own and return it; its exit code is 0 when the file stands."""
    return subprocess.Popen(
        [sys.executable, "-m", "idc_widgets.catalog.cache", str(target), str(parquet)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def main() -> None:
    """Build the cache named on the command line; a failure is one line on stderr and exit code 1."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the person's first clicks come before the cache
    try:
        ensure(Path(sys.argv[1]), Path(sys.argv[2]))
    except (OSError, duckdb.Error) as error:
        sys.exit(first_line(error))


if __name__ == "__main__":
    main()
