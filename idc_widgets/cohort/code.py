"""Conditions as the Python that makes them."""

from __future__ import annotations

from collections.abc import Sequence

from idc_widgets.cohort.conditions import (
    And,
    Between,
    Condition,
    Contains,
    In,
    Not,
    Or,
    Search,
    WithModalities,
)


def to_code(conditions: Sequence[Condition]) -> str:
    """Return an expression over `idc` (the package) and `catalog` that makes a cohort of these conditions."""
    keywords: dict[str, str] = {}
    later: list[str] = []
    for c in conditions:
        if isinstance(c, In) and c.column not in keywords:
            keywords[c.column] = _values(c)
        elif isinstance(c, Not) and isinstance(c.arg, In):
            later.append(f".exclude({c.arg.column}={_values(c.arg)})")
        else:
            later.append(f".where({_expression(c)})")
    return f"catalog.cohort({', '.join(f'{k}={v}' for k, v in keywords.items())})" + "".join(later)


def _values(c: In) -> str:
    return repr(c.values[0]) if len(c.values) == 1 else repr(list(c.values))


def _expression(c: Condition) -> str:
    match c:
        case In():
            return f"idc.one_of({c.column!r}, {list(c.values)!r})"
        case Between():
            return f"idc.between({c.column!r}, {c.low!r}, {c.high!r})"
        case Contains():
            return f"idc.contains({c.column!r}, {c.text!r})"
        case Search():
            return f"idc.search({c.text!r})"
        case WithModalities():
            named = ", ".join(repr(m) for m in c.modalities)
            return f"idc.with_modalities({named}, per={c.per!r}, keep={c.keep!r})"
        case Not():
            return f"~{_expression(c.arg)}"
        case And() | Or():
            if not c.args:
                return "idc.everything()" if isinstance(c, And) else "~idc.everything()"
            return "(" + (" & " if isinstance(c, And) else " | ").join(_expression(a) for a in c.args) + ")"
    raise TypeError(f"Not a condition: {c!r}")
