"""A list of identifiers of any kind, as people paste it, to the condition that it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idc_widgets.catalog import Catalog
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort.conditions import Condition, In, Or

MOST = 50_000  # they travel with every question about the cohort

_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS = re.compile(r"\b(?:s3|gs)://[^/\s\"']+/([^/\s\"'*]+)")  # of a manifest's line
_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)

# Column, what an identifier of it looks like (None: anything), and whether letter case says something; the first that
# knows an identifier has it.
_COLUMNS = (
    ("SeriesInstanceUID", _UID, True),
    ("StudyInstanceUID", _UID, True),
    ("crdc_series_uuid", _UUID, False),
    ("PatientID", None, True),
    ("collection_id", None, False),
    ("source_DOI", re.compile(r"10\.\S+"), False),
    ("analysis_result_id", None, False),
)

_HEADINGS = {column for column, *_ in _COLUMNS}
_COLLECTIONS = (
    "SELECT collection_id AS id, collection_id AS key FROM collections_index UNION ALL "
    "SELECT collection_id, collection_name FROM collections_index"
)


@dataclass(frozen=True)
class Identified:
    """What a list names: the condition (None where nothing in it is known), how many of which kind, and the rest."""

    condition: Condition | None
    counts: Mapping[str, int]
    unknown: tuple[str, ...]


def identify(catalog: Catalog, text: str) -> Identified:
    """Return what a list names: UIDs of series and studies, CRDC UUIDs, patients, collections, analysis results, DOIs.

    They stand on lines of their own or between commas, semicolons or tabs; where that finds nothing, between spaces.
    Lines of a manifest (`cp s3://bucket/uuid/* …`) name their series.

    Raises
    ------
    ValueError
        If there is nothing in it, or too much.
    """
    wanted = _items(text)
    if not wanted:
        raise ValueError("The list is empty: UIDs, PatientIDs, collection ids or DOIs are wanted, one a line.")
    if len(wanted) > MOST:
        raise ValueError(
            f"The list has {len(wanted):,} entries, {MOST:,} the most here; idc.Cohort.from_manifest(…) takes more."
        )
    found: dict[str, list[str]] = {}
    unknown = _look(catalog, wanted, found)
    # PatientIDs may hold spaces, so only what is unknown as a whole is a list of words.
    words = list(dict.fromkeys(w for item in unknown if " " in item for w in item.split()))
    if words:
        lost = set(_look(catalog, words, found))
        unknown = [u for u in unknown if " " not in u or all(w in lost for w in u.split())]
        unknown += [w for w in words if w in lost and not any(w in u.split() for u in unknown)]
    parts: list[Condition] = [In(c, tuple(dict.fromkeys(found[c]))) for c, *_ in _COLUMNS if found.get(c)]
    condition = Or(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None
    return Identified(condition, {p.column: len(p.values) for p in parts if isinstance(p, In)}, tuple(unknown))


def _items(text: str) -> list[str]:
    items: dict[str, None] = {}
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        if addresses := _ADDRESS.findall(line):
            items.update((a, None) for a in addresses)
            continue
        for item in re.split(r"[,;\t]", line):
            bare = _DOI.sub("", item.strip().strip("\"'[]()").strip())
            if bare and bare not in _HEADINGS:
                items[bare] = None
    return list(items)


def _look(catalog: Catalog, wanted: Sequence[str], found: dict[str, list[str]]) -> list[str]:
    """Put the identifiers that a column knows to `found` as the column writes them; return the others."""
    left = list(wanted)
    for column, looks, exact in _COLUMNS:
        asked = {(w if exact else w.lower()): None for w in left if looks is None or looks.fullmatch(w)}
        if not asked:
            continue
        # What people write for a collection is its name as often as its id.
        source = (
            _COLLECTIONS if column == "collection_id" else f'SELECT "{column}"::VARCHAR AS id, id AS key FROM {SERIES}'
        )
        key = "key" if exact else "lower(key)"
        rows = catalog.database.rows(
            f"SELECT DISTINCT {key}, id FROM ({source}) WHERE {key} IN (SELECT unnest(?::VARCHAR[]))", [list(asked)]
        )
        known: dict[str, list[str]] = {}
        for each, value in rows:
            known.setdefault(each, []).append(value)
        # In the order of the list.
        found.setdefault(column, []).extend(value for w in asked for value in known.get(w, ()))
        left = [w for w in left if (w if exact else w.lower()) not in known]
    return left
