"""The facet cube: the distinct combinations of the categorical columns and of bins, with their counts and bytes.

A million series have only some thousands of distinct combinations of the categorical columns (the groups), and some
tens of thousands with the bins of dates, ages and sizes (the cells). So the browser holds them all and filters by
itself, exactly and without asking the kernel. `encode` packs them for the browser (`js/src/cube` reads it).
"""

from __future__ import annotations

import base64
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idc_widgets.catalog.bins import BINNED, Extra

Value = str | int | None
Row = Sequence[Any]

# Columns of the index with few distinct values and, together, few combinations (v25: 3,356).
DIMENSIONS = (
    "Modality", "BodyPartExamined", "sop_class_name", "PatientSex", "collection_id", "analysis_result_id",
    "Manufacturer", "license_short_name", "transfer_syntax_name", "PhotometricInterpretation",
    "series_init_idc_version", "series_revised_idc_version",
)  # fmt: skip
GROUP = ", ".join(f'"{d}"' for d in DIMENSIONS)


def query(source: str, where: str, extra: Extra, group: str = GROUP) -> tuple[str, list[Any]]:
    """Return SQL, and the parameters that go before those of `where`, for the cells of the rows that satisfy `where`.

    Each row holds the group, the codes of the bins, series, instances and bytes.

    Parameters
    ----------
    extra
        Further edges of bins, by column.
    group
        What tells a row's group: the dimensions themselves, or a key of them.
    """
    refined = [b.refined(extra.get(b.column, ())) for b in BINNED]
    codes = ", ".join(f"{sql} AS b{i}" for i, (sql, _) in enumerate(refined))
    return (
        f"SELECT {group}, {codes}, count(*) AS series, sum(instanceCount)::BIGINT AS instances, "
        f"sum(series_bytes)::BIGINT AS bytes FROM {source} WHERE {where} GROUP BY ALL",
        [p for _, parameters in refined for p in parameters],
    )


@dataclass(frozen=True)
class Cells:
    """Groups (values of DIMENSIONS) and the cells of each: codes of the bins, series, instances, bytes."""

    groups: Sequence[Row]
    cells: Sequence[Sequence[Row]]

    @staticmethod
    def of(rows: Iterable[Row], groups: Mapping[int, Row] | None = None) -> Cells:
        """Return the cells of what `query` found; `groups` are those that its keys stand for, if it had keys."""
        width = 1 if groups is not None else len(DIMENSIONS)
        found: dict[Any, list[Row]] = {}
        for row in rows:
            found.setdefault(row[:width], []).append(row[width:])
        keys = list(found)
        return Cells(keys if groups is None else [groups[k[0]] for k in keys], list(found.values()))


@dataclass(frozen=True)
class Vocabulary:
    """The values of every dimension over the whole catalogue, most frequent first, with their series counts.

    Codes in a cube are positions in these lists, so cubes of different cohorts share them and a value that no
    series of a cohort has can still be shown with its zero. Of a binned column there are the series of each bin.
    """

    values: Mapping[str, tuple[Value, ...]]
    totals: Mapping[str, tuple[int, ...]]
    bins: Mapping[str, tuple[int, ...]]

    @staticmethod
    def of(cells: Cells) -> Vocabulary:
        """Return the vocabulary of the cells of the whole catalogue."""
        counts: list[dict[Value, int]] = [{} for _ in DIMENSIONS]
        bins = [[0] * (b.missing + 2) for b in BINNED]
        at = len(BINNED)
        for group, rows in zip(cells.groups, cells.cells, strict=True):
            n = sum(row[at] for row in rows)
            for value, tally in zip(group, counts, strict=True):
                tally[value] = tally.get(value, 0) + n
            for row in rows:
                for code, held in zip(row, bins, strict=False):
                    held[code] += row[at]
        order = [sorted(tally.items(), key=lambda kv: (-kv[1], str(kv[0]))) for tally in counts]
        return Vocabulary(
            {name: tuple(v for v, _ in o) for name, o in zip(DIMENSIONS, order, strict=True)},
            {name: tuple(n for _, n in o) for name, o in zip(DIMENSIONS, order, strict=True)},
            {b.column: tuple(held) for b, held in zip(BINNED, bins, strict=True)},
        )

    @staticmethod
    def told(message: Mapping[str, Any]) -> Vocabulary:
        """Return the vocabulary that an encoded cube tells."""
        return Vocabulary(
            {d["name"]: tuple(d["values"]) for d in message["dimensions"]},
            {d["name"]: tuple(d["total"]) for d in message["dimensions"]},
            {b["name"]: tuple(b["total"]) for b in message["bins"]},
        )


