"""Where the engine keeps its own state on this machine, and how it is found again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import platformdirs

from idc_widgets.lib import folders
from idc_widgets.lib.locks import lock

from .model import ResourceError


def state_dir() -> Path:
    """Return the state folder: IDC_WIDGETS_STATE_DIR, else the system's place for it (read at each call)."""
    override = os.environ.get("IDC_WIDGETS_STATE_DIR")
    return Path(override).absolute() if override else Path(platformdirs.user_state_dir("idc_widgets"))


def unwritable(reason: str) -> ResourceError:
    """Return the error for a state folder that cannot be used."""
    return ResourceError(
        f"the state folder {state_dir()}, which keeps the journals of downloads, cannot be used ({reason}); "
        "IDC_WIDGETS_STATE_DIR names another folder"
    )


def check_state_dir() -> None:
    """Raise where the state folder is there and cannot be read, so that no download would be found.

    Raises
    ------
    ResourceError
        If it is a file, or cannot be read.
    """
    try:
        next((state_dir() / "journals").iterdir(), None)
    except FileNotFoundError:
        if state_dir().exists() and not state_dir().is_dir():
            raise unwritable("it is a file") from None
    except OSError as error:
        raise unwritable(error.strerror or str(error)) from error


def real_destination(destination: str | os.PathLike[str]) -> Path:
    """Return a destination as the one absolute path that every spelling of it leads to."""
    return Path(os.path.realpath(Path(destination).expanduser()))


def journal_path(destination: Path) -> Path:
    """Return the journal of a destination (which need not exist)."""
    name = os.path.normcase(str(destination)).encode("utf-8", "surrogatepass")
    return state_dir() / "journals" / f"{hashlib.sha256(name).hexdigest()[:24]}.sqlite"


def record_path(destination: Path) -> Path:
    """Return this machine's own record of what checks of a destination found."""
    return state_dir() / "records" / journal_path(destination).with_suffix(".jsonl").name


def make_private(folder: Path) -> None:
    """Make a folder of the state folder, which is the user's alone; so is all of the state folder then.

    Raises
    ------
    ResourceError
        If it cannot be made; IDC_WIDGETS_STATE_DIR names another.
    """
    try:
        folders.make_private(folder, state_dir(), "IDC_WIDGETS_STATE_DIR")
    except folders.FolderError as error:
        raise ResourceError(str(error)) from None


def journal_paths() -> Iterator[Path]:
    """Yield every journal this machine's registry knows."""
    yield from sorted((state_dir() / "journals").glob("*.sqlite"))


def lock_path(journal: Path, job_id: str) -> Path:
    """Return the file whose lock marks a job as having a live worker."""
    return journal.parent.parent / "locks" / f"{job_id}.lock"


def log_path(journal: Path, job_id: str) -> Path:
    """Return the file that takes what a job's worker prints."""
    return journal.parent.parent / "logs" / f"{job_id}.log"


def documents_path(journal: Path, job_id: str) -> Path:
    """Return the folder that takes what a job is to write down of its series once it has ended."""
    return journal.parent.parent / "documents" / job_id


class OwnerLock:
    """An exclusive lock that the system itself releases when its holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock; False when another process (or another object of this one) has it."""
        make_private(self.path.parent)
        try:
            file = self.path.open("ab")
        except OSError as error:
            raise unwritable(error.strerror or str(error)) from error
        if not lock(file):
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def held_elsewhere(self) -> bool:
        """Whether a live process holds it."""
        if not self.path.exists():
            return False
        if self.acquire():
            self.release()
            return False
        return True

    def __enter__(self) -> OwnerLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
