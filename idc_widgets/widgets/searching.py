"""What a text in the search box may mean, with the series that each reading finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from idc_widgets.api import Catalog, Cohort
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort.interpret import Interpretation
from idc_widgets.cohort.interpret.near import near
from idc_widgets.widgets import ticks

_SHOWN = 3  # readings, beside the text as it is


def readings(catalog: Catalog, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the readings of `text` beside the conditions `where`: the one to take first, the text itself last.

    Where all of them find nothing, the nearest steps are offered too.
    """
    text = str(message["text"])
    others = ticks.from_json_list(catalog, message["where"])
    found = catalog.interpret(text)
    if not found:
        return {"taken": False, "readings": []}
    as_text = found.alternatives[-1] if found.terms else Interpretation(found, text, found.words)
    terms = [r for r in ([found] if found.terms else []) + list(found.alternatives) if r.terms][:_SHOWN]
    told = [_told(catalog, others, r) for r in (*terms, as_text)]
    if not any(t["series"] for t in told):
        known = [*terms, as_text]
        close = [_told(catalog, others, r) for r in near(catalog.index, text) if r not in known]
        told[-1:-1] = [t for t in close if t["series"]]
    return {"taken": bool(found.terms), "readings": told}


def _told(catalog: Catalog, others: Cohort, reading: Interpretation) -> dict[str, Any]:
    return {
        "label": reading.label if reading.terms else "",
        "where": [c.to_json() for c in reading],
        "series": _count(catalog, Cohort(catalog, [*others.conditions, *reading])),
    }


def _count(catalog: Catalog, cohort: Cohort) -> int:
    where, parameters = cohort.compiled()
    rows: Sequence[tuple[int]] = catalog.index.database.rows(f"SELECT count(*) FROM {SERIES} WHERE {where}", parameters)
    return rows[0][0]
