"""Whose turn it is: so many jobs of this machine run at once, the others begin in the order they were asked for.

A job that is to begin has a ticket, a file whose name sorts by time; who waits looks at the tickets before its own.
A job that runs holds one of the slots, which are locks.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from .registry import OwnerLock, lock_path, make_private

_START_PATIENCE = 20.0  # seconds that a worker may take to begin, before its ticket counts for nothing
_SEEN = b"+"  # in a ticket whose worker has begun


def queue_up(journal: Path, job_id: str) -> None:
    """Take a ticket for a job whose worker is to begin."""
    folder = _tickets(journal)
    make_private(folder)
    (folder / f"{time.time_ns():020}.{job_id}").touch()


def leave_queue(journal: Path, job_id: str) -> None:
    """Give a job's tickets back."""
    for ticket in _tickets(journal).glob(f"*.{job_id}"):
        _strike(ticket)


def take_slot(journal: Path, job_id: str, count: int) -> OwnerLock | None:
    """Take one of `count` slots for a job whose lock this process holds; None while it is not its turn."""
    folder = _tickets(journal)
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - names alone, many times a second
    for name in sorted(names):
        at, _, owner = name.partition(".")
        if owner == job_id:
            with contextlib.suppress(OSError):
                (folder / name).write_bytes(_SEEN)
            break
        if _counts(journal, folder / name, at, owner):
            return None
        _strike(folder / name)
    else:
        queue_up(journal, job_id)
    for number in range(count):
        slot = OwnerLock(lock_path(journal, f"slot-{number}"))
        if slot.acquire():
            leave_queue(journal, job_id)
            return slot
    return None


def _counts(journal: Path, ticket: Path, at: str, owner: str) -> bool:
    """Whether a ticket's worker is there, or on its way."""
    if OwnerLock(lock_path(journal, owner)).held_elsewhere():
        return True
    with contextlib.suppress(OSError, ValueError):
        return ticket.stat().st_size == 0 and 0 <= time.time() - int(at) / 1e9 < _START_PATIENCE
    return False


def _strike(ticket: Path) -> None:
    with contextlib.suppress(OSError):
        ticket.unlink()


def _tickets(journal: Path) -> Path:
    return journal.parent.parent / "queue"
