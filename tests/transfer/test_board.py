"""What shows all jobs of a machine: complete, current, and cheap with thousands of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from idc_widgets.transfer import Board, Job
from tests.mirror import SpawnedMirror
from tests.transfer.conftest import STUDY, enter, pick, until


def test_thousands_of_ended_jobs_cost_next_to_nothing(tmp_path: Path) -> None:
    ids = [f"job{n:05}" for n in range(2000)]
    journal = enter(tmp_path / "data", ids)
    board = Board()
    began = time.perf_counter()
    found = board.look()
    first = time.perf_counter() - began
    assert [entry.job.id for entry in found] == ids[::-1]
    asked: list[str] = []
    of_board = found[0].job._journal
    of_board._db.set_trace_callback(asked.append)
    began = time.perf_counter()
    assert board.look() == found
    again = time.perf_counter() - began
    assert not any("FROM job" in sql for sql in asked)
    print(f"2,000 jobs: first look {first * 1e3:.1f} ms, an idle one {again * 1e3:.1f} ms")
    asked.clear()
    journal.update_job(ids[7], state="failed", error="gone")
    changed = {entry.job.id: entry.said for entry in board.look()}
    assert (changed[ids[7]].state, changed[ids[7]].error) == ("failed", "gone")
    assert sum("SELECT * FROM job" in sql for sql in asked) == 1


def test_put_away_is_for_all_views_until_the_job_goes_on(tmp_path: Path) -> None:
    journal = enter(tmp_path / "data", ["a", "b"])
    one, other = Board(), Board()
    assert len(one.look()) == len(other.look()) == 2
    one.put_away(["a"])
    assert [entry.job.id for entry in one.look()] == [entry.job.id for entry in other.look()] == ["b"]
    journal.update_job("a", state="paused")
    assert len(other.look()) == 2
    journal.update_job("a", state="complete")
    assert len(Board().look()) == 2


def test_it_sees_what_workers_write(fetch: Callable[..., Job], mirror: SpawnedMirror, tmp_path: Path) -> None:
    board = Board()
    assert board.look() == []
    mirror.set(rate_mb=2)
    job = fetch(pick(STUDY))
    seen: list[int] = []
    until(lambda: seen.append(board.look()[0].said.progress.bytes_done) or board.look()[0].said.state == "complete")
    assert seen == sorted(seen) and len(set(seen)) > 3
    assert board.look()[0].said == job.snapshot()
    (tmp_path / "state" / "journals" / "broken.sqlite").write_bytes(b"no database at all" * 100)
    assert [entry.job for entry in board.look()] == [job]
