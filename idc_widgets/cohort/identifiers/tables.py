"""Tables with a heading, whatever separates their columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from idc_widgets.cohort.identifiers import choices, roles
from idc_widgets.cohort.identifiers.addresses import FIND, read_address
from idc_widgets.cohort.identifiers.described import level_of, not_read
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED
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
    RESULT,
    SERIES,
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
    plain,
    shaped,
    text_of,
)

#: Headings of what is said of a collection as a whole.
_OF_ALL = re.compile(r"licen[cs]e|doi|version|release|url|size|type|program|date|cancer|species|location|citation")
_FILES = re.compile(r"file|image|mask|path|scan|instance|object|nodule|label|seg")
#: Letters and digits without a blank, as PatientIDs and names of files have them; no version, no address.
_ONE = re.compile(r"(?![vV]?[\d.]+$)(?!\w+://)(?=\S*\d)(?=\S*[A-Za-z])\S{4,200}")
_SAMPLE = 2_000  # values that a loosely named column is held against
OTHER_UIDS = re.compile(r"frameofreference|class|syntax|device|dimension|concatenation|palette|irradiation|storage")
_REFERS = re.compile(r"ref|source|prior|segmented|related|parent|other")
_BETWEEN = re.compile(r"[\s,;|/+&\"'\[\](){}]+")
_KEYS = ("id", "ids", "identifier", "identifiers")


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
    read: list[Sequence[str]] = [[text_of(v) for v in c] for c in columns]
    excepted = _exceptions(headings, read)
    stay, notes = choices.kept(*_without(headings, read, excepted)) or (None, [])
    unwanted = [
        Row(((OPEN, v),), problem=EXCLUDED) for at in excepted for c in read[at] for v in _several(OPEN, c) if v
    ]
    headings, read = _without(headings, read, excepted)
    by = roles.parts(headings, read)
    found = [_rows(h, r, stay, addresses) for h, r in by.values()] or [_rows(headings, read, stay, addresses)]
    if by:
        notes.append(f"The columns of {' and of '.join(by)} name series each: all of them are taken.")
    rows = [row for each in found if each is not None for row in each[0]]
    said = [note for each in found if each is not None for note in each[1]]
    return None if all(each is None for each in found) else (rows + unwanted, list(dict.fromkeys([*notes, *said])))


def _exceptions(headings: Sequence[object], columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the places of columns that hold what is not wanted, beside columns that name what is."""
    held = [choices.holds_identifiers(c) for c in columns]
    out = [at for at, h in enumerate(headings) if held[at] and choices.wants(h) < 0]
    fine = [f for at, h in enumerate(headings) if held[at] and at not in out for f in [field_of(h) or _kept_field(h)]]
    # Beside what is coarser they leave out the row: what is left of it cannot be told.
    return out if any(f == OPEN or LEVEL.get(f or "", 0) >= LEVEL[SERIES] for f in fine) else []


def _kept_field(heading: object) -> str | None:
    return roles.loose_field(heading) if choices.wants(heading) > 0 else None


def _without(
    headings: Sequence[object], columns: Sequence[Sequence[str]], places: Sequence[int]
) -> tuple[list[object], list[Sequence[str]]]:
    kept = [at for at in range(len(headings)) if at not in places]
    return [headings[at] for at in kept], [columns[at] for at in kept]


def _rows(
    headings: Sequence[object], read: Sequence[Sequence[str]], stay: Sequence[bool] | None, addresses: Addresses
) -> tuple[list[Row], list[str]] | None:
    found: list[tuple[str, Sequence[str], object]] = []
    notes: list[str] = []
    named = any(LEVEL[f] >= LEVEL[PATIENT] for h in headings if (f := field_of(h)))
    for heading, texts in zip(headings, read, strict=True):
        if key_of(heading) == "patientname" and named:
            continue
        field, loose = field_of(heading), roles.loose_field(heading)
        if field is None and loose is None and not _leads_here(texts, addresses):
            continue
        if field is None:
            field = _held(loose, texts, addresses, plural=key_of(heading).endswith("s"))
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
        maybe = _maybe(headings, read, {id(h) for _, _, h in found}, expects < LEVEL[PATIENT])
        chosen += maybe
        fields += [f for f, _ in maybe]
    rows: list[Row] = []
    only = len(chosen) == 1 and fields[0] not in (ADDRESS, COLLECTION, DOI)
    table = zip(*(v for _, v in chosen), strict=True)
    for values in table if stay is None else (r for r, s in zip(table, stay, strict=True) if s):
        if only:
            if values[0]:
                rows += _of_one(fields[0], values[0], addresses)
            elif len(headings) > 1:
                rows.append(Row((), expects))
            continue
        rows += _of_cells(fields, values, expects, addresses)
    if only and stay is None and len(chosen[0][1]) > 0 and not rows:
        notes.append(f"The column of {fields[0]} is empty.")
    if expects < LEVEL[STUDY]:
        notes += _not_narrowed(chosen)
    if rows and MAYBE not in fields:
        notes += not_read(headings, expects, read)
    return rows, notes


