"""Bins: the columns of many values (dates, ages, sizes, numbers of images) as dimensions of the cube.

A bin begins at an edge and ends before the next one. The edges here are for histograms; a bound that somebody types
becomes one more edge of the cube made for it, so that the browser stays exact (`js/src/cube/bins.ts` does the same
arithmetic on the codes).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

# Where a bin begins: at this value (side 0), or just above it (side 1).
Edge: TypeAlias = tuple[float | str, Literal[0, 1]]
Extra: TypeAlias = Mapping[str, Sequence[Edge]]
Kind: TypeAlias = Literal["date", "number", "integer"]

MOST_EXTRA = 64  # edges a column; with those below, codes stay under 256

_OLDEST_AGE = 120


def years_of_age(column: str) -> str:
    """Return SQL for the years that a DICOM age string (066Y, 007M, 003W, 003D) says; NULL for what is none.

    Ages above 120 years are no ages either: they are kept apart as implausible.
    """
    text = f"{column}::VARCHAR"
    return (
        f"(CASE WHEN regexp_matches({text}, '^[0-9]{{1,3}}[YyMmWwDd]?$') THEN nullif(least("
        f"regexp_extract({text}, '[0-9]+')::DOUBLE / CASE upper(right({text}, 1)) "
        f"WHEN 'M' THEN 12 WHEN 'W' THEN 52.1775 WHEN 'D' THEN 365.25 ELSE 1 END, {_OLDEST_AGE + 1}), "
        f"{_OLDEST_AGE + 1}) END)"
    )


@dataclass(frozen=True)
class Binned:
    """A column of the index as a dimension of bins.

    Its codes are 0 (below the first edge) to len(edges), then one for missing values, then one for implausible ones
    (those that have no place on the scale).
    """

    column: str
    kind: Kind
    edges: tuple[float | str, ...]

    @property
    def code(self) -> str:
        """Name of the column of `series` that holds the code by the edges here."""
        return f"{self.column}_bin"

    @property
    def missing(self) -> int:
        """Code of missing values."""
        return len(self.edges) + 1

    @property
    def value(self) -> str:
        """SQL for the place on the scale; NULL where there is none."""
        name = f'"{self.column}"'
        if self.column == "PatientAge":
            return years_of_age(name)
        return f"{name}::VARCHAR" if self.kind == "date" else name

    def base(self, value: str) -> str:
        """Return SQL for the code by the edges here, of a column `value` that holds what `self.value` says."""
        return (
            f'(CASE WHEN "{self.column}" IS NULL THEN {self.missing} WHEN {value} IS NULL THEN {self.missing + 1} '
            f"ELSE {_search(value, self.edges, 0, len(self.edges))} END)::UTINYINT"
        )

    def refined(self, extra: Sequence[Edge]) -> tuple[str, list[Any]]:
        """Return SQL, and its parameters, for the code by the edges here and more of them."""
        if not extra:
            return f'"{self.code}"', []
        passed = " + ".join(f"coalesce({self.value} {'>' if side else '>='} ?, FALSE)::UTINYINT" for _, side in extra)
        special = f'CASE WHEN "{self.code}" >= {self.missing} THEN {len(extra)} ELSE {passed} END'
        return f'("{self.code}" + {special})::UTINYINT', [value for value, _ in extra]

    def edge(self, value: Any, side: Literal[0, 1]) -> Edge | None:
        """Return the edge at a bound (side 0) or just above it (side 1), in one form; None if it is no bound here."""
        if self.kind == "date":
            text = str(value)
            if side == 0:
                return text, 0
            # "2015" and all days in it; nothing stands between "2015~" and "2016".
            return (f"{int(text) + 1:04d}" if len(text) == 4 and text.isdigit() else text + "~"), 0
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        if self.kind == "integer":
            return (math.floor(value) + 1 if side else math.ceil(value)), 0
        return value, side

    def clean(self, edges: Sequence[Sequence[Any]]) -> list[Edge]:
        """Return further edges as they are used: checked, sorted, none twice, none that stands here already.

        Raises
        ------
        ValueError
            If one is no place on this column's scale, or there are too many.
        """
        wanted = str if self.kind == "date" else (int, float)
        found: set[Edge] = set()
        for value, side in edges:
            if isinstance(value, bool) or not isinstance(value, wanted) or side not in (0, 1):
                raise ValueError(f"{value!r} is no place on the scale of {self.column}.")
            at = bisect_left(self.edges, value)
            if side == 1 or self.edges[at : at + 1] != (value,):
                found.add((value, side))
        if len(found) > MOST_EXTRA:
            raise ValueError(f"{len(found)} bounds on {self.column} are too many; {MOST_EXTRA} are the most.")
        return sorted(found)


def _search(value: str, edges: Sequence[float | str], low: int, high: int) -> str:
    """Return SQL that finds a value's bin among `edges[low:high]` by halving."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    edge = edges[middle]
    at = f"'{edge}'" if isinstance(edge, str) else repr(edge)
    less, more = _search(value, edges, low, middle), _search(value, edges, middle + 1, high)
    return f"CASE WHEN {value} < {at} THEN {less} ELSE {more} END"


def _one_two_five(first: int, last: int) -> tuple[float, ...]:
    return tuple(float(f"{m}e{power}") for power in range(first, last + 1) for m in (1, 2, 5))


BINNED = (
    # Decades, since de-identified studies may lie anywhere, then years.
    Binned("StudyDate", "date", (*(str(y) for y in range(1850, 1990, 10)), *(str(y) for y in range(1990, 2061)))),
    Binned("PatientAge", "number", tuple(range(5, _OLDEST_AGE, 5))),
    Binned("series_size_MB", "number", (0.01, *_one_two_five(-1, 5))),
    Binned("instanceCount", "integer", (2, 3, *(int(e) for e in _one_two_five(0, 5) if e >= 5))),
)
BY_COLUMN: Mapping[str, Binned] = {b.column: b for b in BINNED}


def binned(column: str) -> Binned:
    """Return the bins of a column.

    Raises
    ------
    ValueError
        If the column has none; the message names those that have.
    """
    if column not in BY_COLUMN:
        raise ValueError(f'"{column}" has no bins; those with bins are {", ".join(BY_COLUMN)}.')
    return BY_COLUMN[column]
