"""Ticks: what a person selected in the table, and the cohort that it means.

`{base, minus, plus}`: the rows that match the conditions `base` (null: none) without the rows `minus`, and the rows
`plus`. "All that match" is a base, and so is a large patient or collection, so ticking a million rows costs nothing.
Rows are the index's row numbers, which are short and stable within a release; the cohort names series by their UIDs,
which last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from idc_widgets.api import Catalog, Cohort
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.levels import Level
from idc_widgets.cohort import conditions
from idc_widgets.cohort.conditions import And, Condition, In, Or

NOTHING: dict[str, Any] = {"base": None, "minus": [], "plus": []}

_MOST_UIDS = 50_000  # for the clipboard; about 3 MB

_SINGLY = 2_000  # so many rows are ticked by their numbers; more as a condition


def from_json_list(catalog: Catalog, where: Sequence[Mapping[str, Any]]) -> Cohort:
    """Return the cohort of a list of conditions as the browser writes them."""
    return Cohort(catalog, [conditions.from_json(c) for c in where])


def cohort_of(catalog: Catalog, ticks: Mapping[str, Any]) -> Cohort:
    """Return the cohort of the ticked series; of no ticks, the empty one."""
    plus = Cohort(catalog, [conditions.In("SeriesInstanceUID", _uids(catalog, ticks.get("plus") or []))])
    if ticks.get("base") is None:
        return plus
    cohort = from_json_list(catalog, ticks["base"])
    if ticks.get("minus"):
        cohort = cohort - Cohort(catalog, [conditions.In("SeriesInstanceUID", _uids(catalog, ticks["minus"]))])
    return cohort | plus if ticks.get("plus") else cohort


def of(cohort: Cohort) -> dict[str, Any]:
    """Return the ticks that mean a cohort."""
    if cohort == cohort_of(cohort.catalog, NOTHING):
        return NOTHING
    return {**NOTHING, "base": [c.to_json() for c in cohort.conditions]}


def to_sql(catalog: Catalog, ticks: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return that a series is ticked, as SQL and its bound values."""
    parts: list[str] = []
    bound: list[Any] = []
    if ticks.get("base") is not None:
        sql, bound = from_json_list(catalog, ticks["base"]).compiled()
        if ticks.get("minus"):
            sql = f"({sql}) AND row_id NOT IN (SELECT unnest(?::INTEGER[]))"
            bound = [*bound, _numbers(ticks["minus"])]
        parts.append(f"({sql})")
    if ticks.get("plus"):
        parts.append("row_id IN (SELECT unnest(?::INTEGER[]))")
        bound = [*bound, _numbers(ticks["plus"])]
    return f"({' OR '.join(parts)})" if parts else "FALSE", bound


def uids(catalog: Catalog, ticks: Mapping[str, Any]) -> list[str]:
    """Return the SeriesInstanceUIDs of what is ticked, in the index's order.

    Raises
    ------
    ValueError
        If they are more than fit a clipboard.
    """
    where, bound = to_sql(catalog, ticks)
    found = catalog.index.database.rows(
        f"SELECT SeriesInstanceUID FROM {SERIES} WHERE {where} ORDER BY row_id LIMIT {_MOST_UIDS + 1}", bound
    )
    if len(found) > _MOST_UIDS:
        raise ValueError(f"More than {_MOST_UIDS:,} series are ticked: save them to a file instead of copying them.")
    return [r[0] for r in found]


def changed(catalog: Catalog, ticks: Mapping[str, Any], cohort: Cohort, on: bool) -> dict[str, Any]:
    """Return the ticks with all series of a cohort ticked, or unticked."""
    where, parameters = cohort.compiled()
    base = ticks.get("base")
    minus, plus = set(_numbers(ticks.get("minus") or [])), set(_numbers(ticks.get("plus") or []))
    found = catalog.index.database.rows(
        f"SELECT row_id FROM {SERIES} WHERE {where} ORDER BY row_id LIMIT {_SINGLY + 1}", parameters
    )
    rows = {r[0] for r in found}
    if len(rows) <= _SINGLY:
        in_base = _among(catalog, from_json_list(catalog, base), rows) if base is not None else set()
        minus, plus = (minus - rows, plus - rows) if on else (minus | in_base, plus - rows)
        if on:
            plus |= rows - in_base
    else:
        minus -= _among(catalog, cohort, minus)
        plus -= _among(catalog, cohort, plus)
        if base is not None:
            before = from_json_list(catalog, base)
            base = [c.to_json() for c in (before | cohort if on else before - cohort).conditions]
        elif on:
            base = [c.to_json() for c in cohort.conditions]
    return {"base": base, "minus": sorted(minus), "plus": sorted(plus)}


def groups(catalog: Catalog, level: Level | str, rows: Sequence[int]) -> Condition:
    """Return the condition of the series, studies, patients or collections that these rows belong to."""
    if level == "series":
        return In("SeriesInstanceUID", _uids(catalog, rows))
    found = catalog.index.database.rows(
        f"SELECT collection_id::VARCHAR, PatientID, StudyInstanceUID FROM {SERIES} "
        "WHERE place IN (SELECT unnest(?::BIGINT[])) ORDER BY row_id",
        [_numbers(rows)],
    )
    if level == "study":
        return In("StudyInstanceUID", tuple(dict.fromkeys(r[2] for r in found)))
    if level == "collection":
        return In("collection_id", tuple(dict.fromkeys(r[0] for r in found)))
    patients: dict[str, dict[str, None]] = {}
    for collection, patient, _ in found:
        patients.setdefault(collection, {})[patient] = None
    each = [And((In("collection_id", (c,)), In("PatientID", tuple(p)))) for c, p in patients.items()]
    return each[0] if len(each) == 1 else Or(tuple(each))


def _among(catalog: Catalog, cohort: Cohort, rows: set[int]) -> set[int]:
    """Return those of these rows that are in a cohort."""
    if not rows:
        return set()
    where, parameters = cohort.compiled()
    found = catalog.index.database.rows(
        f"SELECT row_id FROM {SERIES} WHERE place IN (SELECT unnest(?::BIGINT[])) AND ({where})",
        [sorted(rows), *parameters],
    )
    return {r[0] for r in found}


def _numbers(rows: Sequence[Any]) -> list[int]:
    return [int(r) for r in rows]


def _uids(catalog: Catalog, rows: Sequence[int]) -> tuple[str, ...]:
    found = catalog.index.database.rows(
        f"SELECT SeriesInstanceUID FROM {SERIES} WHERE place IN (SELECT unnest(?::BIGINT[])) ORDER BY row_id",
        [_numbers(rows)],
    )
    return tuple(r[0] for r in found)
