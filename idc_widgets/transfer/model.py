"""The values that pass between a caller and the download engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Provider = Literal["aws", "gcs"]
Verify = Literal["md5", "size", "dicom"]
#: What is done with a series that is in the destination under another layout; None fetches it again.
Reuse = Literal["copy", "link"] | None
State = Literal["queued", "listing", "running", "verifying", "paused", "complete", "failed", "cancelled"]

#: States in which a worker process is, or should be, at work.
ACTIVE: frozenset[str] = frozenset({"queued", "listing", "running", "verifying"})
#: States from which nothing happens by itself any more.
ENDED: frozenset[str] = frozenset({"complete", "failed", "cancelled"})


#: The note of a job that the limit of bytes has paused.
LIMIT_REACHED = "limit"


class TransferError(ValueError):
    """Something asked of a download cannot be done; the message says what, and what would be right."""


class ResourceError(TransferError):
    """What was asked is right, but this machine or the network does not allow it now: no connection, room or access."""


class JournalError(ResourceError):
    """The journal of a destination is damaged, or cannot be read or written now."""

    def __init__(self, said: str, damaged: bool = False) -> None:
        super().__init__(said)
        self.damaged = damaged


@dataclass(frozen=True)
class Item:
    """One series to fetch.

    Parameters
    ----------
    series_uid
        SeriesInstanceUID.
    crdc_series_uuid
        The folder of this version of the series in the bucket.
    bucket
        Name of its AWS bucket, as the index has it.
    files, bytes
        What the index says the series holds; the listing must agree.
    fields
        Values of the index columns that a layout may use as keys.
    study_uid
        StudyInstanceUID, for the DICOM check; not looked at where it is empty.
    """

    series_uid: str
    crdc_series_uuid: str
    bucket: str
    files: int
    bytes: int
    fields: Mapping[str, str | None] = field(default_factory=dict, hash=False)
    study_uid: str = ""


@dataclass(frozen=True)
class Progress:
    """Where a job stands, in exact numbers.

    `bytes_done` counts verified bytes only and never falls; `bytes_in_flight` is what has arrived beyond
    that and may fall. `failed` counts files given up on (or series whose files are not even known).
    `speed` is bytes per second, smoothed; `eta` is in seconds; both are None while unknown.
    """

    bytes_total: int
    bytes_done: int
    bytes_in_flight: int
    files_total: int
    files_done: int
    series_total: int
    series_done: int
    failed: int
    speed: float | None
    eta: float | None

    @property
    def fraction(self) -> float:
        """Return the share to show: verified bytes and those in flight of all; 1.0 only once all are verified."""
        if self.bytes_done >= self.bytes_total:
            return 1.0
        return min(0.999, (self.bytes_done + max(0, self.bytes_in_flight)) / self.bytes_total)


Kind = Literal[
    "queued", "listing", "downloading", "verifying", "retrying", "stalled", "paused", "complete", "incomplete",
    "failed", "cancelled",
]  # fmt: skip


@dataclass(frozen=True)
class Status:
    """What a job is at, as a person would put it; `str()` gives the sentence.

    `reason` says why it waits, retries or failed; `seconds` is how long until the next try ("retrying"), or since
    the last byte ("stalled"). "incomplete" ended with failures of single files or series, "failed" as a whole.
    """

    kind: Kind
    text: str
    reason: str | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Snapshot:
    """All that a job says of itself, of one moment."""

    state: State
    error: str | None
    status: Status
    progress: Progress
    workers: int
