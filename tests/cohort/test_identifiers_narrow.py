"""What stands beside an identifier narrows it or is told: exceptions, queries, damage, gaps, headings of any name."""

from __future__ import annotations

import json
from string import Template
from typing import Any

import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read, read_text
from tests.cohort.reading import series

pytestmark = pytest.mark.usefixtures("quiet")

P, P2 = "LIDC-IDRI-0001", "LIDC-IDRI-0002"
VIEWER = "https://viewer.imaging.datacommons.cancer.gov/v3/viewer/"


@pytest.fixture(scope="module")
def ids(catalog: idc.Catalog) -> dict[str, str]:
    """Two series of a study of P, one of a study of P2, and UIDs that look like theirs and are none."""
    ours = catalog.cohort(PatientID=P).series(columns=["StudyInstanceUID", "SeriesInstanceUID", "crdc_series_uuid"])
    study = ours.StudyInstanceUID.value_counts().index[0]
    first, second = ours[ours.StudyInstanceUID == study].sort_values("SeriesInstanceUID").to_dict("records")[:2]
    other = catalog.cohort(PatientID=P2).series(columns=["StudyInstanceUID", "SeriesInstanceUID"]).iloc[0]
    u, u2 = first["SeriesInstanceUID"], second["SeriesInstanceUID"]
    return {
        "S": study, "U": u, "U2": u2, "S2": other.StudyInstanceUID, "V": other.SeriesInstanceUID, "BAD": f"{u[:-3]}999",
        "K": first["crdc_series_uuid"], "K2": second["crdc_series_uuid"], "COMMAS": u.replace(".", ","), "HEAD": u[:20],
        "P": P, "P2": P2,
    }  # fmt: skip


def filled(source: Any, ids: dict[str, str]) -> Any:
    """Put identifiers in the place of `$U` and the like."""
    if isinstance(source, pd.DataFrame):
        return source.map(lambda v: Template(v).safe_substitute(ids) if isinstance(v, str) else v)
    return Template(source).safe_substitute(ids)


