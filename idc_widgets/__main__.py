"""`idc-widgets`: the same engine without a notebook."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence

from idc_widgets import Catalog, Cohort, Job, TransferError, jobs, verify
from idc_widgets.catalog import cache, sources
from idc_widgets.catalog.sources import INTEGER_COLUMNS
from idc_widgets.transfer import DEFAULT_LAYOUT, DEFAULT_WORKERS, Audit, human_bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code: 0, or 1 with a sentence on stderr."""
    parser = argparse.ArgumentParser(prog="idc-widgets", description="Find and fetch images of the IDC.")
    commands = parser.add_subparsers(dest="command", required=True)

    get = commands.add_parser("download", help="download the series that match")
    which = get.add_mutually_exclusive_group(required=True)
    which.add_argument("--where", action="append", metavar="COLUMN=VALUE", help="a condition; repeatable")
    which.add_argument("--series", metavar="FILE", help="a manifest, or a list of UIDs; - reads it from a pipe")
    get.add_argument("--to", required=True, metavar="FOLDER", help="where to")
    get.add_argument("--provider", choices=["aws", "gcs"], default="aws")
    get.add_argument(
        "--layout", default=DEFAULT_LAYOUT, help="folders below FOLDER (default: %(default)s)".replace("%c", "%%c")
    )
    get.add_argument("--workers", type=int, default=DEFAULT_WORKERS, help="files at once (default: %(default)s)")
    get.add_argument("--verify", choices=["md5", "size", "dicom"], default="md5", help="how files are checked")
    get.add_argument("--documents", action="store_true", help="write manifest.csv and README.md into FOLDER too")
    get.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
    get.add_argument("--no-wait", action="store_true", help="return at once; the download goes on")

    listing = commands.add_parser("jobs", help="list the downloads of this machine")
    listing.add_argument("folder", nargs="?", help="only those into this folder")

    controls = {verb: commands.add_parser(verb, help=f"{verb} a download") for verb in ("pause", "resume", "retry")}
    controls["cancel"] = commands.add_parser("cancel", help="end a download for good")
    controls["workers"] = commands.add_parser("workers", help="change how many files a download fetches at once")
    controls["next"] = commands.add_parser("next", help="let some series of a download come next")
    controls["series"] = commands.add_parser("series", help="list the SeriesInstanceUIDs of a download")
    controls["add"] = commands.add_parser("add", help="add the series that match to a download")
    for control in controls.values():
        control.add_argument("job", help="its id, or how it begins, as `idc-widgets jobs` lists it")
    controls["cancel"].add_argument("--remove", action="store_true", help="remove what it has put in place, too")
    controls["workers"].add_argument("number", type=int)
    controls["next"].add_argument("series", nargs="+", metavar="SeriesInstanceUID")
    controls["add"].add_argument("--where", action="append", required=True, metavar="COLUMN=VALUE")

    check = commands.add_parser("verify", help="check a folder's files against the bucket, whoever fetched them")
    check.add_argument("folder")
    check.add_argument("--provider", choices=["aws", "gcs"], default="aws")
    check.add_argument("--offline", action="store_true", help="go by the folder's receipt alone")

    store = commands.add_parser("cache", help="show what is kept of the catalogue on this machine")
    what = store.add_mutually_exclusive_group()
    what.add_argument("--prune", action="store_true", help="delete what this release does not use")
    what.add_argument("--rebuild", action="store_true", help="delete everything and make the index anew")

    options = parser.parse_args(arguments)
    run = {"download": _download, "jobs": _jobs, "cache": _cache, "verify": _verify}.get(options.command, _control)
    try:
        return run(options)
    except (ValueError, OSError) as error:
        print(f"idc-widgets: {error}", file=sys.stderr)
        return 1


def _conditions(texts: Sequence[str]) -> dict[str, list[str | int | float | None]]:
    """Read COLUMN=VALUE; several of one column mean any of them; an empty value means missing."""
    found: dict[str, list[str | int | float | None]] = {}
    for text in texts:
        column, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--where {text!r}: write COLUMN=VALUE, such as Modality=CT.")
        number = value.isdigit() and column in INTEGER_COLUMNS
        found.setdefault(column, []).append((int(value) if number else value) if value else None)
    return found


