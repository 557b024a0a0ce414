"""Texts without a heading: lists, manifests, pasted rows, keys and values, sentences with identifiers in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.cohort.identifiers import exclusions, queries, records
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
_KEY = re.compile(r"\S[^:]*:\s*$")
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
    reader = _Reader(addresses, known)
    for line in lines:
        reader.take(line)
    return reader.rows(), list(reader.described)


class _Reader:
    """Reads a text line by line: keys and their values make a record, lines below a key are its values.

    Attributes
    ----------
    described
        Keys that identify nothing.
    """

    def __init__(self, addresses: Addresses, known: Known) -> None:
        self._addresses, self._known = addresses, known
        self.described: dict[str, None] = {}
        self._out: list[Row] = []
        self._records: list[Row] = []
        self._record: dict[str, list[str]] = {}
        self._empty: set[str] = set()  # the keys of the record that are there without a value
        self._used = False  # whether the record narrows the lines that follow it
        self._under: str | None = None  # the field whose values are listed on the following lines
        self._excepted = False  # whether the lines that follow are said not to be wanted

    def take(self, raw: str) -> None:
        """Read one line."""
        line = _BRANCH.sub("", raw.strip())
        if not line or line in ("---", "..."):
            self._flush()
            self._excepted = False
            self._under = self._under if self._under == SERIES and line == "" else None
        elif _COMMENT.match(line):
            return
        elif not (self._usual(line) or self._exception(raw, line) or self._known_form(line) or self._pair(line)):
            self._entry(line)

    def rows(self) -> list[Row]:
        """Return the rows of all lines that were taken."""
        self._flush()
        # A record without what the others have, such as a heading that names the collection, names nothing.
        finest = max([_finest(r) for r in (*self._records, *self._out)], default=0) if self._records else 0
        for row in self._records:
            row.expects = max(row.expects, finest)
        return self._records + self._out

    def _flush(self) -> None:
        if not self._used:
            rows = _of_record(self._record, self._addresses)
            for row in rows:
                row.expects = max((LEVEL[f] for f in self._empty if f not in self._record), default=0)
            self._records.extend(rows)
        self._record.clear()
        self._empty.clear()
        self._used = False

    def _usual(self, line: str) -> bool:
        """Read the usual lines of long lists, at once."""
        if self._record or self._under or self._excepted:
            return False
        if UID_SHAPE.fullmatch(line):
            self._out.append(Row(((OPEN, line),)))
            return True
        if (usual := _USUAL.match(line)) and usual[1] in self._addresses.buckets:
            self._out.append(Row(((UUID, usual[2].lower()),)))
            return True
        return False

    def _exception(self, raw: str, line: str) -> bool:
        """Read what is said not to be wanted, on this line or below it."""
        if self._excepted and _KEY.match(raw):  # the next one
            self._excepted = False
        if exclusions.is_block(line):
            self._excepted = True
        elif exclusions.is_excluded(line, self._known):
            self._excepted = self._excepted or line.endswith(":")
        elif not self._excepted:
            return False
        self._out += excluded(line, self._addresses)
        return True

    def _known_form(self, line: str) -> bool:
        """Read a command and an element of a dump."""
        if _SHELL.match(line) and FIND.search(line):
            self._out += self._addresses.rows(line)
            return True
        if not (tag := _TAG.match(line)):
            return False
        field, value = field_of(tag[1] + tag[2]), _tagged(tag[3])
        if field and value:
            if field in self._record:
                self._flush()
            self._record[field] = [value]
        return True

    def _pair(self, line: str) -> bool:
        """Read a key and its value."""
        pair = _PAIR.match(line)
        if not pair or FIND.match(line) or shaped(bare_doi(line)):
            return False
        key, text = pair[1], pair[2].strip()
        if key.count("(") != key.count(")"):  # a call
            return False
        field = field_of(key) or _loose(key, pair[2])
        value = text_of(text.rstrip(",").strip(_WRAPPED))
        if field and value and (_is_of_one(field, value) or damaged(value)):
            if field in self._record or line.startswith(("- ", "* ")):
                self._flush()
            apart = r"[,;\s]+" if LEVEL[field] > 2 or field == DOI else r"\s*[,;]\s*"
            self._record[field] = [b for v in re.split(apart, value) if (b := text_of(v.strip(_WRAPPED)))]
            self._under = None
        elif not value and (empty := field or loose_field_of(key)):
            self._under = empty
            self._empty.add(empty)
        elif not text and (named := inside(key)[-1:] or ([key] if self._known([key]) else [])):
            self._flush()
            self._record[OPEN] = named  # "study 1.2.3:", and what is meant of it below
            self._under = None
        elif exclusions.leaves_out(key):
            self._out += excluded(text, self._addresses)
        elif isinstance(listed := records.parse(text), list) and records.is_list(listed):  # of a program
            self._out += [Row(((OPEN, bare_doi(v)),)) for each in listed if (v := text_of(each))]
        elif self._known([key]):
            return False
        elif not self._addresses.rows(line) and not inside(line) and not _shaped_in(text):
            self._under = None  # a key that identifies nothing
            if value:
                self.described[key] = None
            if field and LEVEL[field] >= LEVEL[STUDY]:
                self._empty.add(field)
        else:
            return False
        return True

    def _entry(self, line: str) -> None:
        """Read a line that is no key: a value of the key above, or a row."""
        if self._under:
            for word in re.split(r"[,;\s]+", _BULLET.sub("", line)):
                if bare := text_of(word.strip(_WRAPPED)):
                    self._record.setdefault(self._under, []).append(bare)
            return
        rows = _of_line(line, self._addresses)
        if self._record:  # its keys are of all that is listed below them
            beside = tuple((f, v[0]) for f, v in self._record.items() if len(v) == 1)
            rows = [r if r.problem else Row((*beside, *r.cells)) for r in rows]
            self._used = True
        self._out += rows


def excluded(line: str, addresses: Addresses) -> list[Row]:
    """Return what a line of exceptions names, as what is not wanted."""
    cells = [c for r in _of_line(line, addresses) for c in r.cells]
    words = [w for word in re.split(r"[\s,;=\[\](){}'\"]+", line) if (w := word.strip("!~[](){}<>'\"`.:-*"))]
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
