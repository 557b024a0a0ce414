"""Texts without a heading: lists, manifests, pasted rows, keys and values, sentences with identifiers in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.cohort.identifiers import commands, exclusions, keys, queries, records
from idc_widgets.cohort.identifiers.addresses import FIND
from idc_widgets.cohort.identifiers.exclusions import Known
from idc_widgets.cohort.identifiers.lines import BULLET, KEY, WRAPPED, clean, excluded, of_line, of_record
from idc_widgets.cohort.identifiers.result import TITLE, Row
from idc_widgets.cohort.identifiers.spelling import (
    COLLECTION,
    DOI,
    LEVEL,
    OPEN,
    PATIENT,
    SERIES,
    STUDY,
    UID_SHAPE,
    UUID,
    bare_doi,
    damaged,
    field_of,
    inside,
    loose_field_of,
    shaped,
    text_of,
)
from idc_widgets.cohort.identifiers.tables import Addresses

_PAIR = re.compile(r"^\s*(?:[-*•]\s+)?[\"']?([A-Za-z][\w .\[\]()-]{0,80}?)[\"']?\s*[:=]\s*(?!//)(.*)$")
_BRANCH = re.compile(r"^[|\s]*[+|`\\](?:-{1,3}\s+|---)")  # of a tree, as `tree` draws it
_COMMENT = re.compile(r"^\s*(?:#|//|--\s|%%|;)")
_TAG = re.compile(r"^\s*\(?([0-9a-fA-F]{4}),\s?([0-9a-fA-F]{4})\)?\s(.*)$")  # as dcmdump and pydicom write them
_USUAL = re.compile(r"cp s3://([^/\s]+)/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/\* \S+$")
_MINUS = re.compile(r"(?<=\S)\s+[-\u2212\u2013\u2014]\s+(?=\S)")
_SHORT = re.compile(r"\bexcl\.?(?=\s|:)", re.IGNORECASE)
_FILLER = re.compile(
    r"but|for|the|these|this|those|from|all|of|any|to|following|other|than|apart|save|minus|ohne|nicht|außer|sauf|sans"
    r"|excl|series|study|studies|patients?|cases?|subjects?|leav(?:e|ing)|out|less",
    re.IGNORECASE,
)
# Words at the end of a line, of which what follows is an exception.
#: Words behind which exceptions come; others, as "excluded", are said of what is before them.
_INTRODUCES = re.compile(
    r"(?:all\s+)?but(?:\s+not)?|not|except(?:\s+for|ing)?|excluding|without|w/o|minus|less|barring|other\s+than|apart\s+from"
    r"|save\s+for|ohne|au(?:ß|ss)er|sauf|sans|excepto",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s[(,]?((?:but\s+|all\s+)?(?:[a-z/]+|other than|apart from)(?:\s+for)?)[\s:]*$", re.IGNORECASE)
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_GOES_ON = re.compile(r"\\\n\s*")  # a line of a shell
# A vector of R, and the numbers before the rows that it prints.
_VECTOR = re.compile(r"(?:<-\s*|^\s*)c\(((?:\s*[\"'][^\"'\n]*[\"']\s*,?)+)\)", re.MULTILINE)
_PRINTED = re.compile(r"^[ \t]*\[\d+\](?=[ \t]+[\"'])", re.MULTILINE)


def rows_of(lines: Sequence[str], addresses: Addresses, known: Known) -> tuple[list[Row], list[str]]:
    """Return a row for each line, or for each entry of it, and the keys that only describe what is meant."""
    text = "\n".join(lines)
    if (queried := queries.read(text)) is not None:
        return queried, []
    if "\\\n" in text or "c(" in text or "[" in text:
        text = _VECTOR.sub(
            lambda m: f"{'= ' * (m[0][0] == '<')}[{' '.join(m[1].split())}]", _GOES_ON.sub(" ", _PRINTED.sub("", text))
        )
        lines = text.split("\n")
    known(name for line in lines for name in _looked_up(line))  # all at once
    reader = _Reader(addresses, known, pairs=sum(bool(_MINUS.search(line) and inside(line)) for line in lines) > 1)
    for line in lines:
        reader.take(line)
    return reader.rows(), keys.told(reader.described)


def _looked_up(line: str) -> list[str]:
    """Return what of a line will be looked up, where more is there than an identifier: all of it, words, steps."""
    bare = line.strip()
    if "://" in bare:
        return []
    return (bare.split("/") if "/" in bare else []) + ([bare, *bare.split()] if " " in bare else [])


class _Reader:
    """Reads a text line by line: keys and their values make a record, lines below a key are its values.

    What is indented is a part of the line above it, and so is what follows a bullet.

    Attributes
    ----------
    described
        Keys that identify nothing, with their values.
    """

    def __init__(self, addresses: Addresses, known: Known, pairs: bool = False) -> None:
        self._addresses, self._known = addresses, known
        self._pairs = pairs  # whether a dash stands between the two of a pair
        self.described: dict[str, str] = {}
        self._out: list[Row] = []
        self._records: list[Row] = []
        self._lists: list[Row] = []  # those that are lists of one key
        self._record: dict[str, list[str]] = {}
        self._empty: set[str] = set()  # the keys of the record that are there without a value
        self._used = False  # whether the record narrows the lines that follow it
        self._under: str | None = None  # the field whose values are listed on the following lines
        self._listed = False  # whether the record is such a list
        self._excepted = False  # whether the lines that follow are said not to be wanted
        self._waits = False  # whether none of these was there yet
        self._above: list[tuple[int, Row]] = []  # the lines that this one may be a part of, by their depth

    def take(self, raw: str) -> None:
        """Read one line."""
        line = _BRANCH.sub("", raw.strip())
        if not line or line in ("---", "..."):
            self._flush()
            self._excepted = self._excepted and self._waits
            self._under = self._under if self._under == SERIES and line == "" else None
            return
        if line is raw and self._usual(line):
            return
        depth = _depth(raw)
        while self._above and self._above[-1][0] >= depth:
            self._above.pop()
        if _COMMENT.match(line):
            self._out += titles([line])
        elif not (self._exception(raw, line) or self._known_form(line) or self._pair(line)):
            self._entry(line, depth)

    def rows(self) -> list[Row]:
        """Return the rows of all lines that were taken."""
        self._flush()
        # A record without what the others have, such as a heading that names the collection, names nothing.
        rows = [*self._records, *self._lists, *self._out]
        finest = max(map(_finest, rows), default=0) if self._records or self._lists else 0
        # A list says nothing of what is in another, unless that may be a part of it that nobody knows.
        parts = [v for r in rows if _finest(r) == finest for _, v in r.cells] if self._lists else []
        for row in self._records if not parts or self._known(parts) else self._records + self._lists:
            row.expects = max(row.expects, finest)
        return rows

    def _flush(self) -> None:
        if not self._used:
            rows = of_record(self._record, self._addresses)
            for row in rows:
                row.expects = max((LEVEL[f] for f in self._empty if f not in self._record), default=0)
            listed = self._listed and [LEVEL[f] > 1 for f in self._record] == [True]
            (self._lists if listed else self._records).extend(rows)
        self._record = {}
        self._empty = set()
        self._used = self._listed = False

    def _usual(self, line: str) -> bool:
        """Read the usual lines of long lists, at once."""
        if self._record or self._under or self._excepted:
            return False
        if UID_SHAPE.fullmatch(line):
            row = Row(((OPEN, line),))
        elif (usual := _USUAL.match(line)) and usual[1] in self._addresses.buckets:
            row = Row(((UUID, usual[2].lower()),))
        else:
            return False
        self._out.append(row)
        self._above = [(0, row)]
        return True

    def _exception(self, raw: str, line: str) -> bool:
        """Read what is said not to be wanted, on this line or below it."""
        if self._excepted and KEY.match(raw):  # the next one
            self._excepted = False
        line = _SHORT.sub("except", line)
        minus = None if self._pairs else _MINUS.search(line)
        if minus and self._names(line[: minus.start()]) and self._names(line[minus.end() :]):
            line = f"{line[: minus.start()]} except {line[minus.end() :]}"
        if _says_except(line):
            self._excepted = self._waits = True
            return True
        if line[0] in "-−–" and shaped(line[1:]):
            line = f"except {line[1:]}"
        if not self._excepted and (end := _ENDS.search(line)) and _INTRODUCES.fullmatch(end[1]):
            kept = line[: end.start()]
            if not self._pair(kept):
                self._entry(kept, _depth(raw))
            self._excepted = self._waits = True
            return True
        if exclusions.is_block(line):
            self._excepted = self._waits = True
            if line.endswith(":") and not self._names(line):
                return True
        elif exclusions.is_excluded(line, self._known):
            self._excepted = self._excepted or line.endswith(":")
        elif not self._excepted:
            return False
        else:
            self._waits = False
        self._out += excluded(line, self._addresses, self._known)
        return True

    def _names(self, text: str) -> bool:
        words = [w for word in text.split() if (w := clean(word.strip(",;:.")))]
        return bool(inside(text) or self._known([*words, text.strip()]))

    def _known_form(self, line: str) -> bool:
        """Read a command and an element of a dump."""
        if (found := commands.rows(line, self._addresses)) is not None:
            self._out += found
            return True
        if not (tag := _TAG.match(line)):
            return False
        field, value = field_of(tag[1] + tag[2]), _tagged(tag[3])
        if field and value:
            if field in self._record:
                self._flush()
            self._record[field] = [value]
        elif value:
            self.described.setdefault(f"({tag[1]},{tag[2]})", value)
        return True

    def _pair(self, line: str) -> bool:
        """Read a key and its value."""
        pair = _PAIR.match(line.lstrip("{"))
        if not pair or _DRIVE.match(line) or FIND.match(line) or shaped(bare_doi(line)):
            return False
        key, text = pair[1], pair[2].strip()
        if key.count("(") != key.count(")"):  # a call
            return False
        field = field_of(key) or _loose(key, pair[2])
        value = text_of(text.rstrip(",").strip(WRAPPED))
        if field and not _is_of_one(field, value) and (pairs := _pairs(line)):
            return all(self._pair(p) for p in pairs)
        if field is None and value and loose_field_of(key) == OPEN and not value.isdigit() and self._known([value]):
            field = OPEN
        if field and value and (_is_of_one(field, value) or damaged(value)):
            if field in self._record or line.startswith(("- ", "* ")):
                self._flush()
            apart = r"[,;\s]+" if LEVEL[field] > 2 or field == DOI else r"\s*[,;]\s*"
            apart += r"|\s+(?:and|und|&)\s+" if field == PATIENT else ""
            self._record[field] = [b for v in re.split(apart, value) if (b := text_of(v.strip(WRAPPED)))]
            self._under = None
        elif not value and (empty := field or loose_field_of(key)):
            self._under = empty
            self._empty.add(empty)
        elif not text and (named := inside(key)[-1:] or ([key] if self._known([key]) else [])):
            self._flush()
            self._record[OPEN] = named  # "study 1.2.3:", and what is meant of it below
            self._under = None
        elif keys.asks_for_a_part(key, text) and not (exclusions.leaves_out(key) and self._names(text)):
            self._out.append(Row(((OPEN, line),), problem=keys.PART))
        elif exclusions.leaves_out(key) and keys.is_nothing(text):
            return True
        elif exclusions.leaves_out(key):
            self._out += excluded(text, self._addresses, self._known)
        elif isinstance(listed := records.parse(text), list) and records.is_list(listed):  # of a program
            self._out += [Row(((OPEN, bare_doi(v)),)) for each in listed if (v := text_of(each))]
        elif field is None and self._known([key]):
            several = [v for v in re.split(r"\s*[,;]\s*", value) if v]
            self._out += [Row(((OPEN, key), (OPEN, bare_doi(v)))) for v in several] or [Row(((OPEN, key),))]
        elif not self._addresses.rows(line) and not inside(line) and not _shaped_in(text):
            self._under = None  # a key that identifies nothing
            if len(self.described) < 20:
                self._out += titles([line])
            if value:
                self.described[key] = value
            if field and LEVEL[field] >= LEVEL[STUDY]:
                self._empty.add(field)
        else:
            return False
        return True

    def _entry(self, line: str, depth: int) -> None:
        """Read a line that is no key: a value of the key above, or a row."""
        if self._under:
            self._listed = True
            for word in re.split(r"[,;\s]+", BULLET.sub("", line)):
                if bare := text_of(word.strip(WRAPPED)):
                    self._record.setdefault(self._under, []).append(bare)
            return
        if keys.is_a_part(line) and not self._names(line):
            self._out.append(Row(((OPEN, line),), problem=keys.PART))
            return
        rows = of_line(line, self._addresses, self._known)
        for row in rows:
            words = " ".join([row.beside, *(v for f, v in row.cells if f == OPEN)])
            if keys.is_partly(words) and not any(shaped(v) for _, v in row.cells):
                row.problem = row.problem or keys.PART
        if self._record:  # its keys are of all that is listed below them
            beside = tuple((f, v) for f, vs in self._record.items() for v in vs)
            rows = [r if r.problem else Row((*beside, *r.cells), any_of=True, beside=r.beside) for r in rows]
            self._used = True
        elif self._above:
            rows = [p for r in rows for p in ([Row((c,), beside=r.beside) for c in r.cells] if r.listed else [r])]
            for row in rows:
                row.above = self._above[-1][1]
        self._out += rows
        if len(rows) == 1 and not rows[0].problem:
            self._above.append((depth, rows[0]))


def titles(lines: Sequence[str]) -> list[Row]:
    """Return the names that a title may say a list is of; they name nothing by themselves."""
    words = [w for line in lines for w in re.findall(r"[A-Za-z][\w-]{2,}", line)[:30]]
    return [Row(((COLLECTION, w),), problem=TITLE) for w in dict.fromkeys(words)][:100]


def _depth(raw: str) -> int:
    """Return how far a line is indented; what follows a bullet is deeper."""
    if branch := _BRANCH.match(raw):
        return branch.end()
    spaced = raw.expandtabs()
    return len(spaced) - len(spaced.lstrip()) + bool(BULLET.match(raw))


def _says_except(line: str) -> bool:
    """Return whether a line is nothing but a word of exceptions: "except", "but not"."""
    return (
        len(line) < 40
        and not any(c.isdigit() or c in "=,;/_" for c in line)
        and len(line.split()) < 4
        and exclusions.is_block(f"{line.rstrip(': ')}:")
        and all(exclusions.leaves_out(w) or _FILLER.fullmatch(w) for w in re.findall(r"[^\W\d]+", line))
    )


def _finest(row: Row) -> int:
    if row.problem:
        return 0
    known = max((LEVEL[f] for f, _ in row.cells), default=0)
    return max(known, LEVEL[STUDY] if any(f == OPEN and shaped(v) and v[:3] != "10." for f, v in row.cells) else 0)


def _is_of_one(field: str, value: str) -> bool:
    """Return whether what follows a key is of it alone; more keys or identifiers make the line a row."""
    if "://" in value or shaped(bare_doi(value)):
        return True
    if LEVEL[field] > LEVEL[PATIENT] or field == DOI:
        return all(shaped(bare_doi(w)) for v in re.split(r"[,;\s]+", value) if (w := text_of(v.strip(WRAPPED))))
    return not inside(value) and not re.search(r"\w\s*[:=]\s*\S", value)


def _shaped_in(text: str) -> bool:
    return any(shaped(bare_doi(w.strip(WRAPPED + ",;"))) for w in text.split())


def _pairs(line: str) -> list[str]:
    """Return the pairs of a line that is nothing else; [] where it is none."""
    parts = re.split(r"\s*[,;]\s*(?=[\"']?[A-Za-z][\w ]*[\"']?\s*[:=])", line.strip("{}, "))
    return parts if len(parts) > 1 and all(map(_PAIR.match, parts)) else []


def _loose(name: str, value: str) -> str | None:
    field = loose_field_of(name)
    return field if field and field != OPEN and (shaped(value.strip(WRAPPED + ",")) or LEVEL[field] < 3) else None


def _tagged(text: str) -> str:
    if held := inside(text):
        return held[0]
    bracketed = re.search(r"[\[']([^\]']+)[\]']", text)
    return bracketed[1].strip() if bracketed else ""
