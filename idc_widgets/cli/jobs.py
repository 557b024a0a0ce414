"""`idc-widgets jobs`, and what can be asked of a download."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from idc_widgets.api import Catalog
from idc_widgets.cli import selection
from idc_widgets.cli.exits import OK, UNKNOWN, InputError, code_of, sentence_of
from idc_widgets.cli.output import Output, clock, printable
from idc_widgets.lib.format import human_bytes
from idc_widgets.transfer import ENDED, Job, Progress, Status, TransferError, check_state_dir, jobs

_PAGE = 10_000
_TO_RESUME = ("paused", "failed")
_ALL: dict[str, tuple[str, ...]] = {
    "pause": ("queued", "listing", "running", "verifying"),
    "resume": _TO_RESUME,
    "retry": ("failed",),
}

Command = Callable[[argparse.Namespace, Output], int]


def job_row(job: Job) -> dict[str, Any]:
    """Return a job as JSON values."""
    said = job.snapshot()
    return {
        "id": job.id,
        "title": job.title,
        "path": job.path,
        "provider": job.provider,
        "created": job.created,
        "state": said.state,
        "status": str(said.status),
        "reason": said.status.reason,
        "error": said.error,
        "workers": said.workers,
        "max_bytes": job.max_bytes,
        "bandwidth": job.bandwidth,
        "fraction": said.progress.fraction,
        **asdict(said.progress),
    }


def progress_text(status: Status, progress: Progress) -> str:
    """Return how far a job is, on one line."""
    line = f"{printable(status)}  {progress.fraction:.1%}  {progress.files_done:,} of {progress.files_total:,} files"
    if progress.speed:
        line += f"  {human_bytes(progress.speed)}/s"
    if progress.eta is not None:
        line += f"  {clock(progress.eta)} left"
    return line


# -- listing


def add_arguments(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Describe the commands; `add` makes one."""
    listing = add("jobs", help="list the downloads of this machine")
    listing.add_argument("folder", nargs="?", help="only those into this folder")
    listing.set_defaults(run=list_jobs)

    for verb in _ALL:
        each = add(verb, help=f"{verb} a download, or all")
        each.add_argument("job", nargs="?", help=_JOB)
        each.add_argument("--all", action="store_true", help=f"every download that is {' or '.join(_ALL[verb])}")
        if verb == "resume":
            each.add_argument("--max-bytes", metavar="SIZE", help="fetch at most so much from now on, such as 5GB")
        each.set_defaults(run=steer)

    def of_job(verb: str, run: Command, text: str) -> argparse.ArgumentParser:
        each = add(verb, help=text)
        each.add_argument("job", help=_JOB)
        each.set_defaults(run=run)
        return each

    cancel_parser = of_job("cancel", cancel, "end a download for good")
    cancel_parser.add_argument("--remove", action="store_true", help="remove what it has put in place, too")
    workers_parser = of_job("workers", set_workers, "change how many files a download fetches at once")
    workers_parser.add_argument("number", type=int)
    bandwidth_parser = of_job("bandwidth", set_bandwidth, "change how much a download fetches a second")
    bandwidth_parser.add_argument("rate", metavar="RATE", help='such as 20MB/s; "none" is no limit')
    next_parser = of_job("next", prioritize, "let some series of a download come next")
    next_parser.add_argument("uids", nargs="+", metavar="SeriesInstanceUID")
    of_job("series", list_series, "list the SeriesInstanceUIDs of a download; with --json, how far each is")
    files_parser = of_job("files", list_files, "list the files of a download")
    files_parser.add_argument("--of", metavar="SeriesInstanceUID", help="only those of one series")
    of_job("failures", list_failures, "list what a download could not fetch, and why")
    selection.add_arguments(of_job("add", add_series, "add series to a download"))


_JOB = "its id, or how it begins, as `idc-widgets jobs` lists it"


def list_jobs(options: argparse.Namespace, out: Output) -> int:
    """List the downloads of this machine."""
    check_state_dir()
    found = jobs(options.folder)
    if options.json:
        out.document([job_row(job) for job in found])
        return OK
    for job in found:
        said = job.snapshot()
        p = said.progress
        at = "" if said.state in ENDED else f"{p.fraction:.0%}  "
        left = f"{clock(p.eta)} left  " if p.eta is not None and said.state not in ENDED else ""
        series = f"{p.series_done:,}/{p.series_total:,} series"
        out.line(f"{job.id}  {said.state:10} {at}{left}{series}  {printable(job.path)}  {printable(job.title)}")
        if said.status.reason:
            out.line(f"{'':14}{printable(said.status)}")
    return OK


