"""Why an identifier names nothing here: the one place where that is put into words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES as TABLE
from idc_widgets.catalog.suggest import did_you_mean
from idc_widgets.cohort.identifiers.lookup import Names
from idc_widgets.cohort.identifiers.result import Unknown
from idc_widgets.cohort.identifiers.spelling import (
    COLLECTION,
    DOI,
    DOI_SHAPE,
    FILE,
    IDENTIFYING,
    INSTANCE,
    OPEN,
    PATIENT,
    RESULT,
    SERIES,
    STUDY,
    STUDY_UUID,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    bare_doi,
)

_NEAR = 50  # so many unknown names are compared with all that there are
_ONE_FILE = "a single file{of}; a whole series is the least that can be downloaded"


def explain(index: Index, values: Iterable[tuple[str, str]], names: Names | None = None) -> list[Unknown]:
    """Return values that their fields do not know, each with the reason.

    Parameters
    ----------
    values
        Pairs of field ("?" where it is open) and value.
    """
    pairs = list(dict.fromkeys(values))
    texts = list(dict.fromkeys(v for _, v in pairs))
    elsewhere = _elsewhere(index, [t for t in texts if not t.isspace()])
    before = _before(index, texts)
    names = names or Names(index)
    out: list[Unknown] = []
    compared = 0
    for field, value in pairs:
        reason = _known_reason(field, value, elsewhere, before, names)
        near: tuple[str, ...] = ()
        if not reason and field in (OPEN, PATIENT, COLLECTION, RESULT) and not _exact(value) and compared < _NEAR:
            compared += 1
            near = tuple(_near(index, field, value, names))
        out.append(Unknown(value, reason or _absent(index, field, value) + did_you_mean(near), near))
    return out


def sentence(index: Index, column: str, value: str) -> str | None:
    """Return what is wrong with a value of an identifying column, or None where nothing beyond "unknown" is known.

    "that is a SeriesInstanceUID (of study …)", "withdrawn in IDC v19; …". Of UIDs and UUIDs it always says something,
    so that nothing near is guessed.
    """
    if column not in IDENTIFYING:
        return None
    names = Names(index)
    known = _known_reason(column, value, _elsewhere(index, [value]), _before(index, [value]), names)
    return known or (_absent(index, column, value) if _exact(value) else None)


def why(index: Index, value: str) -> str:
    """Return why an identifier of whatever kind names no study or series."""
    return sentence(index, SERIES, value) or f"not a {SERIES}"


def one_file(series: str = "") -> str:
    """Return the reason why a single instance is not taken."""
    return _ONE_FILE.format(of=f" of series {series}" if series else "")


def _exact(value: str) -> bool:
    return bool(UID_SHAPE.fullmatch(value) or UUID_SHAPE.fullmatch(value))


def _known_reason(
    field: str,
    value: str,
    elsewhere: dict[str, list[tuple[str, str]]],
    before: dict[str, dict[str, str]],
    names: Names,
) -> str:
    here = [
        (f, of) for f, of in elsewhere.get(value.lower() if UUID_SHAPE.fullmatch(value) else value, ()) if f != field
    ]
    if here and field != OPEN:
        found, of = here[0]
        return f"that is {'an' if found[0] in 'aeiou' else 'a'} {found}{of}"
    old = before.get(value.lower() if UUID_SHAPE.fullmatch(value) else value, {})
    for each in (SERIES, UUID, STUDY, PATIENT, COLLECTION):
        if each in old and field in (each, OPEN):
            return old[each]
    if old and field in IDENTIFYING:
        each, said = next(iter(old.items()))
        return f"that is a {each}, {said}"
    if field not in (OPEN, COLLECTION, RESULT, DOI):
        for other in (COLLECTION, DOI, RESULT):
            if known := names.get(other, bare_doi(value)):
                return f"that is {'an' if other == RESULT else 'a'} {other}" + (f", {known}" if known != value else "")
    if field in (COLLECTION, RESULT, DOI):
        for other in (COLLECTION, RESULT, DOI):
            if other != field and (known := names.get(other, bare_doi(value))):
                return f"that is {'an' if other == RESULT else 'a'} {other}" + (f", {known}" if known != value else "")
    return ""


def _absent(index: Index, field: str, value: str) -> str:
    version = f"IDC v{index.version}"
    if field in (INSTANCE, FILE):
        return one_file()
    if field == STUDY_UUID:
        return "the index has no uuids of studies; name them by their StudyInstanceUID"
    if value.endswith(("…", "...")):
        return "cut off"
    if UUID_SHAPE.fullmatch(value):
        return f"no series of {version} has this uuid"
    if UID_SHAPE.fullmatch(value):
        of = {SERIES: "series", STUDY: "study", PATIENT: "patient"}.get(field, "series, study or patient")
        return f"no {of} of {version} has this UID"
    if field == DOI or DOI_SHAPE.fullmatch(bare_doi(value)):
        return f"no data set of {version} has this DOI"
    if field in (SERIES, STUDY, UUID):
        return "not a uuid" if field == UUID else f"not a {field}"
    what = {PATIENT: "patient", COLLECTION: "collection", RESULT: "analysis result"}.get(
        field, "patient, collection or analysis result"
    )
    return f"no {what} of {version} has this name."


def _elsewhere(index: Index, values: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return where values are known after all: columns, and what the value is part of."""
    found: dict[str, list[tuple[str, str]]] = {}
    asked = [v.lower() if UUID_SHAPE.fullmatch(v) else v for v in values]
    for column, of in (
        (SERIES, "' (of study ' || min(StudyInstanceUID) || ')'"),
        (UUID, "' (of series ' || min(SeriesInstanceUID) || ')'"),
        (STUDY, "' (of ' || count(*) || ' series)'"),
        (PATIENT, "' (in ' || string_agg(DISTINCT collection_id::VARCHAR, ', ') || ')'"),
    ):
        for value, more in index.database.rows(
            f'SELECT "{column}", {of} FROM {TABLE} WHERE "{column}" IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1',
            [asked],
        ):
            found.setdefault(value, []).append((column, more))
    return found


