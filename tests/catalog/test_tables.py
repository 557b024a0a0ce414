"""Tables that are fetched on first use, tables of one's own, and queries that are interrupted."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.catalog import fetch, sources
from tests.mirror import Mirror

SMALL = "ann_index"
KEY = f"download/{sources.release()}/{SMALL}.parquet"
COUNT = f"SELECT count(*) AS n FROM {SMALL}"


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror() as running:
        assert running.server.tables.body(KEY)  # made once, outside any test's time
        yield running


@pytest.fixture(autouse=True)
def releases(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """IDC's releases are the mirror's, and waits between tries are short."""
    url = f"{mirror.endpoint}/releases/download"
    monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "_WAIT", 0.01)
    yield url
    mirror.faults.clear()
    mirror.set()
    mirror.reset_counts()


@pytest.fixture
def fresh(catalog: idc.Catalog, tmp_path: Path) -> Callable[[], idc.Catalog]:
    """Makes catalogues with one folder, in which the index's cache stands and no table yet."""
    os.link(catalog.database.cache_path, tmp_path / catalog.database.cache_path.name)
    return lambda: idc.Catalog(cache_dir=tmp_path)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "tables" / f"{SMALL}.parquet"


@pytest.fixture(scope="module")
def published(mirror: Mirror) -> bytes:
    body = mirror.server.tables.body(KEY)
    assert body
    return body


def asked(mirror: Mirror) -> dict[str, int]:
    """How often each parquet file was asked for."""
    return {k.split("/")[-1]: n for k, n in mirror.requests()["keys"]["GET"].items() if k.endswith(".parquet")}


# -- fetching


def test_a_table_is_fetched_whole_with_progress(mirror: Mirror, target: Path, published: bytes) -> None:
    told: list[tuple[str, int, int | None]] = []
    fetch.fetch(SMALL, target, lambda *now: told.append(now))
    assert target.read_bytes() == published
    assert [p.name for p in target.parent.iterdir()] == [target.name]
    assert {(name, total) for name, _, total in told} == {(SMALL, len(published))}
    done = [d for _, d, _ in told]
    assert done == sorted(done) and done[-1] == len(published)
    assert any(k.endswith(".sha256") for k in mirror.requests()["keys"]["GET"])


@pytest.mark.parametrize("kind", ["status", "reset", "truncate", "short", "flip"])
def test_what_passes_is_tried_again(kind: str, mirror: Mirror, target: Path, published: bytes) -> None:
    mirror.faults.add(kind, match="*.parquet", times=2, **({"at": 0.5} if kind == "reset" else {}))
    fetch.fetch(SMALL, target)
    assert target.read_bytes() == published
    assert asked(mirror) == {target.name: 3}


@pytest.mark.parametrize(
    ("kind", "values", "says", "times"),
    [
        ("flip", {}, "its SHA-256 is", 3),
        ("truncate", {}, "it ended after", 3),
        ("short", {}, "no parquet file", 3),
        ("status", {"status": 503}, "HTTP 503", 3),
        ("status", {"status": 404}, "HTTP 404", 1),
    ],
)
def test_what_stays_wrong_is_refused(
    kind: str, values: dict[str, int], says: str, times: int, mirror: Mirror, target: Path
) -> None:
    mirror.faults.add(kind, match="*.parquet", **values)
    with pytest.raises(idc.TableUnavailableError, match=says):
        fetch.fetch(SMALL, target)
    assert list(target.parent.iterdir()) == []
    assert asked(mirror) == {target.name: times}


def test_without_a_published_checksum_the_file_is_taken(mirror: Mirror, target: Path, published: bytes) -> None:
    mirror.faults.add("status", match="*.sha256", status=404)
    fetch.fetch(SMALL, target)
    assert target.read_bytes() == published


