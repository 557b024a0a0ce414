"""The cache under faults: several processes at once, damage, other content, no room, another DuckDB's file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.catalog import bundled, cache
from idc_widgets.cli import main
from tests.transfer.conftest import small_disk

__all__ = ["small_disk"]

OPEN = """
import sys, idc_widgets as idc
catalog = idc.Catalog(cache_dir=sys.argv[1])
before = catalog.cohort(Modality="CT").counts
assert catalog.index.database.wait_for_cache(120), catalog.index.database.note
assert before == catalog.cohort(Modality="CT").counts
print(before.series)
"""


@pytest.fixture
def copy(catalog: idc.Catalog, tmp_path: Path) -> Path:
    """The path of a sound cache in a folder of its own, to be damaged."""
    target = cache.path(tmp_path, catalog.release)
    shutil.copy(catalog.index.database.cache_path, target)
    return target


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def build(target: Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "idc_widgets.catalog.cache", str(target), str(bundled.table("index").path)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def test_several_processes_at_once_make_one_file(catalog: idc.Catalog, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {p.communicate()[0] for p in processes}
    assert [p.returncode for p in processes] == [0] * 4
    assert said == {f"{catalog.cohort(Modality='CT').counts.series}\n"}
    assert list(tmp_path.iterdir()) == [cache.path(tmp_path, catalog.release)]


def test_a_sound_cache_is_not_built_again(copy: Path) -> None:
    before = copy.stat()
    assert build(copy).returncode == 0
    assert (copy.stat().st_ino, copy.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_killed_build_left_is_cleared_away(catalog: idc.Catalog, tmp_path: Path) -> None:
    target = cache.path(tmp_path, catalog.release)
    for name in (".1.part", ".1.part.wal", ".lock"):
        target.with_name(target.name + name).write_bytes(b"left")
    assert build(target).returncode == 0
    assert list(tmp_path.iterdir()) == [target]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(1 << 20))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_by_a_block(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def flipped_header(path: Path) -> None:
    overwrite(path, 0, b"\xff" * 12288)


def newer_storage(path: Path) -> None:
    # The header says which storage version a file has: checksum, "DUCK", version.
    overwrite(path, 12, (9999).to_bytes(8, "little"))


def other_tables(path: Path) -> None:
    path.unlink()
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE series AS SELECT 0 AS row_id; CREATE TABLE cube AS SELECT 1 AS n")


def other_content(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM series WHERE row_id % 2 = 0; UPDATE made SET fingerprint = 'of another release'")


def lacks_a_table(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("DROP TABLE texts")


@pytest.mark.parametrize(
    "damage",
    [empty, garbage, cut_in_half, cut_by_a_block, flipped_header, newer_storage, other_tables, lacks_a_table],
)
def test_what_is_no_sound_cache_is_known(damage: Callable[[Path], None], copy: Path) -> None:
    parquet = bundled.table("index").path
    assert cache.fault(copy, parquet) == ""
    damage(copy)
    assert cache.fault(copy, parquet)


_MORE = [pytest.param(each, marks=pytest.mark.slow) for each in (cut_in_half, other_content)]  # each is a build


@pytest.mark.parametrize("damage", [garbage, *_MORE])
def test_what_is_no_sound_cache_is_never_read_and_made_anew(
    damage: Callable[[Path], None], copy: Path, catalog: idc.Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    damage(copy)
    found = idc.Catalog(cache_dir=copy.parent)
    truth = catalog.cohort(Modality="CT").counts
    assert found.index.database.building
    assert str(copy) in caplog.text  # said so
    assert found.cohort(Modality="CT").counts == truth
    assert found.index.database.wait_for_cache(120), found.index.database.note
    assert found.cohort(Modality="CT").counts == truth
    assert cache.fault(copy, bundled.table("index").path) == ""
    assert list(copy.parent.iterdir()) == [copy]


def test_flipped_bytes_give_no_wrong_answers(
    copy: Path, catalog: idc.Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    # Where a build puts a column is its own affair: of many places the query reads some.
    for percent in range(20, 81, 3):
        overwrite(copy, copy.stat().st_size * percent // 100, os.urandom(64))
    found = idc.Catalog(cache_dir=copy.parent)
    query = "SELECT count(*), sum(hash(t)) FROM index t"
    assert found.index.database.rows(query) == catalog.index.database.rows(query)
    assert "damaged" in caplog.text
    assert found.index.database.wait_for_cache(120), found.index.database.note
    assert found.index.database.rows(query) == catalog.index.database.rows(query)
    word = idc.search("prostate t2")
    assert found.cohort(word).counts == catalog.cohort(word).counts


def test_flipped_bytes_where_a_search_reads(copy: Path, catalog: idc.Catalog) -> None:
    overwrite(copy, int(copy.stat().st_size * 0.02), os.urandom(64))
    found = idc.Catalog(cache_dir=copy.parent)
    word = idc.search("prostate t2")
    try:
        counts = found.cohort(word).counts
    except duckdb.IOException as error:
        assert "asked again" in str(error)
        counts = found.cohort(word).counts
    assert counts == catalog.cohort(word).counts


def test_a_full_disk_leaves_nothing_and_is_told(small_disk: Path, catalog: idc.Catalog) -> None:
    found = idc.Catalog(cache_dir=small_disk)
    assert not found.index.database.wait_for_cache(120)
    assert str(small_disk) in found.index.database.note
    assert "IDC_WIDGETS_CACHE_DIR" in found.index.database.note
    assert list(small_disk.iterdir()) == []
    assert found.cohort(Modality="CT").counts == catalog.cohort(Modality="CT").counts


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX's")
def test_a_limit_on_file_sizes_leaves_nothing(tmp_path: Path) -> None:
    import resource
    import signal

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))

    done = build(tmp_path / "cache.duckdb", preexec_fn=limit)
    assert done.returncode == 1
    assert "File too large" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts a read-only folder")
def test_a_folder_that_cannot_be_written(tmp_path: Path, catalog: idc.Catalog) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        found = idc.Catalog(cache_dir=tmp_path)
        assert not found.index.database.wait_for_cache(60)
        assert str(tmp_path) in found.index.database.note
        assert found.cohort(Modality="CT").counts == catalog.cohort(Modality="CT").counts
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=False)


def test_pruning_spares_a_build_that_runs(catalog: idc.Catalog, copy: Path) -> None:
    running = copy.with_name(copy.name + ".77.part")
    old = copy.with_name("idc-24.0.0-duckdb1.4-l1.duckdb")
    killed = copy.with_name(copy.name + ".78.part")
    for name in (running, old, killed):
        name.write_bytes(b"")
    os.utime(killed, (0, 0))
    assert {p for p, _, _ in cache.prune(copy.parent)} == {old, killed}
    assert set(copy.parent.iterdir()) == {copy, running}


def test_the_command_line_says_what_is_wrong(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_CACHE_DIR", str(copy.parent))
    monkeypatch.setattr("sys.argv", ["idc-widgets", "cache"])
    assert main() == 0
    assert "cannot be used" not in capsys.readouterr().out
    cut_in_half(copy)
    assert main() == 0
    assert f"{copy.name} cannot be used" in capsys.readouterr().out
    copy.unlink()
    assert main() == 0
    assert "no cache" in capsys.readouterr().out