def derived(column: str, terms: Mapping[str, Sequence[str]], vocabulary: Vocabulary) -> dict[str, Any]:
    """Return a facet that follows from the collection: its terms and which collection has which.

    Parameters
    ----------
    column
        Name of the column of collections_index, such as "cancer_types".
    terms
        Collection id → its terms.
    vocabulary
        Values of the dimensions; `collection_id` among them.
    """
    collections = vocabulary.values["collection_id"]
    totals: dict[str, int] = {}
    for collection, n in zip(collections, vocabulary.totals["collection_id"], strict=True):
        for term in terms.get(str(collection), ()):
            totals[term] = totals.get(term, 0) + n
    values = sorted(totals, key=lambda t: (-totals[t], t))
    codes = {t: i for i, t in enumerate(values)}
    return {
        "name": column,
        "source": "collection_id",
        "values": values,
        "total": [totals[t] for t in values],
        "members": [[codes[t] for t in terms.get(str(c), ())] for c in collections],
    }


def encode(cells: Cells, vocabulary: Vocabulary, extra: Extra) -> dict[str, Any]:
    """Pack cells for the browser.

    The buffer holds, little endian, each column padded to 8 bytes: of the groups, the dimensions' codes (8 or 16
    bits) and the number of cells (uint32); of the cells, in the groups' order, the bins' codes (8 bits), series
    (uint32), instances (uint32) and bytes (float64: exact to 9 PB). It travels as base64 text of a zlib stream, since
    binary buffers do not reach every notebook host.
    """
    dimensions = []
    chunks: list[bytes] = []
    for name, column in zip(DIMENSIONS, _columns(cells.groups, len(DIMENSIONS)), strict=True):
        values = vocabulary.values[name]
        code = {v: i for i, v in enumerate(values)}
        kind = "B" if len(values) <= 256 else "H"
        chunks.append(_packed(kind, [code[v] for v in column]))
        dimensions.append(
            {
                "name": name,
                "values": list(values),
                "total": list(vocabulary.totals[name]),
                "bits": 8 if kind == "B" else 16,
            }
        )
    chunks.append(_packed("I", [len(rows) for rows in cells.cells]))
    rows = [row for rows in cells.cells for row in rows]
    kinds = ["B"] * len(BINNED) + ["I", "I", "d"]
    chunks += [_packed(kind, column) for kind, column in zip(kinds, _columns(rows, len(kinds)), strict=True)]
    return {
        "groups": len(cells.groups),
        "rows": len(rows),
        "dimensions": dimensions,
        "bins": [
            {
                "name": b.column,
                "kind": b.kind,
                "edges": list(b.edges),
                "extra": [list(e) for e in extra.get(b.column, ())],
                "total": list(vocabulary.bins[b.column]),
            }
            for b in BINNED
        ],
        "data": base64.b64encode(zlib.compress(b"".join(chunks), 4)).decode("ascii"),
    }


def _columns(rows: Sequence[Row], width: int) -> Sequence[Row]:
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _packed(kind: str, values: Row) -> bytes:
    packed = array(kind, values)
    if sys.byteorder == "big":
        packed.byteswap()
    raw = packed.tobytes()
    return raw + bytes(-len(raw) % 8)
