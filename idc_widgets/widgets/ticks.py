"""Ticks: what a person selected in the table, and the cohort that it means.

`{base, minus, plus}`: the rows that match the conditions `base` (null: none) without the rows `minus`, and the rows
`plus`. "All that match" is a base, so ticking a million rows costs nothing. Rows are the index's row numbers, which
are short and stable within a release; the cohort names series by their UIDs, which last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from idc_widgets.catalog import Catalog
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort import Cohort, conditions

NOTHING: dict[str, Any] = {"base": None, "minus": [], "plus": []}


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


def _uids(catalog: Catalog, rows: Sequence[int]) -> tuple[str, ...]:
    found = catalog.database.rows(
        f"SELECT SeriesInstanceUID FROM {SERIES} WHERE row_id IN (SELECT unnest(?::INTEGER[])) ORDER BY row_id",
        [[int(r) for r in rows]],
    )
    return tuple(r[0] for r in found)