@pytest.mark.parametrize("first", ["http://127.0.0.1:9/{name}", "{releases}/nowhere/{name}.parquet", "nonsense"])
def test_the_second_source_stands_in(
    first: str, releases: str, target: Path, published: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDC_WIDGETS_RELEASE_URL")
    second = releases + "/{release}/{name}.parquet"
    monkeypatch.setattr(fetch, "RELEASES", (first.replace("{releases}", releases), second))
    fetch.fetch(SMALL, target)
    assert target.read_bytes() == published


def test_a_checksum_of_the_second_source_guards_the_first(
    releases: str, tmp_path: Path, target: Path, published: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = bytearray(published)
    other[len(other) // 2] ^= 1
    (tmp_path / f"{SMALL}.parquet").write_bytes(other)
    monkeypatch.delenv("IDC_WIDGETS_RELEASE_URL")
    monkeypatch.setattr(
        fetch, "RELEASES", (tmp_path.as_uri() + "/{name}.parquet", releases + "/{release}/{name}.parquet")
    )
    fetch.fetch(SMALL, target)
    assert target.read_bytes() == published


def test_idc_own_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDC_WIDGETS_RELEASE_URL")
    release = sources.release()
    assert fetch.addresses("seg_index") == (
        f"https://github.com/ImagingDataCommons/idc-index-data/releases/download/{release}/seg_index.parquet",
        f"https://storage.googleapis.com/idc-index-data-artifacts/{release}/release_artifacts/seg_index.parquet",
    )


def test_offline_the_sentence_says_how_to_get_it_by_hand(
    fresh: Callable[[], idc.Catalog], published: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", "http://127.0.0.1:9/")
    place = fetch.path(tmp_path, SMALL)
    with pytest.raises(idc.TableUnavailableError) as caught:
        fresh().sql(COUNT)
    sentence = str(caught.value)
    assert f'"{SMALL}"' in sentence and str(place) in sentence
    assert f"http://127.0.0.1:9/{sources.release()}/{SMALL}.parquet" in sentence
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(published)
    assert fresh().sql(COUNT).n[0] > 0


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(idc.TableUnavailableError, match="IDC_WIDGETS_CACHE_DIR"):
        fetch.fetch(SMALL, tmp_path / "file" / f"{SMALL}.parquet")


def test_made_up_tables_are_never_taken_for_idc_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = fetch.path(tmp_path, SMALL)
    monkeypatch.delenv("IDC_WIDGETS_RELEASE_URL")
    assert fetch.path(tmp_path, SMALL) != elsewhere


def fetching(target: Path) -> subprocess.Popen[str]:
    code = (
        "import sys, pathlib\nfrom idc_widgets.catalog import fetch\n"
        "print('go', flush=True)\n"
        f"try: fetch.fetch({SMALL!r}, pathlib.Path(sys.argv[1]))\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE, text=True)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_processes_at_once(mirror: Mirror, target: Path, published: bytes) -> None:
    mirror.set(rate_mb=len(published) / 1e6)  # both are under way for a second at least
    both = [fetching(target) for _ in range(2)]
    assert [p.wait(60) for p in both] == [0, 0]
    for p in both:
        p.communicate()
    assert asked(mirror) == {target.name: 2}
    assert target.read_bytes() == published
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def test_a_killed_process_leaves_no_table(mirror: Mirror, target: Path, published: bytes) -> None:
    mirror.faults.add("hang", match="*.parquet", at=0.5, times=1)
    with fetching(target) as process:
        until(lambda: list(target.parent.glob("*.part")))
        process.kill()
    assert not target.exists()
    (part,) = target.parent.iterdir()
    os.utime(part, (0, 0))  # long ago
    fetch.fetch(SMALL, target)
    assert target.read_bytes() == published
    assert [p.name for p in target.parent.iterdir()] == [target.name]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
def test_an_interrupt_ends_a_fetch(mirror: Mirror, target: Path) -> None:
    mirror.faults.add("hang", match="*.parquet", at=0.5)
    with fetching(target) as process:
        until(lambda: list(target.parent.glob("*.part")))
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10)[0].split() == ["go", "interrupted"]
    assert list(target.parent.iterdir()) == []


# -- by name in queries


def test_a_query_fetches_what_it_names(
    fresh: Callable[[], idc.Catalog], mirror: Mirror, plain: duckdb.DuckDBPyConnection
) -> None:
    catalog = fresh()
    before = catalog.tables().set_index("table")
    assert not before.available[SMALL] and before.available["index"]
    assert before.rows.isna()[SMALL] and before.description[SMALL]
    joined = catalog.sql(
        "SELECT count(*) AS n, "
        "count(*) FILTER (s.Modality = 'SM' AND s.StudyInstanceUID = a.StudyInstanceUID) AS same "
        f"FROM index a JOIN {SMALL} USING (SeriesInstanceUID) "
        "JOIN index s ON s.SeriesInstanceUID = referenced_SeriesInstanceUID"
    )
    truth = plain.execute("SELECT count(*) FROM idx WHERE Modality = 'ANN'").fetchall()[0][0]
    assert joined.n[0] == joined.same[0] == truth
    after = catalog.tables().set_index("table")
    assert after.available[SMALL] and after.rows[SMALL] == truth
    assert asked(mirror) == {f"{SMALL}.parquet": 1}
    assert fresh().sql(COUNT).n[0] == truth
    assert asked(mirror) == {f"{SMALL}.parquet": 1}, "it was here already"


@pytest.mark.parametrize(
    "query",
    [
        f"FROM {SMALL}",
        f"DESCRIBE {SMALL.upper()}",
        f"SELECT 1 WHERE EXISTS (FROM memory.main.{SMALL})",
        f"CREATE TEMP VIEW v AS SELECT * FROM {SMALL}; FROM v",
        f"CREATE TABLE once AS SELECT 1 AS a; INSERT INTO once SELECT 2 FROM {SMALL} LIMIT 1; FROM once",
        f"PIVOT {SMALL} ON AnnotationCoordinateType USING count(*)",
    ],
)
def test_however_a_query_names_it(query: str, fresh: Callable[[], idc.Catalog], mirror: Mirror) -> None:
    assert len(fresh().sql(query)) > 0
    assert asked(mirror) == {f"{SMALL}.parquet": 1}


@pytest.mark.parametrize(
    "query",
    [
        f"WITH {SMALL} AS (SELECT 1 AS a) FROM {SMALL}",
        f"SELECT '{SMALL}' AS {SMALL} -- FROM {SMALL}",
        "SELECT count(*) FROM index",
    ],
)
def test_only_what_is_a_table_is_fetched(query: str, fresh: Callable[[], idc.Catalog], mirror: Mirror) -> None:
    assert len(fresh().sql(query)) == 1
    assert asked(mirror) == {}


def test_other_errors_are_duckdb_own(fresh: Callable[[], idc.Catalog]) -> None:
    with pytest.raises(duckdb.CatalogException, match="no_such_table"):
        fresh().sql("FROM no_such_table")
    with pytest.raises(duckdb.BinderException, match="nonsense"):
        fresh().sql(f"SELECT nonsense FROM {SMALL}")
    with pytest.raises(ValueError, match="empty"):
        fresh().sql(" -- nothing")


def test_columns_are_known_without_fetching(fresh: Callable[[], idc.Catalog], mirror: Mirror) -> None:
    catalog = fresh()
    before = catalog.columns("ann_group_index")
    assert asked(mirror) == {}
    catalog.fetch("ann_group_index")
    assert before.equals(catalog.columns("ann_group_index"))
    assert all(before.description)
    with pytest.raises(idc.UnknownNameError, match='"seg_index"'):
        catalog.columns("seg_indx")
    with pytest.raises(idc.UnknownNameError, match='"seg_index"'):
        catalog.fetch("segindex")


def test_a_damaged_file_is_fetched_anew(fresh: Callable[[], idc.Catalog], tmp_path: Path, mirror: Mirror) -> None:
    catalog = fresh()
    place = fetch.path(tmp_path, SMALL)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"PAR1 this is no table PAR1")
    assert catalog.sql(COUNT).n[0] > 0
    assert asked(mirror) == {place.name: 1}


# -- tables of one's own


def test_a_parquet_file_of_ones_own(fresh: Callable[[], idc.Catalog], tmp_path: Path) -> None:
    catalog = fresh()
    path = tmp_path / "it's mine.parquet"
    wanted = catalog.sql("SELECT SeriesInstanceUID, 7 AS score FROM index WHERE Modality = 'RWV'")
    with duckdb.connect() as con:
        con.register("wanted", wanted)
        con.execute(f"COPY (FROM wanted) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    catalog.add_table("scores", path)
    joined = catalog.sql("SELECT DISTINCT Modality, score FROM scores JOIN index USING (SeriesInstanceUID)")
    assert joined.to_numpy().tolist() == [["RWV", 7]]
    listed = catalog.tables().set_index("table").loc["scores"]
    assert listed.available and listed.rows == len(wanted) and str(path) in listed.description
    assert list(catalog.columns("scores").column) == ["SeriesInstanceUID", "score"]


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz", "mine.tsv"])
def test_a_csv_file_keeps_identifiers_as_they_are(name: str, fresh: Callable[[], idc.Catalog], tmp_path: Path) -> None:
    text = "patientid,grade,seen\n0042,3,2020-01-31\n0043,4,2021-02-01\n"
    text = text.replace(",", "\t") if name.endswith(".tsv") else text
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    catalog = fresh()
    catalog.add_table("mine", str(tmp_path / name))
    assert list(catalog.sql("FROM mine").patientid) == ["0042", "0043"]
    assert dict(catalog.columns("mine")[["column", "type"]].to_numpy()) == {
        "patientid": "VARCHAR",
        "grade": "BIGINT",
        "seen": "DATE",
    }
    assert len(catalog.sql("FROM mine LEFT JOIN index USING (PatientID)")) >= 2


def test_a_data_frame_is_copied_and_a_name_may_be_given_anew(fresh: Callable[[], idc.Catalog]) -> None:
    catalog = fresh()
    frame = pd.DataFrame({"collection_id": ["nlst", "rider_pilot"], "note": ["large", "small"]})
    catalog.add_table("notes", frame)
    frame.loc[0, "note"] = "changed"
    joined = catalog.sql("SELECT DISTINCT collection_id, note FROM notes JOIN collections_index USING (collection_id)")
    assert sorted(joined.note) == ["large", "small"]
    catalog.add_table("Notes", frame)
    assert sorted(catalog.sql("FROM notes").note) == ["changed", "small"]
    assert list(catalog.tables().table).count("Notes") == 1 and "notes" not in set(catalog.tables().table)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("index", 'taken.*"my_index"'),
        ("Seg_Index", 'taken.*"my_Seg_Index"'),
        ("series", "taken"),
        ("order_7", "taken"),
        ("select", "word of SQL"),
        ("1st", "letters, digits and _"),
        ('a"; DROP TABLE x; --', "letters, digits and _"),
        ("", "letters, digits and _"),
        (7, "letters, digits and _"),
    ],
)
def test_names_that_are_none(name: str, says: str, catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match=says):
        catalog.add_table(name, pd.DataFrame({"a": [1]}))


def test_sources_that_are_none(fresh: Callable[[], idc.Catalog], tmp_path: Path) -> None:
    catalog = fresh()
    catalog.add_table("mine", pd.DataFrame({"a": [1]}))
    (tmp_path / "data.csv").write_text("a\n1\n")
    (tmp_path / "broken.parquet").write_text("no parquet")
    (tmp_path / "notes.docx").write_text("no table")
    for source, error, says in (
        (tmp_path / "dta.csv", FileNotFoundError, '"data.csv"'),
        (tmp_path, FileNotFoundError, "no file"),
        (tmp_path / "notes.docx", ValueError, ".parquet"),
        (tmp_path / "broken.parquet", ValueError, "cannot be read"),
        ([1, 2], TypeError, "data frame"),
        (pd.DataFrame(), ValueError, "at least one column"),
        (pd.DataFrame({"a": pd.period_range("2020", periods=1)}), ValueError, "period"),
    ):
        with pytest.raises(error, match=says):
            catalog.add_table("mine", source)  # type: ignore[arg-type]
    assert catalog.sql("FROM mine").a[0] == 1, "what was there before still is"


def test_a_variable_is_no_table(catalog: idc.Catalog) -> None:
    parameters = pd.DataFrame({"a": [1]})
    assert len(parameters) == 1
    with pytest.raises(duckdb.CatalogException):
        catalog.sql("FROM parameters")


# -- interrupts

ENDLESS = {
    "an aggregate": "SELECT sum(hash(a.range + b.range)) FROM range(5000000) a, range(5000000) b",
    "a data frame being filled": "SELECT a.range + b.range AS x FROM range(2000000) a, range(20000) b",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process there")
@pytest.mark.parametrize("what", ENDLESS)
def test_an_interrupt_ends_a_query(what: str, catalog: idc.Catalog) -> None:
    code = (
        "import sys\nfrom idc_widgets.catalog.database import Database\n"
        "database = Database()\nprint('go', flush=True)\n"
        "try: database.frame(sys.argv[1])\n"
        "except KeyboardInterrupt: print('interrupted', database.rows('SELECT 42'), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, ENDLESS[what]], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=10)
        finally:
            process.kill()
    assert rest.strip() == "interrupted [(42,)]"
    assert process.returncode == 0
