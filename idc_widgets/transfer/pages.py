"""A job's series, a page at a time, as its journal has them."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Literal

from .journal import Journal
from .model import TransferError

SeriesState = Literal["queued", "active", "complete", "failed"]

_CONDITIONS = {
    "queued": "state IN ('pending', 'listed') AND phase IS NULL",
    "active": "phase IS NOT NULL",
    "complete": "state = 'done'",
    "failed": "state = 'failed'",
}
# Of a job whose worker is gone nothing is at work, whatever it wrote last.
_AT_REST = _CONDITIONS | {"queued": "state IN ('pending', 'listed')", "active": "FALSE"}


def series_page(
    journal: Journal, job_id: str, offset: int, limit: int, state: SeriesState | None, working: bool
) -> list[dict[str, Any]]:
    """Return rows as `Job.series` describes them; `working` says whether the job has a worker."""
    if state is not None and state not in _CONDITIONS:
        raise TransferError(f"state={state!r}: valid states are {', '.join(map(repr, _CONDITIONS))}")
    where = f" AND {(_CONDITIONS if working else _AT_REST)[state]}" if state else ""
    verified = "FROM object o WHERE o.job = s.job AND o.n = s.n AND o.state = 'verified'"
    rows = journal.all(
        f"SELECT *, CASE state WHEN 'done' THEN files ELSE (SELECT COUNT(*) {verified}) END AS files_done,"
        f" CASE state WHEN 'done' THEN bytes ELSE (SELECT TOTAL(size) {verified}) END AS bytes_done"
        f" FROM series s WHERE job = ?{where} ORDER BY n LIMIT ? OFFSET ?",
        (job_id, limit, offset),
    )
    return [_as_dict(journal, row, working) for row in rows]


def _as_dict(journal: Journal, row: sqlite3.Row, working: bool) -> dict[str, Any]:
    phase = row["phase"] if working else None
    state = {"done": "complete", "failed": "failed"}.get(row["state"]) or phase or "queued"
    return {
        "series_uid": row["uid"],
        "crdc_series_uuid": row["uuid"],
        "path": journal.destination / row["path"],
        "state": state,
        "files": row["files"],
        "files_done": row["files_done"],
        "bytes": row["bytes"],
        "bytes_done": int(row["bytes_done"]),
        "bytes_in_flight": row["in_flight"] if state == "downloading" else 0,
        "reason": row["reason"] if state in ("failed", "retrying") else None,
        "retry_in": max(0.0, row["retry_at"] - time.time()) if state == "retrying" else None,
    }


def series_counts(journal: Journal, job_id: str, working: bool) -> dict[str, int]:
    """Return how many series are in each state."""
    conditions = (_CONDITIONS if working else _AT_REST).items()
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {condition}) AS {name}" for name, condition in conditions)
    row = journal.one(f"SELECT {counts} FROM series WHERE job = ?", (job_id,))
    return dict(row) if row else {}
