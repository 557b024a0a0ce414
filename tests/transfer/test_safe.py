"""A journal that somebody has changed: nothing is written or removed outside the destination."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Job, TransferError
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path
from idc_widgets.transfer.safe import require
from tests.mirror import SpawnedMirror

from .conftest import SERIES_307, pick, until

Fetch = Callable[..., Job]


@pytest.mark.parametrize(
    ("uuid", "path", "names"),
    [
        ("u", "../out", []),
        ("u", "/out", []),
        ("u", "a/../../out", []),
        ("u", "C:/out", []),
        ("u", "a\\..\\out", []),
        ("u", ".idc_widgets/staging", []),
        ("..", "a", []),
        ("u", "a", ["a.dcm", "../b.dcm"]),
        ("u", "a", ["/b.dcm"]),
        ("u", "a", [""]),
    ],
)
def test_what_leads_out_is_refused(uuid: str, path: str, names: list[str]) -> None:
    require("u", "a/b", ["a.dcm"])
    require("u", "", [])
    with pytest.raises(TransferError, match="leads out"):
        require(uuid, path, names)


@pytest.mark.parametrize("column", ["path", "uuid"])
def test_a_changed_journal_writes_and_removes_nothing_outside(
    fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, column: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.dcm").write_text("mine")
    mirror.set(rate_mb=2)
    job = fetch(pick(SERIES_307))
    until(lambda: job.progress.files_done > 3)
    job.pause()
    until(lambda: job.state == "paused")
    journal = Journal.of(journal_path(job.path))
    with journal.transaction() as db:
        db.execute(f"UPDATE series SET {column} = '../outside'")
    mirror.set()
    before = sorted(p for p in tmp_path.rglob("*") if "data" not in p.parts and "state" not in p.parts)
    job.resume()
    until(lambda: job.state == "failed")
    assert "leads out" in (job.error or "")
    with journal.transaction() as db:
        db.execute("UPDATE series SET state = 'done', reason = NULL")
        db.execute("UPDATE object SET name = 'mine.dcm' WHERE name = (SELECT min(name) FROM object)")
    with pytest.raises(TransferError, match="leads out"):
        job.cancel(keep=False)
    assert (outside / "mine.dcm").read_text() == "mine"
    assert sorted(p for p in tmp_path.rglob("*") if "data" not in p.parts and "state" not in p.parts) == before
