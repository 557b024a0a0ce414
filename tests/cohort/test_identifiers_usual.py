"""What people have: remarks behind identifiers, sentences, files of training sets, tables whose headings say little."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read, read_text
from tests.cohort.reading import series

_SITE = "1.3.6.1.4.1.14519.5.2.1.6279.6001."
S = [
    _SITE + tail
    for tail in (
        "179049373636438705059720603192",
        "619372068417051974713149104919",
        "170706757615202213033480003264",
        "323541312620128092852212458228",
        "129007566048223160327836686225",
    )
]
P = [f"LIDC-IDRI-000{n}" for n in range(1, 6)]


def patients(catalog: idc.Catalog, *numbers: int) -> set[str]:
    frame = catalog.sql(
        "SELECT SeriesInstanceUID AS uid FROM index WHERE list_contains(?, PatientID)", [[P[n] for n in numbers]]
    )
    return set(frame.uid)


@pytest.mark.parametrize(
    "remark",
    [
        " - excluded", " - failed QC, excluded", "  -> excluded", " REJECTED", "\texcluded", ", excluded",
        " # excluded, motion", " excluded because of motion", " failed QC", " removed in v2", " (withdrawn)",
        " – ausgeschlossen",
    ],
)  # fmt: skip
def test_a_remark_is_of_its_own_line(remark: str, catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, f"{S[0]}\n{S[1]}{remark}\n{S[2]}\n")
    assert series(catalog, found) == {S[0], S[2]} and S[1] in found.unknown
    found = read_text(catalog.index, f"{P[0]}\n{P[1]} - excluded\n{P[2]}\n")
    assert series(catalog, found) == patients(catalog, 0, 2)


@pytest.mark.parametrize(
    "sentence",
    [
        "We had to discard $3 and $4.", "$3 and $4 were excluded due to motion.", "$3 has been withdrawn.",
        "Series $3 could not be used.", "Please leave $3 out.", "Please don't take $3",
        "Note: $3, $4 are not part of the cohort.", "cases $3 and $4 were not analysed", "$3, $4: excluded",
        "Discarded: $3, $4", "Blocklist:\n$3", "failed_qc:\n  - $3",
    ],
)  # fmt: skip
def test_a_sentence_of_exclusion(sentence: str, catalog: idc.Catalog) -> None:
    written = sentence.replace("$3", S[3]).replace("$4", S[4])
    assert series(catalog, read_text(catalog.index, f"{S[0]}\n{S[1]}\n\n{written}")) == {S[0], S[1]}


def test_sentences_of_one_line(catalog: idc.Catalog) -> None:
    text = f"Series used: {S[0]}, {S[1]}. Not used in this study: {S[3]}, {S[4]}"
    assert series(catalog, read_text(catalog.index, text)) == {S[0], S[1]}


@pytest.mark.parametrize(
    "text",
    [
        "The following series failed to download:\n$0\n$1", "Not yet downloaded:\n$0\n$1",
        "CTs without contrast:\n$0\n$1", "Cohort (n=6, 4 excluded for motion):\n$0\n$1",
        "Final cohort after exclusions:\n$0\n$1", "skipping $0, already downloaded\n$1 already exists, skip",
        "p1 - $0\np2 - $1", f"{P[0]} - $0\n{P[1]} - $1",
    ],
)  # fmt: skip
def test_what_only_sounds_like_an_exclusion(text: str, catalog: idc.Catalog) -> None:
    written = text.replace("$0", S[0]).replace("$1", S[1])
    assert series(catalog, read_text(catalog.index, written)) == {S[0], S[1]}


@pytest.mark.parametrize("heading", ["id", "name", "uid", "label", "title", "value", "Unnamed: 0", "code", "file", ""])
@pytest.mark.parametrize("name", [P[0], "LIDC-IDRI-9999", f"{P[0]}_ct.nii.gz"])
def test_a_collection_beside_what_may_be_a_patient(heading: str, name: str, catalog: idc.Catalog) -> None:
    frame = pd.DataFrame({"collection_id": ["lidc_idri"], heading: [name]})
    for source in (frame, frame.to_csv(index=False)):
        found = (read if source is frame else read_text)(catalog.index, source)
        assert series(catalog, found) == (patients(catalog, 0) if name == P[0] else set())
        assert name == P[0] or found.unknown


@pytest.mark.parametrize(
    "row",
    [
        "title,license,version,size\nrider_pilot,RIDER Pilot,CC-BY-4.0,v2,7GB",
        "name,program\nrider_pilot,RIDER Pilot,Community",
    ],
)
def test_a_table_of_collections_is_one(row: str, catalog: idc.Catalog) -> None:
    whole = set(catalog.cohort(collection_id="rider_pilot").series(columns=["SeriesInstanceUID"]).SeriesInstanceUID)
    assert series(catalog, read_text(catalog.index, f"collection_id,{row}\n")) == whole


@pytest.mark.parametrize(
    ("key", "kept", "out"),
    [
        ("exclusion_reason", "", "motion"), ("ExclusionReason", None, "motion"), ("exclude_from_analysis", False, True),
        ("not_usable", 0, 1), ("to_download", "yes", "no"), ("should_download", True, False),
        ("consent_withdrawn", "no", "yes"), ("status", "active", "withdrawn"), ("excluded_because", "", "motion"),
        ("ausgeschlossen", "nein", "ja"), ("Einschluss", "ja", "nein"), ("exclu", "non", "oui"),
    ],
)  # fmt: skip
def test_columns_and_keys_of_choice(key: str, kept: Any, out: Any, catalog: idc.Catalog) -> None:
    rows = [{"SeriesInstanceUID": S[0], key: kept}, {"SeriesInstanceUID": S[1], key: out}]
    texts = [json.dumps(rows), "\n".join(map(json.dumps, rows)), pd.DataFrame(rows).to_csv(index=False)]
    for text in texts:
        assert series(catalog, read_text(catalog.index, text)) == {S[0]}, text


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"series": S[:2], "failed_qc": [S[3]]}, S[:2]),
        ({"series": S[:2], "unusable": [S[3]]}, S[:2]),
        ({"training": [{"image": f"./imagesTr/{S[0]}.nii.gz"}], "test": [f"./imagesTs/{S[1]}.nii.gz"]}, S[:2]),
        ({"training": [{"image": f"{S[0]}.nii.gz", "label": f"{S[0]}.nii.gz"}]}, S[:1]),
        ({"training": [{"image": f"CT_{S[0]}"}]}, S[:1]),
    ],
)
def test_files_of_training_sets(value: Any, wanted: list[str], catalog: idc.Catalog) -> None:
    assert series(catalog, read_text(catalog.index, json.dumps(value))) == set(wanted)


@pytest.mark.parametrize("text", ["lidc_idri, CT only", "lidc_idri, first 10 patients", "only CT from lidc_idri"])
def test_a_part_of_a_collection_is_not_read(text: str, catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, text)
    assert not series(catalog, found) and found.unknown


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (f"Please download {P[0]}, {P[1]} and {P[2]}", (0, 1, 2)),
        (f"{P[0]} # used for Fig 2\n{P[1]} (3)\n{P[2]} - 3 nodules", (0, 1, 2)),
        (f"patients:\n  - {P[0]}\nexclude: []\n", (0,)),
        (f"patients:\n  - {P[0]}\nnot_included:\n  - {P[3]}\n", (0,)),
        (f"patients:\n  - {P[0]}\nblocklist:\n  - {P[3]}\n", (0,)),
        (json.dumps({"collection_id": "lidc_idri", "PatientID": P[:1], "batch_size": 2, "max_epochs": 10}), (0,)),
    ],
)
def test_patients_with_words_around(text: str, numbers: tuple[int, ...], catalog: idc.Catalog) -> None:
    assert series(catalog, read_text(catalog.index, text)) == patients(catalog, *numbers)
