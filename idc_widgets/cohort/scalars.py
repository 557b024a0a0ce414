"""The one reading of a value beside a column, and of conditions that differ in the order of such values alone."""

from __future__ import annotations

import datetime
import json
from typing import Any, TypeAlias

from idc_widgets.catalog.suggest import short
from idc_widgets.lib.arguments import shown, text

Scalar: TypeAlias = str | int | float | None  # bool is an int

_VALUE = "a text, a number, True, False, or None (missing),"


def scalar(value: Any, column: str) -> Scalar:
    """Return the value beside a column, whatever it was written as: numpy's and pandas' numbers and dates too.

    Raises
    ------
    TypeError
        If it is of no such kind.
    ValueError
        If it is a number that no column can hold, a date with a time of day, or text that is not Unicode.
    """
    given = value
    if hasattr(value, "item") and not hasattr(value, "columns") and getattr(value, "shape", ()) == ():
        value = value.item()
    if value is None or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType"):
        return None  # pandas writes missing as NaN, NA and NaT
    if isinstance(value, datetime.datetime):
        if value.time() != datetime.time():
            raise ValueError(f"{column}={shown(given)}: the catalogue holds dates without a time of day; give a date.")
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str):
        return text(value, column, _VALUE, blank=True)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{column}={shown(given)}: no column holds such a number; None leaves a bound open.")
        return value
    raise TypeError(f"{column}={shown(given)} is no text or number: a value is {_VALUE} or a list of these.")


def bound(value: Any, column: str) -> Scalar:
    """Return a bound of a range; None is no bound, and True is none either."""
    found = None if value is None else scalar(value, column)
    if found is None and value is not None:
        raise ValueError(f'"{short(column)}" is compared with {value!r}, which is no number; None leaves a bound open.')
    if isinstance(found, bool):
        raise TypeError(f'"{short(column)}" is compared with {value!r}: a bound is a number, a date or a text.')
    return found


def canonical(value: Any) -> Any:
    """Return a condition's JSON values in one order: the order of arguments and of values says nothing."""
    if isinstance(value, dict):
        out = {k: canonical(v) for k, v in value.items()}
        for key in ("values", "modalities"):
            if isinstance(out.get(key), list):
                out[key] = sorted(out[key], key=lambda v: (v is None, str(v)))
        if isinstance(out.get("args"), list):
            out["args"] = sorted(out["args"], key=lambda v: json.dumps(v, sort_keys=True))
        return out
    return [canonical(v) for v in value] if isinstance(value, list) else value
