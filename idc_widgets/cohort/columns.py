"""`col`: conditions written with operators, on the index and on every table that joins with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from idc_widgets.cohort import conditions
from idc_widgets.cohort.conditions import Between, Compare, Condition, Contains, In, Not
from idc_widgets.cohort.scalars import Scalar, scalar
from idc_widgets.lib import arguments


class Column:
    """A column, to be compared: `==`, `!=`, `<`, `<=`, `>`, `>=`, `.isin`, `.between`, `.contains`, `.isna`."""

    __slots__ = ("name",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, value: object) -> In:  # type: ignore[override]
        return In(self.name, (self._scalar(value),))

    def __ne__(self, value: object) -> Not:  # type: ignore[override]
        return Not(self == value)

    def __le__(self, value: str | float) -> Between:
        return conditions.between(self.name, None, self._bound(value))

    def __ge__(self, value: str | float) -> Between:
        return conditions.between(self.name, self._bound(value), None)

    def __lt__(self, value: str | float) -> Compare:
        return conditions.compare(self.name, "<", self._bound(value))

    def __gt__(self, value: str | float) -> Compare:
        return conditions.compare(self.name, ">", self._bound(value))

    def isin(self, values: Sequence[Scalar]) -> In:
        """Return the condition that it is one of the values; None is missing."""
        return conditions.isin(self.name, values)

    def between(self, low: Scalar = None, high: Scalar = None) -> Between:
        """Return the condition that it lies between two bounds, both included."""
        return conditions.between(self.name, low, high)

    def contains(self, text: str) -> Contains:
        """Return the condition that its text contains `text`, in any letter case."""
        return conditions.contains(self.name, text)

    def isna(self) -> In:
        """Return the condition that it has no value."""
        return In(self.name, (None,))

    def __invert__(self) -> Condition:
        return Not(In(self.name, (True,)))

    def __repr__(self) -> str:
        return f"idc.col({self.name!r})"

    def __bool__(self) -> bool:
        # `low <= column <= high` would quietly drop its first half.
        raise TypeError(f'{self!r} is neither true nor false by itself; a range is idc.between("{self.name}", …, …).')

    def _scalar(self, value: Any) -> Scalar:
        return scalar(value, self.name)

    def _bound(self, value: Any) -> Scalar:
        bound = self._scalar(value)
        if bound is None:
            raise TypeError(f"{self!r} is compared with a missing value; idc.col(…).isna() asks for those.")
        return bound


def col(name: str) -> Column:
    """Return a column to compare with values.

    Parameters
    ----------
    name
        A column of the index, or "table.column" of a table that joins with it by series, study, patient or collection:
        IDC's (see `catalog.tables()`), a clinical one (`catalog.clinical()`) or one of your own
        (`catalog.add_table`). The condition holds for a series if it holds for any of the table's rows that belong
        to it; of a column that lists values, if any of them satisfies it. Missing is what has no value there, rows or
        not.

    Examples
    --------
    >>> thin = col("ct_index.SliceThickness") <= 1.5
    >>> regular = col("volume_geometry_index.regularly_spaced_3d_volume") == True
    """
    return Column(arguments.text(name, "name", 'the name of a column, such as "Modality",'))
