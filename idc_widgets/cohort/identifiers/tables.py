"""Tables with a heading, whatever separates their columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from idc_widgets.catalog.names import short
from idc_widgets.cohort.identifiers import exclusions
from idc_widgets.cohort.identifiers.addresses import FIND, read_address
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    ADDRESS,
    COLLECTION,
    DOI,
    FILE,
    INSTANCE,
    LEVEL,
    MAYBE,
    OPEN,
    PATIENT,
    SERIES,
    STANDARD_UID,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    as_written,
    bare_doi,
    damaged,
    field_of,
    inside,
    key_of,
    loose_field_of,
    plain,
    shaped,
    text_of,
)

_SEARCHED = 100  # lines in which a heading is looked for
_SAMPLE = 2_000  # values that a loosely named column is held against
_RULE = re.compile(r"[\s|:+=-]+")  # under a heading in Markdown, around one in a terminal

OTHER_UIDS = re.compile(r"frameofreference|class|syntax|device|dimension|concatenation|palette|irradiation|storage")
_REFERS = re.compile(r"ref|source|prior|segmented|related|parent|other")
_SHOWN = re.compile(r"\[\d+ rows x \d+ columns\]")
_CUT_TABLE = "The table is cut where it has '...'; write all of it, with to_csv()."
_KEYS = ("id", "ids", "identifier", "identifiers")
#: What describes one series or study: rows with it are of that level, whatever identifies them is coarser.
_DESCRIBES = {
    **dict.fromkeys(("seriesnumber", "seriesdescription", "seriesdate", "modality", "bodypartexamined"), SERIES),
    **dict.fromkeys(("limit", "filter", "query", "maxpatients", "maxstudies", "maxseries"), SERIES),
    **dict.fromkeys(("studydate", "studydescription", "studytime", "accessionnumber"), STUDY),
}
_WHOLE = {1: "collection", 2: "patient", 3: "study"}


class Addresses:
    """Which buckets and hosts are IDC's, for `read_address`."""

    def __init__(self, buckets: Iterable[str], own: Iterable[str]) -> None:
        self.buckets, self.own = frozenset(buckets), frozenset(own)

    def rows(self, text: str) -> list[Row]:
        """Return what the addresses in a text name."""
        return [r for a in FIND.findall(text) for r in read_address(a, self.buckets, self.own)]


def rows_of(
    headings: Sequence[object], columns: Sequence[Iterable[object]], addresses: Addresses
) -> tuple[list[Row], list[str]] | None:
    """Return the rows of a table given by columns; None where no column of it identifies.

    Also returns the notes on how it was read.
    """
    found: list[tuple[str, list[str], object]] = []
    notes: list[str] = []
    lists = [list(c) for c in columns]
    if (left := exclusions.kept(headings, lists)) is not None:
        stay, notes = left
        lists = [[v for v, s in zip(c, stay, strict=True) if s] for c in lists]
    read = [[text_of(v) for v in c] for c in lists]
    named = any(LEVEL[f] >= LEVEL[PATIENT] for h in headings if (f := field_of(h)))
    for heading, texts in zip(headings, read, strict=True):
        if key_of(heading) == "patientname" and named:
            continue
        field = field_of(heading)
        if field is None and loose_field_of(heading) is None and not _leads_here(texts, addresses):
            continue
        if field is None:
            field = _held(loose_field_of(heading), texts, addresses, plural=key_of(heading).endswith("s"))
        if field is not None:
            found.append((field, texts, heading))
    if not found:
        return None
    patients = [c for c in found if c[0] == PATIENT]
    if len(patients) > 1:  # GDC's case_id is a uuid, beside the name that IDC has
        found = [c for c in found if c[0] != PATIENT or not any(map(UUID_SHAPE.fullmatch, c[1][:_SAMPLE]))] or found
    # Row numbers and keys of one's own say nothing beside a series.
    if any(LEVEL[f] >= LEVEL[SERIES] for f, _, _ in found):
        found = [c for c in found if not (c[0] == OPEN and key_of(c[2]) in _KEYS)]
    chosen = [(f, v) for f, v, _ in found]
    expects = max(_level(f, v, addresses) for f, v in chosen)
    fields = [f for f, _ in chosen]
    if expects < LEVEL[SERIES]:
        maybe = _maybe(headings, read, {id(h) for _, _, h in found})
        chosen += maybe
        fields += [f for f, _ in maybe]
    rows: list[Row] = []
    only = len(chosen) == 1 and fields[0] not in (ADDRESS, COLLECTION, DOI)
    for values in zip(*(v for _, v in chosen), strict=True):
        if only:
            if values[0]:
                rows += _of_one(fields[0], values[0], addresses)
            elif len(headings) > 1:
                rows.append(Row((), expects))
            continue
        rows += _of_cells(fields, values, expects, addresses)
    if only and len(chosen[0][1]) > 0 and not rows:
        notes.append(f"The column of {fields[0]} is empty.")
    if rows and MAYBE not in fields:
        notes += not_read(headings, expects)
    return rows, notes


