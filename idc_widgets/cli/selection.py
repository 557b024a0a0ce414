"""Which series a command is about: identifiers, lists, words and conditions on the command line, as a cohort."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from idc_widgets.api import Catalog, Cohort
from idc_widgets.cli.conditions import conditions
from idc_widgets.cli.exits import InputError
from idc_widgets.cli.output import Output
from idc_widgets.cohort import Condition, search
from idc_widgets.cohort.interpret.near import near

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    """Let a command take a selection."""
    if positional:
        parser.add_argument(
            "what",
            nargs="*",
            metavar="ARG",
            help="SeriesInstanceUIDs, StudyInstanceUIDs, PatientIDs, collections, DOIs, addresses; files with such (a "
            "manifest, a list, a table); - reads one from a pipe",
        )
    parser.add_argument("--series", action="append", default=[], metavar="FILE", help="a file as ARG; - is a pipe")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="Modality=CT,PT  Modality!=SEG  StudyDate=2010..2015  series_size_MB>10  SeriesDescription~t2; "
        "repeatable, it narrows",
    )
    parser.add_argument("--search", metavar="TEXT", help="words as people use them: collections, cancers, modalities …")
    parser.add_argument("--text", metavar="TEXT", help="words that all occur in the series' texts")


def is_given(options: argparse.Namespace) -> bool:
    """Whether the command line says which series."""
    return bool(_sources(options) or options.where or options.search is not None or options.text is not None)


def select(catalog: Catalog, options: argparse.Namespace, out: Output, *, required: bool = True) -> Cohort:
    """Return the series that the command line selects; what it does not know is reported and is in `unknown`.

    Raises
    ------
    ValueError
        If it says nothing of which series, or nothing of what it names is known here.
    """
    if required and not is_given(options):
        raise InputError(
            "nothing says which series: name identifiers, a manifest or list, --where COLUMN=VALUE or --search TEXT."
        )
    cohort = _listed(catalog, _sources(options), out) if _sources(options) else Cohort(catalog)
    return cohort.where(*_conditions(catalog, options, out))


def unknown_rows(cohort: Cohort) -> list[dict[str, str]]:
    """Return the entries that are not known here, with the reason of each."""
    return [{"entry": str(each), "reason": str(getattr(each, "reason", ""))} for each in cohort.unknown]


def _conditions(catalog: Catalog, options: argparse.Namespace, out: Output) -> list[Condition]:
    found = conditions(catalog, options.where)
    if options.search is not None:
        found += interpreted(catalog, options.search, out)
    if options.text is not None:
        found.append(search(options.text))
    return found


def interpreted(catalog: Catalog, text: str, out: Output) -> list[Condition]:
    """Return the conditions that words mean, and say what that is and what else it could be."""
    found = catalog.interpret(text)
    if not found:
        return [search(text)]
    if found.terms:
        plain = Cohort(catalog, found.alternatives[-1]).counts.series
        out.note(f"{text!r} is read as {found.label}; as text (--text) it finds {plain:,} series")
    return list(found)


def nearest(catalog: Catalog, text: str, others: Cohort, out: Output) -> None:
    """Say what words that find nothing may be meant for."""
    readings = [(r.label, others.where(*r).counts.series) for r in near(catalog.index, text)]
    found = [f"{label} ({series:,} series)" for label, series in readings if series]
    out.note(f"nothing is found by {text!r}; nearest: {'; '.join(found)}" if found else f"nothing is found by {text!r}")


def _sources(options: argparse.Namespace) -> list[str]:
    return [*getattr(options, "what", []), *options.series]


def _listed(catalog: Catalog, sources: Sequence[str], out: Output) -> Cohort:
    """Return the series that identifiers and files name together."""
    if sources.count("-") > 1:
        raise InputError("- reads the pipe, and can be given once.")
    words = list(dict.fromkeys(s for s in sources if s != "-" and not _is_file(s)))
    texts: list[str | Path | list[str]] = [_pipe() if s == "-" else Path(s) for s in sources if s not in words]
    if words:
        texts.append(words[0] if len(words) == 1 else words)
    cohort: Cohort | None = None
    for text in texts:
        read = _read(catalog, text, out)
        cohort = read if cohort is None else cohort | read
    assert cohort is not None
    if cohort.unknown:
        out.warn(f"idc-widgets: {len(cohort.unknown):,} unknown here:")
        for each in unknown_rows(cohort)[:_SHOWN]:
            out.warn(f"  {each['entry'][:200]}" + (f": {each['reason']}" if each["reason"] else ""))
        if len(cohort.unknown) > _SHOWN:
            out.warn(f"  and {len(cohort.unknown) - _SHOWN:,} more")
    if not cohort.counts.series:
        raise InputError(f"nothing of what was named is known in IDC v{catalog.version}.")
    return cohort


def _is_file(source: str) -> bool:
    try:
        return Path(source).exists() and not Path(source).is_dir()
    except (OSError, ValueError):
        return False


def _is_folder(source: str) -> bool:
    try:
        return Path(source).is_dir()
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False


def _pipe() -> str:
    if sys.stdin is None:
        raise InputError("- reads the pipe, and there is none.")
    data = getattr(sys.stdin, "buffer", None)
    text = data.read().decode("utf-8-sig", errors="replace") if data is not None else sys.stdin.read()
    if not text.strip():
        raise InputError("the pipe is empty: it names no series.")
    return text + "\n"


def _read(catalog: Catalog, source: str | Path | list[str], out: Output) -> Cohort:
    if isinstance(source, str) and "\n" not in source:
        if not source.strip():
            raise InputError("an argument is empty: it names no series.")
        if os.sep in source and _is_folder(source):
            raise InputError(f"{source} is a folder; a manifest, a list or identifiers are wanted.")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        cohort = Cohort.from_manifest(source, catalog)
    for warning in said:
        if issubclass(warning.category, UserWarning):
            out.note(f"idc-widgets: {warning.message}")
    return cohort
