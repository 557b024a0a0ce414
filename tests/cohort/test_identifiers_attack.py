"""Texts, tables and frames in which a coarser name stands beside a series: never more than the series comes back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read, read_text
from tests.cohort.reading import series

pytestmark = pytest.mark.usefixtures("quiet")

S = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
U = "0e79c5f9-c846-4fc5-ae45-62a5bafbb713"
T = "1.3.6.1.4.1.14519.5.2.1.6279.6001.281499745765120562304307889347"
S2 = "1.2.840.113654.2.55.229650531101716203536241646069123704792"
T2 = "1.2.840.113654.2.55.68425808326883186792123057288612355322"
STRANGER = "1.3.6.1.4.1.14519.5.2.1.6279.6001.177"
V = "https://viewer.imaging.datacommons.cancer.gov"
PAGE = f"{V}/v3/viewer/?StudyInstanceUIDs={T}&SeriesInstanceUIDs={S}"


EXACT: dict[str, Any] = {
    # What is above a list, or around it, is its heading.
    "a collection's title": f"lidc_idri\n{S}\n",
    "a study's title": f"{T}\n    {S}\n",
    "a study as a key": f"{T}:\n  - {S}\n",
    "a patient's title": f"LIDC-IDRI-1001\n  - {S}\n",
    "a DOI in prose": f"Of https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX we used:\n{S}\n",
    "two lines a row": f"{T},\n{S}\n",
    "a page copied": f"lidc_idri\nLIDC-IDRI-1001\n{T}\n{S}\n",
    "two lists": f"Studies:\n{T}\n\nSeries:\n{S}\n",
    "a tree": f"lidc_idri\n└── LIDC-IDRI-1001\n    └── {T}\n        └── CT_{S}\n",
    "ls -R": f"./lidc_idri/LIDC-IDRI-1001/{T}:\nCT_{S}\n",
    "find": f"./lidc_idri\n./lidc_idri/LIDC-IDRI-1001/{T}\n./lidc_idri/LIDC-IDRI-1001/{T}/CT_{S}\n",
    "reStructuredText": f"* - {T}\n  - {S}\n",
    "a shell's variables": f'export SERIES_UID="{S}"\nexport STUDY_UID="{T}"\n',
    "dcm4che": f"132: (0020,000D) UI #64 [{T}] StudyInstanceUID\n204: (0020,000E) UI #64 [{S}] SeriesInstanceUID\n",
    "dcm2xml": f'<DicomAttribute keyword="StudyInstanceUID"><Value>{T}</Value></DicomAttribute>\n'
    f'<DicomAttribute keyword="SeriesInstanceUID"><Value>{S}</Value></DicomAttribute>\n',
    "NumPy's repr": f"array([['{T}',\n        '{S}']],\n      dtype=object)\n",
    # Addresses.
    "entities": PAGE.replace("&", "&amp;") + "\n",
    "a link": f'<a href="{PAGE.replace("&", "&amp;")}">view</a>\n',
    "a page that leads on": f"https://www.google.com/url?q={quote(PAGE, safe='')}\n",
    "quoted as a whole": f"{V}/v3/viewer/%3FStudyInstanceUIDs={T}%26SeriesInstanceUIDs={S}\n",
    "QIDO by tag": f"https://x.example/dicomWeb/studies/{T}/series?0020000E={S}\n",
    # Tables.
    "Series ID": f"Study ID,Series ID\n{T},{S}\n",
    "German": f"Sammlung;Patienten-ID;Studien-UID;Serien-UID\nlidc_idri;LIDC-IDRI-1001;{T};{S}\n",
    "tags": f"Study UID (0020,000D);Series Instance Uid (0020,000E)\n{T};{S}\n",
    "merged frames": f"StudyInstanceUID_x,SeriesInstanceUID_x\n{T},{S}\n",
    "an odd heading": f"StudyInstanceUID,scan\n{T},{S}\n",
    "an odd uuid": f"collection,key\nlidc_idri,{U}\n",
    "an odd heading among others": f"PatientID,ct_series_uid,FrameOfReferenceUID\nLIDC-IDRI-1001,{S},{STRANGER}\n",
    "other links": f"SeriesInstanceUID,url\n{S},https://example.org/x/y\n",
    "a separator at the end": f"PatientID,SeriesInstanceUID\nLIDC-IDRI-1001,{S},\n",
    "a version": f"{S}\t1.2.3\t{T}\n",
    "HTML": "<table><thead><tr><th>Patient</th><th>Serie</th></tr></thead>"
    f"<tr><td>LIDC-IDRI-1001</td><td>{S}</td></tr></table>",
    "HTML of pandas": pd.DataFrame({"StudyInstanceUID": [T], "SeriesInstanceUID": [S]}).to_html(),
    "DuckDB's box": "┌─────┬─────┐\n│ StudyInstanceUID │ SeriesInstanceUID │\n├─────┼─────┤\n"
    f"│ {T} │ {S} │\n└─────┴─────┘\n",
    "fenced": f"```csv\nStudyInstanceUID,SeriesInstanceUID\n{T},{S}\n```\n",
    "the portal's row": f"LIDC-IDRI-1001\t{T}\t{S}\t11111111-2222-4333-8444-000000000000\t{U}\t25.0\n",
    # JSON and Python.
    "pairs": json.dumps([[T, S]]),
    "pairs with a heading": json.dumps([["study", "series"], [T, S]]),
    "tuples": [(T, S)],
    "by series": json.dumps({S: {"study": T, "collection": "lidc_idri"}}),
    "by study": json.dumps({T: [S]}),
    "by collection": json.dumps({"lidc_idri": {"LIDC-IDRI-1001": {T: [S]}}}),
    "numbered": json.dumps({"0": {"Subject ID": "LIDC-IDRI-1001", "series_id": S}}),
    "a comment before": "// mine\n" + json.dumps([{"StudyInstanceUID": T, "SeriesInstanceUID": S}], indent=1),
    "JavaScript": "const c = " + json.dumps([{"StudyInstanceUID": T, "SeriesInstanceUID": S}]) + ";",
    "a sequence": json.dumps([{
        "0020000D": {"vr": "UI", "Value": [T]}, "0020000E": {"vr": "UI", "Value": [S]},
        "00081115": {"vr": "SQ", "Value": [{"0020000E": {"vr": "UI", "Value": [S2]}}]},
    }]),
    "paths in a list": [f"{T}/{S}"],
    "rows in a list": [f"{T},{S}"],
    # Frames.
    "an index of any name": pd.DataFrame({"StudyInstanceUID": [T]}, index=pd.Index([S], name="my key")),
    "a column of any name": pd.DataFrame({"PatientID": ["LIDC-IDRI-1001"], "image_set": [S]}),
    "a Series with an index": pd.Series([T], index=[S], name="StudyInstanceUID"),
    "arrays in cells": pd.DataFrame({"StudyInstanceUID": [T], "SeriesInstanceUID": [pd.array([S]).to_numpy()]}),
}  # fmt: skip


@pytest.mark.parametrize("source", EXACT.values(), ids=EXACT)
def test_exactly_the_series(source: Any, catalog: idc.Catalog) -> None:
    assert series(catalog, read(catalog.index, source)) == {S}


NOTHING = {
    "a cut-off series beside its study": f"{T} {S[:40]}",
    "an ellipsis": f"{T} {S[:30]}…",
    "JSON cut off": json.dumps([{"StudyInstanceUID": T, "SeriesInstanceUID": S}])[:-20],
    "an exception": f"all of lidc_idri except {S}",
    "exceptions on lines": f"Fetch all of LIDC-IDRI except these:\n{S}\n{S2}\n",
    "NOT IN": f"SELECT * FROM index WHERE collection_id = 'lidc_idri' AND SeriesInstanceUID NOT IN ('{S}')",
    "unequal": f"SELECT * FROM index WHERE collection_id = 'lidc_idri' AND SeriesInstanceUID != '{S}'",
    "two odd columns": f"StudyInstanceUID,a,b\n{T},{S},{S2}\n",
    "an odd column of another study": f"StudyInstanceUID,scan\n{T},{S2}\n",
    "another bucket in a list of lists": json.dumps([[T, f"s3://my-bucket/{U}/*"]]),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_and_why(text: str, catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, text)
    assert series(catalog, found) == set()
    assert found.unknown and all(u.reason for u in found.unknown)


def test_a_row_without_its_series_among_rows_that_have_one(catalog: idc.Catalog) -> None:
    for lost in ("", "unknown", "TBD"):
        found = read_text(catalog.index, f"lidc_idri,{T},{S}\nnlst,{T2},{lost}\n")
        assert series(catalog, found) == {S}
        assert found.notes == ("1 row has no SeriesInstanceUID and names nothing.",)
    found = read_text(catalog.index, f"Modality,SeriesInstanceUID\nCT,{S}\nCT,\n")
    assert (series(catalog, found), len(found.notes)) == ({S}, 1)


def test_a_heading_that_is_dropped_is_told(catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, f"lidc_idri\n{S}\n{T2}\n")
    assert series(catalog, found) == {S, *catalog.cohort(StudyInstanceUID=T2).series().SeriesInstanceUID}
    assert "lidc_idri: named beside parts of it" in found.notes[0]
    # What holds no other entry of the list stays.
    pilot = len(catalog.cohort(collection_id="rider_pilot"))
    assert len(series(catalog, read_text(catalog.index, f"rider_pilot\n{S}\n"))) == pilot + 1


def test_a_table_of_pandas_that_is_cut(catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match="cut where it has"):
        read_text(
            catalog.index,
            "     Data Description URI  ...   n\n0  https://doi.org/10.7937/K9/TCIA.2015.LO9QL9SX  ...  1\n\n"
            "[1 rows x 6 columns]",
        )


def test_entries_of_a_list_stand_on_their_own(catalog: idc.Catalog) -> None:
    assert len(series(catalog, read(catalog.index, [T, S]))) == 15
    assert len(series(catalog, read_text(catalog.index, json.dumps([T, S])))) == 15


@pytest.mark.parametrize(
    ("table", "whole"),
    [
        ("collection_id,SeriesNumber\ntcga_luad,3\n", "collection; SeriesNumber"),
        ("Collection\tModality\tSeries Description\ntcga_luad\tMR\tt2\n", "collection; Modality, Series Description"),
        ("PatientID,Modality\nTCGA-05-4244,CT\n", "patient; Modality"),
    ],
)
def test_series_that_nothing_identifies_are_told(catalog: idc.Catalog, table: str, whole: str) -> None:
    assert read_text(catalog.index, table).notes == (
        f"No column identifies series, so each row is a whole {whole} is not read.",
    )
    assert read_text(catalog.index, "collection_id,series,modalities\ntcga_luad,4848,CT\n").notes == ()


def test_empty_cells_at_both_ends_of_a_row_move_none(catalog: idc.Catalog) -> None:
    assert series(catalog, read_text(catalog.index, f"collection_id,SeriesInstanceUID\n,{S},,\n")) == {S}
    assert series(catalog, read_text(catalog.index, f"StudyInstanceUID|SeriesInstanceUID\n|{T}|{S}|\n")) == {S}


def test_a_row_printed_by_python_is_a_row(catalog: idc.Catalog) -> None:
    assert series(catalog, read_text(catalog.index, repr((T, S)))) == {S}


def test_an_array_as_numpy_prints_it(catalog: idc.Catalog) -> None:
    chosen = [r["SeriesInstanceUID"] for r in _sample(catalog)[:3]]
    assert series(catalog, read_text(catalog.index, "[" + "\n ".join(map(repr, chosen)) + "]")) == set(chosen)


WRITERS: list[Callable[[dict[str, str]], str]] = [
    lambda r: f"{r['collection_id']}\n{r['StudyInstanceUID']}\n{r['SeriesInstanceUID']}",
    lambda r: f"{r['StudyInstanceUID']}:\n  - {r['SeriesInstanceUID']}",
    lambda r: f"./{r['collection_id']}/{r['StudyInstanceUID']}:\nCT_{r['SeriesInstanceUID']}\n",
    lambda r: f"https://x.example/studies/{r['StudyInstanceUID']}/series?0020000E={r['SeriesInstanceUID']}",
    lambda r: f"{r['StudyInstanceUID']} -> {r['SeriesInstanceUID']}",
    lambda r: f"<p>{r['collection_id']}: study {r['StudyInstanceUID']}</p>\n<p>series {r['SeriesInstanceUID']}</p>",
]


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_whatever_stands_around_series_never_widens(seed: int, catalog: idc.Catalog) -> None:
    rng = random.Random(seed)
    chosen = rng.sample(_sample(catalog), rng.randint(1, 5))
    text = "\n".join(rng.choice(WRITERS)(r) for r in chosen)
    assert series(catalog, read_text(catalog.index, text)) == {r["SeriesInstanceUID"] for r in chosen}


_SAMPLES: list[dict[str, str]] = []


def _sample(catalog: idc.Catalog) -> list[dict[str, str]]:
    if not _SAMPLES:
        frame = catalog.sql(
            "SELECT SeriesInstanceUID, StudyInstanceUID, collection_id FROM index USING SAMPLE 500 (reservoir, 3)"
        )
        _SAMPLES.extend(frame.astype(str).to_dict("records"))
    return _SAMPLES
