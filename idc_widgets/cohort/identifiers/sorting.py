"""What one mapping holds, sorted by what its keys and values say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any, Protocol

from idc_widgets.cohort.identifiers import asked, choices, exclusions, shapes
from idc_widgets.cohort.identifiers.asked import Refused
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED
from idc_widgets.cohort.identifiers.literals import is_list
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    ADDRESS,
    INSTANCE,
    LEVEL,
    OPEN,
    PATIENT,
    SERIES,
    UUID_SHAPE,
    bare_doi,
    field_of,
    key_of,
    numeric,
    shaped,
    text_of,
)
from idc_widgets.cohort.identifiers.tables import OTHER_UIDS

_REFERENCES = re.compile(r"ref|source|related|prior|segmented|parent|other", re.IGNORECASE)
_NAMING = frozenset(("name", "title", "label", "key", "code", "slug", "value"))
_KEYS = ("id", "ids", "identifier", "identifiers")
_BETWEEN = re.compile(r"[\s,;|\"'\[\]()]+")
_NESTED = (Mapping, list, tuple, set, frozenset)


class Catalogue(Protocol):
    """Knows which texts identify."""

    known: dict[str, list[tuple[str, str]]]

    def names(self, text: str) -> bool:
        """Return whether a text is an identifier, known or by its looks."""

    def heads(self, name: str, value: Any, under: str) -> bool:
        """Return whether a key is an identifier, of all that is below it."""

    def identifier(self, text: str) -> str:
        """Return the identifier in a text under a key that says nothing, or ""."""


@dataclass
class Record:
    """What one mapping holds.

    Attributes
    ----------
    own
        Identifiers of its own.
    lists
        Fields with the values that are listed under them.
    inner
        Keys that say nothing, or a field, and what is nested below; whether it is only referred to.
    headings
        Keys that are identifiers, and what is below them.
    expects
        The level of its finest key that is there and empty.
    asks
        Keys that ask for a part.
    unread
        Keys that are not read.
    out
        What is said not to be wanted of it.
    left
        Whether it is said not to be wanted itself.
    pages
        Whether what asks for a part are numbers, as of the pages of an answer.
    """

    own: list[tuple[str, str]] = made_by(default_factory=list)
    lists: list[tuple[str, list[Any]]] = made_by(default_factory=list)
    inner: list[tuple[str, Any, bool]] = made_by(default_factory=list)
    headings: list[tuple[str, Any]] = made_by(default_factory=list)
    expects: int = 0
    asks: list[str] = made_by(default_factory=list)
    unread: list[str] = made_by(default_factory=list)
    out: list[Row] = made_by(default_factory=list)
    left: bool = False
    pages: bool = False


def keys_of(value: Any) -> Iterator[str]:
    """Yield the keys of a value, at every level."""
    if isinstance(value, Mapping):
        yield from map(str, value)
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, _NESTED) else ():
        yield from keys_of(each)


def sort(value: Mapping[Any, Any], catalogue: Catalogue, under: str) -> Record:
    """Return what a mapping holds.

    Parameters
    ----------
    under
        The field of the key that it is under.
    """
    return _Sorter(value, catalogue, under).record


class _Sorter:
    def __init__(self, value: Mapping[Any, Any], catalogue: Catalogue, under: str) -> None:
        self._catalogue, self._under = catalogue, under
        self._named: list[tuple[str, str, str]] = []  # keys, fields and values of its own
        self.record = record = Record()
        dicom = shapes.is_dicom(value)
        for key, each in value.items():
            if isinstance(key, tuple):  # of a grouped frame
                record.inner.append((str(key), [[*key, each]], False))
                continue
            name = str(key)
            if isinstance(each, Mapping) and isinstance(each.get("Value"), list):  # DICOM JSON
                each = each["Value"]
                if dicom and any(isinstance(e, Mapping) for e in each):
                    continue  # a sequence: what the object refers to
            elif isinstance(each, Mapping) and "vr" in each:  # an empty element
                each = None
            self._take(name, each)
        record.own = self._own()
        # The length of a list that is there.
        counts = [len(v) for v in value.values() if isinstance(v, list | tuple | dict)]
        record.asks = [n for n in record.asks if value.get(n) not in counts]
        record.pages = all(isinstance(value.get(n), int) for n in record.asks)

    def _take(self, name: str, each: Any) -> None:
        record, catalogue = self.record, self._catalogue
        field = field_of(name) or shapes.loose(name, each)
        if isinstance(each, Mapping) and field:
            each = asked.compared(each)
        if isinstance(each, Refused):
            record.asks.append(f"{name} {each}")
        elif exclusions.leaves_out(name) or asked.excepts(name) or (is_list(each) and choices.wants(name) < 0):
            self._left_out(name, each)
        elif field:
            self._take_field(name, field, each)
        elif catalogue.heads(name, each, self._under):
            record.headings.append((name, each))
        elif not isinstance(each, _NESTED) and choices.denies(name, each):
            record.left = True
        elif not each if isinstance(each, _NESTED) else not text_of(each):
            return
        elif (asked.asks(name) or asked.portions(name)) and not self._holds(each):
            if each is not False:
                record.asks.append(name)
        else:
            self._take_other(name, each)

    def _take_field(self, name: str, field: str, each: Any) -> None:
        """Sort what is under a key that says what it is."""
        record = self.record
        if field == OPEN and self._under == INSTANCE:
            field = INSTANCE
        if isinstance(each, str) and LEVEL[field] > LEVEL[PATIENT] and field != ADDRESS:
            several = [v for v in _BETWEEN.split(each) if v]  # of one cell
            each = several if len(several) > 1 else (*several, each)[0]
        if isinstance(each, list | tuple | set | frozenset) and is_list(each):
            if texts := [t for e in each if (t := text_of(e))]:
                record.lists.append((field, texts))
                return
        elif isinstance(each, _NESTED) and each:
            record.inner.append((name, each, False))
            return
        elif not isinstance(each, _NESTED) and (text := text_of(each)):
            if field == OPEN and "://" in text and not self._catalogue.identifier(text) and bare_doi(text) == text:
                record.unread += [name] * (not asked.is_plain(name))  # a page of something else
            else:
                open_ = field == OPEN and not self._catalogue.names(text)
                self._named.append((key_of(name), field, (open_ and self._catalogue.identifier(text)) or text))
            return
        record.expects = max(record.expects, LEVEL[field])

    def _take_other(self, name: str, each: Any) -> None:
        """Sort what is under a key that says nothing: identifiers, or what is not read."""
        record, catalogue = self.record, self._catalogue
        reference = bool(_REFERENCES.search(name))
        if OTHER_UIDS.search(key_of(name)) or (key_of(name) == "schema" and isinstance(each, Mapping)):
            return
        if isinstance(each, _NESTED):
            if not is_list(each) or any(catalogue.identifier(text_of(e)) for e in each):
                record.inner.append((name, each, reference))
            else:
                record.unread.append(name)
        elif isinstance(each, str) and key_of(name) in _NAMING and catalogue.names(text_of(each)):
            self._named.append((key_of(name), OPEN, text_of(each)))
        elif isinstance(each, str) and all(map(shaped, held := _BETWEEN.split(each.strip()))) and len(held) > 1:
            record.inner.append((name, held, reference))
        elif isinstance(each, str) and (found := catalogue.identifier(text_of(each))):
            record.inner.append((name, found, reference))
        elif not asked.is_plain(name):
            record.unread.append(name)

    def _own(self) -> list[tuple[str, str]]:
        """Return the identifiers of the record, without what says nothing beside a better one."""
        named = self._named
        finest = max((LEVEL[f] for _, f, _ in named), default=0)
        if finest >= LEVEL[SERIES]:  # keys of one's own
            named = [n for n in named if not (n[1] == OPEN and n[0] in _KEYS)]
        if any(k != "patientname" and LEVEL[f] >= LEVEL[PATIENT] for k, f, _ in named):
            named = [n for n in named if n[0] != "patientname"]
        if sum(f == PATIENT for _, f, _ in named) > 1:  # GDC's case_id is a uuid, beside the name that IDC has
            named = [n for n in named if n[1] != PATIENT or not UUID_SHAPE.fullmatch(n[2])] or named
        return [(f, v) for _, f, v in named]

    def _holds(self, value: Any) -> bool:
        """Whether what asks is an identifier itself, or holds some."""
        return any(field_of(k) for k in keys_of(value)) or any(self._wanted(v) for v in shapes.leaves(value))

    def _wanted(self, text: str) -> bool:
        return self._catalogue.names(text) or (text in self._catalogue.known and not numeric(text))

    def _left_out(self, name: str, each: Any) -> None:
        """Take what is said not to be wanted: the record itself, what is listed, or what is not read."""
        record = self.record
        told = None if isinstance(each, _NESTED) else choices.answers(each)
        if not isinstance(each, _NESTED) and choices.denies(name, each):
            record.left = True
            return
        if choices.wants(name) < 0 and not isinstance(each, _NESTED) and (not text_of(each) or told is False):
            return
        if told is not None:
            record.left = record.left or (told and exclusions.leaves_out(name))
            record.asks += [name] * (told and not exclusions.leaves_out(name))
        elif isinstance(each, Mapping) and each and all(isinstance(v, bool) for v in each.values()):
            record.headings += [(str(k), not v) for k, v in each.items()]
        else:
            leaves = shapes.leaves(each)
            record.out += [Row(((OPEN, v),), problem=EXCLUDED) for v in leaves if self._wanted(v)]
            record.asks += [name] * any(not self._wanted(v) for v in leaves)
