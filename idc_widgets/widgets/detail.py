"""All that is known of one row: its fields, what it belongs to, where to look at it, and the code that selects it."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

from idc_widgets.api import Catalog
from idc_widgets.catalog.levels import Level
from idc_widgets.catalog.licences import forbids_commercial_use
from idc_widgets.cohort.viewers import Viewer, dicomweb, locate
from idc_widgets.widgets import ticks

_VIEWERS = {
    "slim": ("Slim", "IDC's viewer of slides"),
    "ohif": ("OHIF", "IDC's viewer of radiology"),
    "volview": ("VolView", "volumes in 3D; Kitware's"),
}
_PORTAL = "https://portal.imaging.datacommons.cancer.gov/explore/filters/?collection_id="
_SIBLINGS = 500


def of(catalog: Catalog, level: Level | None, row: int) -> dict[str, Any]:
    """Return what the detail pane shows of the series `row`, or of the study, patient or collection it belongs to.

    Raises
    ------
    ValueError
        If there is no such row.
    """
    names = list(catalog.index.columns)
    select = ", ".join(f'"{n}"' for n in names)
    found = catalog.index.database.rows(f"SELECT {select}, series_bytes FROM series WHERE row_id = ?", [row])
    if not found:
        raise ValueError(f"There is no row {row} in the index.")
    fields = dict(zip([*names, "series_bytes"], found[0], strict=True))
    cohort = ticks.from_json_list(catalog, [ticks.groups(catalog, level or "series", [row]).to_json()])
    where, parameters = cohort.compiled()
    reply: dict[str, Any] = {"row": row, "code": repr(cohort), "links": _links(catalog, level, fields)}
    if level in (None, "study"):
        reply["dicomweb"] = dicomweb(
            catalog.index, fields["SeriesInstanceUID" if level is None else "StudyInstanceUID"]
        )
    if level is None:
        # As the table shows it: exact bytes.
        reply["fields"] = {n: fields["series_bytes"] if n == "series_size_MB" else fields[n] for n in names}
        reply["siblings"], reply["more"] = _siblings(catalog, fields["StudyInstanceUID"])
        reply["noncommercial"] = forbids_commercial_use(str(fields["license_short_name"]))
        return reply
    counts = [c for c in ("patients", "studies", "series") if c != level]
    shown = [*names, *counts]
    columns = ["series_bytes" if n == "series_size_MB" else n for n in shown]
    rows, _ = catalog.index.levels.page(level, where, parameters, [], columns, 0, 1)
    summed = dict(zip(shown, rows[0][1:], strict=True))
    reply["fields"] = {n: v for n, v in summed.items() if n not in _below(level)}
    reply["siblings"], reply["more"] = _siblings(catalog, fields["StudyInstanceUID"]) if level == "study" else ([], 0)
    reply["noncommercial"] = any(
        forbids_commercial_use(str(name)) for name, _ in cohort.value_counts("license_short_name")
    )
    if level == "collection":
        about = catalog.index.database.rows(
            "SELECT collection_name, description FROM collections_index WHERE collection_id = ?",
            [fields["collection_id"]],
        )
        if about:
            reply["title"], reply["about"] = about[0]
    return reply


def _below(level: Level) -> tuple[str, ...]:
    """Return columns that say nothing of a group: identifiers of what it holds."""
    series = ("SeriesInstanceUID", "SeriesNumber", "crdc_series_uuid", "series_aws_url")
    if level == "study":
        return series
    return (*series, "StudyInstanceUID") if level == "patient" else (*series, "StudyInstanceUID", "PatientID")


def _siblings(catalog: Catalog, study: str) -> tuple[list[list[Any]], int]:
    """Return the series of a study, in the order of their numbers: row, modality, description, images, bytes."""
    found = catalog.index.database.rows(
        "SELECT row_id, Modality::VARCHAR, SeriesDescription, instanceCount, series_bytes FROM series "
        "WHERE StudyInstanceUID = ? ORDER BY try_cast(SeriesNumber AS INTEGER) NULLS LAST, row_id",
        [study],
    )
    return [list(r) for r in found[:_SIBLINGS]], max(0, len(found) - _SIBLINGS)


def _links(catalog: Catalog, level: Level | None, fields: dict[str, Any]) -> list[dict[str, str]]:
    links = []
    if level in (None, "study"):
        uid = fields["SeriesInstanceUID" if level is None else "StudyInstanceUID"]
        wanted: tuple[Viewer | None, ...] = (None, "volview")
        for viewer in wanted:
            # Without images, or a table on this machine that says of which, there is nothing to open; VolView shows no
            # slides.
            with contextlib.suppress(ValueError):
                name, url = locate(catalog.index, uid, viewer, fetch=False)
                links.append({"label": f"Open in {_VIEWERS[name][0]}", "note": _VIEWERS[name][1], "url": url})
    if level in (None, "study") and fields["source_DOI"]:
        doi = str(fields["source_DOI"])
        links.append(
            {"label": f"DOI {doi}", "note": "where the data come from", "url": f"https://doi.org/{quote(doi)}"}
        )
    if level == "collection":
        sources = catalog.index.database.rows(
            "SELECT s.source_title, s.source_url FROM (SELECT unnest(sources) AS s FROM collections_index "
            "WHERE collection_id = ?) WHERE s.source_url IS NOT NULL",
            [fields["collection_id"]],
        )
        links += [
            {"label": str(title or url), "note": "source", "url": str(url)}
            for title, url in sources
            if str(url).startswith(("https://", "http://"))
        ]
    collection = str(fields["collection_id"])
    links.append({"label": "Collection page", "note": "in IDC's portal", "url": _PORTAL + quote(collection)})
    return links
