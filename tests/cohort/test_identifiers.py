"""The one reader of identifiers: what is named comes back, nothing wider, and what is unknown says why."""

from __future__ import annotations

import json

import duckdb
import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import Unknown, read_text

pytestmark = pytest.mark.usefixtures("quiet")

S = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
U = "0e79c5f9-c846-4fc5-ae45-62a5bafbb713"
T = "1.3.6.1.4.1.14519.5.2.1.6279.6001.281499745765120562304307889347"
S2 = "1.2.840.113654.2.55.229650531101716203536241646069123704792"
T2 = "1.2.840.113654.2.55.68425808326883186792123057288612355322"
WITHDRAWN = "1.3.6.1.4.1.14519.5.2.1.1600.1201.100051262392991201754098832576"
WITHDRAWN_UUID = "8d38b29d-58b2-43d2-8b38-597e3a8c7408"
NOBODY = "1.2.3.4.5.6.7"
FILE = "11111111-0000-4000-8000-000000000000"
VIEWER = "https://viewer.imaging.datacommons.cancer.gov"


def uids(cohort: idc.Cohort) -> set[str]:
    return set(cohort.series(columns=["SeriesInstanceUID"]).SeriesInstanceUID)


def reason(cohort: idc.Cohort, value: str) -> str:
    (found,) = (u for u in cohort.unknown if u == value)
    assert isinstance(found, Unknown)
    return found.reason


# -- the finest identifier of a row counts

ROWS = {
    "the portal's names": f"Series UID,Collection,Subject ID,Study UID\n{S},LIDC-IDRI,LIDC-IDRI-1001,{T}\n",
    "the index's names": "collection_id,PatientID,StudyInstanceUID,SeriesInstanceUID,Modality\n"
    f"lidc_idri,LIDC-IDRI-1001,{T},{S},CT",
    "no heading": f"lidc_idri,LIDC-IDRI-1001,{T},{S},CT\n",
    "a copied row": f"LIDC-IDRI\tLIDC-IDRI-1001\t{T}\t{S}\t2000-01-01\tCT\tCHEST\t133\t70 MB\tCC BY 3.0",
    "a row's number": f",SeriesInstanceUID,StudyInstanceUID\n0,{S},{T}\n",
    "after a preamble": "Exported from a portal\nDate: 2024-01-01\n\n"
    f"Collection ID;Patient ID;Series Instance UID\nlidc_idri;;{S}\n",
    "a heading as a comment": f"# SeriesInstanceUID, PatientID\n{S}, LIDC-IDRI-1001\n",
    "Markdown": f"| Study UID | SeriesInstanceUID | n |\n|---|---|---|\n| {T} | {S} | 1 |\n",
    "aligned by spaces": f"   StudyInstanceUID   SeriesInstanceUID\n0  {T}  {S}\n",
    "aligned, no heading": f"{T} {S}",
    "keys and values": f"collection_id: lidc_idri\nStudyInstanceUID: {T}\nSeriesInstanceUID: {S}\n",
    "YAML": f"version: 25\ncollection_id: lidc_idri\nseries:\n  - {S}\n",
    "a sentence": f"Please look at series {S} of the study {T}.",
    "SQL on lines": f"SELECT * FROM index\nWHERE collection_id = 'lidc_idri'\n AND SeriesInstanceUID IN (\n'{S}'\n)",
    "YAML without a key": f"collection: lidc_idri\nitems:\n  - {S}\n",
    "a collection above a list": f"Collection: LIDC-IDRI\n\n{S}\n",
    "SQL": f"SELECT * FROM index WHERE SeriesInstanceUID IN ('{S}')",
    "DICOM's JSON": json.dumps([{"0020000D": {"vr": "UI", "Value": [T]}, "0020000E": {"vr": "UI", "Value": [S]}}]),
    "nested JSON": json.dumps({"collection": "lidc_idri", "studies": [{"StudyInstanceUID": T, "series": [S]}]}),
    "a path": f"data/lidc_idri/LIDC-IDRI-1001/{T}/CT_{S}/\n",
    "HTML": f"<tr><td>{T}</td><td>{S}</td></tr>\n",
    "dcmdump": f"(0020,000d) UI [{T}]  # 64, 1 StudyInstanceUID\n(0020,000e) UI [{S}]  # 64, 1 SeriesInstanceUID\n",
    "a study above its series": f"study {T}:\n  {S}\n",
    "code": f'catalog.cohort(collection_id="lidc_idri", SeriesInstanceUID=["{S}"])',
    "keys on one line": f"StudyInstanceUID: {T}, SeriesInstanceUID: {S}\n",
    "a collection on one line": f"collection: lidc_idri, series: {S}\n",
    "R": f'c("{S}")',
    "a sentence's end": f"See {S}.\n",
    "full width": S.replace("1", "\uff11") + "\u200b",
    "a list in Python": f"['{S}']",
    "an address and its collection": f"collection_id,series_aws_url\nlidc_idri,s3://idc-open-data/{U}/*\n",
    "an address without a heading": f"lidc_idri\ts3://idc-open-data/{U}/*\tCT",
    "a uuid": f"lidc_idri,{U.upper()}",
    "NBIA": '"Series UID","Collection","3rd Party Analysis","Data Description URI","Subject ID","Study UID",'
    f'"SOP Class UID","Number of Images","File Size","File Location"\n"{S}","LIDC-IDRI","","https://doi.org/10.7937/x","LIDC-IDRI-1001",'
    f'"{T}","1.2.840.10008.5.1.4.1.1.2","133","70.12 MB",".\\LIDC-IDRI\\LIDC-IDRI-1001"\n',
    "TCIA": f"downloadServerUrl=https://nbia.example/servlet\nincludeAnnotation=true\nnoOfrRetry=4\ndatabasketId=m-16.tcia\n"
    f"manifestVersion=3.0\nListOfSeriesToDownload=\n{S}\n",
    "a shell script": "#!/bin/sh\n"
    f"s5cmd --no-sign-request --endpoint-url https://s3.amazonaws.com cp s3://idc-open-data/{U}/* .\n",
    "the portal's manifest for Google": "# s5cmd --endpoint-url https://storage.googleapis.com run m\n"
    f"cp s3://public-datasets-idc/{U}/* .\n",
}