def _listed(source: str) -> Cohort:
    """Return the series that a file names, or refuse what this release does not know."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cohort = Cohort.from_manifest(sys.stdin.read() if source == "-" else source, Catalog())
    for warning in told:
        print(f"idc-widgets: {warning.message}", file=sys.stderr)
    if cohort.unknown:
        print(f"idc-widgets: {len(cohort.unknown):,} unknown here: {cohort.unknown[0]}, …", file=sys.stderr)
    return cohort


def _download(options: argparse.Namespace) -> int:
    cohort = _listed(options.series) if options.series else Catalog().cohort(**_conditions(options.where))
    how = {name: getattr(options, name) for name in ("provider", "layout", "workers", "verify", "documents")}
    if options.dry_run:
        print(plan := cohort.download(options.to, dry_run=True, **how))
        return 0 if plan.fits and plan.problem is None else 1
    job = cohort.download(options.to, **how)
    counts = cohort.counts
    print(f"{counts.series:,} series, {counts.instances:,} files, {human_bytes(counts.bytes)} → {job.path}")
    if options.no_wait:
        print(f"job {job.id} goes on in the background; `idc-widgets jobs` shows it")
        return 0
    try:
        while job.state not in ("complete", "failed", "cancelled"):
            job.wait(timeout=0.5)
            _show(job)
    except KeyboardInterrupt:
        print(f"\nthe download goes on in the background; `idc-widgets jobs {options.to}` shows it", file=sys.stderr)
        return 130
    print()
    if job.state != "complete":
        for failure in job.failures()[:20]:
            print(f"  {failure['key']}: {failure['reason']}", file=sys.stderr)
        raise TransferError(job.error or f"the download ended as {job.state}")
    return 0


def _show(job: Job) -> None:
    p = job.progress
    share = p.bytes_done / p.bytes_total if p.bytes_total else 1
    line = f"{job.status}  {share:.1%}  {p.files_done:,} of {p.files_total:,} files"
    if p.speed:
        line += f"  {p.speed / 1e6:,.1f} MB/s"
    if p.eta is not None:
        line += "  " + time.strftime("%H:%M:%S", time.gmtime(p.eta)) + " left"
    end = "" if sys.stdout.isatty() else "\n"
    print(("\r\x1b[K" if sys.stdout.isatty() else "") + line, end=end, flush=True)


def _jobs(options: argparse.Namespace) -> int:
    for job in jobs(options.folder):
        p = job.progress
        print(f"{job.id}  {job.state:10} {p.series_done:,}/{p.series_total:,} series  {job.path}  {job.title}")
        if (status := job.status).reason:
            print(f"{'':14}{status}")
    return 0


def _control(options: argparse.Namespace) -> int:
    found = [job for job in jobs() if job.id.startswith(options.job)]
    if not found:
        raise ValueError(f'there is no download "{options.job}" on this machine; `idc-widgets jobs` lists them.')
    if len(found) > 1:
        raise ValueError(f'{len(found)} downloads begin with "{options.job}"; `idc-widgets jobs` lists them.')
    (job,) = found
    if options.command == "cancel":
        job.cancel(keep=not options.remove)
    elif options.command == "workers":
        job.set_workers(options.number)
    elif options.command == "next":
        job.fetch_next(*options.series)
    elif options.command == "series":
        print("\n".join(job.series_uids()))
        return 0
    elif options.command == "add":
        print(f"{job.add(Catalog().cohort(**_conditions(options.where))):,} series added")
    else:
        getattr(job, options.command)()
    print(f"{job.id}  {job.status}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    def told(audit: Audit) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{audit.series:,} series, {audit.files:,} files", end="", file=sys.stderr, flush=True)

    audit = verify(options.folder, provider=options.provider, offline=options.offline, told=told)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(audit)
    for path in audit.extra:
        print(f"  {path}: of no series of IDC that is here")
    for problem in audit.problems:
        print(f"  {problem.path}: {problem.reason}", file=sys.stderr)
    if not audit.ok:
        print("the same download again fetches what is missing or damaged, and nothing else", file=sys.stderr)
    return 0 if audit.ok else 1


def _cache(options: argparse.Namespace) -> int:
    print(cache.folder())
    if options.prune or options.rebuild:
        gone = cache.prune(everything=options.rebuild)
        print(f"deleted {len(gone)} files, {human_bytes(sum(size for _, size, _ in gone))}")
    if options.rebuild:
        database = Catalog().database
        if not database.wait_for_cache():
            raise OSError(database.note)
    for path, size, used in cache.files():
        print(f"{human_bytes(size):>9}  {path.relative_to(cache.folder())}{'' if used else '  (not used any more)'}")
    kept = cache.path(None, sources.release())
    if not kept.is_file():
        print("There is no cache of the index yet; it is built when a catalogue is first opened.")
    elif wrong := cache.fault(kept, sources.table("index").path):
        print(f"{kept.name} cannot be used and is built anew when a catalogue is next opened: {wrong}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
