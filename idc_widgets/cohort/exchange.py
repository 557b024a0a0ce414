"""Cohorts from elsewhere and to elsewhere: JSON, data frames, manifests, lists of identifiers.

What people type is checked and a misspelling is an error; what comes from elsewhere may be of another release, so the
values that this one lacks are collected instead.
"""

from __future__ import annotations

import io
import json
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from idc_widgets.catalog import Catalog
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort import check
from idc_widgets.cohort.conditions import And, Condition, In, Not, Or, ReferredBy, RefersTo, WithModalities, from_json
from idc_widgets.transfer import Provider, human_bytes
from idc_widgets.transfer.providers import bucket_at, endpoint

FORMAT = "idc_widgets.cohort"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
# `cp s3://<bucket>/<crdc_series_uuid>/* <destination>`, whatever stands around the address.
_ADDRESS = re.compile(r"\b(?:s3|gs)://[^/\s\"']+/([^/\s\"'*]+)")

# Columns by which a table says which series it means, the first that it has.
_IDENTIFYING = ("SeriesInstanceUID", "crdc_series_uuid", "StudyInstanceUID", "PatientID", "collection_id")

Found = tuple[list[Condition], tuple[str, ...]]


# -- JSON


def dump(catalog: Catalog, conditions: Sequence[Condition], unknown: Sequence[str]) -> str:
    """Return a cohort as JSON text, with the release it was made with."""
    out: dict[str, Any] = {
        "format": FORMAT,
        "idc_version": catalog.version,
        "release": catalog.release,
        "where": [c.to_json() for c in conditions],
    }
    return json.dumps(out | {"unknown": list(unknown)} if unknown else out)


def load(catalog: Catalog, text: str) -> tuple[list[Condition], tuple[str, ...], Any]:
    """Return conditions, values that this release lacks, and the IDC version the cohort was made with.

    Raises
    ------
    ValueError
        If the text is no cohort, or names a column that this release does not have.
    """
    try:
        loaded = json.loads(text)
        if loaded["format"] != FORMAT or not isinstance(loaded["where"], list):
            raise KeyError("format")
        read = [known_part(catalog, from_json(c)) for c in loaded["where"]]
        before = [str(v) for v in loaded.get("unknown", ())]
        version = loaded.get("idc_version")
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON ({error}): {text[:80]!r}") from error
    except RecursionError as error:
        raise ValueError(f"This cohort's conditions are nested too deep to be read: {text[:80]!r}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This is not a cohort as JSON (it lacks {error}): {text[:80]!r}") from error
    unknown = [*before, *(str(v) for _, missing in read for v in missing)]
    return [c for c, _ in read], tuple(dict.fromkeys(unknown)), version


def known_part(catalog: Catalog, condition: Condition) -> tuple[Condition, list[Any]]:
    """Return the condition without the values that no series of this release has, and these values.

    It selects the same series as before.
    """
    match condition:
        case In():
            missing = check.unknown_values(catalog, condition.column, condition.values)
            if not missing:
                return condition, []
            absent = set(missing)
            return In(condition.column, tuple(v for v in condition.values if v not in absent)), missing
        case WithModalities():
            missing = check.unknown_values(catalog, "Modality", condition.modalities)
            return (In("Modality", ()), missing) if missing else (condition, [])
        case Not():
            inner, missing = known_part(catalog, condition.arg)
            empty = bool(missing) and isinstance(inner, In) and not inner.values
            return (And(()) if empty else Not(inner)), missing
        case RefersTo() | ReferredBy():
            inner, missing = known_part(catalog, condition.arg)
            return type(condition)(inner), missing
        case And() | Or():
            parts = [known_part(catalog, a) for a in condition.args]
            return type(condition)(tuple(p for p, _ in parts)), [v for _, missing in parts for v in missing]
    check.check(catalog, condition)
    return condition, []


# -- data frames


def of_frame(catalog: Catalog, frame: Any) -> Found:
    """Return the condition that a data frame's rows state, and the identifiers that this release lacks.

    Raises
    ------
    ValueError
        If it has no column that identifies series, studies, patients or collections.
    TypeError
        If it is no data frame.
    """
    if not hasattr(frame, "columns"):
        raise TypeError(f"from_frame(…) takes a data frame, not {type(frame).__name__}.")
    columns = {str(c) for c in frame.columns}
    for column in _IDENTIFYING[:3]:
        if column in columns:
            return _identified(catalog, [(column, _texts(frame[column]))])
    if {"collection_id", "PatientID"} <= columns:
        return _patients(catalog, zip(frame["collection_id"].tolist(), frame["PatientID"].tolist(), strict=True))
    for column in _IDENTIFYING[3:]:
        if column in columns:
            return _identified(catalog, [(column, _texts(frame[column]))])
    named = ", ".join(sorted(columns)[:5]) or "none"
    raise ValueError(
        "from_frame(…) needs a column SeriesInstanceUID, crdc_series_uuid, StudyInstanceUID, PatientID or "
        f"collection_id; this data frame has: {named}."
    )


def _texts(column: Any) -> list[str]:
    # What is missing is None or NaN, which is not itself.
    return list(dict.fromkeys(str(v) for v in column.tolist() if v is not None and v == v))