def not_read(headings: Iterable[object], level: int) -> list[str]:
    """Return what is to be said of headings and keys that describe what is finer than what is identified."""
    fine = {str(h): f for h in headings if (f := _DESCRIBES.get(key_of(h))) and LEVEL[f] > level}
    if not fine or level not in _WHOLE:
        return []
    kind = "series" if SERIES in fine.values() else "studies"
    return [
        f"No column identifies {kind}, so each row is a whole {_WHOLE[level]}; {short(', '.join(fine))} is not read."
    ]


def _uids(text: str) -> Iterator[str]:
    """Yield the UIDs in a cell, the finest of a path first."""
    return (v for v in reversed([text] if UID_SHAPE.fullmatch(text) else inside(text)) if UID_SHAPE.fullmatch(v))


def _leads_here(values: Sequence[str], known: Addresses) -> bool:
    """Whether a column of any heading holds addresses of IDC's images."""
    sample = [v for v in values if v][:20]
    return sum("://" in v for v in sample) * 2 > len(sample) and any(
        r.cells[-1][0] != DOI for v in sample for r in known.rows(v)
    )


def _level(field: str, values: Sequence[str], known: Addresses) -> int:
    """Return how fine a column is; addresses may be of studies."""
    if field != ADDRESS:
        return LEVEL[field]
    named = [LEVEL[f] for v in values[:_SAMPLE] for r in known.rows(v) if not r.problem for f, _ in r.cells]
    return max(named, default=LEVEL[ADDRESS]) or LEVEL[STUDY]


def _maybe(headings: Sequence[object], columns: Sequence[Sequence[str]], used: set[int]) -> list[tuple[str, list[str]]]:
    """Return the columns whose heading says nothing and that hold UIDs, uuids or what is left of them.

    They may be finer than what is named. Those that are said to refer to other images only where there are no others.
    """
    kept: list[tuple[str, list[str], bool]] = []
    for heading, column in zip(headings, columns, strict=True):
        key = key_of(heading)
        if id(heading) in used or field_of(heading) or OTHER_UIDS.search(key):
            continue
        texts = [t if UUID_SHAPE.fullmatch(t) or damaged(t) else next(_uids(t), "") for t in column]
        if any(texts):
            kept.append((MAYBE, texts, bool(_REFERS.search(key))))
    return [(f, t) for f, t, refers in kept if not refers or all(r for _, _, r in kept)]


def _of_one(field: str, value: str, addresses: Addresses) -> list[Row]:
    if "://" in value and (found := addresses.rows(value)):
        return found
    return [Row(((field, as_written(field, v)),)) for v in _several(field, value)]


def _of_cells(fields: Sequence[str], values: Sequence[str], expects: int, addresses: Addresses) -> list[Row]:
    cells: list[tuple[str, str]] = []
    many: list[tuple[str, list[str]]] = []
    named: list[Row] = []
    for field, value in zip(fields, values, strict=True):
        if not value:
            if field == MAYBE:
                cells.append((MAYBE, ""))  # what the other rows have in its place decides
            continue
        if "://" in value and not (field == DOI and bare_doi(value) != value):
            found = addresses.rows(value)
            if any(r.problem for r in found):
                return [r for r in found if r.problem]
            if len(found) == 1:
                cells += found[0].cells
            elif found:
                named += found
            elif field == ADDRESS:
                return [Row(((field, value),), problem="no address of a series of IDC")]
            continue
        if field == ADDRESS:
            field = UUID if UUID_SHAPE.fullmatch(value) else field
            if field == ADDRESS:
                return [Row(((field, value),), problem="no address of a series of IDC")]
        several = [as_written(field, v) for v in _several(field, value)]
        if len(several) > 1 and field in (SERIES, UUID, STUDY, INSTANCE, FILE):
            many.append((field, several))
        else:
            cells += [(field, v) for v in several]
    if named:
        return [Row((*(c for c in cells if LEVEL[c[0]] <= LEVEL[r.cells[-1][0]]), *r.cells), expects) for r in named]
    if many:
        field, several = max(many, key=lambda m: LEVEL[m[0]])
        # Studies listed beside series say nothing of which is of which.
        return [Row((*(c for c in cells), (field, v)), expects) for v in several]
    return (
        [Row(tuple(dict.fromkeys(cells)), expects)]
        if any(f != MAYBE for f, _ in cells)
        else [Row((), expects)]
        if expects
        else []
    )


