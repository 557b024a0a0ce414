"""JSON and its like: lists, records, columns, nested documents, DICOM's own JSON.

Each record has identifiers of its own and parts below it, under whatever key. The finest of these count; what is
coarser stands beside them and narrows, and a record is meant as a whole only where nothing finer is below it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers import asked, lookup, shapes
from idc_widgets.cohort.identifiers.asked import Refused
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED
from idc_widgets.cohort.identifiers.literals import is_list, parse
from idc_widgets.cohort.identifiers.lookup import Names
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.sorting import Record, keys_of, sort
from idc_widgets.cohort.identifiers.spelling import (
    ADDRESS,
    COLLECTION,
    DOI,
    INSTANCE,
    LEVEL,
    OPEN,
    PATIENT,
    SERIES,
    STANDARD_UID,
    UID_SHAPE,
    UUID_SHAPE,
    as_written,
    bare_doi,
    damaged,
    field_of,
    fold,
    inside,
    key_of,
    loose_field_of,
    numeric,
    shaped,
    text_of,
)
from idc_widgets.cohort.identifiers.tables import Addresses, rows_of

__all__ = ["is_list", "parse", "rows_in"]

_DEEPEST = 50
_STRUCTURE = re.compile(
    r"data|rows?|results?|records?|items?|values?|entries|list|body|response|hits?|docs?|documents?|content|cohorts?"
    r"|manifest|selection|selected|images?|scans?|files?|downloads?|includ(?:e|ed)|accepted|wanted|info|meta(?:data)?"
    r"|filters?|where|query|or|and|\d+"
)
Cells = tuple[tuple[str, str], ...]


def rows_in(value: Any, addresses: Addresses, names: Names) -> tuple[list[Row], list[str]]:
    """Return the rows of a JSON value, and the notes on how it was read."""
    words = dict.fromkeys(w for w in _words(value) if len(w) < 300)
    walk = _Walk(addresses, names.collections, lookup.fields_of(names, words))
    rows = walk.rows(value, (), 0)
    return rows, list(walk.notes())


def _words(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield what may be identifiers, to be looked up at once: keys, and texts whose key does not say what they are."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, each in value.items():
            if not field_of(name):
                yield str(name)
            if not field_of(name) or not isinstance(each, str):
                yield from _words(each, depth + 1)
    elif isinstance(value, list | tuple | set | frozenset):
        if not shapes.is_table(value):
            for each in value:
                yield from _words(each, depth + 1)
        else:
            yield from dict.fromkeys(str(k) for v in value for k in v)
    elif isinstance(value, str):
        yield text_of(value)
        yield bare_doi(text_of(value))
        yield from inside(value)


@dataclass
class Part:
    """What stands under one key of a record, and whether the key says what it is."""

    name: str
    typed: bool
    rows: list[Row]


@dataclass
class _Walk:
    addresses: Addresses
    collections: Collection[str]
    known: dict[str, list[tuple[str, str]]]
    _unread: dict[int, dict[str, None]] = made_by(default_factory=dict)
    _sections: dict[str, None] = made_by(default_factory=dict)
    _notes: dict[str, None] = made_by(default_factory=dict)

    def notes(self) -> Iterator[str]:
        """Yield what is to be said of how it was read."""
        yield from self._notes
        for level, names in sorted(self._unread.items()):
            yield asked.told(names, level)
        if self._sections:
            yield f"Headings of one's own, below which all counts: {short(', '.join(self._sections))}."

    # -- levels

    def level(self, cells: Iterable[tuple[str, str]]) -> int:
        """Return how fine the finest of some cells is; what nobody knows may be a series."""
        return max((self._level(f, v) for f, v in cells), default=0)

    def _level(self, field: str, value: str) -> int:
        if LEVEL[field]:
            return LEVEL[field]
        if fields := self.known.get(value):
            return LEVEL[fields[0][0]]
        if bare_doi(value)[:3] == "10." and shaped(value):
            return LEVEL[DOI]
        return LEVEL[SERIES] if shaped(value) or damaged(value) or "://" in value else 0

    def _of(self, rows: Iterable[Row]) -> int:
        return max((max(self.level(r.cells), r.expects) for r in rows if r.problem != EXCLUDED), default=0)

    def names(self, text: str) -> bool:
        """Return whether a text is an identifier, known or by its looks."""
        known = text in self.known and not numeric(text)
        return known or (shaped(bare_doi(text)) and not STANDARD_UID.fullmatch(text))

    def heads(self, name: str, value: Any, under: str) -> bool:
        """Return whether a key is an identifier, of all that is below it."""
        if self.names(name) or (under == PATIENT and name in self.known):
            return True
        if not isinstance(value, Mapping | list) or len(name) < 6 or _STRUCTURE.fullmatch(key_of(name)):
            return False
        return bool(difflib.get_close_matches(fold(name), self.collections, 1, 0.9))  # misspelt

    def identifier(self, text: str) -> str:
        """Return the identifier in a text under a key that says nothing: itself, or the finest of a path."""
        if text in self.known and not numeric(text):
            return text
        if "://" in text:
            return text if any(f != DOI for r in self.addresses.rows(text) for f, _ in r.cells) else ""
        if UUID_SHAPE.fullmatch(text) or damaged(text):
            return text
        held = [v for v in ([text] if UID_SHAPE.fullmatch(text) else inside(text)) if not STANDARD_UID.fullmatch(v)]
        return held[-1] if held else ""

    # -- values

    def rows(self, value: Any, above: Cells, depth: int, field: str = OPEN) -> list[Row]:
        """Return the rows of a value.

        Parameters
        ----------
        above
            The identifiers of the records that it is in.
        field
            That of the key it is under.
        """
        if depth > _DEEPEST:
            return []
        if isinstance(value, Mapping):
            table = None if above else shapes.columns(value, self.names)
            if table is not None and (found := self._table(*table, above)) is not None:
                return found
            return self._record(value, above, depth, field)
        if not isinstance(value, list | tuple | set | frozenset):
            text = text_of(value)
            if field == OPEN and not self.names(text):  # a path, or a name of a file
                text = self.identifier(text) or text
            return self.entry(above, field, text) if text else []
        values = list(value)
        if (table := shapes.matrix(values)) is not None:
            if (found := self._table(*table, above)) is not None:
                return found
            values = values[1:]
        if shapes.is_table(values):
            odd = [v for v in values if any(v[k] and asked.is_odd(k) for k in v)]
            ids = {id(v) for v in odd}
            plain = [v for v in values if id(v) not in ids]
            headings = list(dict.fromkeys(k for v in plain for k in v))
            found = (
                self._table(headings, [[v.get(k) for v in plain] for k in headings], above) if len(plain) > 1 else None
            )
            if found is not None:
                return found + [r for v in odd for r in self.rows(v, above, depth + 1, field)]
        return self._entries(values, above, depth, field)

    def _table(self, headings: Sequence[object], columns: Sequence[Sequence[Any]], above: Cells) -> list[Row] | None:
        found = rows_of(headings, columns, self.addresses)
        if found is None:
            return None
        rows, notes = found
        self._notes.update(dict.fromkeys(notes))
        if above:
            rows = [r if r.problem or not r.cells else Row((*above, *r.cells), r.expects) for r in rows]
        level = self._of(rows)
        said = " ".join(notes)
        for name, column in zip(headings, columns, strict=True):
            read = field_of(name) or loose_field_of(name) or str(name) in said or asked.is_plain(name)
            if not read and any(text_of(v) for v in column):
                self._not_read([str(name)], level)
        return rows

    def _entries(self, values: Sequence[Any], above: Cells, depth: int, field: str) -> list[Row]:
        plain = [v for v in values if not isinstance(v, Mapping | list | tuple | set | frozenset)]
        if depth and field == OPEN and not above and len(plain) == len(values) > 1:  # a row of a table
            words = [t for v in values if (t := text_of(v))]
            made = [r for w in words for r in self.entry((), OPEN, w)]
            if wrong := [r for r in made if r.problem]:
                return wrong
            return [Row(tuple(dict.fromkeys(c for r in made for c in r.cells)))]
        parts = [v for v in values if isinstance(v, list | tuple | set | frozenset)]
        if plain and len(parts) == 1 and len(plain) + 1 == len(values):  # a row, the last of which is listed
            own = tuple((field, t) for v in plain if (t := text_of(v)))
            below = self.rows(parts[0], (*above, *own), depth + 1)
            return below or ([Row((*above, *own), LEVEL[SERIES])] if own else [])
        groups = [(v, self.rows(v, above, depth + 1, field)) for v in values]
        finest = max((self._of(rows) for v, rows in groups if isinstance(v, Mapping)), default=0)
        for each, rows in groups:
            if isinstance(each, Mapping) and len(groups) > 1:  # records of a list are alike
                for row in rows:
                    row.expects = row.expects if row.problem else max(row.expects, min(finest, LEVEL[SERIES]))
        return [r for _, rows in groups for r in rows]

    def entry(self, above: Cells, field: str, value: str) -> list[Row]:
        """Return the row of a value beside what is above it; addresses name more."""
        plain = tuple(c for c in above if c[0] != ADDRESS and "://" not in c[1])
        addressed = [r for _, v in above if "://" in v for r in self.addresses.rows(v)]
        if "://" in value and bare_doi(value) == value:
            found = [r if r.problem else Row((*plain, *r.cells)) for r in self.addresses.rows(value)]
            elsewhere = [Row(((field, value),), problem="no address of a series of IDC")]
            return found or (elsewhere if field != OPEN else [])
        if wrong := [r for r in addressed if r.problem]:
            return wrong
        beside = tuple(c for r in addressed for c in r.cells)
        return [Row(tuple(dict.fromkeys((*plain, *beside, (field, as_written(field, value))))))]

    # -- records

    def _record(self, value: Mapping[Any, Any], above: Cells, depth: int, field: str, seed: Cells = ()) -> list[Row]:
        """Return what a record names: the finest of its parts, or itself.

        Parameters
        ----------
        seed
            What the key that it is under identifies.
        """
        read = asked.meant(value)
        if isinstance(read, Refused):
            return self._refused([*(v for _, v in seed), value], asked.problem([read]))
        if not isinstance(read, Mapping):
            return self.rows(read, (*above, *seed), depth, field)
        record = sort(read, self, field)
        record.own[:0] = seed
        if record.pages and not record.own and not record.lists:
            record.unread, record.asks = [*record.unread, *record.asks], []
        own = tuple(dict.fromkeys((*above, *record.own)))
        level = self.level(own)
        parts = [Part(n, True, [r for v in vs for r in self.rows(v, own, depth + 1, n)]) for n, vs in record.lists]
        parts.append(Part("", False, self._below_headings(record, own, depth)))
        for refers in (False, True):
            if refers and (level >= LEVEL[SERIES] or any(self._of(p.rows) > level for p in parts)):
                break  # what it refers to is another
            for name, each, reference in record.inner:
                if reference == refers:
                    typed = field_of(name) or loose_field_of(name)
                    typed = INSTANCE if key_of(name) in ("instance", "instances") else typed
                    parts.append(Part(name, bool(typed), self.rows(each, own, depth + 1, typed or OPEN)))
                    if not parts[-1].rows and typed and not all(map(asked.is_plain, keys_of(each))):
                        record.expects = max(record.expects, LEVEL[typed])
                    elif not parts[-1].rows:
                        record.unread.append(name)
        out = record.out + [r for p in parts for r in p.rows if r.problem == EXCLUDED]
        for part in parts:
            part.rows = [r for r in part.rows if r.problem != EXCLUDED]
        made = self._of_parts(record, own, level, parts)
        if record.left:
            return out + [Row((self._finest(r.cells),), problem=EXCLUDED) for r in made if r.cells]
        return out + self._kept(record, made)

    def _of_parts(self, record: Record, own: Cells, level: int, parts: Sequence[Part]) -> list[Row]:
        """Return the finest of what is below a record; the record itself where nothing of it is finer."""
        levels = {id(p): self._of(p.rows) for p in parts}
        fine = [p for p in parts if levels[id(p)] > level]
        top = max((levels[id(p)] for p in fine), default=0)
        if record.expects > max(top, level):
            return [Row((), record.expects)]  # its finest key is there, and empty
        if not fine:
            if words := [r for p in parts if p.typed for r in p.rows if self._of([r]) >= level]:
                return words
            if not record.own:
                return []
            # What repeats it, such as its patient's collection, stands beside it.
            beside = [c for p in parts if len(p.rows) == 1 and not p.rows[0].problem for c in p.rows[0].cells]
            field, value = self._finest(record.own)
            rest = [c for c in own if c != (field, value)]
            return self.entry((*rest, *beside), field, value)
        if not own and not any(p.typed for p in fine):
            self._sections.update((p.name, None) for p in fine if p.name and not _STRUCTURE.fullmatch(key_of(p.name)))
            return [r for p in fine for r in p.rows]
        beside = []
        for part in fine:
            cells = [c for r in part.rows if not r.problem for c in r.cells]
            if levels[id(part)] == top:
                continue
            if part.typed and (len(part.rows) == 1 or {f for f, _ in cells} == {COLLECTION}):
                beside += cells
            else:
                self._notes[f"{part.name or 'Keys'}: named beside what is finer, and only this counts."] = None
        kept = [r for p in fine if levels[id(p)] == top for r in p.rows]
        return [r if r.problem else Row(tuple(dict.fromkeys((*beside, *r.cells))), r.expects) for r in kept]

    def _kept(self, record: Record, rows: list[Row]) -> list[Row]:
        """Return what a record names; nothing that is coarser than a series where a part of it is asked for."""
        coarse = [r for r in rows if not r.problem and 0 < self.level(r.cells) < LEVEL[SERIES]]
        if not coarse:
            return rows
        if not record.asks:
            self._not_read(record.unread, self._of(coarse))
            return rows
        self._notes[f"{short(', '.join(record.asks))} is not read, so what stands beside it names nothing."] = None
        finest = dict.fromkeys(self._finest(r.cells) for r in coarse)
        dropped = {id(r) for r in coarse}
        return [r for r in rows if id(r) not in dropped] + [
            Row((c,), problem=asked.problem(record.asks)) for c in finest
        ]

    def _not_read(self, names: Sequence[str], level: int) -> None:
        if 0 < level < LEVEL[SERIES] and names:
            self._unread.setdefault(level, {}).update(dict.fromkeys(names))

    def _below_headings(self, record: Record, own: Cells, depth: int) -> list[Row]:
        out: list[Row] = []
        said = shapes.verdicts([v for _, v in record.headings])
        some = any(isinstance(v, list | dict) or (isinstance(v, str) and self.names(v)) for _, v in record.headings)
        for (name, each), wanted in zip(record.headings, said, strict=True):
            field, bare = OPEN, bare_doi(name)
            if bare in self.known:
                field, bare = self.known[bare][0]
            elif not self.names(name):
                field = COLLECTION  # misspelt
            beside = (*own, (field, bare))
            word = isinstance(each, str) and self.level(beside) >= LEVEL[SERIES] and not self.names(each)
            if wanted is False:
                out.append(Row(((field, bare),), problem=EXCLUDED))
            elif wanted or word or isinstance(each, bool | int | float) or (each is None and not some):
                out += self.entry(own, field, bare)
            elif each in (None, "", [], (), {}):
                out.append(Row((), LEVEL[SERIES]))
            elif isinstance(each, Mapping):
                out += self._record(each, own, depth + 1, OPEN, ((field, bare),))
            else:
                out += self.rows(each, beside, depth + 1) or self.entry(own, field, bare)
        return out

    def _refused(self, value: Any, said: str) -> list[Row]:
        leaves = list(dict.fromkeys(shapes.leaves(value)))
        named = [v for v in leaves if self.names(v) or v in self.known]
        return [Row(((OPEN, v),), problem=said) for v in named or leaves[:1]]

    def _finest(self, cells: Iterable[tuple[str, str]]) -> tuple[str, str]:
        return max(cells, key=lambda c: self._level(*c))
