"""One line that is no key: what it names, as a row, a list or a path, and what beside it is not read."""

from __future__ import annotations

import re

from idc_widgets.cohort.identifiers.addresses import FIND
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED, Known
from idc_widgets.cohort.identifiers.keys import PART
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    FILE,
    LEVEL,
    OPEN,
    SERIES,
    STANDARD_UID,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    WITH_COMMAS,
    as_written,
    bare_doi,
    cut_off,
    field_of,
    inside,
    loose_field_of,
    plain,
    shaped,
    text_of,
)
from idc_widgets.cohort.identifiers.tables import Addresses

BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,6}[.)])\s+")
KEY = re.compile(r"\S[^:]*:\s*$")  # with what it is of below it
WRAPPED = "\"'`[](){}<> \t"


_FILE = re.compile(
    r"(?:([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/)?"
    r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\.dcm\b"
)
_ATTRIBUTE = re.compile(r"\b([A-Za-z_]\w*)[\"`]?\s*={1,2}\s*(['\"][^'\"]+['\"])")
_BETWEEN = re.compile(r"(['\"])\s+\1")  # between strings, as R prints them
_SLASH = re.compile(r"[/\\](?=\s|$)")  # at the end of a folder's name
#: Words that say nothing of which part is meant.
_WORDS = re.compile(
    r"a|all|also|an|and|are|as|at|be|below|both|by|can|case|cases|collections?|could|data|dataset|dear|do|down(?:load)?"
    r"|et|export|fetch|following|for|from|get|give|has|have|hello|here|hi|i|id|ids|idc|images?|in|instance|is|it|its|like"
    r"|load|me|my|named|namely|need|of|on|or|our|patients?|please|pull|save|scans?|select|send|series|set|sop|stud(?:y|ies)"
    r"|subjects?|tcia|thanks?|that|the|them|these|this|those|to|uids?|und|us|use|uuids?|want|was|we|were|which|whole"
    r"|will|with|would|you|your|entire|complete|entirely|export|instanceuid|patientid|identifiers?|called|x|seriesinstanceuid"
    r"|studyinstanceuid|s3|aws",
    re.IGNORECASE,
)


def excluded(line: str, addresses: Addresses, known: Known) -> list[Row]:
    """Return what a line of exceptions names, as what is not wanted; where that is unclear, it asks for a part."""
    cells = [c for r in of_line(line, addresses, known) for c in r.cells]
    words = [w for word in re.split(r"[\s,;=\[\](){}'\"]+", line) if (w := word.strip("!~[](){}<>'\"`.:-*"))]
    found = dict.fromkeys(c for c in [*cells, *((OPEN, bare_doi(w)) for w in words)] if c[1])
    rows = [Row((c,), problem=EXCLUDED) for c in found]
    if any(f != OPEN or shaped(v) or known([v]) for f, v in found):
        return rows
    return [*rows, Row(((OPEN, line.strip()),), problem=PART)] if line.strip() else rows


def of_record(record: dict[str, list[str]], addresses: Addresses) -> list[Row]:
    """Return the rows of keys with their values: each value of the finest key, narrowed by the coarser ones."""
    if not record:
        return []
    finest = max(record, key=lambda f: LEVEL[f])
    beside = tuple((f, v) for f, vs in record.items() if f != finest for v in vs)
    rows: list[Row] = []
    for value in record[finest]:
        if "://" in value:
            rows += [Row((*beside, *r.cells), problem=r.problem, any_of=True) for r in addresses.rows(value)]
        else:
            # Under "series" both kinds are written.
            field = UUID if finest == SERIES and UUID_SHAPE.fullmatch(value) else finest
            rows.append(Row((*beside, (field, as_written(field, value))), any_of=True))
    return rows


