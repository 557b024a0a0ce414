"""Tables that are fetched on first use."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.catalog import bundled, fetch
from tests.mirror import Mirror

SMALL = "ann_index"
KEY = f"download/{bundled.release()}/{SMALL}.parquet"
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
    release = bundled.release()
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
    assert f"http://127.0.0.1:9/{bundled.release()}/{SMALL}.parquet" in sentence
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


def test_a_misspelt_table_is_told_with_near_ones(fresh: Callable[[], idc.Catalog], mirror: Mirror) -> None:
    with pytest.raises(idc.UnknownNameError, match=r'no table "seg_indx"\. Did you mean "seg_index"'):
        fresh().sql("FROM seg_indx")
    assert asked(mirror) == {}


def test_other_errors_are_duckdb_own(fresh: Callable[[], idc.Catalog]) -> None:
    with pytest.raises(idc.QueryError, match="no_such_function"):
        fresh().sql("SELECT no_such_function(1)")
    with pytest.raises(duckdb.Error, match="nonsense"):
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
