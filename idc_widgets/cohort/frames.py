"""A cohort's rows as data frames: facets, series, and series grouped into studies, patients and collections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.pages import COLLECTION_COLUMNS, published, read
from idc_widgets.catalog.suggest import short
from idc_widgets.cohort import values

if TYPE_CHECKING:
    import pandas as pd


def _listed(column: str, name: str, between: str = ", ") -> str:
    """Return SQL for the different values of a column in order, in one text; NULL where there are none."""
    return f'string_agg(DISTINCT "{column}"::VARCHAR, \'{between}\' ORDER BY "{column}"::VARCHAR) AS {name}'


_MODALITIES = _listed("Modality", "modalities")
_BODY_PARTS = _listed("BodyPartExamined", "body_parts")
# Of a person all ages and sexes that the files have; descriptions may hold commas.
_PERSON = f"{_listed('PatientAge', 'PatientAge')}, {_listed('PatientSex', 'PatientSex')}, "

# Level → (columns that identify it, what else is said of it).
_LEVELS = {
    "study": (
        ("collection_id", "PatientID", "StudyInstanceUID"),
        f"{_listed('StudyDate', 'StudyDate', '; ')}, {_listed('StudyDescription', 'StudyDescription', '; ')}, "
        f"{_PERSON}",
    ),
    "patient": (("collection_id", "PatientID"), f"{_PERSON}count(DISTINCT study_key) AS studies, "),
    "collection": (
        ("collection_id",),
        "count(DISTINCT patient_key) AS patients, count(DISTINCT study_key) AS studies, ",
    ),
}


def facets(index: Index, column: str, where: str, parameters: Sequence[Any], limit: int | None = None) -> pd.DataFrame:
    """Return value, series and bytes of each value of a column, most series first; see `Cohort.facets`."""
    if limit is not None:
        limit = row_number(limit, "limit")
    rows = values.tally(index, column, where, parameters)
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
    index: Index,
    where: str,
    parameters: Sequence[Any],
    columns: Sequence[str] | None,
    order_by: str | Sequence[str] | None,
    limit: int | None,
    offset: int,
) -> pd.DataFrame:
    """Return the series, a row each; see `Cohort.series`."""
    limit = None if limit is None else row_number(limit, "limit")
    offset = row_number(offset, "offset")
    joins = values.Joins(index)
    shown = [_shown(index, joins, n) for n in _names(list(index.columns) if columns is None else columns, "columns")]
    terms = []
    if not shown:
        raise ValueError("columns=[] asks for nothing: name columns, or leave it out for all of the index.")
    for term in _names(() if order_by is None else order_by, "order_by"):
        bare = term.removeprefix("-")
        name = read(bare) if _known(index, bare) else joins.read(bare)
        terms.append(f"{name} {'DESC' if term != bare else 'ASC'} NULLS LAST")
    sql = (
        f"SELECT {', '.join(shown)} FROM {SERIES} s{joins.sql} WHERE {where} ORDER BY {', '.join([*terms, 's.row_id'])}"
    )
    bound = list(parameters)
    if limit is not None or offset:
        sql += " LIMIT ? OFFSET ?"
        bound += [2**62 if limit is None else limit, offset]
    frame: pd.DataFrame = index.database.frame(sql, bound)
    return frame


def _shown(index: Index, joins: values.Joins, name: str) -> str:
    return published(name) if _known(index, name) else f'{joins.read(name)} AS "{name}"'


def _names(given: object, what: str) -> list[str]:
    """Return the names of columns that were given, one or several."""
    many: list[Any] = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [given]
    if isinstance(given, bytes | Mapping) or hasattr(given, "columns") or not all(isinstance(n, str) for n in many):
        raise TypeError(f"{what}={short(repr(given))}: names of columns are wanted, as a list of texts.")
    return many


def row_number(number: object, what: str) -> int:
    """Return a number of rows, checked."""
    if isinstance(number, bool) or not isinstance(number, Integral) or not 0 <= int(number) < 2**62:
        raise ValueError(f"{what}={short(repr(number))} is no number of rows: a whole number from 0 on is wanted.")
    return int(number)


def grouped(
    index: Index, level: Literal["study", "patient", "collection"], where: str, parameters: Sequence[Any]
) -> pd.DataFrame:
    """Return a row for each study, patient or collection, in the order of their identifiers."""
    by, more = _LEVELS[level]
    keys = ", ".join(f's."{c}"' for c in by)
    frame: pd.DataFrame = index.database.frame(
        f"SELECT {', '.join(published(c) for c in by)}, {more}{_MODALITIES}, {_BODY_PARTS}, count(*) AS series, "
        "sum(instanceCount)::BIGINT AS instances, sum(series_bytes)::BIGINT AS bytes "
        f"FROM {SERIES} s WHERE {where} GROUP BY {keys} ORDER BY {keys}",
        parameters,
    )
    return frame


def _known(index: Index, name: str) -> bool:
    """Whether a column is of the index or the collection; else it is "table.column", or an error."""
    if "." in name:
        return False
    index.require_column(name, COLLECTION_COLUMNS)
    return True