@pytest.mark.parametrize("text", ROWS.values(), ids=ROWS)
def test_a_row_of_a_series_is_that_series(text: str, catalog: idc.Catalog) -> None:
    found = idc.Cohort.from_manifest(text, catalog)
    assert uids(found) == {S}
    assert found.unknown == ()
    box = read_text(catalog.index, text)
    assert box.condition is not None
    assert uids(idc.Cohort(catalog, [box.condition])) == {S}


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", " "])
@pytest.mark.parametrize("heading", [True, False])
def test_a_study_beside_its_series(separator: str, heading: bool, catalog: idc.Catalog) -> None:
    rows = [["StudyInstanceUID", "SeriesInstanceUID"]] * heading + [[T2, S2]]
    found = idc.Cohort.from_manifest("\n".join(separator.join(r) for r in rows), catalog)
    assert (found.counts.series, found.counts.instances) == (1, 126)


def test_coarser_rows_mean_what_they_are(catalog: idc.Catalog) -> None:
    study = f"LIDC-IDRI\tLIDC-IDRI-1001\t{T}\tCT, SEG, SR\t15\t133\t70 MB\tCC BY 3.0"
    assert idc.Cohort.from_manifest(study, catalog) == catalog.cohort(StudyInstanceUID=T)
    patient = "LIDC-IDRI-1001\tlidc_idri\tF\t1\t15\tCT, SEG, SR\t133\t70 MB\tCC BY 3.0"
    assert idc.Cohort.from_manifest(patient, catalog) == catalog.cohort(
        collection_id="lidc_idri", PatientID="LIDC-IDRI-1001"
    )
    collection = "rider_pilot\tRIDER Pilot\tLung Cancer\t8\t20\tCT\t70 MB\t774"
    assert idc.Cohort.from_manifest(collection, catalog) == catalog.cohort(collection_id="rider_pilot")


# -- nothing widens