def _patients(catalog: Catalog, pairs: Any) -> Found:
    wanted = list(dict.fromkeys((str(c), str(p)) for c, p in pairs if c is not None and p is not None and p == p))
    known = {
        tuple(row)
        for row in catalog.database.rows(
            f'SELECT DISTINCT "collection_id"::VARCHAR, "PatientID" FROM {SERIES} '
            'WHERE "PatientID" IN (SELECT unnest(?::VARCHAR[]))',
            [[p for _, p in wanted]],
        )
    }
    by_collection: dict[str, list[str]] = {}
    for collection, patient in wanted:
        if (collection, patient) in known:
            by_collection.setdefault(collection, []).append(patient)
    # The same PatientID in another collection is another patient.
    parts: list[Condition] = [
        And((In("collection_id", (collection,)), In("PatientID", tuple(patients))))
        for collection, patients in by_collection.items()
    ]
    unknown = tuple(f"{c}/{p}" for c, p in wanted if (c, p) not in known)
    return [_any_of(parts) if parts else In("PatientID", ())], unknown


def _identified(catalog: Catalog, lists: Sequence[tuple[str, Sequence[str]]]) -> Found:
    """Return that a series has one of the identifiers; what one column does not know may be in the next."""
    parts: list[Condition] = []
    unknown: list[str] = []
    for column, values in lists:
        absent = set(check.unknown_values(catalog, column, tuple(values)))
        unknown += [v for v in values if v in absent]
        known = tuple(v for v in values if v not in absent)
        if known:
            parts.append(In(column, known))
    if unknown:
        _warn_of_prior(catalog, unknown)
    return [_any_of(parts) if parts else In(lists[0][0], ())], tuple(unknown)


def _warn_of_prior(catalog: Catalog, unknown: Sequence[str]) -> None:
    """Warn of series that an earlier IDC version had and this one has not, or not like that."""
    series, last = catalog.database.rows(
        "WITH asked AS (SELECT unnest(?::VARCHAR[]) AS id) "
        "SELECT count(DISTINCT crdc_series_uuid), max(max_idc_version) FROM prior_versions_index "
        "WHERE crdc_series_uuid IN (FROM asked) OR SeriesInstanceUID IN (FROM asked)",
        [list(unknown)],
    )[0]
    if series:
        warnings.warn(
            f"Changed or withdrawn since: {series:,} of these series, the last in IDC v{last + 1}. They are in "
            "`unknown`; `prior_versions_index` has their addresses.",
            stacklevel=5,
        )


def _any_of(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


# -- manifests and pasted lists


def of_manifest(catalog: Catalog, source: str | os.PathLike[str]) -> Found:
    """Return the condition that a manifest or a list of identifiers states, and what this release lacks.

    Raises
    ------
    ValueError
        If there is nothing like an identifier in it.
    """
    text = _text(source)
    if separator := _table_separator(text):
        import pandas as pd  # slow to import, and seldom needed

        return of_frame(catalog, pd.read_csv(io.StringIO(text), dtype=str, sep=separator))
    uuids, uids, rest = _identifiers(text, catalog.index_columns)
    if not uuids and not uids:
        shown = repr(os.fspath(source)[:80])
        if isinstance(source, str) and "\n" not in source:
            raise ValueError(
                f"from_manifest({shown}): there is no such file, and it is no manifest line or UID either."
            )
        raise ValueError(f"from_manifest({shown}): it names no series; a line is `cp s3://bucket/uuid/* …` or a UID.")
    # A UID can be a series' or a study's.
    studies = [str(v) for v in check.unknown_values(catalog, "SeriesInstanceUID", tuple(uids))]
    of_series = set(uids).difference(studies)
    lists = [
        ("crdc_series_uuid", uuids),
        ("SeriesInstanceUID", [u for u in uids if u in of_series]),
        ("StudyInstanceUID", studies),
    ]
    conditions, unknown = _identified(catalog, lists)
    return conditions, (*unknown, *rest)


def _table_separator(text: str) -> str:
    """Return what separates the columns of CSV that identifies its rows, such as a download's `manifest.csv`."""
    first, line_break, _ = text.partition("\n")
    for separator in ",;\t":
        names = first.strip().replace('"', "").split(separator)
        if line_break and len(names) > 1 and any(name in _IDENTIFYING for name in names):
            return separator
    return ""


def _text(source: str | os.PathLike[str]) -> str:
    if isinstance(source, str):
        try:
            if "\n" in source or not Path(source).is_file():
                return source
        except (OSError, ValueError):  # too long for a path, or with a NUL
            return source
    return Path(source).read_text("utf-8-sig", errors="replace")


def _identifiers(text: str, headings: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    uuids: dict[str, None] = {}
    uids: dict[str, None] = {}
    rest: dict[str, None] = {}
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("#"):
            continue
        if addresses := _ADDRESS.findall(line):
            uuids.update((a.lower(), None) for a in addresses)
            continue
        for word in re.split(r"[\s,;\"']+", line):
            if _UUID.fullmatch(word):
                uuids[word.lower()] = None
            elif _UID.fullmatch(word):
                uids[word] = None
            elif word and word not in headings:
                rest[word] = None
    return list(uuids), list(uids), list(rest)


def manifest(catalog: Catalog, where: str, parameters: Sequence[Any], provider: Provider) -> str:
    """Return the manifest that s5cmd and idc-index read: a line a series."""
    url = endpoint(provider)
    rows = catalog.database.rows(
        f"SELECT aws_bucket::VARCHAR, crdc_series_uuid, series_bytes FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    size = human_bytes(sum(r[2] for r in rows))
    lines = [
        f"# IDC v{catalog.version}: {len(rows):,} series, {size}",
        f"# s5cmd --no-sign-request --endpoint-url {url} run <this file>",
        *(f"cp s3://{bucket_at(provider, bucket)}/{uuid}/* ." for bucket, uuid, _ in rows),
    ]
    return "\n".join(lines) + "\n"
