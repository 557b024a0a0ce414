"""What shape a value of JSON has: a table by rows, by columns, a mapping of yes and no."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from idc_widgets.cohort.identifiers import asked, choices
from idc_widgets.cohort.identifiers.literals import is_list
from idc_widgets.cohort.identifiers.spelling import field_of, loose_field_of, text_of

Table = tuple[list[str], list[list[Any]]]


def is_table(value: Any) -> bool:
    """Return whether a value is a list of several flat records."""
    return isinstance(value, list | tuple) and len(value) > 1 and all(_flat(v) for v in value)


def _flat(value: Any) -> bool:
    return isinstance(value, Mapping) and not any(isinstance(v, dict | list | tuple | set) for v in value.values())


def matrix(value: Sequence[Any]) -> Table | None:
    """Return the columns of a list of lists whose first is a heading."""
    if not value or not isinstance(value[0], list | tuple) or len(value[0]) < 2 or not is_list(value[0]):
        return None
    names = value[0]
    if not all(isinstance(n, str) for n in names) or not any(field_of(n) or loose_field_of(n) for n in names):
        return None
    if not all(isinstance(r, list | tuple) and len(r) == len(names) for r in value):
        return None
    return list(names), [list(c) for c in zip(*value[1:], strict=True)] or [[] for _ in names]


def columns(value: Mapping[Any, Any], names: Callable[[str], bool]) -> Table | None:
    """Return a mapping of columns: lists of one length, or, as pandas writes them, mappings by row.

    Parameters
    ----------
    names
        Whether a label of a row is an identifier.
    """
    if value and all(_flat(v) and str(k).isdigit() for k, v in value.items()):  # by the rows' numbers
        headings = list(dict.fromkeys(str(k) for v in value.values() for k in v))
        return headings, [[v.get(h) for v in value.values()] for h in headings]
    if (split := _split(value, names)) is not None:
        return split
    if not value or not all(isinstance(v, Mapping | list | tuple) and not names(str(k)) for k, v in value.items()):
        return None
    by_row = [c for c in value.values() if isinstance(c, Mapping)]
    if any("Value" in c or any(str(k).startswith("$") for k in c) for c in by_row):
        return None
    if len({len(c) for c in value.values()}) != 1 or (by_row and len(by_row) < len(value)):
        return None
    found = {str(k): list(c.values() if isinstance(c, Mapping) else c) for k, c in value.items()}
    if any(isinstance(v, dict | list | tuple | set) for c in found.values() for v in c):
        return None
    if any((asked.asks(k) or choices.wants(k) < 0) and not _yes_or_no(c) for k, c in found.items()):
        return None
    headings, cells = list(found), list(found.values())
    if by_row and any(map(names, labels := [str(k) for k in by_row[0]])):
        headings, cells = ["id", *headings], [labels, *cells]
    return headings, cells


def _split(value: Mapping[Any, Any], names: Callable[[str], bool]) -> Table | None:
    """Return the table of `columns` and `data`, as pandas splits it."""
    headings = value.get("columns")
    rows = next((r for k in ("data", "rows", "values") if isinstance(r := value.get(k), list) and r), None)
    if not isinstance(headings, list) or rows is None:
        return None
    if not all(isinstance(r, list | tuple) and len(r) == len(headings) for r in rows):
        return None
    cells = [list(c) for c in zip(*rows, strict=True)]
    labels = [str(v) for v in value.get("index") or ()]
    if len(labels) == len(rows) and any(map(names, labels)):
        return ["id", *map(str, headings)], [labels, *cells]
    return list(map(str, headings)), cells


def _yes_or_no(values: Sequence[Any]) -> bool:
    return all(not text_of(v) or choices.answers(v) is not None for v in values)


def verdicts(values: Sequence[Any]) -> list[bool | None]:
    """Return what the values of a mapping say of its keys: wanted, not wanted, or nothing."""
    scalars = [None if isinstance(v, Mapping | list | tuple | set | frozenset) else v for v in values]
    if len(values) > 2 and scalars == list(range(len(values))):  # their numbers
        return [True] * len(values)
    return [choices.answers(v) for v in scalars]


def is_dicom(value: Mapping[Any, Any]) -> bool:
    """Return whether the keys are tags, as in DICOM's own JSON."""
    return all(re.fullmatch(r"[0-9A-Fa-f]{8}", str(k)) for k in value)


def loose(name: object, value: Any) -> str | None:
    """Return the field of a key that has other meanings too, where its values are texts or nested and no counts."""
    field = loose_field_of(name)
    values = value if isinstance(value, list | tuple) else [value]
    if field and not any(values):  # it is there, and empty
        return field
    return field if field and values and all(isinstance(v, str | Mapping | list | tuple) for v in values) else None


def leaves(value: Any) -> list[str]:
    """Return the texts of a value, at every level."""
    if isinstance(value, Mapping):
        return [t for v in value.values() for t in leaves(v)]
    if isinstance(value, list | tuple | set | frozenset):
        return [t for v in value for t in leaves(v)]
    return [text] if (text := text_of(value)) else []