#: What names nothing but says why; without the exception, the condition, what is cut or missing it would be wider.
NOTHING: dict[str, Any] = {
    "no patient": "collection_id,patient\nlidc_idri,\n",
    "no such patient": "collection_id,patient\nlidc_idri,12\n",
    "JSON without its patient": '[{"collection_id":"lidc_idri","subject":null}]',
    **{f"SQL {also}": f"SELECT * FROM index WHERE collection_id='lidc_idri' {also}" for also in (
        "AND Modality='SEG'", "LIMIT 5", "AND PatientID <> '$P'", "AND PatientID NOT IN ('$P')")},
    "SQL of a number": "SELECT SeriesInstanceUID FROM index WHERE StudyInstanceUID='$S' AND SeriesNumber=1",
    "a query of pandas": "df.query(\"collection_id == 'lidc_idri' and Modality == 'SEG'\")",
    "SQL with not": "select * from index where StudyInstanceUID='$S' and not SeriesInstanceUID='$U'",
    "pandas with ~": "df[(df.PatientID=='$P') & ~df.SeriesInstanceUID.isin(['$U'])]",
    "SQL with a comment": "SELECT * FROM index WHERE SeriesInstanceUID IN (\n'$U',\n-- '$U2'\n)",
    "our code": "catalog.cohort(PatientID='$P').exclude(SeriesInstanceUID='$U')",
    "not": "lidc_idri, not $P",
    "exclude as a key": "collection: lidc_idri\nexclude: $P",
    "exclude in JSON": '{"collection_id":"lidc_idri","exclude":["$P"]}',
    "except on its line": "lidc_idri\nexcept $P",
    "without a patient": "lidc_idri without $P",
    "excluded below": "lidc_idri\nExcluded:\n$P\n",
    "without a series": "$S without $U",
    "in German": "$S ohne $U",
    "YAML": "study: $S\nexclude:\n  - $U\n",
    **{f"patient beside {cut}": f"$P;{cut}\n" for cut in (
        "1.36E+12", "1,36E+12", "########", "#REF!", "1.3.6", "1.3.6...", "$COMMAS")},
    **{f"study beside {cut}": f"$S\t{cut}\n" for cut in ("1.36E+12", "####", "#VALUE!", "1.3.6")},
    **{f"series all {value}": pd.DataFrame({"PatientID": [P, P2], "series": [value] * 2}) for value in (
        None, "1.36E+12", "$HEAD...")},
    "series all empty lists": pd.DataFrame({"PatientID": [P, P2], "series": [[], []]}),
    "an unknown UID under a key": '{"study_uid":"$S","ct":"$BAD"}',
    "a key without its value": "StudyInstanceUID: $S\nSeriesInstanceUID:\n",
    "a key with damage": "StudyInstanceUID: $S\nSeriesInstanceUID: 1.36E+12\n",
    "a key with a word": "StudyInstanceUID: $S\nSeriesInstanceUID: to do\n",
    "null in YAML": "study: $S\nseries: null\n",
    "an empty list": '{"study":"$S","series":[]}',
    "an empty list of patients": "collection: lidc_idri\npatients: []\n",
    "a viewer's filter": f"{VIEWER}?StudyInstanceUIDs=$S&Modality=SEG",
    "a filter of DICOMweb": "https://x.example/dicomWeb/studies/$S/series?Modality=SEG",
    "an address without its series": f"{VIEWER}?StudyInstanceUIDs=$S&SeriesInstanceUIDs=",
    "DICOM's JSON without its series": json.dumps([
        {"00100020": {"vr": "LO", "Value": [P]}, "0020000E": {"vr": "UI"}}]),
    "exclude_patients": '{"collection_id":"lidc_idri","exclude_patients":["$P"]}',
    "skip in TOML": "collection='lidc_idri'\nskip=['$P']",
    **{f"{words} of a collection": f"lidc_idri, {words} $P" for words in ("other than", "apart from", "all but")},
    "an address that is cut": f"{VIEWER}?StudyInstanceUIDs=$S&Ser...",
    "a heading above an unknown": "lidc_idri\n$BAD\n",
    "a study above an unknown": "$S\n$BAD\n",
    "XML with an unknown": '<study uid="$S"><series uid="$BAD"/></study>',
}  # fmt: skip


@pytest.mark.parametrize("source", NOTHING.values(), ids=NOTHING)
def test_nothing_and_why(source: Any, ids: dict[str, str], catalog: idc.Catalog) -> None:
    found = (
        read(catalog.index, filled(source, ids))
        if isinstance(source, pd.DataFrame)
        else read_text(catalog.index, filled(source, ids))
    )
    assert series(catalog, found) == set()
    assert found.unknown or found.notes


