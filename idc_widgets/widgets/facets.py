"""What the filter panel asks of the kernel: columns, their values, lists of identifiers, descriptions, code.

The facets of the cube count in the browser; what is here is about everything else.
"""

from __future__ import annotations

import functools
import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from idc_widgets.api import Catalog, Cohort
from idc_widgets.catalog import bundled, joins
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort import citations, conditions, identifiers
from idc_widgets.cohort.scalars import canonical
from idc_widgets.lib.sql import identifier
from idc_widgets.widgets import about, describe, searching, ticks

_SHOWN = 100  # values of a facet
_BETWEEN_NOTES = 0.2  # seconds

Notify = Callable[[Mapping[str, Any]], None]


def handlers(
    catalog: Catalog, notify: Notify, unknown: dict[str, tuple[str, ...]] | None = None
) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
    """Return the answers to the panel's requests.

    Parameters
    ----------
    notify
        Tells the browser how a fetch goes.
    unknown
        Where to keep what a list names that nobody knows, by the `key` of its condition.
    """
    fetching = Fetching(catalog, notify)
    lists = {} if unknown is None else unknown
    return {
        "facet": functools.partial(facet, catalog),
        "columns": functools.partial(columns, catalog),
        "fetch": lambda m: fetching.start(str(m["table"])),
        "identify": lambda m: _identified(catalog, str(m["text"]), lists),
        "words": lambda m: catalog.index.database.words.prepare(str(m["text"])),
        "interpret": functools.partial(searching.readings, catalog),
        "about": lambda m: about.about(catalog, str(m["column"]), str(m["value"])),
        "code": functools.partial(_code, catalog),
    }


# -- the values of a column that is not in the cube


