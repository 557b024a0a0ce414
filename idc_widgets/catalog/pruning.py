"""Which files a query need not read: conditions of its WHERE beside the least and the greatest value of each file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
_TEXTS = ("VARCHAR", "DATE")


@dataclass(frozen=True)
class Wanted:
    """What a query asks of one table.

    Parameters
    ----------
    columns
        The columns that it may read; None: all.
    conditions
        Column → pairs of an operator ("in", "<=", ">=") and its constant; every row of the result satisfies all.
    any_rows
        Whether it asks for some rows only, whichever come first.
    """

    columns: tuple[str, ...] | None
    conditions: Mapping[str, list[tuple[str, Any]]] = field(default_factory=dict)
    any_rows: bool = False


def wanted(query: str, table: str, types: Mapping[str, str]) -> Wanted:
    """Return what a query asks of a table; where it is not understood, everything."""
    import sqlglot
    from sqlglot import exp

    try:
        trees = sqlglot.parse(query, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return Wanted(None)
    tree = trees[-1] if trees else None
    if len(trees) != 1 or tree is None:
        return Wanted(None)
    uses = [t for t in tree.find_all(exp.Table) if t.name.casefold() == table.casefold()]
    names = {n.casefold(): n for n in types}
    stars = any(not isinstance(s.parent, exp.Count) for s in tree.find_all(exp.Star))
    read = {names[c.name.casefold()] for c in tree.find_all(exp.Column) if c.name.casefold() in names}
    columns = None if stars else tuple(sorted(read))
    # Used twice, one use may want what the other does not.
    select = uses[0].find_ancestor(exp.Select) if len(uses) == 1 else None
    shadowed = any(c.alias.casefold() == table.casefold() for c in tree.find_all(exp.CTE))
    if select is None or shadowed or select.args.get("where") is None:
        return Wanted(columns)
    alone = select.args.get("joins") is None and len(list(select.find_all(exp.Table))) == 1
    alias = uses[0].alias_or_name.casefold()
    conditions: dict[str, list[tuple[str, Any]]] = {}
    for each in _conjuncts(select.args["where"].this):
        for column, operator, value in _comparison(each):
            ours = column.table.casefold() == alias if column.table else alone
            name = names.get(column.name.casefold())
            if ours and name is not None and _comparable(types[name], operator, value):
                conditions.setdefault(name, []).append((operator, value))
    sorts = ("order", "group", "distinct", "having", "qualify")
    any_rows = (
        alone
        and select is tree
        and select.args.get("limit") is not None
        and not any(select.args.get(s) for s in sorts)
        and not any(select.find_all(exp.AggFunc, exp.Window))
    )
    return Wanted(columns, conditions, any_rows)


def _conjuncts(node: Any) -> list[Any]:
    from sqlglot import exp

    if isinstance(node, exp.Paren):
        return _conjuncts(node.this)
    return [*_conjuncts(node.left), *_conjuncts(node.right)] if isinstance(node, exp.And) else [node]


def _comparison(node: Any) -> list[tuple[Any, str, Any]]:
    """Return (column, operator, constant) that follow from a condition."""
    from sqlglot import exp

    ways: dict[Any, tuple[str, str]] = {
        exp.EQ: ("in", "in"), exp.LT: ("<=", ">="), exp.LTE: ("<=", ">="), exp.GT: (">=", "<="), exp.GTE: (">=", "<="),
    }  # fmt: skip
    if type(node) in ways:
        for column, constant, operator in zip(
            (node.left, node.right), (node.right, node.left), ways[type(node)], strict=True
        ):
            value = _constant(constant)
            if isinstance(column, exp.Column) and value is not None:
                return [(column, operator, [value] if operator == "in" else value)]
    if isinstance(node, exp.Between) and isinstance(node.this, exp.Column) and not node.args.get("symmetric"):
        bounds = ((">=", _constant(node.args["low"])), ("<=", _constant(node.args["high"])))
        return [(node.this, operator, value) for operator, value in bounds if value is not None]
    if isinstance(node, exp.In) and isinstance(node.this, exp.Column) and not node.args.get("query"):
        values = [_constant(v) for v in node.expressions]
        if values and None not in values and len({isinstance(v, str) for v in values}) == 1:
            return [(node.this, "in", sorted(values))]
    return []


def _constant(node: Any) -> str | float | None:
    from sqlglot import exp

    if isinstance(node, exp.Cast | exp.Date) and isinstance(node.this, exp.Literal) and node.this.is_string:
        kind = node.args.get("to")
        return node.this.name if kind is None or kind.this.name == "DATE" else None
    if isinstance(node, exp.Neg):
        value = _constant(node.this)
        return -value if isinstance(value, float) else None
    if not isinstance(node, exp.Literal):
        return None
    return node.name if node.is_string else float(node.name)


def _comparable(column_type: str, operator: str, value: Any) -> bool:
    values = value if operator == "in" else [value]
    if column_type == "VARCHAR":
        return all(isinstance(v, str) for v in values)
    if column_type == "DATE":  # any other spelling than ISO's would not compare as text
        return all(isinstance(v, str) and len(v) == 10 and v[4] == v[7] == "-" for v in values)
    return column_type in _NUMBERS and all(isinstance(v, float) for v in values)


def can_match(want: Wanted, held: Mapping[str, tuple[Any, ...]], types: Mapping[str, str]) -> bool:
    """Return whether a file may have a row that satisfies the conditions.

    Parameters
    ----------
    held
        Column → (kind, low, high, nulls, values) of the file; what is not known excludes nothing.
    """
    for column, conditions in want.conditions.items():
        if column not in held:
            continue
        _, low, high, nulls, values = held[column]
        if values and nulls == values:
            return False  # all missing: no comparison holds
        if low is None or high is None:
            continue
        if types[column] not in _TEXTS:
            try:
                low, high = float(low), float(high)
            except ValueError:
                continue
            if low != low or high != high:
                continue
        for operator, value in conditions:
            if operator == "in":
                # DuckDB cuts long texts of statistics short; a text that starts with the bound may lie beyond it.
                place = bisect_left(value, low)
                if place == len(value) or (value[place] > high and not _starts(value[place], high)):
                    return False
            elif (operator == "<=" and value < low) or (operator == ">=" and value > high and not _starts(value, high)):
                return False
    return True


def _starts(value: Any, bound: Any) -> bool:
    return isinstance(value, str) and bool(bound) and value.startswith(bound)
