"""The names that a text is read by: the catalogue's own terms and the listed synonyms, made once for a catalogue."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.terms import PROGRAM
from idc_widgets.cohort.interpret import synonyms
from idc_widgets.cohort.interpret.words import keys_of

#: Columns in the order in which a name that several have is taken, unless one has it in this very spelling.
ORDER = (
    "cancer_types", "tumor_locations", "collection_id", "analysis_result_id", PROGRAM, "exam", "Modality", "species",
    "PatientSex", "BodyPartExamined",
)  # fmt: skip

_JOINED = 5  # letters: shorter names run together by chance: "c t"


@dataclass(frozen=True)
class Entry:
    """What a name stands for: any of the values of a column; of an exam, all of the modalities."""

    column: str
    values: tuple[str, ...]
    spellings: tuple[str, ...]

    @property
    def careful(self) -> bool:
        """Whether the name is a usual word too."""
        return not synonyms.CAREFUL.isdisjoint(self.spellings)

    @property
    def alone(self) -> bool:
        """Whether the name counts only as the whole text."""
        return not synonyms.ALONE.isdisjoint(self.spellings)

    def spelt(self, written: str) -> bool:
        """Whether the name is written like this, but for letter case."""
        return written.casefold() in (s.casefold() for s in self.spellings)


@dataclass
class Vocabulary:
    """Names, as the keys of their words, and what they stand for, best first."""

    names: dict[tuple[str, ...], list[Entry]] = field(default_factory=dict)
    joined: dict[str, list[Entry]] = field(default_factory=dict)
    blocked: set[tuple[str, ...]] = field(default_factory=set)
    longest: int = 1  # words of a name
    widest: int = 1  # letters of a name

    def add(self, column: str, values: Iterable[str], name: str) -> None:
        """Let a name stand for these values."""
        key = keys_of(name)
        if not key:
            return
        entry = Entry(column, tuple(values), (name,))
        self._merge(self.names.setdefault(key, []), entry)
        run = "".join(key)
        if len(run) >= _JOINED:
            self._merge(self.joined.setdefault(run, []), entry)
        self.longest = max(self.longest, len(key))
        self.widest = max(self.widest, len(run))

    @staticmethod
    def _merge(entries: list[Entry], entry: Entry) -> None:
        """Add an entry; values of one column that differ in case or punctuation alone are one."""
        for i, other in enumerate(entries):
            if other.column == entry.column:
                entries[i] = Entry(
                    entry.column,
                    tuple(dict.fromkeys((*other.values, *entry.values))),
                    tuple(dict.fromkeys((*other.spellings, *entry.spellings))),
                )
                return
        entries.append(entry)
        entries.sort(key=lambda e: ORDER.index(e.column))

    def named(self, key: tuple[str, ...]) -> list[Entry]:
        """Return what words name, also where they are run together; best first."""
        return self.names.get(key) or self.joined.get("".join(key)) or []


_made: weakref.WeakKeyDictionary[Index, Vocabulary] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def vocabulary_of(index: Index) -> Vocabulary:
    """Return the names of a catalogue's terms."""
    with _lock:
        found = _made.get(index)
        if found is None:
            found = _made[index] = _make(index)
        return found


def _make(index: Index) -> Vocabulary:
    words = Vocabulary()
    present: dict[str, set[str]] = {}

    def own(column: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Add values under their names."""
        for value, name in pairs:
            present.setdefault(column, set()).add(value)
            words.add(column, (value,), name)

    def listed(column: str, table: synonyms.Synonyms) -> None:
        for values, names in table.items():
            here = [v for v in values if v in present.get(column, ())]
            for name in names if here else ():
                words.add(column, here, name)

    for column in ("cancer_types", "tumor_locations"):
        terms = sorted({t for each in index.terms[column].values() for t in each})
        own(column, ((t, t) for t in terms))
    listed("cancer_types", synonyms.CANCERS)
    listed("tumor_locations", synonyms.LOCATIONS)
    _growths(words, present["tumor_locations"])
    collections = index.database.rows("SELECT collection_id, collection_name FROM collections_index ORDER BY 1")
    own("collection_id", ((i, name) for i, each in collections for name in (i, each or i)))
    listed("collection_id", synonyms.COLLECTIONS)
    results = index.database.rows(
        "SELECT analysis_result_id, analysis_result_title FROM analysis_results_index ORDER BY 1"
    )
    own("analysis_result_id", ((i, name) for i, title in results for name in _titles(i, title or "")))
    listed("analysis_result_id", synonyms.ANALYSES)
    programs = index.database.rows("SELECT DISTINCT program_id FROM collections_index WHERE program_id IS NOT NULL")
    present[PROGRAM] = {p for (p,) in programs}
    listed(PROGRAM, synonyms.PROGRAMS)
    for column in ("Modality", "BodyPartExamined"):
        values = index.database.rows(
            f'SELECT DISTINCT "{column}"::VARCHAR FROM {SERIES} WHERE "{column}" IS NOT NULL ORDER BY 1'
        )
        own(column, ((v, v) for (v,) in values if v not in present.get("Modality", ())))
    listed("Modality", synonyms.MODALITIES)
    listed("BodyPartExamined", synonyms.BODY_PARTS)
    for modalities, names in synonyms.EXAMS.items():
        for name in names if present["Modality"].issuperset(modalities) else ():
            words.add("exam", modalities, name)
    present["species"] = {t for each in index.terms["species"].values() for t in each}
    listed("species", synonyms.SPECIES)
    present["PatientSex"] = {"F", "M"}
    listed("PatientSex", synonyms.SEX)
    words.blocked = {keys_of(phrase) for phrase in synonyms.NO_TERMS}
    return words


def _growths(words: Vocabulary, locations: set[str]) -> None:
    """Add "brain tumor" and the like; of "breast cancer", which is a cancer type, it is the second meaning."""
    places: dict[tuple[str, ...], list[str]] = {
        (v,): [v] for v in sorted(locations) if v not in ("Phantom", "Various", "Whole Body")
    }
    for place, said in (*synonyms.LOCATIONS.items(), *synonyms.ADJECTIVES.items()):
        places[place] = [*places.get(place, []), *said]
    alike: dict[tuple[str, ...], list[str]] = {}
    for location in sorted(locations):
        alike.setdefault(keys_of(location), []).append(location)
    for values, names in places.items():
        both = [other for v in values if v in locations for other in alike[keys_of(v)]]
        for name in names if both else ():
            for growth in synonyms.GROWTHS:
                words.add("tumor_locations", both, f"{name} {growth}")


def _titles(identifier: str, title: str) -> tuple[str, ...]:
    """Return the names of an analysis result: its id, its title, and what stands before the title's colon."""
    short = re.split(r":\s", title, maxsplit=1)[0]
    return tuple(dict.fromkeys(n for n in (identifier, title, short) if n))