def _before(index: Index, values: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what earlier versions had: for each value its column and what has become of it."""
    asked = [v.lower() if UUID_SHAPE.fullmatch(v) else v for v in values]
    found: dict[str, dict[str, str]] = {}
    for column in (SERIES, UUID, STUDY, PATIENT, COLLECTION):
        for value, last, now in index.database.rows(
            f'SELECT p.v, p.last, s.crdc_series_uuid FROM (SELECT "{column}" AS v, max(max_idc_version) AS last, '
            "arg_max(SeriesInstanceUID, max_idc_version) AS uid FROM prior_versions_index "
            f'WHERE "{column}" IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1) p '
            f"LEFT JOIN {TABLE} s ON s.SeriesInstanceUID = p.uid",
            [asked],
        ):
            if column == UUID and now:
                said = f"revised in IDC v{last + 1}; today's version is {now}"
            else:
                said = f"withdrawn in IDC v{last + 1}"
                if column in (SERIES, UUID):
                    said += "; prior_versions_index has its address"
            found.setdefault(value, {})[column] = said
    return found


def _near(index: Index, field: str, value: str, names: Names) -> list[str]:
    """Return names that look like an unknown one, best first."""
    plain = _letters(value[:100])
    if not plain:
        return []
    found: list[str] = []
    if field in (OPEN, COLLECTION):
        by = {_letters(k): v for k, v in names.collections.items()}
        found += [by[k] for k in difflib.get_close_matches(plain, by, 3, 0.75)]
    if field in (OPEN, RESULT):
        by = {_letters(k): v for k, v in names.results.items()}
        found += [by[k] for k in difflib.get_close_matches(plain, by, 2, 0.75)]
    if field in (OPEN, PATIENT) and len(plain) > 3:
        found += [
            r[0]
            for r in index.database.rows(
                "SELECT p FROM (SELECT DISTINCT PatientID AS p, regexp_replace(lower(PatientID), '[^0-9a-z]', '', 'g') "
                # Only the letters, or zeros before a number, may differ.
                f"AS l FROM {TABLE}) WHERE l = $1 OR (levenshtein(l, $1) <= 3 AND length(l) > 5 AND "
                "ltrim(regexp_replace(l, '[^0-9]', '', 'g'), '0') = $2) "
                "ORDER BY l <> $1, levenshtein(l, $1), p LIMIT 3",
                [plain[:100], re.sub(r"[^0-9]", "", plain[:100]).lstrip("0")],
            )
        ]
    # Another number is another person or another collection.
    number = re.sub(r"[^0-9]", "", plain).lstrip("0")
    alike = [n for n in dict.fromkeys(found) if re.sub(r"[^0-9]", "", n).lstrip("0") == number]
    return sorted(alike, key=lambda n: _letters(n) != plain)[:3]


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())
