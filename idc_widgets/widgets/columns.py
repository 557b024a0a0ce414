"""The table's levels and columns: what each level shows at first, and what the columns hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from idc_widgets.catalog.bundled import Column
from idc_widgets.catalog.pages import COLLECTION_COLUMNS

# Level → its name for people, and its columns at first, in the order shown; the first names the row.
_LEVELS = {
    "collection": (
        "Collections",
        ("collection_id", "collection_name", "cancer_types", "patients", "series", "Modality", "series_size_MB",
         "license_short_name"),
    ),
    "patient": (
        "Patients",
        ("PatientID", "collection_id", "PatientSex", "PatientAge", "studies", "series", "Modality", "instanceCount",
         "series_size_MB", "license_short_name"),
    ),
    "study": (
        "Studies",
        ("PatientID", "StudyDate", "StudyDescription", "PatientAge", "collection_id", "series", "Modality",
         "series_size_MB", "license_short_name"),
    ),
    "series": (
        "Series",
        ("collection_id", "PatientID", "StudyDate", "Modality", "BodyPartExamined", "SeriesDescription",
         "instanceCount", "series_size_MB", "license_short_name"),
    ),
}  # fmt: skip

#: What the table asks for beside the columns that it shows: what identifies a row and names it (`levels.ts`).
IDENTIFYING = {
    "collection": ("collection_id", "patients", "series"),
    "patient": ("collection_id", "PatientID", "studies", "series"),
    "study": ("collection_id", "PatientID", "StudyInstanceUID", "StudyDate", "StudyDescription", "series"),
    "series": ("SeriesInstanceUID",),
}

_TYPES = {
    "instanceCount": "integer",
    "series_init_idc_version": "integer",
    "series_revised_idc_version": "integer",
    "series_size_MB": "bytes",
    "StudyDate": "date",
    "SeriesDate": "date",
}

# Counts of what a row holds, and the levels where they say something.
_COUNTS = {
    "patients": ("Patients", "Patients of the collection among what matches.", ["collection"]),
    "studies": ("Studies", "Studies of the row among what matches.", ["collection", "patient"]),
    "series": ("Series", "Series of the row among what matches.", ["collection", "patient", "study"]),
}


def levels() -> list[dict[str, Any]]:
    """Return the levels, the widest first."""
    return [{"name": n, "label": label, "columns": list(shown)} for n, (label, shown) in _LEVELS.items()]


def columns(
    described: Mapping[str, Column],
    of_collections: Mapping[str, str],
    label: Callable[[str], str],
    marked: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Return all columns: those of the table of series first, then the rest of the index, collections', and counts.

    Parameters
    ----------
    described, of_collections
        The columns of the index, and the descriptions of those of collections_index, by name.
    marked
        Column → values that the table shows as a warning.
    """
    first = _LEVELS["series"][1]
    described_as = {n: c.description for n, c in described.items()} | {n: of_collections[n] for n in COLLECTION_COLUMNS}
    found: list[dict[str, Any]] = [
        {
            "name": n,
            "label": label(n),
            "type": _TYPES.get(n, "text"),
            "description": described_as[n],
            **({"marked": list(marked[n])} if n in marked else {}),
        }
        for n in [*first, *(c for c in described_as if c not in first)]
    ]
    found += [
        {"name": n, "label": named, "type": "integer", "description": text, "levels": shown}
        for n, (named, text, shown) in _COUNTS.items()
    ]
    return found