def _several(field: str, value: str) -> list[str]:
    """Return the identifiers of one cell: UIDs may be listed in it."""
    if field in (PATIENT, COLLECTION, OPEN) or not re.search(r"[\s,;|]", value):
        if field == COLLECTION and re.search(r"[,;|]", value):
            return [v.strip() for v in re.split(r"[,;|]", value) if v.strip()]
        return [value]
    return [v for v in re.split(r"[\s,;|\"'\[\]()]+", value) if v]


def _held(field: str | None, values: Sequence[str], known: Addresses, plural: bool) -> str | None:
    """Return the field of a loosely named column if its values look the part."""
    sample = [v for v in values if v][:_SAMPLE]
    if not sample or any(damaged(v) for v in sample):  # it is there, and without it a row names nothing
        return field if field and field != OPEN and values else None
    uids = sum(bool(UID_SHAPE.fullmatch(v)) for v in sample)
    uuids = sum(bool(UUID_SHAPE.fullmatch(v)) for v in sample)
    addresses = sum("://" in v for v in sample)
    if addresses * 2 > len(sample):
        return ADDRESS if any(known.rows(v) and not _elsewhere(v) for v in sample) else None
    if field == SERIES:
        return SERIES if uids * 2 > len(sample) else UUID if uuids * 2 > len(sample) else None
    if field == STUDY:
        return STUDY if uids * 2 > len(sample) else None
    if field == OPEN:
        return OPEN if (uids + uuids) * 2 > len(sample) else None
    if field == PATIENT:  # "patients" of a collection are their number
        return None if plural and all(v.isdigit() and len(v) < 6 for v in sample) else PATIENT
    return None if all(v.isdigit() and len(v) < 4 for v in sample) else field


def _elsewhere(value: str) -> bool:
    return bare_doi(value) != value or "creativecommons.org" in value


# -- finding the heading in a text


def find(lines: Sequence[str]) -> tuple[list[str], Iterator[list[str]]] | None:
    """Return the heading and the rows of the table in a text; None where it has none."""
    if any(_SHOWN.fullmatch(line.strip()) for line in lines[-3:]) and any("..." in line for line in lines[:3]):
        raise ValueError(_CUT_TABLE)
    seen = 0
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        seen += 1
        if seen > _SEARCHED:
            return None
        bare = line.strip().lstrip("#").strip()
        if FIND.search(bare) or any(shaped(w) for w in re.split(r"[\s,;|\"]+", bare)[:50]):
            if not line.lstrip().startswith("#"):
                return None  # what identifies has begun
            continue
        if (found := _heading(bare, lines[at + 1 :])) is not None:
            return found
    return None


def _heading(line: str, rest: Sequence[str]) -> tuple[list[str], Iterator[list[str]]] | None:
    if re.search(r"(?:^|\s)(?:\.\.\.|…)(?:\s|$)", line) and any(field_of(w) for w in line.split()):
        raise ValueError(_CUT_TABLE)
    for separator in ("\t", "|", ";", ","):
        if separator not in line.strip("|" if separator == "|" else ""):
            continue
        cells = _cells(line, separator)
        if len(cells) > 1 and _is_heading(cells):
            return cells, _separated(cells, rest, separator, framed=separator == line[:1] == "|")
    if ":" in line or "=" in line:
        return None  # a key and its value
    cells = re.split(r"\s{2,}", line)
    if len(cells) > 1 and _is_heading(cells):
        return cells, _aligned(line, cells, rest)
    cells = line.split()
    if (
        len(cells) > 1
        and _is_heading(cells)
        and all(field_of(c) or loose_field_of(c) or c.isidentifier() for c in cells)
    ):
        return cells, _aligned(line, cells, rest)
    single = line.strip("\"'|,;:[] ")
    if field_of(single) or loose_field_of(single) == OPEN:
        framed = line.startswith("|")
        return [single], _separated([single], rest, "|" if framed else ",", framed)
    return None


