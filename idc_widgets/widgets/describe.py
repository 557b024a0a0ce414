"""What the browser is told of the catalogue: names for people, groups, the table's columns, the presets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from idc_widgets.api import Catalog
from idc_widgets.catalog.bins import BY_COLUMN
from idc_widgets.catalog.cube import DIMENSIONS
from idc_widgets.catalog.licences import allows_commercial_use, forbids_commercial_use
from idc_widgets.catalog.terms import PROGRAM, TERM_COLUMNS
from idc_widgets.cohort import Counts
from idc_widgets.widgets import about, columns

_LABELS = {
    "collection_id": "Collection",
    "collection_name": "Name",
    "analysis_result_id": "Analysis result",
    "PatientID": "Patient",
    "SeriesInstanceUID": "Series UID",
    "StudyInstanceUID": "Study UID",
    "source_DOI": "DOI",
    "PatientAge": "Age",
    "PatientSex": "Sex",
    "StudyDate": "Study date",
    "StudyDescription": "Study description",
    "BodyPartExamined": "Body part",
    "Modality": "Modality",
    "SOPClassUID": "SOP class UID",
    "sop_class_name": "SOP class",
    "TransferSyntaxUID": "Transfer syntax UID",
    "transfer_syntax_name": "Transfer syntax",
    "PhotometricInterpretation": "Photometric interpretation",
    "PixelRepresentation": "Pixel representation",
    "Manufacturer": "Manufacturer",
    "ManufacturerModelName": "Model",
    "SeriesDate": "Series date",
    "SeriesDescription": "Description",
    "SeriesNumber": "Series number",
    "instanceCount": "Images",
    "license_short_name": "Licence",
    "series_init_idc_version": "First in IDC version",
    "series_revised_idc_version": "Revised in IDC version",
    "aws_bucket": "AWS bucket",
    "crdc_series_uuid": "CRDC series UUID",
    "series_aws_url": "AWS URL",
    "series_size_MB": "Size",
    "cancer_types": "Cancer type",
    "tumor_locations": "Tumour location",
    "species": "Species",
    PROGRAM: "Programme",
}

# Names of facets where the table's shorter ones would leave open of what.
_FACET_LABELS = {"series_size_MB": "Series size", "instanceCount": "Images in the series"}

_TERM_HELP = "The series' collection includes this; a collection may include several, and each gives all its series."
_HELP = {
    "cancer_types": f"Types of cancer. {_TERM_HELP}",
    "tumor_locations": f"Where the tumours are. {_TERM_HELP}",
    "species": f"Whose images these are. {_TERM_HELP}",
    PROGRAM: "The initiative under which the series' collection is shared.",
}

# Group → facets, in the order in which a radiology or pathology user looks for them; columns that the browser counts.
_FACETS = {
    "What": ("Modality", "BodyPartExamined", "sop_class_name", "tumor_locations", "cancer_types"),
    "Who": ("PatientSex", "PatientAge", "species"),
    "Where from": ("collection_id", PROGRAM, "analysis_result_id", "Manufacturer", "ManufacturerModelName"),
    "When and how": (
        "StudyDate",
        "series_init_idc_version",
        "series_revised_idc_version",
        "transfer_syntax_name",
        "PhotometricInterpretation",
    ),
    "Terms": ("license_short_name",),
    "Size": ("series_size_MB", "instanceCount"),
}


def label(column: str) -> str:
    """Return the name that people read for a column."""
    return _LABELS.get(column, column)


def catalog_state(catalog: Catalog, totals: Counts) -> dict[str, Any]:
    """Return what the browser needs to know of the catalogue before anything is asked."""
    described = {n: c.description for n, c in catalog.index.columns.items()}
    licences = [v for v in catalog.index.vocabulary.values["license_short_name"] if isinstance(v, str)]
    return {
        "version": catalog.version,
        "release": catalog.release,
        "date": catalog.date,
        "totals": asdict(totals),
        "columns": columns.columns(
            catalog.index.columns,
            {n: text for n, _, text in catalog.index.outline("collections_index")},
            label,
            {"license_short_name": [name for name in licences if forbids_commercial_use(name)]},
        ),
        "levels": columns.levels(),
        "facets": [
            {
                "name": n,
                "label": _FACET_LABELS.get(n, label(n)),
                "group": group,
                "description": _HELP.get(n) or described.get(n, ""),
                "kind": _kind(n),
            }
            for group, facets in _FACETS.items()
            for n in facets
        ],
        "names": about.names(catalog),
        "presets": presets(catalog),
        "status": status(catalog),
    }


def status(catalog: Catalog) -> str:
    """Return what the catalogue is busy with, or why it is slow, in a sentence; "" when all is well."""
    if catalog.index.database.building:
        return "First run: preparing a local index for faster answers, about 15 seconds. Everything works meanwhile."
    return catalog.index.database.note


def presets(catalog: Catalog) -> list[dict[str, Any]]:
    """Return the ready-made filters."""
    licences = [v for v in catalog.index.vocabulary.values["license_short_name"] if isinstance(v, str)]
    commercial = sorted(v for v in licences if allows_commercial_use(v))
    return [
        {
            "name": "original",
            "label": "Original data only",
            "description": "Leaves out analysis results: segmentations and measurements that others made later.",
            "where": [{"op": "in", "column": "analysis_result_id", "values": [None]}],
        },
        {
            "name": "segmentations",
            "label": "With segmentations",
            "description": "All series of studies that hold a segmentation (SEG).",
            "where": [{"op": "with_modalities", "modalities": ["SEG"], "per": "study", "keep": "all"}],
        },
        {
            "name": "commercial",
            "label": "May be used commercially",
            "description": "Creative Commons licences without the non-commercial clause: "
            + ", ".join(commercial)
            + ".",
            "where": [{"op": "in", "column": "license_short_name", "values": commercial}],
        },
    ]


def _kind(column: str) -> str:
    """Return how the panel shows a facet: from the cube, as a histogram or as values, or as values from the kernel."""
    if column in BY_COLUMN:
        return "histogram"
    return "values" if column in (*DIMENSIONS, *TERM_COLUMNS, PROGRAM) else "kernel"
