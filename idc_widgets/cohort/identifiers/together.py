"""What is named together: headings above their parts, exceptions, a collection beside a PatientID."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from idc_widgets.catalog import Index
from idc_widgets.cohort.identifiers import lookup
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED
from idc_widgets.cohort.identifiers.result import Unknown
from idc_widgets.cohort.identifiers.spelling import (
    COARSE,
    COLLECTION,
    IDENTIFYING,
    LEVEL,
    PATIENT,
    SERIES,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    inside,
)

#: A conjunction: which values of which columns have to hold.
Parts = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass
class Named:
    """What rows have named so far, each on its own.

    Attributes
    ----------
    known
        Whole values of a column.
    pairs
        Collections and their patients.
    narrow
        Conjunctions, and what each came from.
    unknown
        What names nothing; None where the reason is still to be found.
    notes
        What there is to say.
    """

    index: Index
    known: dict[str, dict[str, None]] = field(default_factory=lambda: {c: {} for c in IDENTIFYING})
    pairs: dict[str, dict[str, None]] = field(default_factory=dict)
    narrow: dict[Parts, str] = field(default_factory=dict)
    unknown: dict[str, Unknown | None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    were: dict[str, set[str]] = field(default_factory=dict)  # known, before headings were dropped

    def lost(self, value: str, reason: str) -> None:
        """Note that a value names nothing; the first reason stays."""
        if self.unknown.get(value) is None:
            self.unknown[value] = Unknown(value, reason)

    def leave_out(self, excluded: Mapping[str, list[str]]) -> None:
        """Take out what is said not to be wanted, and what holds it: without its exceptions it would be wider."""
        for column, values in excluded.items():
            for value in values:
                for known in (self.known.get(column, {}), *(self.pairs.values() if column == PATIENT else ())):
                    known.pop(value, None)
        for value in self._drop({f: v for f, v in excluded.items() if LEVEL[f] > 1}):
            self.lost(value, f"beside exceptions: {EXCLUDED}")

    def leave_parts(self, said: str) -> None:
        """Take out all that is coarser than a series: it is said that a part of it is meant, and which is not read."""
        lost = [v for c in (STUDY, PATIENT, *COARSE) for v in self.known[c]]
        lost += [v for patients in self.pairs.values() for v in patients] + list(self.narrow.values())
        for column in (STUDY, PATIENT, *COARSE):
            self.known[column].clear()
        self.pairs.clear()
        self.narrow.clear()
        for value in lost:
            self.lost(value, f'beside "{said}", which asks for a part of it')

    def drop_headings(self, mentioned: Iterable[str]) -> None:
        """Drop what is named beside parts of it: above a list of series, a study or collection is their heading."""
        self.were = {c: set(vs) for c, vs in self.known.items()}
        uids = [v for v in dict.fromkeys(mentioned) if v not in self.known[STUDY]]
        dropped = self._drop(
            {
                SERIES: [v for v in uids if UID_SHAPE.fullmatch(v)],
                UUID: [v.lower() for v in uids if UUID_SHAPE.fullmatch(v)],
                STUDY: [*self.known[STUDY], *(v for p in self.narrow for c, vs in p if c == STUDY for v in vs)],
                PATIENT: [*self.known[PATIENT], *(p for ps in self.pairs.values() for p in ps)],
            }
        )
        if dropped and not any(self.known.values()) and not self.pairs and not self.narrow:
            for value in dropped:
                self.lost(value, "beside a finer identifier that was not understood; alone on a line it counts")
        elif dropped:
            self._drop_other_headings(dropped)
            some = ", ".join(dropped[:3]) + (f" and {len(dropped) - 3:,} more" if len(dropped) > 3 else "")
            said = f"{some}: named beside parts of it, and only these count; name it alone if all of it is meant."
            self.notes[said] = None
        self._drop_a_heading_of_unknowns()

    def _drop_other_headings(self, dropped: Iterable[str]) -> None:
        """Drop what may be a heading as others of its kind are: one of parts that nobody knows."""
        lost = next((v for v in self.unknown if inside(v) == [v]), None)  # "1.2.3" is rather a version
        for column in (STUDY, PATIENT, *COARSE) if lost else ():
            if any(v in self.were[column] for v in dropped):
                for value in list(self.known[column]):
                    del self.known[column][value]
                    self.lost(value, f"beside {lost}, which is unknown and may be a part of it; named alone it counts")

    def _drop_a_heading_of_unknowns(self) -> None:
        """Drop the one coarse name above UIDs that nobody knows: it may be the heading of a list of its parts."""
        coarse = [(c, v) for c in (STUDY, PATIENT, *COARSE) for v in self.known[c]]
        lost = next((v for v in self.unknown if UID_SHAPE.fullmatch(v) or UUID_SHAPE.fullmatch(v)), None)
        others = self.known[SERIES] or self.known[UUID] or self.pairs or self.narrow
        if lost is not None and len(coarse) == 1 and not others:
            ((column, value),) = coarse
            del self.known[column][value]
            self.lost(value, f"beside {lost}, which is unknown and may be a part of it; named alone it counts")

    def keep_to(self, collections: Iterable[str], owners: Mapping[str, set[tuple[str, str]]]) -> None:
        """Take a PatientID that several collections have as that of the collection that is named with it.

        Parameters
        ----------
        owners
            The (collection_id, PatientID) pairs of each patient.
        """
        named = set(collections)
        for patient in list(self.known[PATIENT]) if named else ():
            of = {c for c, _ in owners[patient]}
            here = sorted(of & named)
            if here and len(here) < len(of):
                del self.known[PATIENT][patient]
                for collection in here:
                    self.pairs.setdefault(collection, {})[patient] = None
                self.notes[f"{patient}: of {', '.join(here)}, which is named with it, and no other collection."] = None

    def _drop(self, parts: Mapping[str, list[str]]) -> list[str]:
        """Drop what holds one of the parts, and return it."""
        dropped: list[str] = []
        for column in (STUDY, PATIENT, *COARSE):
            if values := tuple(self.known[column]):
                for value in lookup.holding(self.index, [(column, values)], column, parts):
                    del self.known[column][value]
                    dropped.append(value)
        for collection, patients in list(self.pairs.items()):
            where = [(COLLECTION, (collection,)), (PATIENT, tuple(patients))]
            for value in lookup.holding(self.index, where, PATIENT, parts):
                del patients[value]
                dropped.append(value)
            if not patients:
                del self.pairs[collection]
        for key, shown in list(self.narrow.items()):
            column = max((c for c, _ in key), key=lambda c: LEVEL[c])
            if lookup.holding(self.index, key, column, parts):
                del self.narrow[key]
                dropped.append(shown)
        return dropped
