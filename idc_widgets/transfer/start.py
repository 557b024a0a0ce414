"""Checking and starting a download."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence

from . import providers, s5cmd
from .documents import Documents, deposit
from .job import Job
from .journal import Journal
from .model import Item, Provider, ResourceError, Reuse, TransferError, Verify
from .paths import DEFAULT_LAYOUT
from .plan import distinct, make, no_room, too_little
from .registry import check_state_dir, journal_path
from .space import describe_folder
from .spawn import spawn_worker
from .validate import DEFAULT_WORKERS, Wish, wish


def start(
    items: Sequence[Item],
    destination: str | os.PathLike[str],
    *,
    idc_version: int,
    provider: Provider = "aws",
    layout: str = DEFAULT_LAYOUT,
    endpoint_url: str | None = None,
    title: str | None = None,
    workers: int = DEFAULT_WORKERS,
    verify: Verify = "md5",
    reuse: Reuse = "copy",
    documents: Documents | None = None,
    max_bytes: int | str | None = None,
    bandwidth: int | str | None = None,
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
    reuse
        What to do with series that are in the destination under another layout: ``"copy"`` them (a clone where the
        file system can), ``"link"`` them (one damaged byte is in both then), or None: fetch them again.
    documents
        What is to be written into ``manifest.csv`` and ``README.md`` at the end.
    max_bytes
        How many bytes of files it may fetch before it pauses, such as "5 GB"; no file is begun that would pass it.
    bandwidth
        How many bytes a second it may fetch, such as "20 MB/s".

    Raises
    ------
    TransferError
        When it cannot work, before anything is written, in one sentence.
    """
    how = wish(
        destination,
        provider=provider,
        layout=layout,
        endpoint_url=endpoint_url,
        title=title,
        workers=workers,
        verify=verify,
        reuse=reuse,
        max_bytes=max_bytes,
        bandwidth=bandwidth,
    )
    return begin(items, how, idc_version=idc_version, documents=documents)


def begin(items: Sequence[Item], how: Wish, *, idc_version: int, documents: Documents | None = None) -> Job:
    """Start a download whose wish was checked; as `start` otherwise."""
    items = distinct(items)
    plan = make(items, how)
    if plan.problem is not None and plan.problem != plan.conflict:
        raise TransferError(plan.problem)
    if not plan.fits:
        raise ResourceError(too_little(plan))
    s5cmd.binary()
    check_state_dir()
    providers.check_reachable(how.endpoint, how.provider, providers.bucket_at(how.provider, items[0].bucket))
    try:
        plan.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResourceError(f"{plan.path} cannot be made: {error.strerror or error}") from error
    journal_file = journal_path(plan.path)
    Journal(journal_file, plan.path).close()
    journal = Journal.of(journal_file)
    now = time.time()
    job_id = secrets.token_hex(6)
    journal.add_job(
        {
            "id": job_id,
            "title": how.title or f"{plan.series:,} series",
            "provider": how.provider,
            "endpoint": how.endpoint,
            "layout": how.layout,
            "workers": how.workers,
            "verify": how.verify,
            "reuse": how.reuse,
            "max_bytes": how.max_bytes,
            "bandwidth": how.bandwidth,
            "idc_version": idc_version,
            "created": now,
            "heartbeat": now,
            "state": "queued",
            "bytes_total": plan.bytes,
            "files_total": plan.files,
            "series_total": plan.series,
        },
        providers.rows(items, (path for _, path in plan.folders), how.provider, plan.sources),
    )
    if documents is not None:
        deposit(journal, job_id, documents)
    spawn_worker(journal_file, job_id)
    return Job(journal, journal.job(job_id))


def check_room(how: Wish, size: int) -> None:
    """Refuse at once what cannot fit or cannot be written, before anything is planned.

    A folder that holds something may hold part of the download: `begin` looks into that, here it passes.

    Raises
    ------
    TransferError
        With one sentence.
    """
    place = describe_folder(how.root)
    if place.problem is not None:
        raise TransferError(place.problem)
    empty = not how.root.exists() or next(how.root.iterdir(), None) is None
    if empty and place.free is not None and size > place.free:
        raise ResourceError(no_room(place.path, place.free, size))
