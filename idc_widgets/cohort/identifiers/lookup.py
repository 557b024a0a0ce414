"""What the catalogue knows of identifiers: one query a kind, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES as TABLE
from idc_widgets.cohort.identifiers.spelling import (
    COLLECTION,
    DOI,
    LEVEL,
    PATIENT,
    RESULT,
    SERIES,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    fold,
)


class Series(NamedTuple):
    """What a series is part of."""

    uid: str
    uuid: str
    study: str
    patient: str
    collection: str
    doi: str | None
    result: str | None
    instances: int


_SERIES = (
    "SeriesInstanceUID, crdc_series_uuid, StudyInstanceUID, PatientID, collection_id::VARCHAR, source_DOI::VARCHAR, "
    "analysis_result_id::VARCHAR, instanceCount"
)


_MANY = 20_000  # so many values are compared here: to hand them over takes longer than to fetch a whole column


def present(names: Names, column: str, values: Collection[str]) -> set[str]:
    """Return those of the values that a column of the index has."""
    if not values:
        return set()
    if len(values) > _MANY:
        return set(values).intersection(names.all_of(column))
    index = names.index
    asked = list(dict.fromkeys(values))
    found = index.database.rows(
        f'SELECT DISTINCT "{column}"::VARCHAR FROM {TABLE} WHERE "{column}"::VARCHAR IN (SELECT unnest(?::VARCHAR[]))',
        [asked],
    )
    return {r[0] for r in found}


def series(index: Index, column: str, values: Collection[str]) -> dict[str, Series]:
    """Return the series of SeriesInstanceUIDs or crdc_series_uuids."""
    if not values:
        return {}
    at = 1 if column == UUID else 0
    if len(values) > _MANY:
        asked = set(values)
        return {r[at]: Series(*r) for r in index.database.rows(f"SELECT {_SERIES} FROM {TABLE}") if r[at] in asked}
    rows = index.database.rows(
        f'SELECT {_SERIES} FROM {TABLE} WHERE "{column}" IN (SELECT unnest(?::VARCHAR[]))', [list(values)]
    )
    return {r[at]: Series(*r) for r in rows}


def owners(index: Index, column: str, values: Collection[str]) -> dict[str, set[tuple[str, str]]]:
    """Return the (collection_id, PatientID) pairs of studies or patients."""
    found: dict[str, set[tuple[str, str]]] = {}
    if not values:
        return found
    sql, bound = f'SELECT DISTINCT "{column}", collection_id::VARCHAR, PatientID FROM {TABLE}', []
    if len(values) <= _MANY:
        sql, bound = f'{sql} WHERE "{column}" IN (SELECT unnest(?::VARCHAR[]))', [list(values)]
    asked = set(values)
    for value, collection, patient in index.database.rows(sql, bound):
        if value in asked:
            found.setdefault(value, set()).add((collection, patient))
    return found


class Names:
    """Collections, analysis results and DOIs, in any usual spelling."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._all: dict[str, frozenset[str]] = {}
        rows = index.database.rows
        here = {r[0] for r in rows(f"SELECT DISTINCT collection_id::VARCHAR FROM {TABLE}")}
        self.collections = {fold(c): c for c in here}
        self.titles: dict[str, str] = {c: c for c in here}
        for collection, name in rows("SELECT collection_id, collection_name FROM collections_index"):
            if collection in here and name:
                self.collections.setdefault(fold(name), collection)
                self.titles[collection] = name
        self.results = {
            fold(r[0]): r[0] for r in rows(f"SELECT DISTINCT analysis_result_id::VARCHAR FROM {TABLE}") if r[0]
        }
        for result, title in rows("SELECT analysis_result_id, analysis_result_title FROM analysis_results_index"):
            if result in self.results.values() and title:
                self.results.setdefault(fold(title), result)
                # "PROSTATEx-Targets: Point annotations of …" is known by what is before the colon.
                self.results.setdefault(fold(title.partition(":")[0]), result)
        self.dois = {r[0].lower(): r[0] for r in rows(f"SELECT DISTINCT source_DOI::VARCHAR FROM {TABLE}") if r[0]}

    def all_of(self, column: str) -> frozenset[str]:
        """Return every value of a column of the index."""
        if column not in self._all:
            rows = self.index.database.rows(f'SELECT DISTINCT "{column}"::VARCHAR FROM {TABLE}')
            self._all[column] = frozenset(r[0] for r in rows)
        return self._all[column]

    def get(self, field: str, value: str) -> str | None:
        """Return a name as the index has it, or None."""
        if field == COLLECTION:
            return self.collections.get(fold(value))
        if field == RESULT:
            return self.results.get(fold(value))
        return self.dois.get(value.lower()) if field == DOI else None


