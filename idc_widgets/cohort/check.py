"""Checking what people typed: every column, value and type in a condition, before it is a cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from idc_widgets.catalog import Catalog, UnknownNameError
from idc_widgets.catalog.catalog import TERM_COLUMNS
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.names import did_you_mean, nearest, short
from idc_widgets.catalog.sources import NUMBER_COLUMNS
from idc_widgets.cohort.conditions import And, Between, Condition, Contains, In, Not, Or, Scalar, WithModalities


def from_keywords(columns: Mapping[str, Any]) -> list[Condition]:
    """Return the conditions that keyword arguments state: column = value, list of values, or None."""
    return [In(column, _scalars(column, value)) for column, value in columns.items()]


def _scalars(column: str, value: Any) -> tuple[Scalar, ...]:
    if hasattr(value, "tolist"):  # numpy and pandas, without importing them
        value = value.tolist()
    many = value if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "__next__") else [value]
    if isinstance(many, set | frozenset):
        many = sorted(many, key=str)
    out: list[Scalar] = []
    for v in many:
        if v is not None and not isinstance(v, str | int | float):
            raise TypeError(f"{column}={v!r}: a value is a text, a number, None (missing), or a list of these.")
        missing = v is None or (isinstance(v, float) and v != v)  # pandas writes missing as NaN
        each = None if missing else v
        if each not in out[-1:]:
            out.append(each)
    return tuple(dict.fromkeys(out))


def check(catalog: Catalog, condition: Condition) -> None:
    """Raise if the condition names a column or value that the catalogue does not have.

    Raises
    ------
    UnknownNameError
        With near names in its message.
    ValueError
        If a bound or a value has the wrong type for its column.
    """
    match condition:
        case In():
            _check_values(catalog, condition.column, condition.values)
        case Between():
            _check_bounds(catalog, condition)
        case Contains():
            _index_column(catalog, condition.column)
        case WithModalities():
            _check_values(catalog, "Modality", condition.modalities)
        case Not():
            check(catalog, condition.arg)
        case And() | Or():
            for arg in condition.args:
                check(catalog, arg)


def _index_column(catalog: Catalog, column: str) -> None:
    if column not in catalog.index_columns:
        catalog.require_column(column)
        raise ValueError(f'"{column}" is a list of terms of a collection; ask for a term: {column}="…".')


def _check_bounds(catalog: Catalog, condition: Between) -> None:
    _index_column(catalog, condition.column)
    numeric = condition.column in (*NUMBER_COLUMNS, "PatientAge")
    for bound in (condition.low, condition.high):
        if numeric and isinstance(bound, str):
            raise ValueError(f'between("{condition.column}", …): {bound!r} is text; this column takes numbers.')
        if not numeric and isinstance(bound, int | float) and condition.column not in ("StudyDate", "SeriesDate"):
            raise ValueError(f'between("{condition.column}", …): {bound!r} is a number; this column holds text.')


def unknown_values(catalog: Catalog, column: str, values: Sequence[Scalar]) -> list[Scalar]:
    """Return those of the values that no series has in a column, in their order.

    Numbers are never unknown: a series of that size may come.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    ValueError
        If a value has the wrong type for the column.
    """
    catalog.require_column(column)
    present = [v for v in values if v is not None]
    if column in TERM_COLUMNS:
        known = set(_terms(catalog, column))
        return [v for v in present if v not in known]
    if column in NUMBER_COLUMNS:
        bad = next((v for v in present if isinstance(v, str)), None)
        if bad is not None:
            raise ValueError(f"{column}={bad!r}: this column holds numbers; write it without quotes.")
        return []
    wrong = next((v for v in present if not isinstance(v, str)), None)
    if wrong is not None:
        raise ValueError(f'{column}={wrong!r}: this column holds text; write {column}="{wrong}".')
    if not present:
        return []
    # One pass over the distinct values; the wanted ones come as one list parameter.
    name = column.replace('"', '""')
    found = catalog.database.rows(
        f'SELECT DISTINCT "{name}"::VARCHAR FROM {SERIES} WHERE "{name}"::VARCHAR IN (SELECT unnest(?::VARCHAR[]))',
        [present],
    )
    held = {row[0] for row in found}
    return [v for v in dict.fromkeys(present) if v not in held]


def _terms(catalog: Catalog, column: str) -> list[str]:
    return sorted({t for terms in catalog.terms[column].values() for t in terms})


def _check_values(catalog: Catalog, column: str, values: Sequence[Scalar]) -> None:
    unknown = unknown_values(catalog, column, values)
    if not unknown:
        return
    if column in TERM_COLUMNS:
        _raise_unknown(column, unknown, _terms(catalog, column))
    # Names of few values are compared here; among a million identifiers only DuckDB's near ones are.
    name = column.replace('"', '""')
    near = catalog.database.rows(
        f'SELECT v FROM (SELECT DISTINCT "{name}"::VARCHAR AS v FROM {SERIES}) WHERE v IS NOT NULL '
        "ORDER BY jaro_winkler_similarity(lower(v), lower(?)) DESC LIMIT 200",
        [str(unknown[0])[:200]],
    )
    _raise_unknown(column, unknown, [r[0] for r in near])


def _raise_unknown(column: str, unknown: Sequence[Scalar], known: list[str]) -> NoReturn:
    more = f" (nor {len(unknown) - 1:,} more of the values given)" if len(unknown) > 1 else ""
    raise UnknownNameError(
        f'No series has {column} "{short(unknown[0])}"{more}.{did_you_mean(nearest(str(unknown[0]), known))}'
    )
