"""Which conditions the browser's cube can answer by itself, and the bounds that it needs for them.

The browser decides the same for every click (`js/src/cube/cover.ts`); here it is decided for the cube that comes with
a widget, before anything was clicked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from idc_widgets.catalog.bins import BY_COLUMN, Edge
from idc_widgets.catalog.cube import DIMENSIONS
from idc_widgets.catalog.terms import PROGRAM, TERM_COLUMNS

Json = Mapping[str, Any]


def outside_of(where: Sequence[Json]) -> list[Json]:
    """Return the conditions that only the kernel can evaluate, in their order."""
    return [c for c in where if not _covered(c)]


def edges_of(where: Sequence[Json]) -> dict[str, list[Edge]]:
    """Return, by column, the bounds that the other conditions put on binned columns."""
    edges: dict[str, list[Edge]] = {}
    for condition in where:
        if _covered(condition):
            for leaf in _leaves(condition):
                edges.setdefault(leaf["column"], []).extend(e for e in _edges(leaf) if e is not None)
    return {column: found for column, found in edges.items() if found}


def _leaves(condition: Json) -> Iterator[Json]:
    match condition["op"]:
        case "not":
            yield from _leaves(condition["arg"])
        case "and" | "or":
            for arg in condition["args"]:
                yield from _leaves(arg)
        case _:
            yield condition


def _covered(condition: Json) -> bool:
    """Whether it is a combination of conditions on one column of the cube."""
    leaves = list(_leaves(condition))
    columns = {leaf.get("column") for leaf in leaves}
    if len(columns) != 1:
        return False
    column = columns.pop()
    if column in BY_COLUMN:
        return all(_on_bins(leaf) for leaf in leaves)
    return column in (*DIMENSIONS, *TERM_COLUMNS, PROGRAM) and all(leaf["op"] == "in" for leaf in leaves)


def _on_bins(leaf: Json) -> bool:
    if leaf["op"] == "in":
        return all(v is None for v in leaf["values"])
    return leaf["op"] == "implausible" or (leaf["op"] in ("between", "compare") and None not in _edges(leaf))


def _edges(leaf: Json) -> list[Edge | None]:
    """Return the edges that a bound needs; None for one that is no place on the column's scale."""
    bins = BY_COLUMN.get(leaf.get("column", ""))
    if bins is None:
        return []
    if leaf["op"] == "compare":
        return [bins.edge(leaf["value"], 1 if leaf["than"] == ">" else 0)]
    if leaf["op"] != "between":
        return []
    low = [] if leaf["low"] is None else [bins.edge(leaf["low"], 0)]
    return low if leaf["high"] is None else [*low, bins.edge(leaf["high"], 1)]