def _not_narrowed(chosen: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return what is to be said of empty cells that would narrow: without them all of the rest is meant."""
    by = dict(chosen)
    beside = list(zip(*(v for f, v in chosen if f in (COLLECTION, PATIENT)), strict=True))
    out = []
    for field in (RESULT, DOI) if beside else ():
        if empty := sum(not v and any(b) for v, b in zip(by.get(field, ()), beside, strict=False)):
            out.append(f"{field} is empty in {empty:,} rows: all that they name is meant, analysis results included.")
    return out


def _in_any(text: str) -> str:
    """Return what a cell below a heading that says nothing holds: a list of UIDs, the finest of a path, or damage."""
    if UUID_SHAPE.fullmatch(text) or UID_SHAPE.fullmatch(text) or damaged(text):
        return text
    if len(listed := _listed(text)) > 1:
        return " ".join(listed)
    return next((v for v in reversed(inside(text)) if UID_SHAPE.fullmatch(v)), "")


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


def _maybe(
    headings: Sequence[object], columns: Sequence[Sequence[str]], used: set[int], of_collections: bool
) -> list[tuple[str, list[str]]]:
    """Return the columns whose heading says nothing and that hold UIDs, uuids or what is left of them.

    They may be finer than what is named. Those that are said to refer to other images only where there are no others.
    Beside collections, what looks like the name of a patient or a file may be finer, too.
    """
    kept: list[tuple[str, list[str], bool]] = []
    for heading, column in zip(headings, columns, strict=True):
        key = key_of(heading)
        if id(heading) in used or field_of(heading) or OTHER_UIDS.search(key):
            continue
        texts = [_in_any(t) for t in column]
        if (
            of_collections
            and not any(texts)
            and not _OF_ALL.search(key)
            and (not level_of(heading) or _FILES.match(key))
        ):
            texts = [t if _ONE.fullmatch(t) and not plain(t) else "" for t in column]
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
        if len(several) > 1 and field in (SERIES, UUID, STUDY, INSTANCE, FILE, OPEN, MAYBE):
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
    if field == COLLECTION and re.search(r"[,;|]", value):
        return [v.strip() for v in re.split(r"[,;|]", value) if v.strip()]
    if field in (PATIENT, COLLECTION) or shaped(value):
        return [value]
    if listed := _listed(value):
        return listed
    if field == OPEN or not re.search(r"[\s,;|]", value):
        return [value]
    return [v for v in re.split(r"[\s,;|\"'\[\]()]+", value) if v]


def _listed(value: str) -> list[str]:
    """Return the UIDs or uuids that a cell lists, whatever separates them; none where it holds anything else."""
    found = [v for v in _BETWEEN.split(value) if v]
    return found if all(UID_SHAPE.fullmatch(v) or UUID_SHAPE.fullmatch(v) for v in found) else []


def _held(field: str | None, values: Sequence[str], known: Addresses, plural: bool) -> str | None:
    """Return the field of a loosely named column if its values look the part."""
    sample = [v for v in values if v][:_SAMPLE]
    if not sample or any(damaged(v) for v in sample):  # it is there, and without it a row names nothing
        return field if field and field != OPEN and values else None
    uids = sum(any(UID_SHAPE.fullmatch(u) for u in _listed(v)) for v in sample)
    uuids = sum(any(UUID_SHAPE.fullmatch(u) for u in _listed(v)) for v in sample)
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