def fields_of(names: Names, values: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return, for each value, the fields in which it is known, as the index writes it; the finest first."""
    asked = list(dict.fromkeys(values))
    uids = [v for v in asked if UID_SHAPE.fullmatch(v)]
    uuids = {v.lower(): v for v in asked if UUID_SHAPE.fullmatch(v)}
    found: dict[str, list[tuple[str, str]]] = {}
    for value in present(names, SERIES, uids):
        found.setdefault(value, []).append((SERIES, value))
    for value in present(names, UUID, uuids):
        found.setdefault(uuids[value], []).append((UUID, value))
    left = [u for u in uids if u not in found] if len(uids) > 10_000 else uids
    for value in present(names, STUDY, left):
        found.setdefault(value, []).append((STUDY, value))
    patients = spellings(v for v in asked if v not in found and v not in uuids)
    for value in present(names, PATIENT, patients):
        found.setdefault(patients[value], []).append((PATIENT, value))
    for value in asked:
        if value not in found and value not in uuids:
            for field in (COLLECTION, DOI, RESULT):
                if known := names.get(field, value):
                    found.setdefault(value, []).append((field, known))
    return found


def spellings(patients: Iterable[str]) -> dict[str, str]:
    """Return how PatientIDs may be written in the index → how they were: "100012.0" may be 100012 as a number."""
    out: dict[str, str] = {}
    for p in patients:
        out.setdefault(p, p)
        if p.endswith(".0") and p[:-2].isdigit():
            out.setdefault(p[:-2], p)
    return out


def in_any_case(index: Index, patients: Iterable[str]) -> dict[str, str]:
    """Return the PatientIDs that differ from these by case alone, where there is one only."""
    # A word without a digit is rather a word.
    asked = {p: p.lower() for p in patients if any(c.isdigit() for c in p) and any(c.isalpha() for c in p)}
    if not asked:
        return {}
    rows = index.database.rows(
        f"SELECT lower(PatientID), min(PatientID) FROM {TABLE} WHERE lower(PatientID) IN (SELECT unnest(?::VARCHAR[])) "
        "GROUP BY 1 HAVING count(DISTINCT PatientID) = 1",
        [list(set(asked.values()))],
    )
    found = dict(rows)
    return {p: found[lower] for p, lower in asked.items() if lower in found}


def holding(
    index: Index, where: Sequence[tuple[str, tuple[str, ...]]], column: str, parts: Mapping[str, list[str]]
) -> list[str]:
    """Return the values of a column, among what `where` selects, that hold one of the parts that are finer."""
    finer = [(c, v) for c, v in parts.items() if v and LEVEL[c] > LEVEL[column]]
    if not finer:
        return []
    has = "{}::VARCHAR IN (SELECT unnest(?::VARCHAR[]))"
    of = " AND ".join(has.format(f'"{c}"') for c, _ in where)
    any_of = " OR ".join(has.format(f'"{c}"') for c, _ in finer)
    rows = index.database.rows(
        f'SELECT DISTINCT "{column}"::VARCHAR FROM {TABLE} WHERE {of} AND ({any_of})',
        [*(list(v) for _, v in where), *(v for _, v in finer)],
    )
    return [r[0] for r in rows]