#: The one series U.
ONE: dict[str, str] = {
    **{f"beside {mark}": f"$U\n{mark}" for mark in (
        "not $U2", "exclude: $U2", "skip $U2", "!$U2", "$U2 (exclude)", "~~$U2~~", "/* $U2 */", "Excluded:\n$U2",
        "\nNot wanted:\n$U2", "Do not download these:\n$U2")},
    "boxes": "- [x] $U\n- [ ] $U2",
    "struck": "<ul><li>$U</li><li><s>$U2</s></li></ul>",
    "deleted": "<ul><li>$U</li><li><del>$U2</del></li></ul>",
    "a comment": "<ul><li>$U</li><!-- <li>$U2</li> --></ul>",
    "rm": "cp s3://idc-open-data/$K/* .\nrm s3://idc-open-data/$K2/*",
    "exclude=yes": "SeriesInstanceUID,exclude\n$U,no\n$U2,yes\n",
    "excluded=x": "SeriesInstanceUID,excluded\n$U,\n$U2,x\n",
    "include=0": "SeriesInstanceUID,include\n$U,1\n$U2,0\n",
    "keep=FALSE": "SeriesInstanceUID,keep\n$U,TRUE\n$U2,FALSE\n",
    "selected=false": '[{"SeriesInstanceUID":"$U","selected":true},{"SeriesInstanceUID":"$U2","selected":false}]',
    "a column of words": "SeriesInstanceUID,status\n$U,included\n$U2,excluded\n",
    "a column of marks": "SeriesInstanceUID,look\n$U,pass\n$U2,fail\n",
    "a series in a note": "PatientID,note\n$P,only $U\n",
    "a series in a path": "PatientID,file\n$P,/d/$P/$S/$U.nii.gz\n",
    "an address under any heading": "PatientID,x\n$P,s3://idc-open-data/$K/*\n$P2,s3://idc-open-data/$K2\u2026\n",
    "an empty cell": "$P,$U\n$P2,\n",
    "an empty cell between tabs": "$P\t$U\n$P2\t\n",
    "an empty cell between quotes": '$P,$U\n$P2,""\n',
    "an empty cell before": "$U,$P\n,$P2\n",
    "an odd heading with a gap": "PatientID,ct_series\n$P,$U\n$P2,\n",
    "an odd heading with an unknown": "PatientID,ct_series\n$P,$U\n$P2,$BAD\n",
    "an odd heading with damage": "PatientID,ct_series\n$P,$U\n$P2,1.36E+12\n",
    "the last row cut": "lidc_idri,$P,$U\ncmb_lca",
    "a list under a key": '{"study_uid":"$S","series_list":["$U"]}',
    "a description with a no in it": "$P,CT without contrast,$U\n",
}  # fmt: skip


