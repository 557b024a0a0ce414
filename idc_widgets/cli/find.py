"""Looking without downloading: `list`, `search`, `describe`, `url`, `manifest`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from idc_widgets.api import Catalog, Cohort, dicomweb_url, files, viewer_url
from idc_widgets.catalog.database import SERIES
from idc_widgets.cli import selection
from idc_widgets.cli.exits import OK, UNKNOWN, InputError
from idc_widgets.cli.output import Output, printable, rows_of
from idc_widgets.lib.format import human_bytes

_LEVELS = ("collection", "patient", "study", "series")
_COLUMNS = (
    "collection_id", "PatientID", "PatientSex", "PatientAge", "Modality", "StudyDate", "BodyPartExamined",
    "SeriesDescription", "instanceCount", "series_size_MB", "SeriesInstanceUID", "StudyInstanceUID",
)  # fmt: skip


def add_arguments(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Describe the commands; `add` makes one."""
    for name, text in (("list", "list what a selection holds"), ("search", "list what words find")):
        each = add(name, help=text)
        if name == "search":
            each.add_argument("words", nargs="*", metavar="TEXT", help="words as people use them")
        selection.add_arguments(each, positional=name == "list")
        each.add_argument("--level", choices=_LEVELS, default="collection", help="what a row is (default: %(default)s)")
        each.add_argument("--limit", type=int, default=20, metavar="N", help="rows at most (default: %(default)s)")
        each.add_argument("--all", action="store_true", help="all rows")
        each.add_argument("--columns", metavar="A,B", help="columns of the index, at the level of series")
        each.set_defaults(run=list_rows)
    describe_parser = add("describe", help="say what a selection holds: counts, modalities, licences, dates")
    selection.add_arguments(describe_parser)
    describe_parser.set_defaults(run=describe)

    url_parser = add("url", help="addresses of studies and series: of a viewer, DICOMweb, the bucket")
    url_parser.add_argument("uids", nargs="+", metavar="UID", help="StudyInstanceUIDs or SeriesInstanceUIDs")
    kind = url_parser.add_mutually_exclusive_group()
    kind.add_argument("--viewer", choices=["ohif", "slim", "volview"], help="that viewer, in place of the usual one")
    kind.add_argument("--dicomweb", action="store_true", help="the address of IDC's DICOMweb server")
    kind.add_argument("--bucket", action="store_true", help="the series' folders in the bucket")
    kind.add_argument("--files", action="store_true", help="all files of the series, by a listing of the bucket")
    url_parser.add_argument("--provider", choices=["aws", "gcs"], default="aws", help="of --files")
    url_parser.set_defaults(run=urls)

    manifest_parser = add("manifest", help="write a manifest of a selection, for s5cmd or idc-index")
    selection.add_arguments(manifest_parser)
    manifest_parser.add_argument("--to", metavar="FILE", help="where to; by default it is printed")
    manifest_parser.add_argument("--provider", choices=["aws", "gcs"], default="aws")
    manifest_parser.set_defaults(run=manifest)


def list_rows(options: argparse.Namespace, out: Output) -> int:
    """List the collections, patients, studies or series of a selection."""
    if options.limit < 0:
        raise InputError(f"--limit {options.limit}: a number of rows from 0 on is wanted; --all lists all.")
    if options.columns is not None and options.level != "series":
        raise InputError("--columns is for --level series.")
    catalog = Catalog()
    words = " ".join(getattr(options, "words", []))
    if options.command == "search" and not words and not selection.is_given(options):
        raise InputError("search needs words, such as `idc-widgets search lung cancer`, or --where COLUMN=VALUE.")
    cohort = selection.select(catalog, options, out, required=False)
    others = cohort
    if words:
        cohort = cohort.where(*selection.interpreted(catalog, words, out))
    counts = asdict(cohort.counts)
    if words and not counts["series"]:
        selection.nearest(catalog, words, others, out)
    total = counts[_PLURALS.get(options.level, options.level)]
    limit = total if options.all else min(total, options.limit)
    rows = _rows(cohort, options, limit)
    if options.json:
        out.document(
            {
                "cohort": repr(cohort),
                "idc_version": catalog.version,
                "counts": counts,
                "level": options.level,
                "rows": rows,
                "more": total - len(rows),
                "unknown": selection.unknown_rows(cohort),
            }
        )
    else:
        out.note(f"{_counted(counts)}, {human_bytes(counts['bytes'])}")
        if rows:
            out.table(rows, list(rows[0]))
        if total > len(rows):
            out.note(f"… {total - len(rows):,} more rows; --limit N or --all shows more")
    return UNKNOWN if cohort.unknown else OK