NARROW = {
    "an unknown series of a known study": f"SeriesInstanceUID,StudyInstanceUID\n{NOBODY},{T}",
    "without a heading": f"{NOBODY},{T}",
    "its place in other rows": f"{T},{S}\n{T2},{NOBODY}\n",
    "a study that is not its": f"SeriesInstanceUID,StudyInstanceUID\n{S},{T2}",
    "a collection that is not its": f"SeriesInstanceUID,collection_id\n{S},nlst",
    "no heading, another collection": f"nlst,{S}",
    "a blank series": f"SeriesInstanceUID,StudyInstanceUID\n{S},{T}\n,{T2}",
    "a null in JSON": json.dumps(
        [{"SeriesInstanceUID": S, "StudyInstanceUID": T}, {"SeriesInstanceUID": None, "StudyInstanceUID": T2}]
    ),
    "a patient of another collection": "collection_id,PatientID\nnlst,LIDC-IDRI-1001",
    "an unknown patient": "collection_id,PatientID\nnlst,nobody-1",
    "an unknown patient without a heading": "nlst,999999",
    "a study as a series": f"SeriesInstanceUID\n{T}\n",
    "a list of series of NBIA": f"ListOfSeriesToDownload=\n{T}\n",
    "another bucket": f"cp s3://my-bucket/{U}/* .",
    "one file": f"cp s3://idc-open-data/{U}/{FILE}.dcm .",
    "one instance": f"SOPInstanceUID,SeriesInstanceUID\n{NOBODY},{S}",
    "one instance without a heading": f"{S}\t{NOBODY}",
    "a file's address": f"gs://idc-open-data/{U}.dcm",
    "a cut-off UID": f"0    {S[:40]}...",
    "a uuid's file": f"{U}/{FILE}.dcm",
    "a collection beside a cut-off UID": f"collection_id,SeriesInstanceUID\nlidc_idri,{S[:30]}...",
}


@pytest.mark.parametrize("text", NARROW.values(), ids=NARROW)
def test_nothing_widens(text: str, catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, text)
    cohort = idc.Cohort(catalog, [found.condition]) if found.condition is not None else catalog.cohort(Modality=[])
    assert uids(cohort) <= ({S} if "\n" in text or "[" in text else set())
    assert found.unknown or found.notes
    assert all(u.reason for u in found.unknown)


def test_a_table_that_was_shown_cut_is_refused(catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match="cut where it has"):
        read_text(catalog.index, "  collection_id  ...  series_size_MB\n0     lidc_idri  ...      102.096016\n")


