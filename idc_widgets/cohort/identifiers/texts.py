"""Texts without a heading: lists, manifests, pasted rows, keys and values, sentences with identifiers in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.cohort.identifiers import exclusions, queries
from idc_widgets.cohort.identifiers.addresses import FIND
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED, Known
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    DOI,
    FILE,
    LEVEL,
    OPEN,
    PATIENT,
    SERIES,
    STANDARD_UID,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    WITH_COMMAS,
    as_written,
    bare_doi,
    cut_off,
    damaged,
    field_of,
    inside,
    loose_field_of,
    shaped,
    text_of,
)
from idc_widgets.cohort.identifiers.tables import Addresses

_SHELL = re.compile(
    r"^\s*(?:[$>!%]\s*)?(?:s5cmd|aws|gsutil|gcloud|wget|curl|idc|idc-index|idc-widgets|cp|sync|mv|cat|ls|get|rclone)\s",
)
_PAIR = re.compile(r"^\s*(?:[-*•]\s+)?[\"']?([A-Za-z][\w .\[\]()-]{0,80}?)[\"']?\s*[:=]\s*(?!//)(.*)$")
_BRANCH = re.compile(r"^[|\s]*[+|`\\]-{1,3}\s+")  # of a tree, as `tree` draws it
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,6}[.)])\s+")
_COMMENT = re.compile(r"^\s*(?:#|//|--\s|%%|;)")
_SELECT = re.compile(r"\b(?:SELECT|WHERE)\b", re.IGNORECASE)
_FILE = re.compile(
    r"(?:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/)?"
    r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\.dcm\b"
)
_TAG = re.compile(r"^\s*\(?([0-9a-fA-F]{4}),\s?([0-9a-fA-F]{4})\)?\s(.*)$")  # as dcmdump and pydicom write them
_USUAL = re.compile(r"cp s3://([^/\s]+)/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/\* \S+$")
_WRAPPED = "\"'`[](){}<> \t"
_SQL_IN = re.compile(
    r"\b([A-Za-z_]\w*)[\"`]?\s+IN\s*\(([^)]*)\)|\b([A-Za-z_]\w*)[\"`]?\s*={1,2}\s*(['\"][^'\"]+['\"])",
    re.IGNORECASE,
)


def rows_of(lines: Sequence[str], addresses: Addresses, known: Known) -> tuple[list[Row], list[str]]:
    """Return a row for each line, or for each entry of it, and the keys that only describe what is meant."""
    text = "\n".join(lines)
    if queries.is_query(text) and (refused := queries.refused(text)) is not None:
        return refused, []
    if any(_SELECT.search(line) for line in lines[:1000]) and (queried := _of_sql(" ".join(lines), addresses)):
        return queried, []
    out: list[Row] = []
    records: list[Row] = []
    record: dict[str, list[str]] = {}
    under: str | None = None  # the field whose values are listed on the following lines
    excepted = False  # whether the lines that follow are said not to be wanted
    used = False  # whether the record narrows the lines that follow it
    described: dict[str, None] = {}
    asked: set[str] = set()  # the keys of a record that are there without a value

    def flush() -> None:
        nonlocal used
        if not used:
            rows = _of_record(record, addresses)
            for row in rows:
                row.expects = max((LEVEL[f] for f in asked if f not in record), default=0)
            records.extend(rows)
        record.clear()
        asked.clear()
        used = False

    for raw in lines:
        line = _BRANCH.sub("", raw.strip())
        if not line or line in ("---", "..."):
            flush()
            excepted = False
            under = under if under == SERIES and line == "" else None
            continue
        if _COMMENT.match(line):
            continue
        if not record and not under and not excepted:  # the usual lines of long lists, at once
            if UID_SHAPE.fullmatch(line):
                out.append(Row(((OPEN, line),)))
                continue
            if (usual := _USUAL.match(line)) and usual[1] in addresses.buckets:
                out.append(Row(((UUID, usual[2].lower()),)))
                continue
        if excepted and re.match(r"\S[^:]*:\s*$", raw):  # the next key
            excepted = False
        if exclusions.is_block(line):
            excepted = True
        elif exclusions.is_excluded(line, known):
            excepted = excepted or line.endswith(":")
            out += _excluded(line, addresses)
            continue
        if _SHELL.match(line) and FIND.search(line):
            out += addresses.rows(line)
            continue
        if tag := _TAG.match(line):
            field = field_of(tag[1] + tag[2])
            value = _tagged(tag[3])
            if field and value:
                if field in record:
                    flush()
                record[field] = [value]
            continue
        if excepted:
            out += _excluded(line, addresses)
            continue
        pair = _PAIR.match(line)
        if pair and not FIND.match(line) and not shaped(bare_doi(line)):
            field = field_of(pair[1]) or _loose(pair[1], pair[2])
            value = text_of(pair[2].strip().rstrip(",").strip(_WRAPPED))
            if field and value and (_is_of_one(field, value) or damaged(value)):
                if field in record or line.startswith(("- ", "* ")):
                    flush()
                apart = r"[,;\s]+" if LEVEL[field] > 2 or field == DOI else r"\s*[,;]\s*"
                record[field] = [b for v in re.split(apart, value) if (b := text_of(v.strip(_WRAPPED)))]
                under = None
                continue
            if not value and (empty := field or loose_field_of(pair[1])):
                under = empty
                asked.add(empty)
                continue
            named = inside(pair[1])[-1:] or [pair[1]] if pair[2].strip() == "" else []
            if named and (inside(pair[1]) or known(named)):
                flush()
                record[OPEN] = named  # "study 1.2.3:", and what is meant of it below
                under = None
                continue
            if exclusions.leaves_out(pair[1]):
                out += _excluded(pair[2], addresses)
                continue
            if not addresses.rows(line) and not inside(line) and (pair[2].strip() == "" or not _shaped_in(pair[2])):
                under = None  # a key that identifies nothing
                if value:
                    described[pair[1]] = None
                if field and LEVEL[field] >= LEVEL[STUDY]:
                    asked.add(field)
                continue
        if under:
            for word in re.split(r"[,;\s]+", _BULLET.sub("", line)):
                if bare := text_of(word.strip(_WRAPPED)):
                    record.setdefault(under, []).append(bare)
            continue
        of_line = _of_line(line, addresses)
        if record:  # its keys are of all that is listed below them
            beside = tuple((f, v[0]) for f, v in record.items() if len(v) == 1)
            of_line = [Row((*beside, *r.cells), problem=r.problem) if not r.problem else r for r in of_line]
            used = True
        out += of_line
    flush()
    # A record without what the others have, such as a heading that names the collection, names nothing.
    finest = max([_finest(r) for r in (*records, *out)], default=0) if records else 0
    for row in records:
        row.expects = max(row.expects, finest)
    return records + out, list(described)


def _excluded(line: str, addresses: Addresses) -> list[Row]:
    """Return what a line of exceptions names, as what is not wanted."""
    cells = [c for r in _of_line(line, addresses) for c in r.cells]
    words = [w for word in re.split(r"[\s,;]+", line) if (w := word.strip("!~[](){}<>'\"`.:-*"))]
    found = dict.fromkeys([*cells, *((OPEN, bare_doi(w)) for w in words)])
    return [Row((c,), problem=EXCLUDED) for c in found]


def _finest(row: Row) -> int:
    if row.problem:
        return 0
    known = max((LEVEL[f] for f, _ in row.cells), default=0)
    return max(known, LEVEL[STUDY] if any(f == OPEN and shaped(v) and v[:3] != "10." for f, v in row.cells) else 0)


def _of_sql(text: str, addresses: Addresses) -> list[Row]:
    """Return what a query names by `column IN (…)` and `column = …`."""
    record: dict[str, list[str]] = {}
    for m in _SQL_IN.finditer(text):
        if field := field_of(m[1] or m[3]):
            record.setdefault(field, []).extend(_words(m[2] or m[4]))
    held = [v for v in inside(text) if not any(v in values for values in record.values())]
    if record and held:  # not where the record looked: they may be finer
        beside = tuple((f, v[0]) for f, v in record.items() if len(v) == 1)
        return [Row((*beside, (OPEN, v))) for v in held]
    return _of_record(record, addresses)


def _is_of_one(field: str, value: str) -> bool:
    """Return whether what follows a key is of it alone; more keys or identifiers make the line a row."""
    if "://" in value or shaped(bare_doi(value)):
        return True
    if LEVEL[field] > LEVEL[PATIENT] or field == DOI:
        return all(shaped(bare_doi(w)) for v in re.split(r"[,;\s]+", value) if (w := text_of(v.strip(_WRAPPED))))
    return not inside(value) and not re.search(r"\w\s*[:=]\s*\S", value)


def _shaped_in(text: str) -> bool:
    return any(shaped(bare_doi(w.strip(_WRAPPED + ",;"))) for w in text.split())


def _loose(name: str, value: str) -> str | None:
    field = loose_field_of(name)
    return field if field and field != OPEN and (shaped(value.strip(_WRAPPED + ",")) or LEVEL[field] < 3) else None


def _of_record(record: dict[str, list[str]], addresses: Addresses) -> list[Row]:
    """Return the rows of keys with their values: each value of the finest key, narrowed by single coarser ones."""
    if not record:
        return []
    finest = max(record, key=lambda f: LEVEL[f])
    beside = tuple((f, v[0]) for f, v in record.items() if f != finest and len(v) == 1)
    rows: list[Row] = []
    for value in record[finest]:
        if "://" in value:
            rows += [Row((*beside, *r.cells), problem=r.problem) for r in addresses.rows(value)]
        else:
            # Under "series" both kinds are written.
            field = UUID if finest == SERIES and UUID_SHAPE.fullmatch(value) else finest
            rows.append(Row((*beside, (field, as_written(field, value)))))
    return rows


def _of_line(line: str, addresses: Addresses) -> list[Row]:
    found = [r for a in FIND.findall(line) for r in addresses.rows(a)]
    rest = FIND.sub(" \x00 ", line)  # where an address was
    listed = bool(re.search(r"^[\[({]|[\])}],?$", line)) or not re.search(r"\t|\||;|,(?! )", rest.rstrip(",;"))
    if ("=" in rest or "(" in rest) and (sql := _of_sql(rest, addresses)):
        return sql
    cells = [c for raw in re.split(r"[\t,;|]", _BULLET.sub("", rest)) if (c := _clean(raw))]
    if found:
        # Of what is beside an address only identifiers matter.
        words = [w for c in cells for w in ([c] if shaped(c) or " " not in c else c.split()) if _clean(w)]
        beside = tuple((OPEN, bare_doi(w)) for w in words if not STANDARD_UID.fullmatch(w))
        if listed and not any(shaped(bare_doi(w)) for w in words):
            beside = ()
        return [Row((*r.cells, *beside), problem=r.problem) for r in found]
    if file := _FILE.search(rest):  # a path in a bucket, without the bucket
        if file[1] is None:
            return [Row(((FILE, file[0]),), problem="a file and no series")]
        return [Row(((UUID, file[1].lower()), (FILE, file[2].lower())))]
    values: list[tuple[str, str]] = [(OPEN, v) for v in cut_off(rest)]
    if commas := WITH_COMMAS.search(rest):
        values.append((OPEN, commas[0]))
    for cell in cells:
        words = [bare_doi(_clean(w)) for w in cell.split()]
        if shaped(bare_doi(cell)):
            values.append((OPEN, bare_doi(cell)))
        elif held := inside(cell):
            # Among several, short ones count too; beside a single one "1.2.3" is rather a version.
            values += [(OPEN, v) for v in held]
            values += [(OPEN, w) for w in words if len(held) > 1 and UID_SHAPE.fullmatch(w) and w.count(".") < 4]
        elif len(words) > 1 and any(shaped(w) for w in words):
            values += [(OPEN, w) for w in words if shaped(w)]
        elif not field_of(cell) and not loose_field_of(cell):  # a heading on its own is none of the list
            values.append((OPEN, bare_doi(cell)))
    if not values:
        return []
    torn = len(values) == 1 and bool(re.search(r"[\t,;|]", rest.strip("[]()|")))
    return [Row(tuple(dict.fromkeys(values)), listed=listed and not torn)]


def _tagged(text: str) -> str:
    if held := inside(text):
        return held[0]
    bracketed = re.search(r"[\[']([^\]']+)[\]']", text)
    return bracketed[1].strip() if bracketed else ""


def _words(text: str) -> list[str]:
    return [c for w in re.split(r"[,\s]+", text) if (c := _clean(w))]


def _clean(text: str) -> str:
    return text_of(text.replace("\x00", " ").strip().strip(_WRAPPED).strip())
