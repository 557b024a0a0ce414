"""All downloads that this machine knows."""

from __future__ import annotations

import os
import warnings

from . import display
from .destination import folder
from .job import Job
from .journal import Journal
from .model import JournalError, TransferError
from .registry import journal_path, journal_paths


def jobs(destination: str | os.PathLike[str] | None = None) -> list[Job]:
    """Return the downloads this machine knows, newest first; with `destination`, those to that folder."""
    if destination is None:
        paths = list(journal_paths())
    else:
        path = journal_path(folder(destination, "list the downloads of"))
        paths = [path] if path.exists() else []
    found = []
    for path in paths:
        try:
            journal = Journal.of(path)
            found += [Job(journal, row) for row in journal.all("SELECT id, title, provider, created FROM job")]
        except JournalError as error:  # it hides its own jobs only
            if error.damaged:
                warnings.warn(f"Its downloads are not listed: {error}.", stacklevel=2)
        except TransferError:
            continue
    return display.Jobs(sorted(found, key=lambda job: job.created, reverse=True))
