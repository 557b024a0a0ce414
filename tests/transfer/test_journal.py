"""A damaged journal, wherever the damage is and whoever has it open: the download says so, and can be started again."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Board, Job, TransferError, jobs
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path
from tests.mirror import SpawnedMirror

from .conftest import STUDY, pick, tree, until, whole_truth

PAGE = 4096
Fetch = Callable[..., Job]


def damage(journal: Path, first: int, pages: int = 1) -> None:
    with contextlib.closing(sqlite3.connect(journal)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with journal.open("r+b") as file:
        file.seek(first * PAGE)
        file.write(os.urandom(pages * PAGE))


@pytest.fixture
def paused(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> Job:
    """A download that has some of its series, and whose journal this process has open."""
    mirror.set(rate_mb=2)
    job = fetch(pick(STUDY))
    until(lambda: job.progress.series_done > 0, 30)
    job.pause()
    until(lambda: not job._lock().held_elsewhere(), 10)
    mirror.set()
    return job


def test_a_kernel_that_has_the_journal_open_says_that_it_is_damaged(
    paused: Job, fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    board = Board()
    assert [entry.said.state for entry in board.look()] == ["paused"]
    damage(journal_path(tmp_path / "data"), 0)
    said = board.look()[0].said
    assert said.state == "failed" and said.error and "is damaged" in said.error
    for ask in (paused.resume, paused.retry):
        with pytest.raises(TransferError, match="start the download again"):
            ask()
    again = fetch(pick(STUDY))
    assert again.wait(30) and tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))
    assert jobs(tmp_path / "data") == [again]


def test_damage_on_any_page(paused: Job, fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    journal = journal_path(tmp_path / "data")
    whole = journal.stat().st_size // PAGE
    Journal.of(journal).close()
    for page in range(whole):
        damage(journal, page)
        again = fetch(pick(STUDY))
        assert again.wait(30), (page, again.error)
        assert list(journal.parent.glob(f"{journal.name}.damaged-*")), page


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE object",
        "ALTER TABLE series DROP COLUMN retry_at",
        "UPDATE meta SET value = '/elsewhere'",
        "UPDATE job SET layout = x'00', workers = 'many'",
        "UPDATE job SET created = 'yesterday'",
    ],
)
def test_a_journal_of_another_form_is_put_aside(
    change: str, paused: Job, fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path
) -> None:
    journal = journal_path(tmp_path / "data")
    Journal.of(journal).close()
    with contextlib.closing(sqlite3.connect(journal)) as db, db:
        db.execute(change)
    again = fetch(pick(STUDY))
    assert again.path == tmp_path / "data"
    assert again.wait(30) and tree(tmp_path / "data") == whole_truth(mirror, pick(STUDY))
    assert list(journal.parent.glob(f"{journal.name}.damaged-*"))
    assert [job.id for job in jobs(tmp_path / "data")] == [again.id]
