"""All jobs of this machine, looked at again and again at little cost, for whoever shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from .job import Job
from .journal import Journal
from .model import ENDED, JournalError, Snapshot, Status, TransferError
from .registry import journal_paths, make_private, state_dir


class Entry(NamedTuple):
    """A job and what it said of itself when it was last looked at."""

    job: Job
    said: Snapshot


class Board:
    """The jobs of this machine that were not put away.

    A look reads what changed: of a journal that nobody wrote to, nothing; of thousands of ended jobs beside one that
    runs, three short columns.
    """

    def __init__(self) -> None:
        self._shelves: dict[Path, _Shelf] = {}
        self._away: dict[str, None] = {}
        self._away_mark: tuple[str, float, int] | None = None

    def look(self) -> list[Entry]:
        """Return the jobs, newest first."""
        found: list[Entry] = []
        paths = list(journal_paths())
        for path in self._shelves.keys() - set(paths):
            del self._shelves[path]
        for path in paths:
            shelf = self._shelves.get(path)
            try:  # a damaged journal hides its jobs only
                journal = Journal.of(path)
                if shelf is None or shelf.journal is not journal:
                    shelf = self._shelves[path] = _Shelf(journal)
                shelf.look()
            except JournalError as error:
                if shelf is not None and error.damaged:
                    shelf.end(str(error))
            except TransferError:
                pass
            if shelf is not None:  # as last seen, where it cannot be read at the moment
                found += shelf.entries.values()
        self._read_away()
        if self._away:
            back = [e.job.id for e in found if e.job.id in self._away and e.said.state not in ENDED]
            self._note(back, "-")  # begun again: it is to be seen until it is put away again
            found = [e for e in found if e.job.id not in self._away]
        return sorted(found, key=lambda entry: entry.job.created, reverse=True)

    def put_away(self, ids: Iterable[str]) -> None:
        """Show these ended jobs no more, in any view; what they fetched stays, and so does their journal."""
        self._read_away()
        self._note((each for each in ids if each not in self._away), "")

    def _note(self, ids: Iterable[str], sign: str) -> None:
        lines = [f"{sign}{each}\n" for each in ids]
        if lines:
            path = _away_path()
            make_private(path.parent)
            with path.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
            self._read_away()

    def _read_away(self) -> None:
        path = _away_path()
        try:
            status = path.stat()
            mark = (str(path), status.st_mtime, status.st_size)
            if mark == self._away_mark:
                return
            lines = path.read_text(encoding="utf-8").split()
        except OSError:
            mark, lines = None, []
        self._away_mark, self._away = mark, {}
        for line in lines:
            if line.startswith("-"):
                self._away.pop(line[1:], None)
            else:
                self._away[line] = None


class _Shelf:
    """The jobs of one journal, as they were last seen."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._seen: tuple[int, int] | None = None
        self._marks: dict[str, tuple[str, float, int]] = {}
        self.entries: dict[str, Entry] = {}

    def look(self) -> None:
        """Read what changed."""
        version = self.journal.changes()
        if version != self._seen:
            rows = self.journal.all("SELECT id, state, heartbeat, workers FROM job")
            marks = {row["id"]: (row["state"], row["heartbeat"], row["workers"]) for row in rows}
            self.entries = {known: entry for known, entry in self.entries.items() if known in marks}
            changed = [each for each, mark in marks.items() if mark != self._marks.get(each)]
            if len(changed) > 500:
                self._take(self.journal.all("SELECT * FROM job"))
            else:
                for each in changed:
                    self._take(self.journal.all("SELECT * FROM job WHERE id = ?", (each,)))
            self._seen, self._marks = version, marks
        # Without a write of anyone's: a worker that died, and seconds that pass.
        for each, (state, *_) in self._marks.items():
            if state not in ENDED and state != "paused":
                self._take(self.journal.all("SELECT * FROM job WHERE id = ?", (each,)))

    def end(self, error: str) -> None:
        """Let what was at work have failed, for this reason."""
        for job, said in list(self.entries.values()):
            if said.state not in ENDED:
                status = Status("failed", f"failed: {error}", error)
                self.entries[job.id] = Entry(job, replace(said, state="failed", error=error, status=status))

    def _take(self, rows: Iterable[sqlite3.Row]) -> None:
        for row in rows:
            known = self.entries.get(row["id"])
            job = known.job if known is not None else Job(self.journal, row)
            self.entries[job.id] = Entry(job, job.snapshot(row))


def _away_path() -> Path:
    return state_dir() / "put_away.txt"
