"""`idc-widgets download`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from idc_widgets.api import Catalog
from idc_widgets.cli import selection
from idc_widgets.cli.exits import ENVIRONMENT, LIMITED, OK, UNKNOWN, USAGE, WRONG
from idc_widgets.cli.jobs import job_row, progress_text
from idc_widgets.cli.output import Output, printable
from idc_widgets.lib.format import human_bytes
from idc_widgets.transfer import (
    DEFAULT_LAYOUT,
    DEFAULT_WORKERS,
    Job,
    Plan,
    ResourceError,
    TransferError,
    describe_destination,
    free_space,
    has_stopped,
)

_SHOWN = 20
#: Options that go to `Cohort.download` under their own names.
_HOW = ("provider", "layout", "workers", "verify", "reuse", "documents", "max_bytes", "bandwidth")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    selection.add_arguments(parser)
    parser.add_argument("--to", required=True, metavar="FOLDER", help="where to")
    parser.add_argument("--provider", choices=["aws", "gcs"], default="aws")
    parser.add_argument(
        "--layout", default=DEFAULT_LAYOUT, help="folders below FOLDER (default: %(default)s)".replace("%c", "%%c")
    )
    parser.add_argument("--workers", type=int, default=DEFAULT_WORKERS, help="files at once (default: %(default)s)")
    parser.add_argument("--verify", choices=["md5", "size", "dicom"], default="md5", help="how files are checked")
    parser.add_argument(
        "--reuse", choices=["copy", "link", "none"], default="copy",
        help="what is done with files that are in FOLDER under another layout: copied, linked (one damaged byte is in "
        "both then), or fetched again (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--max-bytes", metavar="SIZE", help="fetch at most so much, such as 5GB; `resume` goes on")
    parser.add_argument("--bandwidth", metavar="RATE", help="fetch at most so much a second, such as 20MB/s")
    parser.add_argument("--documents", action="store_true", help="write manifest.csv and README.md into FOLDER too")
    parser.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
    parser.add_argument("--no-wait", action="store_true", help="return at once; the download goes on")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, out: Output) -> int:
    """Start a download and follow it to its end."""
    cohort = selection.select(Catalog(), options, out)
    how: dict[str, Any] = {name: getattr(options, name) for name in _HOW}
    how["reuse"] = None if options.reuse == "none" else options.reuse
    unknown = selection.unknown_rows(cohort)
    if options.dry_run:
        plan = cohort.download(options.to, dry_run=True, **how)
        if options.json:
            out.document({**plan_row(plan), "unknown": unknown})
        else:
            out.line(str(plan))
        if plan.problem is not None:
            return ENVIRONMENT if _is_of_this_machine(options.to) else USAGE
        return ENVIRONMENT if not plan.fits else UNKNOWN if unknown else OK
    try:
        job = cohort.download(options.to, **how)
    except TransferError as error:
        if not isinstance(error, ResourceError) and _is_of_this_machine(options.to):
            raise ResourceError(str(error)) from error
        raise
    counts = cohort.counts
    out.log(
        f"{counts.series:,} series, {counts.instances:,} files, {human_bytes(counts.bytes)} → {printable(job.path)}"
    )
    if options.no_wait:
        out.log(f"job {job.id} goes on in the background; `idc-widgets jobs` shows it")
    else:
        _follow(job, out)
    state = job.state
    if options.json:
        failures = job.failures() if state == "failed" else []
        out.document({**job_row(job), "unknown": unknown, "failures": failures})
    if options.no_wait or state == "complete":
        return UNKNOWN if unknown else OK
    if has_stopped(job.snapshot()) and state == "paused":
        out.warn(f"{job.status}; `idc-widgets resume {job.id}` goes on")
        return LIMITED
    if not options.json:
        failures = job.failures()
        for each in failures[:_SHOWN]:
            out.warn(f"  {each['key']}: {each['reason']}")
        if len(failures) > _SHOWN:
            out.warn(f"  and {len(failures) - _SHOWN:,} more; `idc-widgets failures {job.id}` lists them")
    out.error(job.error or f"the download ended as {state}")
    return ENVIRONMENT if job.error and _has_no_room(job) else WRONG


def _follow(job: Job, out: Output) -> None:
    try:
        while True:
            said = job.snapshot()
            ended = has_stopped(said)
            row = {"id": job.id, "status": str(said.status), **asdict(said.progress)}
            out.progress(progress_text(said.status, said.progress), kind=said.status.kind, document=row)
            if ended:
                break
            job.wait(timeout=0.5, progress=False)
    except KeyboardInterrupt:
        out.warn(f"job {job.id} goes on in the background; `idc-widgets jobs` shows it, `idc-widgets cancel` ends it")
        raise
    finally:
        out.end_progress()


def plan_row(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    whole = {name: getattr(plan, name) for name in plan.__dataclass_fields__ if name not in _PAIRS}
    licences = [{"licence": name, "series": series, "bytes": size} for name, series, size in plan.licences]
    folders = {name: [{"SeriesInstanceUID": uid, "path": path} for uid, path in getattr(plan, name)] for name in _PAIRS}
    return {**whole, "fits": plan.fits, **folders, "licences": licences}


_PAIRS = ("folders", "renamed", "moved_aside", "too_long")


def _has_no_room(job: Job) -> bool:
    """Whether what is left of a download is more than the disk takes."""
    try:
        return free_space(job.path) < job.progress.bytes_total - job.progress.bytes_done
    except OSError:
        return True


def _is_of_this_machine(to: str) -> bool:
    """Whether a destination is well named, and cannot be used as this machine is."""
    place = describe_destination(to)
    if place.problem is None or "cannot be" not in place.problem:
        return False
    parent = next((p for p in (Path(place.path), *Path(place.path).parents) if p.exists()), None)
    return parent is not None and parent.is_dir()