@pytest.mark.parametrize("source", ONE.values(), ids=ONE)
def test_one_series(source: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert series(catalog, read_text(catalog.index, filled(source, ids))) == {ids["U"]}


@pytest.mark.parametrize(
    "heading", ["pid", "patient_num", "patient_uid", "MRN", "Patient Name", "subject_no", "patient", "case number"]
)
def test_patients_under_any_heading(heading: str, catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, f"collection_id,{heading}\nnlst,100012\n")
    assert len(series(catalog, found)) == len(catalog.cohort(collection_id="nlst", PatientID="100012"))


def test_a_patient_of_two_collections_under_one_of_them(catalog: idc.Catalog) -> None:
    of = "vestibular_schwannoma_seg"
    both = catalog.cohort(PatientID="VS-SEG-003")
    here = set(catalog.cohort(collection_id=of, PatientID="VS-SEG-003").series().SeriesInstanceUID)
    assert 0 < len(here) < len(both)
    merged = pd.DataFrame({"collection_id": [of, None], "PatientID": ["VS-SEG-001", "VS-SEG-003"]})
    for source in (f"{of}:\n  - VS-SEG-003\n", f"{of}\nVS-SEG-003\n", f"{of}\n└── VS-SEG-003\n"):
        assert series(catalog, read_text(catalog.index, source)) == here
    assert (
        here
        < series(catalog, read(catalog.index, merged))
        < set(catalog.cohort(collection_id=of).series().SeriesInstanceUID)
    )
    assert not series(catalog, read(catalog.index, merged)) & (set(both.series().SeriesInstanceUID) - here)


@pytest.mark.parametrize(
    "source",
    [
        "collection_id: lidc_idri\nModality: SEG\n",
        json.dumps({"collection_id": "lidc_idri", "Modality": "SEG"}),
        f"PatientID: {P}\nSeriesNumber: 3\n",
        "nlst\nModality: SEG\n",
        '{"collection_id":"lidc_idri","limit":3}',
        "collection_id,max_patients\nlidc_idri,3\n",
        "nlst, CT only",
        f"{P}\tSEG",
        pd.DataFrame({"PatientID": [P], "StudyDate": ["2000-01-01"]}),
    ],
)
def test_what_is_not_read_is_told(source: Any, catalog: idc.Catalog) -> None:
    found = (read if isinstance(source, pd.DataFrame) else read_text)(catalog.index, source)
    assert any("is not read" in said for said in (*found.notes, *(u.reason for u in found.unknown)))


@pytest.mark.parametrize(
    "text",
    ['SeriesInstanceUID,desc\n$U,"chest\n$U2,ok\n$V,ok\n', 'desc\tSeriesInstanceUID\n"chest\t$U\nok\t$U2\nok\t$V\n'],
)
def test_a_quote_that_is_not_closed_takes_no_rows_in(text: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert series(catalog, read_text(catalog.index, filled(text, ids))) == {ids["U"], ids["U2"], ids["V"]}


def test_two_tables_and_a_cut_line_are_refused(ids: dict[str, str], catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match="two tables"):
        read_text(catalog.index, filled("PatientID,n\n$P2,3\n\nPatientID,SeriesInstanceUID\n$P,$U\n", ids))
    whole = json.dumps({"StudyInstanceUID": ids["S"], "SeriesInstanceUID": ids["U"]})
    with pytest.raises(ValueError, match="cut or damaged"):
        read_text(catalog.index, f"{whole}\n{whole[:-20]}")


def test_counts_of_patients_are_no_patients(catalog: idc.Catalog) -> None:
    found = read(catalog.index, catalog.cohort(collection_id=["cmb_lca", "rider_pilot"]).collections())
    assert found.counts == {"collection_id": 2}


@pytest.mark.parametrize("heading", ["PatientID,viewer", "PatientID,x", "PatientID,url", "patient,link"])
@pytest.mark.parametrize(
    "address", [f"{VIEWER}?StudyInstanceUIDs=$S", "https://x.org/viewer/$S", "x.org/slim/studies/$S"]
)
def test_the_address_of_a_study_beside_its_patient(
    heading: str, address: str, ids: dict[str, str], catalog: idc.Catalog
) -> None:
    found = read_text(catalog.index, filled(f"{heading}\n$P,{address}\n", ids))
    assert series(catalog, found) == set(catalog.cohort(StudyInstanceUID=ids["S"]).series().SeriesInstanceUID)


def test_counts_by_patient(catalog: idc.Catalog) -> None:
    counted = pd.Series([100002, 6], index=pd.Index([P, P2], name="PatientID"), name="count")
    assert read(catalog.index, counted).counts == {"PatientID": 2}


@pytest.mark.parametrize("text", ["ids=['$P','$P2']", "import os\nids = ['$P', '$P2']", "x(PatientID='$P')"])
def test_code_that_names_patients(text: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert read_text(catalog.index, filled(text, ids)).counts["PatientID"] == text.count("$P")


@pytest.mark.parametrize(
    "text",
    [
        "# keep\n$P\n# removed\n$P2\n",
        "## Not used\n$P2\n## Used\n$P\n",
        "$P\n--- failed QC ---\n$P2\n",
        "Screen failures\n$P2\nFinal cohort\n$P\n",
    ],
)
def test_sections(text: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert read_text(catalog.index, filled(text, ids)).counts == {"PatientID": 1}
    assert series(catalog, read_text(catalog.index, filled(text, ids))) >= {ids["U"]}


@pytest.mark.parametrize("text", ["array(['$P', '$P2'], dtype=object)", "$P and $P2"])
def test_two_patients(text: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert read_text(catalog.index, filled(text, ids)).counts == {"PatientID": 2}


def test_cases_of_the_gdc(catalog: idc.Catalog) -> None:
    case = "0011a67b-1ba9-4a32-a6b8-7850759a38cf"
    found = read_text(catalog.index, f"case_id,submitter_id,project_id\n{case},TCGA-05-4244,TCGA-LUAD\n")
    assert series(catalog, found) == set(catalog.cohort(PatientID="TCGA-05-4244").series().SeriesInstanceUID)


def test_nothing_is_passed_over_in_silence(catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, "rider_pilot: RIDER-11251056xx")
    assert found.condition is None and found.unknown


def test_queries_of_identifiers_alone_are_read(ids: dict[str, str], catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, filled("SELECT * FROM index WHERE SeriesInstanceUID IN ('$U', '$U2')", ids))
    assert series(catalog, found) == {ids["U"], ids["U2"]}