_PLURALS = {"collection": "collections", "patient": "patients", "study": "studies"}


def _counted(counts: Mapping[str, int]) -> str:
    names = [(one, _PLURALS.get(one, one)) for one in _LEVELS]
    return ", ".join(f"{counts[many]:,} {one if counts[many] == 1 else many}" for one, many in names)


def _rows(cohort: Cohort, options: argparse.Namespace, limit: int) -> list[dict[str, Any]]:
    if not limit:
        return []
    if options.level == "series":
        columns = [c.strip() for c in options.columns.split(",")] if options.columns else list(_COLUMNS)
        return rows_of(cohort.series(columns=columns, limit=limit))
    frame = getattr(cohort, _PLURALS[options.level])()
    if options.level == "collection":
        frame = frame.sort_values("series", ascending=False, kind="stable")
    return rows_of(frame.head(limit))


def describe(options: argparse.Namespace, out: Output) -> int:
    """Say what a selection holds."""
    cohort = selection.select(Catalog(), options, out, required=False)
    said = cohort.describe()
    if options.json:
        row = asdict(said)
        for name in ("modalities", "collections", "licences"):
            row[name] = [{"value": value, "series": series, "bytes": size} for value, series, size in row[name]]
        out.document({**row, "unknown": selection.unknown_rows(cohort)})
    else:
        out.line(repr(said))
    return UNKNOWN if cohort.unknown else OK


def urls(options: argparse.Namespace, out: Output) -> int:
    """Print the addresses of studies and series."""
    catalog = Catalog()
    rows: list[dict[str, Any]] = []
    for uid in options.uids:
        if options.files:
            rows += [{"uid": uid, **row} for row in rows_of(files(uid, catalog, provider=options.provider))]
            continue
        rows += [{"uid": uid, "url": url} for url in _addresses(catalog, uid, options)]
    if options.json:
        out.document(rows)
    else:
        for row in rows:
            out.line(printable(row["url"]))
    return OK


def _addresses(catalog: Catalog, uid: str, options: argparse.Namespace) -> list[str]:
    if options.bucket:
        found = catalog.index.database.rows(
            f"SELECT series_aws_url FROM {SERIES} "
            "WHERE SeriesInstanceUID = $1 OR StudyInstanceUID = $1 ORDER BY row_id",
            [uid],
        )
        if not found:
            raise InputError(f'IDC v{catalog.version} has no study or series "{printable(uid)}".')
        return [str(row[0]) for row in found]
    return [dicomweb_url(uid, catalog) if options.dicomweb else viewer_url(uid, catalog, viewer=options.viewer)]


def manifest(options: argparse.Namespace, out: Output) -> int:
    """Write or print the manifest of a selection."""
    cohort = selection.select(Catalog(), options, out)
    if not cohort.counts.series:
        raise InputError("there is nothing to write: no series satisfies all of this.")
    text = cohort.to_manifest(options.to, provider=options.provider)
    counts = cohort.counts
    if options.json:
        row = {"path": options.to, "series": counts.series, "bytes": counts.bytes}
        more = {} if options.to else {"manifest": text}
        out.document({**row, **more, "unknown": selection.unknown_rows(cohort)})
    elif options.to:
        out.note(f"{counts.series:,} series, {human_bytes(counts.bytes)} → {options.to}")
    else:
        for line in text.splitlines():
            out.line(line)
    return UNKNOWN if cohort.unknown else OK