def list_series(options: argparse.Namespace, out: Output) -> int:
    """List the series of a download."""
    job = _job(options.job)
    if not options.json:
        for uid in job.series_uids():
            out.line(uid)
        return OK
    rows: list[dict[str, Any]] = []
    while page := job.series(len(rows), _PAGE):
        rows += page
    out.document(rows)
    return OK


def list_files(options: argparse.Namespace, out: Output) -> int:
    """List the files of a download."""
    rows = _job(options.job).files(options.of)
    if options.json:
        out.document(rows)
    else:
        out.table(rows, ("state", "bytes", "verified_by", "path"))
    return OK


def list_failures(options: argparse.Namespace, out: Output) -> int:
    """List what a download could not fetch."""
    rows = _job(options.job).failures()
    if options.json:
        out.document(rows)
    else:
        for each in rows:
            out.line(printable(f"{each['key']}: {each['reason']}"))
    return OK


# -- steering


def steer(options: argparse.Namespace, out: Output) -> int:
    """Pause, resume or retry one download, or all."""
    if options.all == (options.job is not None):
        raise InputError(f"{options.command} takes a job, or --all.")
    if options.all:
        check_state_dir()
        chosen = [job for job in jobs() if job.state in _ALL[options.command]]
        if not chosen:
            out.note(f"no download here is {' or '.join(_ALL[options.command])}")
    else:
        chosen = [_job(options.job)]
    how = {} if getattr(options, "max_bytes", None) is None else {"max_bytes": options.max_bytes}
    done: list[Job] = []
    refused: list[dict[str, Any]] = []
    code = OK
    for job in chosen:
        try:
            getattr(job, options.command)(**how)
            done.append(job)
        except (TransferError, OSError) as error:
            if not options.all:
                raise
            code = code or code_of(error)  # the others go on
            refused.append({"id": job.id, "path": job.path, "error": sentence_of(error)})
            out.error(f"{job.id}: {sentence_of(error)}")
    return _answer(done, options, out, refused=refused) or code


def cancel(options: argparse.Namespace, out: Output) -> int:
    """End a download for good; with --remove, take back what it has put in place."""
    job = _job(options.job)
    before = job.state
    there = [file["path"] for file in job.files() if file["state"] == "verified"] if options.remove else []
    there = [path for path in there if path.exists()]
    if before == "complete" and not options.remove:
        out.note(f"job {job.id} is complete: nothing is left to cancel; --remove takes back what it has put in place")
    job.cancel(keep=not options.remove)
    if options.remove:
        gone = sum(not path.exists() for path in there)
        kept = f"; {len(there) - gone:,} stay, which were there before it" if gone < len(there) else ""
        out.note(f"{gone:,} files that it had put in place are removed from {job.path}{kept}")
    return _answer([job], options, out)


def set_workers(options: argparse.Namespace, out: Output) -> int:
    """Change how many files a download fetches at once."""
    job = _job(options.job)
    job.set_workers(options.number)
    return _answer([job], options, out, f"{job.workers:,} files at once")


def set_bandwidth(options: argparse.Namespace, out: Output) -> int:
    """Change how much a download fetches a second."""
    job = _job(options.job)
    job.set_bandwidth(None if options.rate.strip().lower() == "none" else options.rate)
    text = "no limit of bandwidth" if job.bandwidth is None else f"at most {human_bytes(job.bandwidth)}/s"
    return _answer([job], options, out, text)


def prioritize(options: argparse.Namespace, out: Output) -> int:
    """Let some series of a download come next."""
    job = _job(options.job)
    job.prioritize(*options.uids)
    return _answer([job], options, out, f"{len(set(options.uids)):,} series come next")


def add_series(options: argparse.Namespace, out: Output) -> int:
    """Add series to a download."""
    job = _job(options.job)
    cohort = selection.select(Catalog(), options, out)
    added = job.add(cohort)
    _answer([job], options, out, f"{added:,} series added", added=added, unknown=selection.unknown_rows(cohort))
    return UNKNOWN if cohort.unknown else OK


def _answer(
    chosen: list[Job],
    options: argparse.Namespace,
    out: Output,
    text: str = "",
    refused: Sequence[dict[str, Any]] = (),
    **more: Any,
) -> int:
    if options.json:
        rows = [*({**job_row(job), **more} for job in chosen), *refused]
        out.document(rows if getattr(options, "all", False) else rows[0])
        return OK
    for job in chosen:
        out.line(f"{job.id}  " + (f"{text} ({printable(job.status)})" if text else printable(job.status)))
    return OK


def _job(text: str) -> Job:
    check_state_dir()
    found = [job for job in jobs() if text and job.id.startswith(text)]
    if not found:
        raise InputError(f'there is no download "{printable(text)}" on this machine; `idc-widgets jobs` lists them.')
    if len(found) > 1:
        raise InputError(f'{len(found)} downloads begin with "{text}"; `idc-widgets jobs` lists them.')
    return found[0]