def of_line(line: str, addresses: Addresses, known: Known) -> list[Row]:
    """Return what a line names, and beside it what of it is not read."""
    found = [r for a in FIND.findall(line) for r in addresses.rows(a)]
    rest = _BETWEEN.sub(r"\1, \1", FIND.sub(" \x00 ", line))  # where an address was
    listed = bool(re.search(r"^[\[({]|[\])}],?$", line)) or not re.search(r"\t|\||;|,(?! )", rest.rstrip(",;"))
    if "=" in rest and (attributes := _attributes(rest, addresses)):
        return attributes
    cells = [c for raw in re.split(r"[\t,;|]", BULLET.sub("", rest)) if (c := clean(raw))]
    if found:
        # Of what is beside an address only identifiers matter.
        words = [w for c in cells for w in ([c] if shaped(c) or " " not in c else c.split()) if clean(w)]
        beside = tuple((OPEN, bare_doi(w)) for w in words if not STANDARD_UID.fullmatch(w))
        if listed and not any(shaped(bare_doi(w)) for w in words):
            beside = ()
        words_left = _said(rest.replace("\x00", " ")) if not beside else ""
        return [Row((*r.cells, *beside), problem=r.problem, any_of=r.any_of, beside=words_left) for r in found]
    if file := _FILE.search(rest):  # a path in a bucket, without the bucket
        if file[1] is None:
            return [Row(((FILE, file[0]),), problem="a file and no series")]
        return [Row(((UUID, file[1].lower()), (FILE, file[2].lower())))]
    values: list[tuple[str, str]] = [(OPEN, v) for v in cut_off(rest)]
    if commas := WITH_COMMAS.search(rest):
        values.append((OPEN, commas[0]))
    said: list[str] = []
    for cell in cells:
        named, more = _of_cell(cell, known)
        values += [(OPEN, v) for v in named]
        said += [more] if more else []
    if not values:
        return []
    torn = len(values) == 1 and bool(re.search(r"[\t,;|]", rest.strip("[]()|")))
    path = len(cells) == 1 and len(values) > 1 and bool(re.fullmatch(r"[^\s]*[/\\][^\s]*", cells[0]))
    return [Row(tuple(dict.fromkeys(values)), listed=listed and not torn and not path, beside=" ".join(said))]


def _of_cell(cell: str, known: Known) -> tuple[list[str], str]:
    """Return what a cell names, and what of it is not read."""
    if shaped(bare_doi(cell)):
        return [bare_doi(cell)], ""
    words = [bare_doi(clean(w)) for w in cell.split()]
    if held := inside(cell):
        if len(words) == 1 and re.search(r"[/\\]", cell):
            return _of_path(cell, known)
        # Among several, short ones count too; beside a single one "1.2.3" is rather a version.
        return [*held, *(w for w in words if len(held) > 1 and UID_SHAPE.fullmatch(w) and w.count(".") < 4)], _said(
            cell
        )
    if len(words) > 1 and any(shaped(w) for w in words):
        return [w for w in words if shaped(w)], _said(" ".join(w for w in words if not shaped(w)))
    if field_of(cell) or loose_field_of(cell):  # a heading on its own is none of the list
        return [], ""
    if re.search(r"[/\\]", cell) and not plain(cell) and not known([cell]):
        if len(words) == 1 and (path := _of_path(cell, known))[0]:
            return path
        cell = clean(_SLASH.sub(" ", cell))
        cell = " ".join(cell.split()) if known(cell.split()) else cell
    if 1 < len(words) < 7 and not known([cell]):  # a name with a remark, in a polite sentence
        named = [w for w in words if any(c.isdigit() for c in w) and known([w])]
        if len(named) == 1:
            return named, _said(cell.replace(named[0], " "))
    return [bare_doi(cell)], ""


def _of_path(path: str, known: Known) -> tuple[list[str], str]:
    """Return what the folders of a path name, and with it what is below the last of them: it may be a part."""
    steps = [s for s in re.split(r"[/\\]", path) if s.strip(". ")]
    named: list[str] = []
    last = 0
    for at, step in enumerate(steps):
        if here := inside(step) or ([step] if known([step]) else []):
            named, last = [*named, *here], at
    return [*named, *(steps[last + 1 :][:1] if named else [])], ""


def _said(text: str) -> str:
    """Return the words around identifiers, where they may say that a part is meant."""
    words = [w for w in re.split(r"[^\w.%+-]+|(?<=\w)[.](?=\s|$)", _without(text)) if w.strip("._-:+")]
    return "" if all(_WORDS.fullmatch(w) for w in words) else " ".join(" ".join(words).split())


def _without(text: str) -> str:
    for held in inside(text):
        text = text.replace(held, " ")
    return text


def _attributes(text: str, addresses: Addresses) -> list[Row]:
    """Return what attributes name, as XML has them."""
    record: dict[str, list[str]] = {}
    for m in _ATTRIBUTE.finditer(text):
        if field := field_of(m[1]):
            record.setdefault(field, []).extend(c for w in re.split(r"[,\s]+", m[2]) if (c := clean(w)))
    held = [v for v in inside(text) if not any(v in values for values in record.values())]
    if record and held:  # not where the record looked: they may be finer
        beside = tuple((f, v[0]) for f, v in record.items() if len(v) == 1)
        return [Row((*beside, (OPEN, v))) for v in held]
    return of_record(record, addresses)


def clean(text: str) -> str:
    """Return a cell without what stands around it."""
    return text_of(text.replace("\x00", " ").strip().strip(WRAPPED).strip())