def _is_heading(cells: Sequence[str]) -> bool:
    strict = sum(field_of(c) is not None for c in cells)
    loose = sum(loose_field_of(c) is not None for c in cells)
    return (strict > 0 and (strict + loose > 1 or any(not plain(c) or c for c in cells))) or loose > 1


def _cells(line: str, separator: str) -> list[str]:
    text = line.strip()
    if separator == "|" and text.startswith("|"):
        text = text[1:].removesuffix("|")
    return [c.strip() for c in next(csv.reader(io.StringIO(text), delimiter=separator), [])]


def _separated(heading: list[str], lines: Sequence[str], separator: str, framed: bool) -> Iterator[list[str]]:
    """Yield the rows below a heading; one that is framed by bars has rows that are."""
    width = len(heading)

    def kept() -> Iterator[str]:
        for line in lines:
            if not line.strip() or line.lstrip().startswith("#") or _RULE.fullmatch(line):
                continue
            yield (
                line.strip()[1:].rstrip().removesuffix("|") if framed and line.lstrip().startswith("|") else line + "\n"
            )

    csv.field_size_limit(10_000_000)
    rows = list(csv.reader(kept(), delimiter=separator))
    if any("\n" in c and inside(c) for row in rows for c in row):  # a quote that is not closed took rows in
        rows = list(csv.reader(kept(), delimiter=separator, quoting=csv.QUOTE_NONE))
    for row in rows:
        cells = [c.strip() for c in row]
        if cells == heading or not any(cells):
            continue
        if field_of(cells[0]) and _is_heading(cells):
            raise ValueError(
                f"There are two tables, one below the other ({short(', '.join(cells))}); give one of them."
            )
        if width == 1 and len(cells) > 1:
            yield from ([c] for c in cells if c)  # a list under one heading
            continue
        if separator == "|" and len(cells) == width + 2 and not cells[0] and not cells[-1]:
            cells = cells[1:-1]  # framed, below a heading that is not
        if len(cells) == width + 1 and not cells[-1]:
            cells.pop()  # a separator at the end of the line
        # The row's number, which has no heading.
        if len(cells) == width + 1 and re.fullmatch(r"\d+", cells[0]) and not heading[0].isdigit():
            cells = cells[1:]
        yield (cells + [""] * width)[:width]


def _aligned(head: str, heading: list[str], lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the rows of a table that spaces align, as a terminal shows it."""
    width = len(heading)
    for line in lines:
        if not line.strip() or _RULE.fullmatch(line) or line.split() == head.split() or line.lstrip().startswith("#"):
            continue
        for cells in (re.split(r"\s{2,}", line.strip()), line.split()):
            if len(cells) == width + 1:
                cells = cells[1:]
            if len(cells) == width:
                yield cells
                break
        else:
            yield _by_looks(heading, line)


def _by_looks(heading: Sequence[str], line: str) -> list[str]:
    """Return the cells of a row whose texts hold spaces: identifiers, in their order, are those of the headings."""
    words = [w for w in line.split() if not STANDARD_UID.fullmatch(w)]
    out = [""] * len(heading)
    for at, name in enumerate(heading):
        field = field_of(name)
        if field in (SERIES, STUDY, INSTANCE, UUID, FILE):
            like = UUID_SHAPE if field in (UUID, FILE) else UID_SHAPE
            place = next((i for i, w in enumerate(words) if like.fullmatch(w)), None)
            if place is not None:
                out[at] = words.pop(place)
        elif key_of(name).endswith("uid"):  # of no field, but it takes its place
            place = next((i for i, w in enumerate(words) if UID_SHAPE.fullmatch(w)), None)
            if place is not None and not OTHER_UIDS.search(key_of(name).replace("frameofreference", "")):
                words.pop(place)
    return out
