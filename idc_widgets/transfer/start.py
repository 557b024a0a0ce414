"""Checking and starting a download."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from . import providers, s5cmd, settings
from .documents import Documents, deposit
from .job import Job
from .journal import Journal
from .model import Item, Provider, TransferError, Verify
from .paths import DEFAULT_LAYOUT
from .plan import distinct, make, no_room, too_little
from .receipt import STRENGTH
from .registry import journal_path
from .space import describe_destination
from .spawn import spawn_worker

DEFAULT_WORKERS = 64


def start(
    items: Sequence[Item],
    destination: str | Path,
    *,
    idc_version: int,
    provider: Provider = "aws",
    layout: str = DEFAULT_LAYOUT,
    endpoint_url: str | None = None,
    title: str | None = None,
    workers: int = DEFAULT_WORKERS,
    verify: Verify = "md5",
    documents: Documents | None = None,
) -> Job:
    """Start a download in a process of its own and return at once.

    Parameters
    ----------
    items
        The series to fetch.
    destination
        A folder; it is made when it does not exist.
    idc_version
        The IDC version the items are of, for the receipt.
    provider
        ``"aws"`` or ``"gcs"``.
    layout
        Template of each series' folder; empty puts all files into the destination itself.
    endpoint_url
        Another S3 endpoint than the provider's (or its environment variable's).
    title
        What to call the job.
    workers
        Transfers at once.
    verify
        ``"size"``, ``"md5"`` (size, and MD5 where the bucket tells it), or ``"dicom"`` (that, and the header's UIDs).
    documents
        What is to be written into ``manifest.csv`` and ``README.md`` at the end.

    Raises
    ------
    TransferError
        When it cannot work, before anything is written, in one sentence.
    """
    if workers < 1:
        raise TransferError(f"workers={workers!r}: at least 1 is needed")
    check_verify(verify)
    # The worker reads them; here a wrong one can still be told.
    settings.tries(), settings.stall_seconds(), settings.jobs_at_once()
    items = distinct(items)
    url = providers.endpoint(provider, endpoint_url)
    plan = make(items, destination, layout, provider, verify)
    if plan.problem is not None:
        raise TransferError(plan.problem)
    if not plan.fits:
        raise TransferError(too_little(plan))
    s5cmd.binary()
    providers.check_reachable(url, provider, providers.bucket_at(provider, items[0].bucket))
    try:
        plan.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransferError(f"{plan.path} cannot be made: {error.strerror or error}") from error
    journal_file = journal_path(plan.path)
    Journal(journal_file, plan.path).close()
    journal = Journal.of(journal_file)
    now = time.time()
    job_id = secrets.token_hex(6)
    journal.add_job(
        {
            "id": job_id,
            "title": title or f"{plan.series:,} series",
            "provider": provider,
            "endpoint": url,
            "layout": layout,
            "workers": workers,
            "verify": verify,
            "idc_version": idc_version,
            "created": now,
            "heartbeat": now,
            "state": "queued",
            "bytes_total": plan.bytes,
            "files_total": plan.files,
            "series_total": plan.series,
        },
        providers.rows(items, (path for _, path in plan.folders), provider),
    )
    if documents is not None:
        deposit(journal, job_id, documents)
    spawn_worker(journal_file, job_id)
    return Job(journal, journal.job(job_id))


def check_room(destination: str | Path, size: int) -> None:
    """Refuse at once what cannot fit or cannot be written, before anything is planned.

    A folder that holds something may hold part of the download: `start` looks into that, here it passes.

    Raises
    ------
    TransferError
        With one sentence.
    """
    place = describe_destination(destination)
    if place.problem is not None:
        raise TransferError(place.problem)
    empty = not Path(place.path).exists() or next(Path(place.path).iterdir(), None) is None
    if empty and place.free is not None and size > place.free:
        raise TransferError(no_room(place.path, place.free, size))


def check_verify(verify: str) -> None:
    """Refuse a way of verification that there is not."""
    if verify not in STRENGTH:
        raise TransferError(f"verify={verify!r}: valid are {', '.join(map(repr, STRENGTH))}")
