"""What a cancelled job takes with it."""

from __future__ import annotations

import contextlib
import os
import shutil

from .journal import Journal
from .paths import OWN_FOLDER
from .registry import OwnerLock, lock_path


def remove_staging(journal: Journal, job_id: str) -> None:
    """Remove the staging folders of a job's unfinished series, but none that another job is at work on."""
    staging = journal.destination / OWN_FOLDER / "staging"
    busy = set()
    for row in journal.all("SELECT uuid, job FROM claim WHERE job != ?", (job_id,)):
        if OwnerLock(lock_path(journal.path, row["job"])).held_elsewhere():
            busy.add(row["uuid"])
    unfinished = journal.all("SELECT uuid FROM series WHERE job = ? AND state != 'done'", (job_id,))
    mine = {row["uuid"] for row in unfinished} - busy
    with contextlib.suppress(OSError):
        for folder in list(os.scandir(staging)):  # a few, of a job of perhaps a million series
            if folder.name in mine:
                shutil.rmtree(folder.path, ignore_errors=True)
    with contextlib.suppress(OSError):  # which stay where something is left in them
        staging.rmdir()
        staging.parent.rmdir()


def remove_downloaded(journal: Journal, job_id: str) -> None:
    """Remove the files that this job itself put in place, and the folders that are empty without them."""
    destination = journal.destination
    rows = journal.all(
        "SELECT series.path, object.name FROM series JOIN object USING (job, n)"
        " WHERE job = ? AND series.state = 'done' AND series.reason IS NULL",
        (job_id,),
    )
    folders = set()
    for row in rows:
        folder = destination / row["path"]
        folders.add(folder)
        (folder / row["name"]).unlink(missing_ok=True)
    for folder in folders:
        with contextlib.suppress(OSError):
            while folder != destination:
                folder.rmdir()  # fails, as it should, where something is left
                folder = folder.parent