def facet(catalog: Catalog, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the most frequent values of a column: their series under the other conditions, and in all.

    With `text`, those that contain it. A table that is not on this machine is named instead, with where it would
    come from.
    """
    column = str(message["column"])
    table = column.partition(".")[0] if "." in column else ""
    if table and not catalog.index.available(table):
        return {"lacking": _lacking(catalog, table)}
    others = [c for c in ticks.from_json_list(catalog, message["where"]).conditions if _column(c) != column]
    where, parameters = Cohort(catalog, others).compiled()
    if table:
        joined = catalog.index.joined(column)
        source, kind = _joined_values(joined, where), joined.kind
        parameters = [*parameters, *([list(joined.collections)] if joined.collections is not None else [])]
    else:
        catalog.index.require_column(column)
        kind = "number" if column in bundled.NUMBER_COLUMNS else "date" if column in bundled.DATE_COLUMNS else "text"
        value = identifier(column) if kind == "number" else f"{identifier(column)}::VARCHAR"
        source = (
            f"SELECT {value} AS v, count(*) FILTER (WHERE {where}) AS n, count(*) AS total "
            f"FROM {SERIES} WHERE {identifier(column)} IS NOT NULL GROUP BY 1"
        )
    text = str(message.get("text") or "").strip().lower()
    marked = [str(v) for v in message.get("marked") or () if v is not None]
    rows = catalog.index.database.rows(
        f"WITH f AS MATERIALIZED ({source}), g AS (SELECT * FROM f WHERE contains(lower(v::VARCHAR), ?)), "
        "h AS (SELECT count(*) AS distinct_, count(*) FILTER (WHERE n > 0) AS matching FROM g), "
        f"top AS (SELECT * FROM g ORDER BY list_contains(?::VARCHAR[], v::VARCHAR) DESC, n DESC, total DESC, v "
        f"LIMIT {_SHOWN}) SELECT v, n, total, distinct_, matching FROM top, h",
        [*parameters, text, marked],
    )
    found = [r for r in rows if not (isinstance(r[0], float) and math.isnan(r[0]))]
    entries: list[tuple[Any, int, int]] = [(_plain(r[0]), r[1], r[2]) for r in found]
    missing = _missing(catalog, column, others)
    if missing[1] and (not text or text in "missing"):
        entries.append((None, *missing))
    return {
        "kind": kind,
        "values": [e[0] for e in entries],
        "counts": [e[1] for e in entries],
        "totals": [e[2] for e in entries],
        "distinct": rows[0][3] if rows else 0,
        "matching": rows[0][4] if rows else 0,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)


def _column(condition: conditions.Condition) -> str | None:
    """Return the column that a condition is about, also when it excludes."""
    if isinstance(condition, conditions.Not):
        return _column(condition.arg)
    return getattr(condition, "column", None)


def _joined_values(j: joins.Joined, where: str) -> str:
    """Return SQL for the values of another table's column: a series counts once for each value that it has there.

    A table about some collections alone takes their list as a parameter, after those of `where`.
    """
    keys = [f"k{i}" for i in range(len(j.keys))]
    theirs = ", ".join(f"{identifier(t)}::VARCHAR AS {k}" for k, (_, t) in zip(keys, j.keys, strict=True))
    ours = ", ".join(f"{identifier(o)}::VARCHAR AS {k}" for k, (o, _) in zip(keys, j.keys, strict=True))
    value = f"unnest({identifier(j.column)})" if j.many else identifier(j.column)
    value = value if j.kind in ("number", "boolean") else f"({value})::VARCHAR"
    about_some = "" if j.collections is None else "WHERE list_contains(?::VARCHAR[], collection_id::VARCHAR)"
    return (
        f"SELECT v, count(*) FILTER (WHERE hit) AS n, count(*) AS total "
        f"FROM (SELECT {ours}, ({where}) AS hit FROM {SERIES} {about_some}) "
        f"JOIN (SELECT DISTINCT * FROM (SELECT {theirs}, {value} AS v FROM {identifier(j.table)}) WHERE v IS NOT NULL) "
        f"USING ({', '.join(keys)}) GROUP BY v"
    )


def _missing(catalog: Catalog, column: str, others: Sequence[conditions.Condition]) -> tuple[int, int]:
    none = Cohort(catalog, [conditions.In(column, (None,))])
    where, parameters = Cohort(catalog, others).compiled()
    absent, more = none.compiled()
    found = catalog.index.database.rows(
        f"SELECT count(*) FILTER (WHERE {where}), count(*) FROM {SERIES} WHERE {absent}", [*parameters, *more]
    )
    return found[0][0], found[0][1]


# -- which columns there are


def columns(catalog: Catalog, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return every column that a facet can be of, with IDC's description, and what is known of their tables.

    Clinical columns come once `clinical_index` is on this machine.
    """
    found: list[dict[str, Any]] = []
    for table in catalog.index.table_names():
        outline = catalog.index.outline(table)
        types = {n: t for n, t, _ in outline}
        for name, kind, description in outline:
            full = name if table == "index" else f"{table}.{name}"
            if table != "index":
                try:
                    joins.resolve(table, name, types)
                except ValueError:
                    break  # nothing in it says which series a row is of
            if kind.startswith("STRUCT"):
                continue
            found.append({"name": full, "label": describe.label(full), "table": table, "description": description})
    return {
        "columns": found + _clinical(catalog),
        "lacking": {t: _lacking(catalog, t) for t in catalog.index.table_names() if not catalog.index.available(t)},
        "clinical": catalog.index.available("clinical_index"),
    }


def _clinical(catalog: Catalog) -> list[dict[str, Any]]:
    if not catalog.index.available("clinical_index"):
        return []
    rows = catalog.index.database.rows(
        "SELECT short_table_name, \"column\", max(column_label), string_agg(DISTINCT collection_id, ', ') "
        "FROM clinical_index WHERE short_table_name IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    return [
        {
            "name": f"{table}.{column}",
            "label": label or column,
            "table": table,
            "description": f"Clinical data of {collections}",
        }
        for table, column, label, collections in rows
        if column != "dicom_patient_id"
    ]


def _lacking(catalog: Catalog, table: str) -> dict[str, str]:
    """Return what fetching a table means: its name, where from, where to."""
    address, folder = catalog.index.origin(table)
    return {"table": table, "host": urlsplit(address).netloc or address, "folder": folder}


class Fetching:
    """Brings tables in on threads of their own, so that the panel and the table go on meanwhile."""

    def __init__(self, catalog: Catalog, notify: Notify) -> None:
        self._catalog = catalog
        self._notify = notify
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def start(self, table: str) -> dict[str, Any]:
        """Start fetching a table unless it is on its way; the browser hears when it is here, or why not."""
        with self._lock:
            if table not in self._running:
                self._running.add(table)
                threading.Thread(target=self._bring, args=(table,), name=f"idc-fetch-{table}", daemon=True).start()
        return {}

    def _bring(self, table: str) -> None:
        told = 0.0

        def progress(name: str, done: int, total: int | None) -> None:
            nonlocal told
            if time.monotonic() - told > _BETWEEN_NOTES:
                told = time.monotonic()
                self._notify({"event": "fetch", "table": table, "done": done, "total": total})

        error = ""
        try:
            if table in self._catalog.index.table_names():
                self._catalog.fetch(table, progress=progress)
            else:
                self._catalog.index.bring_clinical(table)
        except (ValueError, OSError) as failure:
            error = str(failure)
        except Exception as failure:  # the panel must hear of it, whatever it is
            error = f"{type(failure).__name__}: {failure}".splitlines()[0]
        finally:
            with self._lock:
                self._running.discard(table)
        self._notify({"event": "fetch", "table": table, "here": not error, "error": error})


# -- lists and code


def key(condition: Mapping[str, Any]) -> str:
    """Return what tells a condition's JSON from others."""
    return json.dumps(canonical(condition), sort_keys=True)


def _identified(catalog: Catalog, text: str, unknown: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return what a pasted list means: its condition, its counts, what is unknown and why, and notes."""
    found = identifiers.read_text(catalog.index, text, identifiers.MOST)
    meant = found.condition
    if found.saved is not None:
        parts = Cohort.from_json(found.saved, catalog).conditions
        meant = parts[0] if len(parts) == 1 else conditions.And(parts)
    condition = meant.to_json() if meant is not None else None
    if condition is not None and found.unknown:
        unknown[key(condition)] = found.unknown
    return {
        "condition": condition,
        "found": [[column, n] for column, n in found.counts.items()],
        "unknown": [str(u) for u in found.unknown],
        "reasons": [u.reason for u in found.unknown],
        "near": {str(u): list(u.near) for u in found.unknown if u.near},
        "notes": list(found.notes),
    }


def _code(catalog: Catalog, message: Mapping[str, Any]) -> dict[str, str]:
    cohort = ticks.from_json_list(catalog, message["where"])
    flavour = str(message["flavour"])
    if flavour == "citations":
        return {"text": citations.text(catalog.index, *cohort.compiled())}
    if flavour in ("duckdb", "bigquery"):
        return {"text": cohort.to_sql(cast(Literal["duckdb", "bigquery"], flavour))}
    return {"text": cohort.to_code(cast(Literal["idc_widgets", "idc-index"], flavour))}
