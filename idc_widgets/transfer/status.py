"""What a job is at, in words, from its row of the journal."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, cast

from .model import ACTIVE, ENDED, LIMIT_REACHED, State, Status

_WORDS = {"queued": "waiting to begin", "listing": "listing", "running": "downloading", "verifying": "verifying"}


def status_of(row: sqlite3.Row, state: State, error: str | None) -> Status:
    """Return what a job is at; `state` is the journal's, or "failed" where its process died, for the reason `error`."""
    ahead = (row["note_at"] or 0) - time.time()
    if state in ACTIVE and row["note"] == "retrying":
        reason, seconds = row["note_reason"], max(0.0, ahead)
        return Status("retrying", f"waiting to retry in {seconds:.0f} s: {reason}", reason, seconds)
    if state in ACTIVE and row["note"] == "stalled":
        reason, seconds = row["note_reason"], max(0.0, -ahead)
        return Status("stalled", f"stalled: no byte for {seconds:.0f} s; {reason}", reason, seconds)
    if state == "queued" and row["note"]:
        return Status("queued", f"queued: {row['note_reason']}", row["note_reason"])
    if state == "failed":
        if row["failed"] and row["files_done"] + row["failed"] == row["files_total"]:
            lost = f"{row['failed']:,} failure" + ("s" if row["failed"] != 1 else "")
            return Status("incomplete", f"complete with {lost}", error)
        return Status("failed", f"failed: {error}", error)
    if state == "paused" and row["note"] == LIMIT_REACHED:
        return Status("paused", f"paused: {row['note_reason']}", row["note_reason"])
    kind = "downloading" if state == "running" else state
    words = _WORDS.get(state, state)
    if state in ENDED and error:  # what else there is to say of it
        return Status(cast(Any, kind), f"{words}; {error}", error)
    return Status(cast(Any, kind), words)
