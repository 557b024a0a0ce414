"""The one reader: a list, table, file or address to what it names."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES as TABLE
from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers import (
    exclusions,
    files,
    headings,
    literals,
    lookup,
    queries,
    records,
    sections,
    shapes,
    sorting,
    tables,
    texts,
)
from idc_widgets.cohort.identifiers.decide import decide
from idc_widgets.cohort.identifiers.described import not_read
from idc_widgets.cohort.identifiers.files import Content
from idc_widgets.cohort.identifiers.lines import excluded
from idc_widgets.cohort.identifiers.lookup import Names
from idc_widgets.cohort.identifiers.markup import plain
from idc_widgets.cohort.identifiers.result import SAVED, Identified, Row
from idc_widgets.cohort.identifiers.settle import settle
from idc_widgets.cohort.identifiers.spelling import LEVEL, OPEN, SERIES, bare_doi, inside, shaped, text_of
from idc_widgets.cohort.identifiers.tables import Addresses

_ENDPOINTS = ("IDC_WIDGETS_AWS_ENDPOINT", "IDC_WIDGETS_GCS_ENDPOINT")
_BUCKETS = (
    "idc-open-data",
    "idc-open-data-two",
    "idc-open-data-cr",
    "idc-open-idc1",
    "idc-open-cr",
    "public-datasets-idc",
)

_ROW = 50  # values that a row has at most
Rows = tuple[list[Row], list[str]]


def read(index: Index, source: Any) -> Identified:
    """Return what a source names: which series, how many of what, and what is unknown and why.

    The finest identifier of a row counts; coarser ones beside it only narrow it, and nothing widens: a row whose finest
    identifier is unknown names nothing.

    Parameters
    ----------
    index
        The index to look in.
    source
        A file or its text: a manifest (of IDC, idc-index, NBIA), a table with a heading or without one (CSV, TSV,
        JSON, parquet; packed by gzip), a list of identifiers, addresses of viewers, buckets or DICOMweb, a saved
        cohort. Or a list, an array, a data frame.

    Raises
    ------
    ValueError
        If the file cannot be read or is empty, or if a table has no column that identifies.
    TypeError
        If the source is of no such kind.
    """
    return _identified(index, files.load(index, source))


def read_text(index: Index, text: str, most: int | None = None) -> Identified:
    """Return what a text names; it is never taken for the name of a file.

    Raises
    ------
    ValueError
        If there is nothing in it, or more than `most` entries.
    """
    if not text.strip("\ufeff \t\r\n,;"):
        raise ValueError("The list is empty: UIDs, PatientIDs, collection ids or DOIs are wanted, one a line.")
    return _identified(index, Content("this list", text=text), most)


def read_frame(index: Index, frame: Any) -> Identified:
    """Return what a data frame's rows name, its index included.

    Raises
    ------
    ValueError
        If it has no column that identifies series, studies, patients or collections.
    TypeError
        If it is no data frame.
    """
    content = files.frame(frame)
    if content is None:
        raise TypeError(f"from_frame(…) takes a data frame, not {type(frame).__name__}.")
    return _identified(index, content)


def _identified(index: Index, content: Content, most: int | None = None) -> Identified:
    addresses, names = _addresses(index), Names(index)
    notes: list[str]
    described: list[str] = []  # keys that say more than is read of them

    asked: dict[str, bool] = {}

    def known(words: Iterable[str]) -> bool:
        words = list(words)
        if new := [w for w in words if w not in asked]:
            found = lookup.fields_of(names, new)
            asked.update((w, w in found) for w in new)
        return any(asked[w] for w in words)

    mentioned: Callable[[], list[str]] | None = None  # of a list each entry counts, and nothing stands around it
    value = content.value
    if content.text is not None:
        text = plain(exclusions.without_comments(content.text))
        try:
            value = literals.parse(text)
        except ValueError:
            if queries.read(text) is None:
                raise
        if isinstance(value, dict) and value.get("format") == SAVED:
            return Identified(saved=text)
        if value is None:
            rows, notes, described = _of_text(text, addresses, known)
            mentioned = partial(inside, text)
    if value is not None:
        rows, notes = _of_value(value, addresses, names, known)
        if isinstance(value, tuple) or not literals.is_list(value) or _is_row(value, names):
            mentioned = partial(_inside, value)
    elif content.columns is not None:
        rows, notes = _of_columns(content, addresses, names)
    if most is not None and sum(len(r.cells) if r.listed else 1 for r in rows) > most:
        raise ValueError(
            f"The list has {sum(len(r.cells) if r.listed else 1 for r in rows):,} entries, {most:,} the most here; "
            "idc.Cohort.from_manifest(…) takes more."
        )
    found = decide(index, settle(rows, names, notes), names, notes, mentioned)
    finest = max((LEVEL[c] for c in found.counts), default=0)
    in_text = content.text is not None and value is None
    if described and (in_text or not notes) and (said := not_read(described, finest, every=in_text)):
        found = replace(found, notes=(*found.notes, *said))
    return found


def _of_text(text: str, addresses: Addresses, known: exclusions.Known) -> tuple[list[Row], list[str], list[str]]:
    lines = re.split(r"\r\n|\r|\n|\u2028|\x0b|\x0c", text)
    lines, unwanted = sections.parted(lines, known)
    named = [" ".join(inside(line)) or line for line in unwanted]
    out = [row for line in named for row in excluded(line, addresses, known) if row.problem == exclusions.EXCLUDED]
    if not queries.is_query(text) and not _is_code(lines) and (table := headings.find(lines)) is not None:
        heading, cells = table
        columns: Sequence[Iterable[Any]] = list(zip(*cells, strict=True)) or [()] * len(heading)
        found = tables.rows_of(heading, columns, addresses)
        if found is not None:
            above = next((at for at, line in enumerate(lines) if all(h in line for h in heading)), 0)
            return [*texts.titles(lines[:above]), *found[0], *out], found[1], []
    rows, described = texts.rows_of(lines, addresses, known)
    return rows + out, [], described


def _is_code(lines: Sequence[str]) -> bool:
    """Return whether a text begins with code, which has commas and names of columns as a heading has."""
    first = next((line for line in lines if line.strip()), "")
    return bool(re.search(r"[(\[=]", first)) and queries.read("\n".join(lines)) is not None


def _of_columns(content: Content, addresses: Addresses, names: Names) -> Rows:
    names_of, columns = content.headings or [], content.columns or []
    if any(literals.is_nested(v) for column in columns for v in column):  # each row is a record
        table = [literals.plainly(dict(zip(names_of, row, strict=True))) for row in zip(*columns, strict=True)]
        return records.rows_in(table, addresses, names)
    found = tables.rows_of(names_of, columns, addresses)
    if found is not None:
        return found
    # Without a heading that says so: by the values, where they are identifiers by their looks or have no heading.
    cells = [[text_of(v) for v in column] for column in columns]
    headless = all(isinstance(h, int) or re.fullmatch(r"(?:Unnamed: ?|column_?)?\d*", str(h)) for h in names_of)
    sample = dict.fromkeys(v for c in cells for v in c[:1000] if v) if headless else {}
    if not any(shaped(v) for c in cells for v in c[:1000]) and not lookup.fields_of(names, sample):
        named = ", ".join(sorted(str(h) for h in names_of)[:5]) or "none"
        raise ValueError(
            f"from_frame(…) needs a column SeriesInstanceUID, crdc_series_uuid, StudyInstanceUID, PatientID or "
            f"collection_id; {content.name} has: {short(named)}."
        )
    rows = [Row(tuple((OPEN, v) for v in values if v)) for values in zip(*cells, strict=True)]
    return [r for r in rows if r.cells], []


def _of_value(value: Any, addresses: Addresses, names: Names, known: exclusions.Known) -> Rows:
    if not literals.is_list(value):
        return records.rows_in(value, addresses, names)
    rows: list[Row] = []
    for each in value:
        text = text_of(each)
        if not text:
            continue
        if re.search(r"://|\s", text) or (not shaped(bare_doi(text)) and inside(text)):
            rows += texts.rows_of(text.splitlines(), addresses, known)[0]
        else:
            rows.append(Row(((OPEN, bare_doi(text)),)))
    return rows, []


def _is_row(values: Iterable[Any], names: Names) -> bool:
    """Return whether a list has the values of a row: few, of three levels or more."""
    texts = [text_of(v) for v in values]
    if len(texts) > _ROW:
        return False
    fields = lookup.fields_of(names, texts)
    return (
        len({LEVEL[fields[t][0][0]] if t in fields else LEVEL[SERIES] for t in texts if t in fields or shaped(t)}) > 2
    )


def _inside(value: Any) -> list[str]:
    """Return all UIDs and uuids of a value, wherever they stand."""
    return [u for text in [*shapes.leaves(value), *sorting.keys_of(value)] for u in inside(text)]


def _addresses(index: Index) -> Addresses:
    buckets = set(_BUCKETS)
    for column, table in (
        ("aws_bucket", TABLE),
        ("aws_bucket", "prior_versions_index"),
        ("gcs_bucket", "prior_versions_index"),
    ):
        buckets.update(r[0] for r in index.database.rows(f"SELECT DISTINCT {column}::VARCHAR FROM {table}") if r[0])
    own = set()
    for name in _ENDPOINTS:
        with contextlib.suppress(ValueError):
            own.add(urlsplit(os.environ.get(name, "")).netloc.lower())
    return Addresses(buckets, own - {""})