def test_a_patient_is_one_of_a_collection(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    patient, collection, n = plain.execute(
        "SELECT PatientID, min(collection_id), count(*) FILTER (collection_id = c) FROM (SELECT *, min(collection_id) "
        "OVER (PARTITION BY PatientID) AS c FROM idx) GROUP BY 1 HAVING count(DISTINCT collection_id) > 1 "
        "ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    for text in (f"Patient ID,Collection\n{patient},{collection}", f"{collection.upper()}\t{patient}"):
        assert idc.Cohort.from_manifest(text, catalog).counts.series == n


def test_all_instances_of_a_series_are_the_series(catalog: idc.Catalog) -> None:
    n = catalog.cohort(SeriesInstanceUID=S).counts.instances
    lines = [f"cp s3://idc-open-data/{U}/{i:08d}-0000-4000-8000-000000000000.dcm ." for i in range(n)]
    assert uids(idc.Cohort.from_manifest("\n".join(lines), catalog)) == {S}
    fewer = idc.Cohort.from_manifest("\n".join(lines[1:]), catalog)
    assert (fewer.counts.series, len(fewer.unknown)) == (0, n - 1)
    assert S in reason(fewer, fewer.unknown[0])
    assert "a whole series is the least" in reason(fewer, fewer.unknown[0])


# -- addresses

ADDRESSES = [
    f"{VIEWER}/v3/viewer/?StudyInstanceUIDs={T}&initialSeriesInstanceUID={S}",
    f"{VIEWER}/v3/viewer/?StudyInstanceUIDs={T}&SeriesInstanceUIDs={S},{S}",
    f"<{VIEWER}/slim/studies/{T}/series/{S}>",
    f"https://volview.kitware.app/?urls=[s3://idc-open-data/{U}]",
    f"https://healthcare.example/v1/dicomWeb/studies/{T}/series/{S}/metadata",
    f"https://idc-open-data.s3.amazonaws.com/{U}/",
    f"https://idc-open-data.s3.us-east-1.amazonaws.com/{U}/",
    f"https://s3.amazonaws.com/idc-open-data/{U}/*",
    f"https://storage.googleapis.com/idc-open-data/{U}",
    f"https://storage.cloud.google.com/idc-open-data/{U}/",
    f"https://console.cloud.google.com/storage/browser/idc-open-data/{U}",
    f"https://us-east-1.console.aws.amazon.com/s3/buckets/idc-open-data?region=us-east-1&prefix={U}/",
    f"gs://public-datasets-idc/{U}/",
    f"s3://idc-open-data/{U}",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses(address: str, catalog: idc.Catalog) -> None:
    found = idc.Cohort.from_manifest(address, catalog)
    assert (uids(found), found.unknown) == ({S}, ())


def test_viewer_url_pasted_back(catalog: idc.Catalog) -> None:
    assert uids(idc.Cohort.from_manifest(idc.viewer_url(S, catalog), catalog)) == {S}
    assert idc.Cohort.from_manifest(idc.viewer_url(T, catalog), catalog) == catalog.cohort(StudyInstanceUID=T)


def test_an_address_of_one_instance_is_not_its_series(catalog: idc.Catalog) -> None:
    found = idc.Cohort.from_manifest(f"https://x.example/dicomWeb/studies/{T}/series/{S}/instances/{NOBODY}", catalog)
    assert found.counts.series == 0
    assert "single file of series" in reason(found, NOBODY)


def test_buckets_that_are_none_of_idc(catalog: idc.Catalog) -> None:
    found = idc.Cohort.from_manifest(f"cp s3://my-bucket/{U}/* .\ncp s3://idc-open-data-two/{U}/* .", catalog)
    assert '"my-bucket" is no bucket of IDC' in reason(found, U)


# -- lists


def test_every_kind_works_in_every_list(catalog: idc.Catalog) -> None:
    assert idc.Cohort.from_manifest("LIDC-IDRI-1001", catalog) == catalog.cohort(PatientID="LIDC-IDRI-1001")
    for written in ("LIDC-IDRI", "lidc_idri", "Lidc-Idri"):
        assert idc.Cohort.from_manifest(written, catalog) == catalog.cohort(collection_id="lidc_idri")
        frame = pd.DataFrame({"Collection": [written]})
        assert idc.Cohort.from_frame(frame, catalog) == catalog.cohort(collection_id="lidc_idri")
    assert idc.Cohort.from_manifest("CT Lymph Nodes, rider_pilot", catalog) == catalog.cohort(
        collection_id=["ct_lymph_nodes", "rider_pilot"]
    )
    assert idc.Cohort.from_manifest("nlst tcga_luad", catalog) == catalog.cohort(collection_id=["nlst", "tcga_luad"])
    assert idc.Cohort.from_manifest("QIN-LungCT-Seg", catalog) == catalog.cohort(analysis_result_id="qin_lungct_seg")
    doi = "10.7937/k9/tcia.2015.lo9ql9sx"
    for written in (
        doi,
        doi.upper(),
        f"doi:{doi}",
        f"https://doi.org/{doi.upper()}",
        f"http://dx.doi.org/{doi}",
        f"doi.org/{doi}",
    ):
        assert idc.Cohort.from_manifest(written, catalog) == catalog.cohort(source_DOI=doi)
    assert idc.Cohort.from_manifest([S, None, S2], catalog) == catalog.cohort(SeriesInstanceUID=[S, S2])


@pytest.mark.parametrize(
    ("typed", "near"), [("lidc-idri-1001", "LIDC-IDRI-1001"), ("C3L_00598", "C3L-00598"), ("lidc_idry", "lidc_idri")]
)
def test_near_names(typed: str, near: str, catalog: idc.Catalog) -> None:
    (unknown,) = read_text(catalog.index, typed).unknown
    assert unknown.near[0] == near
    assert f'Did you mean "{near}"' in unknown.reason
    with pytest.raises(ValueError, match=near):
        idc.Cohort.from_manifest(typed, catalog)


def test_no_near_number_is_guessed(catalog: idc.Catalog) -> None:
    for value in (S[:-1], U[:-1] + "0", "100013", "LIDC-IDRI-9999"):
        assert [u.near for u in read_text(catalog.index, value).unknown] == [()]


def test_only_identifiers_are_unknown(catalog: idc.Catalog) -> None:
    for text in (ROWS["NBIA"], ROWS["TCIA"], ROWS["a shell script"], ROWS["YAML"]):
        found = read_text(catalog.index, text.replace(S, NOBODY).replace(U, FILE))
        assert set(found.unknown) <= {NOBODY, FILE}
        assert len(found.unknown) == 1


# -- another level, another time: the same words everywhere


def test_a_uid_of_another_level(catalog: idc.Catalog) -> None:
    said = rf"that is a SeriesInstanceUID \(of study {T}\)"
    with pytest.raises(idc.UnknownNameError, match=said):
        catalog.cohort(StudyInstanceUID=S)
    with pytest.raises(idc.UnknownNameError, match=said):
        catalog.cohort(PatientID=S)
    with pytest.raises(idc.UnknownNameError, match=r"that is a StudyInstanceUID \(of 15 series\)\.$"):
        catalog.cohort(SeriesInstanceUID=T)
    with pytest.raises(idc.UnknownNameError, match=rf"that is a crdc_series_uuid \(of series {S}\)"):
        catalog.cohort(SeriesInstanceUID=U)
    with pytest.raises(idc.UnknownNameError, match=r"that is a PatientID \(in lidc_idri"):
        catalog.cohort(collection_id="LIDC-IDRI-1001")
    with pytest.raises(idc.UnknownNameError, match="that is a collection_id"):
        catalog.cohort(PatientID="nlst")
    with pytest.raises(idc.UnknownNameError, match=r"no series of IDC v\d+ has this UID\.$"):
        catalog.cohort(SeriesInstanceUID=NOBODY)
    frame = pd.DataFrame({"StudyInstanceUID": [S]})
    assert "that is a SeriesInstanceUID" in reason(idc.Cohort.from_frame(frame, catalog), S)


def test_withdrawn_is_said_everywhere(catalog: idc.Catalog) -> None:
    said = "withdrawn in IDC v19"
    for column, value in (("SeriesInstanceUID", WITHDRAWN), ("crdc_series_uuid", WITHDRAWN_UUID)):
        with pytest.raises(idc.UnknownNameError, match=said):
            catalog.cohort(**{column: value})
        assert said in reason(idc.Cohort.from_frame(pd.DataFrame({column: [value]}), catalog), value)
        assert said in reason(idc.Cohort.from_manifest(value, catalog), value)
        assert said in read_text(catalog.index, value).unknown[0].reason
        with pytest.raises(idc.UnknownNameError, match=said):
            idc.viewer_url(value, catalog)


def test_a_revised_series_is_not_replaced_in_silence(catalog: idc.Catalog) -> None:
    old, now, last = catalog.index.database.rows(
        "SELECT p.crdc_series_uuid, s.crdc_series_uuid, max(max_idc_version) FROM prior_versions_index p "
        "JOIN series s USING (SeriesInstanceUID) GROUP BY ALL ORDER BY 1 LIMIT 1"
    )[0]
    with pytest.warns(UserWarning, match=f"revised in IDC v{last + 1}"):
        found = idc.Cohort.from_manifest(f"cp s3://idc-open-data/{old}/* .", catalog)
    assert found.counts.series == 0
    assert reason(found, old) == f"revised in IDC v{last + 1}; today's version is {now}"


def test_reasons_survive_json_and_are_described(catalog: idc.Catalog) -> None:
    found = idc.Cohort.from_manifest(f"{S}\n{WITHDRAWN}", catalog)
    again = idc.Cohort.from_json(found.to_json(), catalog)
    assert again == found
    assert again.unknown == (WITHDRAWN,)
    assert reason(again, WITHDRAWN) == reason(found, WITHDRAWN)
    assert "withdrawn in IDC v19" in repr(found.describe())
