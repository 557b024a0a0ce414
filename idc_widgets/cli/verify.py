"""`idc-widgets verify`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from idc_widgets.api import Catalog, Cohort, verify
from idc_widgets.cli import selection
from idc_widgets.cli.exits import OK, UNCHECKED, UNKNOWN, WRONG, InputError
from idc_widgets.cli.output import Output, printable
from idc_widgets.transfer import Audit, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("folder")
    parser.add_argument("--provider", choices=["aws", "gcs"], default="aws")
    parser.add_argument("--offline", action="store_true", help="go by what is known here, without the network")
    parser.add_argument(
        "--expect", action="append", default=[], metavar="ARG",
        help="what should be there: a manifest, a list, identifiers; repeatable",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, out: Output) -> int:
    """Check a folder's files, whoever fetched them."""
    if not options.folder:
        raise InputError("the folder's name is empty.")
    catalog = Catalog()
    expect: Cohort | None = None
    if options.expect:
        wanted = argparse.Namespace(what=options.expect, series=[], where=[], search=None, text=None)
        expect = selection.select(catalog, wanted, out)
    unknown = selection.unknown_rows(expect) if expect is not None else []

    def progress(audit: Audit) -> None:
        out.progress(
            f"{audit.series:,} series, {audit.files:,} files",
            kind="verifying",
            document={"status": "verifying", "series": audit.series, "files": audit.files},
        )

    audit = verify(
        Path(options.folder),
        catalog=catalog,
        provider=options.provider,
        offline=options.offline,
        expect=expect,
        progress=progress,
    )
    out.end_progress()
    if options.json:
        out.document({**_row(audit), "unknown": unknown})
    else:
        out.line(printable(audit))
        for path in audit.extra:
            out.line(f"  {printable(path)}: of no series of IDC that is here")
        for each in audit.unchecked:
            out.line(f"  {_line(each)}")
        for problem in audit.problems:
            out.warn(f"  {_line(problem)}")
        if audit.problems:
            out.note("the same download again fetches what is missing or damaged in its folders, and nothing else")
    if audit.problems:
        return WRONG
    if not audit.ok:
        return UNCHECKED
    return UNKNOWN if unknown else OK


def _line(problem: Problem) -> str:
    """Return what is wrong with a file or a folder, and of which series where the path does not say so."""
    path, uid = printable(problem.path), problem.series_uid
    return f"{path}: {printable(problem.reason)}" + (f" ({printable(uid)})" if uid and uid not in path else "")


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "SeriesInstanceUID": problem.series_uid,
        "kind": problem.kind,
        "reason": problem.reason,
    }


def _row(audit: Audit) -> dict[str, Any]:
    return {
        "path": audit.path,
        "ok": audit.ok,
        "series": audit.series,
        "files": audit.files,
        "bytes": audit.bytes,
        "files_by_md5": audit.files_by_md5,
        "problems": [_problem(each) for each in audit.problems],
        "unchecked": [_problem(each) for each in audit.unchecked],
        "extra": audit.extra,
    }
