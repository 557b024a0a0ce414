"""Checking what people typed: every column, value and type in a condition, before it is a cohort."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import duckdb

from idc_widgets.catalog import Index, UnknownNameError
from idc_widgets.catalog.bundled import DATE_COLUMNS, NUMBER_COLUMNS
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.joins import Kind
from idc_widgets.catalog.suggest import short
from idc_widgets.catalog.terms import TERM_COLUMNS
from idc_widgets.cohort.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Contains,
    In,
    Not,
    Or,
    ReferencedBy,
    References,
    Sql,
    WithModalities,
)
from idc_widgets.cohort.fence import require_inside
from idc_widgets.cohort.identifiers.reasons import sentence
from idc_widgets.cohort.near_values import suggestion
from idc_widgets.cohort.scalars import Scalar, scalar
from idc_widgets.lib.arguments import shown
from idc_widgets.lib.sql import identifier


def from_keywords(columns: Mapping[str, Any]) -> list[Condition]:
    """Return the conditions that keyword arguments state: column = value, list of values, or None."""
    return [In(column, _scalars(column, value)) for column, value in columns.items()]


def _scalars(column: str, value: Any) -> tuple[Scalar, ...]:
    if hasattr(value, "tolist"):  # numpy and pandas, without importing them
        value = value.tolist()
    many = value if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "__next__") else [value]
    if isinstance(many, set | frozenset):
        many = sorted(many, key=str)
    return tuple(dict.fromkeys(scalar(v, column) for v in many))


def require_conditions(given: Sequence[Condition]) -> Sequence[Condition]:
    """Return conditions that are conditions."""
    if not isinstance(given, list | tuple):
        raise TypeError(f"conditions={shown(given)}: a list of conditions is wanted.")
    wrong = [c for c in given if not isinstance(c, Condition)]
    if wrong:
        raise TypeError(
            f"conditions: {shown(wrong[0])} is no condition; write column=value, or idc.between(…), idc.contains(…) …."
        )
    return given


def require_texts(unknown: Sequence[str]) -> Sequence[str]:
    """Return what a cohort does not know, which is texts."""
    if not isinstance(unknown, list | tuple) or not all(isinstance(u, str) for u in unknown):
        raise TypeError(f"unknown={shown(unknown)}: a list of texts is wanted.")
    return unknown


def check(index: Index, condition: Condition) -> None:
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
            _check_values(index, condition.column, condition.values)
        case Between():
            _check_bounds(index, condition.column, condition.low, condition.high)
        case Compare():
            _check_bounds(index, condition.column, condition.value)
        case Contains():
            _kind(index, condition.column)
        case Sql():
            _check_sql(index, condition.text)
        case WithModalities():
            _check_values(index, "Modality", condition.modalities)
        case Not() | References() | ReferencedBy():
            check(index, condition.arg)
        case And() | Or():
            for arg in condition.args:
                check(index, arg)


def _kind(index: Index, column: str) -> Kind:
    """Return what kind of values a column holds, of the index or of "table.column"."""
    if "." in column:
        return index.joined(column).kind
    if column not in index.columns:
        index.require_column(column)
        raise ValueError(f'"{column}" is a list of terms of a collection; ask for a term: {column}="…".')
    if column in DATE_COLUMNS:
        return "date"
    return "number" if column in (*NUMBER_COLUMNS, "PatientAge") else "text"


def _check_bounds(index: Index, column: str, *bounds: Scalar) -> None:
    kind = _kind(index, column)
    for bound in bounds:
        if bound is None:
            continue
        if kind == "boolean":
            raise ValueError(f'"{column}" is true or false; ask for idc.col("{column}") == True.')
        if kind == "number" and isinstance(bound, str):
            raise ValueError(f'between("{column}", …): {bound!r} is text; this column takes numbers.')
        if kind == "text" and not isinstance(bound, str):
            raise ValueError(f'between("{column}", …): {bound!r} is a number; this column holds text.')
        if kind == "date" and not _is_date(bound):
            raise ValueError(f'between("{column}", …): {bound!r} is no date; write "2015-06-01", "2015-06" or 2015.')


def _is_date(bound: Scalar) -> bool:
    found = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", str(bound), re.ASCII)
    try:
        return found is not None and bool(datetime.date(int(found[1]), int(found[2] or 1), int(found[3] or 1)))
    except ValueError:
        return False


def _check_sql(index: Index, text: str) -> None:
    """Raise unless the text is one expression over the index that DuckDB takes."""
    require_inside(index, text)
    try:
        index.database.rows(f'SELECT 1 FROM "index" WHERE ({text}\n) LIMIT 0')
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"sql({short(text)!r}): {_elsewhere(index, first) or first}") from None


def _elsewhere(index: Index, reason: str) -> str:
    """Return what to write in place of a name that an expression over the index cannot use."""
    if table := re.match(r'Binder Error: Referenced table "(.+?)" not found', reason):
        named = next((n for n in index.table_names() if n.casefold() == table[1].casefold()), None)
        if named is None:
            return ""
        return (
            f'an expression over the index names no columns of "{named}"; write idc.col("{named}.…") == …, or '
            f"SeriesInstanceUID IN (SELECT SeriesInstanceUID FROM {named} WHERE …)."
        )
    if column := re.match(r'Binder Error: Referenced column "(.+?)" not found', reason):
        try:
            index.require_column(column[1])
        except UnknownNameError as error:
            return str(error)
    return ""


def unknown_values(index: Index, column: str, values: Sequence[Scalar]) -> list[Scalar]:
    """Return those of the values that no series has in a column, in their order.

    Numbers are never unknown: a series of that size may come.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    ValueError
        If a value has the wrong type for the column.
    """
    present = [v for v in values if v is not None]
    kind = "text" if column in (*TERM_COLUMNS, "PatientAge") else _kind(index, column)
    if column in TERM_COLUMNS:
        known = set(_terms(index, column))
        return [v for v in present if v not in known]
    if kind == "number":
        bad: Scalar = next((v for v in present if isinstance(v, str)), None)
        if bad is not None:
            raise ValueError(f"{column}={bad!r}: this column holds numbers; write it without quotes.")
        return []
    if kind == "boolean":
        bad = next((v for v in present if v not in (True, False) or isinstance(v, str)), None)
        if bad is not None:
            raise ValueError(f"{column}={bad!r}: this column is True or False.")
        return []
    wrong = next((v for v in present if not isinstance(v, str)), None)
    if wrong is not None:
        right = f'idc.between("PatientAge", {wrong}, {wrong})' if column == "PatientAge" else f'{column}="{wrong}"'
        raise ValueError(f"{column}={wrong!r}: this column holds text; write {right}.")
    if not present:
        return []
    # One pass over the distinct values; the wanted ones come as one list parameter.
    source = _values_of(index, column)
    found = index.database.rows(
        f"SELECT DISTINCT v FROM ({source}) WHERE v IN (SELECT unnest(?::VARCHAR[]))", [present]
    )
    held = {row[0] for row in found}
    return [v for v in dict.fromkeys(present) if v not in held]


def _values_of(index: Index, column: str) -> str:
    """Return SQL for the values of a column as text, named v."""
    table, many = SERIES, False
    if "." in column:
        joined = index.joined(column)
        table, column, many = joined.table, joined.column, joined.many
    name = identifier(column)
    value = f"unnest({name})::VARCHAR" if many else f"{name}::VARCHAR"
    return f'SELECT {value} AS v FROM "{table}"'


def _terms(index: Index, column: str) -> list[str]:
    return sorted({t for terms in index.terms[column].values() for t in terms})


def _check_values(index: Index, column: str, values: Sequence[Scalar]) -> None:
    unknown = unknown_values(index, column, values)
    if not unknown:
        return
    if column in TERM_COLUMNS:
        _raise_unknown(index, column, unknown, _terms(index, column))
    # Of another level or time; and nothing near is guessed for a UID.
    if said := sentence(index, column, str(unknown[0])):
        raise UnknownNameError(f'No series has {column} "{short(unknown[0])}"{_nor(unknown)}: {said}.')
    # Names of few values are compared here; among a million identifiers only DuckDB's near ones are.
    near = index.database.rows(
        f"SELECT v FROM (SELECT DISTINCT v FROM ({_values_of(index, column)})) WHERE v IS NOT NULL "
        "ORDER BY jaro_winkler_similarity(lower(v), lower(?)) DESC LIMIT 200",
        [str(unknown[0])[:200]],
    )
    _raise_unknown(index, column, unknown, [r[0] for r in near])


def _raise_unknown(index: Index, column: str, unknown: Sequence[Scalar], known: list[str]) -> NoReturn:
    near = suggestion(index, column, str(unknown[0]), known)
    raise UnknownNameError(f'No series has {column} "{short(unknown[0])}"{_nor(unknown)}.{near}')


def _nor(unknown: Sequence[Scalar]) -> str:
    return f" (nor {len(unknown) - 1:,} more of the values given)" if len(unknown) > 1 else ""
