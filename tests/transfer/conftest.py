from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import duckdb
import idc_index_data
import pytest

from idc_widgets.transfer import Item, Job, start
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.model import JournalError
from idc_widgets.transfer.registry import journal_path
from tests.mirror import Mirror, SpawnedMirror

#: Three series, 40 files, 5.2 MB.
STUDY = "collection_id = 'ispy1' AND StudyInstanceUID = (SELECT min(StudyInstanceUID) FROM (SELECT StudyInstanceUID, \
sum(series_size_MB) mb, sum(instanceCount) n, count(*) s FROM index WHERE collection_id = 'ispy1' GROUP BY 1) \
WHERE s = 3 AND n = 40 AND mb < 6)"
#: One series, 307 files, 11 MB, in the bucket that may hold heads.
SERIES_307 = "SeriesInstanceUID = '1.3.6.1.4.1.14519.5.2.1.7009.2403.317467560272724643122911980380'"
#: One series, 1,550 files, 25 MB.
SERIES_1550 = "SeriesInstanceUID = '1.3.6.1.4.1.14519.5.2.1.319432533159079063197087579025184628527'"

#: Series of one file of 55 MB, of which the bucket tells the MD5.
LARGE = "instanceCount = 1 AND series_size_MB BETWEEN 54 AND 58"


@cache
def pick(where: str) -> tuple[Item, ...]:
    """Return series of the real index, as the download engine wants them."""
    table = f"'{idc_index_data.IDC_INDEX_PARQUET_FILEPATH}'"
    rows = duckdb.sql(
        f"WITH index AS (FROM {table}) SELECT SeriesInstanceUID, crdc_series_uuid, aws_bucket, instanceCount,"
        " CAST(round(series_size_MB * 1e6) AS BIGINT), {'collection_id': collection_id, 'PatientID': PatientID,"
        " 'StudyInstanceUID': StudyInstanceUID, 'Modality': Modality, 'StudyDate': StudyDate}"
        f" FROM index WHERE {where} ORDER BY SeriesInstanceUID"
    ).fetchall()
    assert rows
    return tuple(Item(*row) for row in rows)


@pytest.fixture(scope="session")
def served() -> Iterator[SpawnedMirror]:
    with Mirror.spawn() as mirror:
        yield mirror


@pytest.fixture
def mirror(served: SpawnedMirror) -> Iterator[SpawnedMirror]:
    served.faults.clear()
    served.set()
    served.reset_counts()
    yield served
    served.faults.clear()
    served.set()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, and few tries, so that giving up does not take minutes."""
    folder = tmp_path / "state"
    monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", str(folder))
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "2")
    return folder


@pytest.fixture
def fetch(mirror: SpawnedMirror, tmp_path: Path) -> Iterator[Callable[..., Job]]:
    """Start a download from the mirror to ``data``; what still runs at the end is cancelled."""
    begun: list[Job] = []

    def begin(items: tuple[Item, ...], destination: Path | None = None, **options: object) -> Job:
        options = {"endpoint_url": mirror.endpoint, "idc_version": 25} | options
        job = start(items, destination or tmp_path / "data", **options)  # type: ignore[arg-type]
        begun.append(job)
        return job

    yield begin
    for job in begun:
        with contextlib.suppress(JournalError):  # damaged by the test
            job.cancel()


def until(condition: Callable[[], object], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def enter(folder: Path, ids: list[str], state: str = "complete") -> Journal:
    """Enter jobs in a folder's journal, as if they had ended long ago."""
    journal = Journal(journal_path(folder), folder)
    with journal.transaction() as db:
        db.executemany(
            "INSERT INTO job (id, title, provider, endpoint, layout, workers, idc_version, created, state, heartbeat,"
            " bytes_total, files_total, series_total) VALUES (?, ?, 'aws', '', '', 64, 25, ?, ?, 0, 10, 1, 1)",
            [(each, each, 1e9 + n, state) for n, each in enumerate(ids)],
        )
    return journal


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of a destination that is not the engine's own, by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".idc_widgets" not in path.parts
    }


_bodies: dict[str, bytes] = {}


def body(mirror: SpawnedMirror, key: str) -> bytes:
    """Return an object's bytes, made once in a session: they are the same for ever."""
    if key not in _bodies:
        _bodies[key] = mirror.body(key)
    return _bodies[key]


def truth(mirror: SpawnedMirror, item: Item, folder: str) -> dict[str, bytes]:
    """Return what a series' folder has to hold."""
    prefix = f"{folder}/" if folder else ""
    return {
        prefix + entry.key.rpartition("/")[2]: body(mirror, entry.key) for entry in mirror.truth(item.crdc_series_uuid)
    }


def default_folder(item: Item) -> str:
    f = item.fields
    return f"{f['collection_id']}/{f['PatientID']}/{f['StudyInstanceUID']}/{f['Modality']}_{item.series_uid}"


def whole_truth(mirror: SpawnedMirror, items: tuple[Item, ...]) -> dict[str, bytes]:
    return {name: body for item in items for name, body in truth(mirror, item, default_folder(item)).items()}


def refetched(mirror: SpawnedMirror) -> dict[str, int]:
    """Return the objects that were asked for more than once."""
    counts = mirror.requests()["keys"].get("GET", {})
    return {key: count for key, count in counts.items() if count > 1 and key.endswith(".dcm")}


def gets(mirror: SpawnedMirror) -> int:
    """Return how many requests there were for objects."""
    counts = mirror.requests()["keys"].get("GET", {})
    return sum(count for key, count in counts.items() if key.endswith(".dcm"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB, where one can be mounted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        sys.platform == "linux"
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)
