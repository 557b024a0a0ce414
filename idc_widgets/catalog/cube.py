"""The facet cube: the distinct combinations of the categorical columns, with their counts and bytes.

A million series have only some thousands of distinct combinations, so the browser holds them all and filters by
itself, exactly and without asking the kernel. `Cube` is what one such table says; `encode` packs it for the browser
(`js/src/cube` reads it).
"""

from __future__ import annotations

import base64
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = str | int | None

# Columns of the index with few distinct values and, together, few combinations (v25: 3,356 rows).
DIMENSIONS = (
    "Modality", "BodyPartExamined", "sop_class_name", "PatientSex", "collection_id", "analysis_result_id",
    "Manufacturer", "license_short_name", "transfer_syntax_name", "PhotometricInterpretation",
    "series_init_idc_version", "series_revised_idc_version",
)  # fmt: skip


def query(table: str, where: str = "TRUE") -> str:
    """Return SQL for the cube of the rows of `table` that satisfy `where`: dimensions, series, instances, bytes."""
    columns = ", ".join(f'"{d}"' for d in DIMENSIONS)
    return (
        f"SELECT {columns}, count(*) AS series, sum(instanceCount)::BIGINT AS instances, "
        f"sum(series_bytes)::BIGINT AS bytes FROM {table} WHERE {where} GROUP BY ALL"
    )


@dataclass(frozen=True)
class Vocabulary:
    """The values of every dimension over the whole catalogue, most frequent first, with their series counts.

    Codes in a cube are positions in these lists, so cubes of different cohorts share them and a value that no
    series of a cohort has can still be shown with its zero.
    """

    values: Mapping[str, tuple[Value, ...]]
    totals: Mapping[str, tuple[int, ...]]

    @staticmethod
    def of(rows: Iterable[Sequence[Any]]) -> Vocabulary:
        """Return the vocabulary of the cube rows of the whole catalogue."""
        counts: list[dict[Value, int]] = [{} for _ in DIMENSIONS]
        for row in rows:
            n = row[len(DIMENSIONS)]
            for d, tally in enumerate(counts):
                tally[row[d]] = tally.get(row[d], 0) + n
        values: dict[str, tuple[Value, ...]] = {}
        totals: dict[str, tuple[int, ...]] = {}
        for name, tally in zip(DIMENSIONS, counts, strict=True):
            order = sorted(tally.items(), key=lambda kv: (-kv[1], str(kv[0])))
            values[name] = tuple(v for v, _ in order)
            totals[name] = tuple(n for _, n in order)
        return Vocabulary(values, totals)


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


def encode(
    rows: Sequence[Sequence[Any]],
    vocabulary: Vocabulary,
    derived_facets: Sequence[Mapping[str, Any]],
    outside: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Pack cube rows for the browser.

    The buffer holds, little endian, each column padded to 8 bytes: the dimensions' codes (8 or 16 bits), series
    (uint32), instances (uint32), bytes (float64: exact to 9 PB). It travels as base64 text of a zlib stream, since
    binary buffers do not reach every notebook host.

    Parameters
    ----------
    outside
        The conditions, as JSON, by which these rows were filtered already.
    """
    dimensions = []
    chunks: list[bytes] = []
    for d, name in enumerate(DIMENSIONS):
        values = vocabulary.values[name]
        code = {v: i for i, v in enumerate(values)}
        kind = "B" if len(values) <= 256 else "H"
        chunks.append(_column(kind, (code[row[d]] for row in rows)))
        dimensions.append(
            {
                "name": name,
                "values": list(values),
                "total": list(vocabulary.totals[name]),
                "bits": 8 if kind == "B" else 16,
            }
        )
    k = len(DIMENSIONS)
    for offset, kind in ((0, "I"), (1, "I"), (2, "d")):
        chunks.append(_column(kind, (row[k + offset] for row in rows)))
    return {
        "outside": list(outside),
        "rows": len(rows),
        "dimensions": dimensions,
        "derived": list(derived_facets),
        "data": base64.b64encode(zlib.compress(b"".join(chunks), 6)).decode("ascii"),
    }


def _column(kind: str, values: Iterable[Any]) -> bytes:
    packed = array(kind, values)
    if sys.byteorder == "big":
        packed.byteswap()
    raw = packed.tobytes()
    return raw + bytes(-len(raw) % 8)
