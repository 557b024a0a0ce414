"""A cohort's rows as data frames: facets, series, and series grouped into studies, patients and collections."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

from idc_widgets.catalog import Catalog
from idc_widgets.catalog.catalog import TERM_COLUMNS
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.names import unknown_column
from idc_widgets.catalog.pages import COLLECTION_COLUMNS, published, read

if TYPE_CHECKING:
    import pandas as pd


_MODALITIES = 'string_agg(DISTINCT "Modality"::VARCHAR, \', \' ORDER BY "Modality"::VARCHAR) AS modalities'

# Level → (columns that identify it, what else is said of it).
_LEVELS = {
    "study": (
        ("collection_id", "PatientID", "StudyInstanceUID"),
        'min("StudyDate"::VARCHAR) AS "StudyDate", min("StudyDescription"::VARCHAR) AS "StudyDescription", ',
    ),
    "patient": (("collection_id", "PatientID"), "count(DISTINCT study_key) AS studies, "),
    "collection": (
        ("collection_id",),
        "count(DISTINCT patient_key) AS patients, count(DISTINCT study_key) AS studies, ",
    ),
}


def facets(
    catalog: Catalog, column: str, where: str, parameters: Sequence[Any], limit: int | None = None
) -> pd.DataFrame:
    """Return value, series and bytes of each value of a column, most series first; see `Cohort.facets`."""
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise ValueError(f"facets(limit={limit!r}): the limit is a number of values, or None for all.")
    name = "collection_id" if column in TERM_COLUMNS else column
    rows = catalog.database.rows(
        f'SELECT "{name}", count(*), sum(series_bytes)::BIGINT FROM {SERIES} WHERE {where} GROUP BY ALL', parameters
    )
    if column in TERM_COLUMNS:
        tally: dict[Any, list[int]] = {}
        for collection, number, size in rows:
            for term in catalog.terms[column].get(collection) or (None,):
                sums = tally.setdefault(term, [0, 0])
                sums[0] += number
                sums[1] += size
        rows = [(t, *sums) for t, sums in tally.items()]
    import pandas as pd

    # Values that differ in letter case alone stand together, by the most frequent of them.
    most: dict[str, int] = {}
    for value, number, _ in rows:
        most[_folded(value)] = max(number, most.get(_folded(value), 0))
    rows.sort(key=lambda r: (-most[_folded(r[0])], _folded(r[0]), -r[1], str(r[0])))
    frame: pd.DataFrame = pd.DataFrame(rows if limit is None else rows[:limit], columns=["value", "series", "bytes"])
    return frame


def _folded(value: object) -> str:
    return "" if value is None else f"={value}".casefold()


def series(
    catalog: Catalog,
    where: str,
    parameters: Sequence[Any],
    columns: Sequence[str] | None,
    order_by: str | Sequence[str] | None,
    limit: int | None,
    offset: int,
) -> pd.DataFrame:
    """Return the series, a row each; see `Cohort.series`."""
    for what, number in (("limit", 0 if limit is None else limit), ("offset", offset)):
        if isinstance(number, bool) or not isinstance(number, Integral) or not 0 <= number < 2**62:
            raise ValueError(f"{what}={number!r} is no number of rows: a whole number from 0 on is wanted.")
    names = [_known(catalog, n) for n in (columns if columns is not None else catalog.index_columns)]
    terms = []
    for term in [order_by] if isinstance(order_by, str) else list(order_by or ()):
        bare = term.removeprefix("-")
        terms.append(f"{read(_known(catalog, bare))} {'DESC' if term != bare else 'ASC'} NULLS LAST")
    sql = (
        f"SELECT {', '.join(published(n) for n in names)} FROM {SERIES} s WHERE {where} "
        f"ORDER BY {', '.join([*terms, 's.row_id'])}"
    )
    bound = list(parameters)
    if limit is not None or offset:
        sql += " LIMIT ? OFFSET ?"
        bound += [2**62 if limit is None else int(limit), int(offset)]
    frame: pd.DataFrame = catalog.database.frame(sql, bound)
    return frame


def grouped(
    catalog: Catalog, level: Literal["study", "patient", "collection"], where: str, parameters: Sequence[Any]
) -> pd.DataFrame:
    """Return a row for each study, patient or collection, in the order of their identifiers."""
    by, more = _LEVELS[level]
    keys = ", ".join(f's."{c}"' for c in by)
    frame: pd.DataFrame = catalog.database.frame(
        f"SELECT {', '.join(published(c) for c in by)}, {more}{_MODALITIES}, count(*) AS series, "
        "sum(instanceCount)::BIGINT AS instances, sum(series_bytes)::BIGINT AS bytes "
        f"FROM {SERIES} s WHERE {where} GROUP BY {keys} ORDER BY {keys}",
        parameters,
    )
    return frame


def _known(catalog: Catalog, name: str) -> str:
    known = (*catalog.index_columns, *COLLECTION_COLUMNS)
    if name not in known:
        raise unknown_column(name, known)
    return name
