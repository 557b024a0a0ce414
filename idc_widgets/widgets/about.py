"""What there is to say of a value: the names of collections and analysis results, and their descriptions in full."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from idc_widgets.api import Catalog
from idc_widgets.catalog.markup import plain
from idc_widgets.widgets.codes import CODES

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PREFIX = re.compile(r"^(?:[\w-]+: )?(?:data (?:from|for)(?: the)? )", re.IGNORECASE)


def names(catalog: Catalog) -> dict[str, dict[str, str]]:
    """Return, for the columns whose values are codes or identifiers, the name or title of each value."""
    collections = {}
    for value, name, titles in catalog.index.database.rows(
        "SELECT collection_id, collection_name, list_transform(list_filter(sources, s -> s.source_type = "
        "'original_data'), s -> s.source_title) FROM collections_index"
    ):
        # The images that were collected name a collection better than those that were added as slides.
        found = [t for t in map(plain, titles or ()) if t and "converted" not in t.lower()] or [plain(name)]
        collections[value] = _title(found[0], plain(name))
    results = catalog.index.database.rows(
        "SELECT analysis_result_id, analysis_result_title FROM analysis_results_index"
    )
    return {
        **{column: dict(names_) for column, names_ in CODES.items()},
        "collection_id": {k: v for k, v in collections.items() if v},
        "analysis_result_id": {k: plain(v) for k, v in results if v},
    }


def _title(title: str, name: str) -> str:
    """Return a title without what stands before or behind what it says: "Data from …", "… (NAME)"."""
    short = _PREFIX.sub("", title).removesuffix(f"({name})").strip()
    return short[:1].upper() + short[1:] if short else name


def about(catalog: Catalog, column: str, value: str) -> dict[str, Any]:
    """Return what there is to say of a value: title, text, facts, links.

    Raises
    ------
    ValueError
        If there is no such collection or analysis result.
    """
    if column == "collection_id":
        return _collection(catalog, value)
    if column == "analysis_result_id":
        return _result(catalog, value)
    text = "IDC has a description of each collection and of each analysis result; of this value it has none."
    return {"title": names(catalog).get(column, {}).get(value, value), "text": text, "facts": [], "links": []}


def _one(catalog: Catalog, table: str, key: str, value: str) -> dict[str, Any]:
    names_ = [n for n, *_ in catalog.index.outline(table)]
    rows = catalog.index.database.rows(f'SELECT * FROM "{table}" WHERE "{key}" = ?', [value])
    if not rows:
        raise ValueError(f'IDC v{catalog.version} has no description of {key} "{value}".')
    return dict(zip(names_, rows[0], strict=True))


def _collection(catalog: Catalog, value: str) -> dict[str, Any]:
    row = _one(catalog, "collections_index", "collection_id", value)
    sources: list[Mapping[str, Any]] = row.get("sources") or []
    licences = dict.fromkeys(str((s.get("license") or {}).get("license_short_name") or "") for s in sources)
    return {
        "title": names(catalog)["collection_id"].get(value, value),
        "text": plain(row.get("description")),
        "facts": _facts(
            ("Name", row.get("collection_name")),
            ("Subjects", row.get("subjects")),
            ("Includes cancer types", row.get("cancer_types")),
            ("Includes tumour locations", row.get("tumor_locations")),
            ("Species", row.get("species")),
            ("Supporting data", row.get("supporting_data")),
            ("Programme", row.get("program_id")),
            ("Licences", ", ".join(x for x in licences if x)),
            ("Updated", row.get("updated")),
        ),
        "links": _links([(plain(s.get("source_title")), s.get("source_doi")) for s in sources]),
    }


def _result(catalog: Catalog, value: str) -> dict[str, Any]:
    row = _one(catalog, "analysis_results_index", "analysis_result_id", value)
    return {
        "title": plain(row.get("analysis_result_title")) or value,
        "text": plain(row.get("description")),
        "facts": _facts(
            ("Subjects", row.get("subjects")),
            ("Collections analysed", row.get("collections")),
            ("Modalities", row.get("modalities")),
            ("Licence", row.get("license_short_name")),
            ("Updated", row.get("updated")),
        ),
        "links": _links([("Publication", row.get("source_DOI"))]),
    }


def _facts(*pairs: tuple[str, Any]) -> list[tuple[str, str]]:
    return [(name, plain(str(value))) for name, value in pairs if value not in (None, "")]


def _links(pairs: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    # Only what is a DOI becomes a link: the addresses beside them are anybody's.
    return [(label or doi, f"https://doi.org/{doi}") for label, doi in pairs if doi and _DOI.fullmatch(doi)]
