"""Texts, code, commands and addresses: what stands beside an identifier narrows it, is told, or refuses it."""

from __future__ import annotations

from string import Template

import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import Identified, read_text
from tests.cohort.reading import series

pytestmark = pytest.mark.usefixtures("quiet")

P, L, L2 = "MSB-00179", "LIDC-IDRI-0001", "LIDC-IDRI-0002"
A = "1.3.6.1.4.1.14519.5.2.1.100204653349044037372258398905"
B = "1.3.6.1.4.1.14519.5.2.1.127377969346517652403876504852919368388"
S = "1.3.6.1.4.1.14519.5.2.1.208966382948379218872118884943"
SB = "1.3.6.1.4.1.14519.5.2.1.245708872641425464957380623742093638536"
X = "1.3.6.1.4.1.14519.5.2.1.999999999999999999999999999999999999999"
NO_UUID = "11111111-2222-4333-8444-000000000000"
VIEWER = "https://viewer.imaging.datacommons.cancer.gov/v3/viewer/?StudyInstanceUIDs=$A"
SQL = "SELECT SeriesInstanceUID FROM index WHERE collection_id='cmb_lca'"
PORTAL = "https://portal.imaging.datacommons.cancer.gov"


@pytest.fixture(scope="module")
def uuid(catalog: idc.Catalog) -> str:
    return str(catalog.sql(f"SELECT crdc_series_uuid FROM index WHERE SeriesInstanceUID = '{S}'").iloc[0, 0])


def found_in(catalog: idc.Catalog, text: str, uuid: str = "") -> Identified:
    return read_text(catalog.index, Template(text).safe_substitute(A=A, B=B, S=S, SB=SB, X=X, K=uuid))


#: What asks for less than it names, in a way that is not read: it names nothing and says why.
REFUSED = [
    # Calls and filters.
    'c.download_from_selection(collection_id="cmb_lca", patientId=patients[:5])',
    'c.download_from_selection(collection_id="cmb_lca", seriesInstanceUID=uids)',
    'download(collection_id="cmb_lca", patientId=some())',
    'download(collection_id="cmb_lca", **options)',
    'client.get_dicom_series(collection_id="cmb_lca", modality="SM")',
    'nbia.getSeries(collection = "CMB-LCA", modality = "CT")',
    "idx %>% filter(collection_id == 'cmb_lca', Modality == 'SM')",
    "idx |> filter(collection_id == 'cmb_lca') |> slice_head(n = 5)",
    "df[(df.collection_id == 'cmb_lca') & (df.series_size_MB < 10)]",
    'df[df.collection_id == "cmb_lca"].head(10)',
    "df.query(\"collection_id == 'cmb_lca' & Modality == 'CT'\")",
    "df.filter((pl.col('collection_id') == 'cmb_lca') & (pl.col('Modality') == 'SM'))",
    'filter(idx, PatientID == "LIDC-IDRI-0001", Modality %in% c("SEG"))',
    "filter(idx, collection_id == 'cmb_lca', is_contrast)",
    "get_series(PatientID='LIDC-IDRI-0001', Modality='SEG')",
    "PatientID='LIDC-IDRI-0001', Modality='SEG'",
    "dict(PatientID='LIDC-IDRI-0001', Modality='SEG')",
    "catalog.cohort(collection_id='cmb_lca').sample(5)",
    "catalog.cohort(collection_id='cmb_lca')[:10]",
    # SQL.
    *(f"{SQL} {more}" for more in (
        "AND starts_with(PatientID,'MSB-00179')", "AND contains(SeriesDescription,'x')", "AND is_contrast",
        "FETCH FIRST 10 ROWS ONLY", "QUALIFY row_number() over (partition by PatientID)=1", "GROUP BY PatientID",
        "AND PatientID IN (SELECT PatientID FROM t)", "AND PatientID = ?", "AND collection_id='nlst'")),
    "SELECT DISTINCT ON (PatientID) SeriesInstanceUID FROM index WHERE collection_id='cmb_lca'",
    "SELECT any_value(SeriesInstanceUID) FROM index WHERE collection_id='cmb_lca' GROUP BY PatientID",
    "SELECT TOP 10 * FROM index WHERE collection_id='cmb_lca'",
    "SELECT * FROM index WHERE CASE WHEN collection_id='cmb_lca' THEN 1 END",
    "SELECT s.SeriesInstanceUID FROM index s, clinical c WHERE s.collection_id='cmb_lca'",
    "SELECT SeriesInstanceUID, PatientID\nFROM index\nWHERE collection_id='cmb_lca' AND Modality = 'SM'",
    "DECLARE p STRING DEFAULT 'LIDC-IDRI-0001';\nSELECT * FROM index WHERE PatientID = p AND collection_id='lidc_idri'",
    # Exceptions.
    f"{P}\nexcept\n$A", f"{P}\nbut not\n\n$A", f"{P} (excl. $A)", f"{P} - $A", f"{P} minus $A", "$A except $S",
    # Keys that ask for a part.
    "Collection: CMB-LCA\nn: 10", "cmb_lca\nexclude: SM", "collection: cmb_lca\nonly: SM", "cmb_lca\nmax series: 10",
    "cmb_lca\nonly SM", "collection: cmb_lca\nexclude modality: SM", "cmb_lca\nslice thickness < 2",
    f"{P}\n-$A", f"{P} without\n$A", "cmb_lca/LIDC-IDRI-9999", "https://x/viewer/$A/3",
    # Headings of unknown parts.
    f"{L}\n\t$X\n{L2}\n\t${{X}}1", f"{P}:\n- $X", f"* {P}\n  * $X",
    # Addresses and copies.
    *(f"https://x/dicomWeb/studies/$A/series?{q}" for q in ("Manufacturer=GE", "StationName=CT1", "SeriesTime=12")),
    f"{VIEWER}&filter=CT", f"{VIEWER}&Serie", f"{PORTAL}/explore/filters/?collection_id=cmb_lca&Modality=SM",
    'aws s3 sync s3://idc-open-data/$K/ . --exclude "*" --include "1.dcm"',
    "idc download cmb_lca --modality SM",
    # Contradictions.
    f"Patients: {L}, {L2}\nSeries: $S", f"{L}\n  $S",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_may_ask_for_less_is_refused(text: str, uuid: str, catalog: idc.Catalog) -> None:
    found = found_in(catalog, text, uuid)
    assert series(catalog, found) == set()
    assert found.unknown and all(u.reason for u in found.unknown)


#: What is whole, and says what beside it is not read.
TOLD = [
    *(f"Collection: CMB-LCA\n{more}" for more in ("Sex: F", "Body part: CHEST", "Manufacturer = GE")),
    *(f"PatientID: {L}\n{more}" for more in ("Series: 3", "Scan: 1", "Date: 2000-01-01", "Visit: 1", "Study: 1")),
    f"{L},3000566", f"{L},2000-01-01", f"PatientID: {L}, Modality: SEG",
    "$A,3", "$A/3", "$A: axial T2", "Please download series 3 of study $A", "only the CT series of $A",
    "(0020,000d) UI [$A]\n(0020,0011) IS [3]", f"{P}/3", f"{P}: baseline only",
]  # fmt: skip


@pytest.mark.parametrize("text", TOLD)
def test_what_describes_a_part_is_told(text: str, catalog: idc.Catalog) -> None:
    found = found_in(catalog, text)
    assert any("not read" in note for note in found.notes)
    assert sum(found.counts.values()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Please download study $A", f"Hi all,\nwe need {P}:\n$A\nThanks", "Name: mine\nStudy UID: $A\nFiles: 12",
        "From: x@y.org\nTo: z@y.org\nDate: 2024-01-01\n\nStudyInstanceUID: $A",
        f"./cmb_lca/{P}/$A", f"{VIEWER}&token=1",
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_note(text: str, catalog: idc.Catalog) -> None:
    found = found_in(catalog, text)
    assert found.counts == {"StudyInstanceUID": 1}
    assert not any("not read" in note for note in found.notes)


#: Parts below headings, of which some are known.
ONE_OF_B = [
    "$A\n  $X\n$B\n  $SB", f"{L}\n  $X\n{P}\n  $SB", "$A\n$X\n$B\n$SB", "$A:\n- $X\n$B:\n- $SB",
    f"$A:\n  - {NO_UUID}\n$B:\n  - $SB", "1. $A\n   - $X\n2. $B\n   - $SB",
    ".\n├── $A\n│   └── CT_$X\n└── $B\n    └── CT_$SB\n\n3 directories",
    f"cmb_lca\n    {P}\n        $B\n            $SB\n        $A\n            $X\n",
    f"Patients: {L}, {P}\nSeries: $SB",
]  # fmt: skip


@pytest.mark.parametrize("text", ONE_OF_B)
def test_headings_do_not_count_beside_their_parts(text: str, catalog: idc.Catalog) -> None:
    found = found_in(catalog, text)
    assert series(catalog, found) == {SB}
    assert X not in text or X in found.unknown


WHERE = {P: f"PatientID = '{P}'", "cmb_lca": "collection_id = 'cmb_lca'", "$A": f"StudyInstanceUID = '{A}'",
         "two": f"PatientID IN ('{L}', '{L2}')", L: f"PatientID = '{L}'"}  # fmt: skip
READ = [
    ('client.download_from_selection(downloadDir=".", patientId=["MSB-00179"], collection_id="cmb_lca")', P),
    ('client.download_from_selection(downloadDir="x",\n  studyInstanceUID=["$A"],\n  collection_id=["cmb_lca"])', "$A"),
    ('patients = ["MSB-00179"]\nc.download_from_selection(collection_id="cmb_lca", patientId=patients)', P),
    ('from idc_index import IDCClient\nc = IDCClient()\nc.download(patientId="MSB-00179", downloadDir=out)', P),
    ("df.query(\"PatientID == 'MSB-00179'\")", P),
    ("df[df['PatientID'].isin(['MSB-00179'])]['SeriesInstanceUID'].tolist()", P),
    ("df.loc[df.PatientID == 'MSB-00179', 'SeriesInstanceUID']", P),
    ("idx %>% filter(PatientID == 'MSB-00179') %>% pull(SeriesInstanceUID)", P),
    ("df[df['collection_id'] == 'cmb_lca']", "cmb_lca"),
    ("collection_id='cmb_lca' and PatientID='MSB-00179'", P),
    (f"{SQL} AND (\"PatientID\" = 'MSB-00179') ORDER BY PatientID;", P),
    ("SELECT a.PatientID\nFROM `x.y.all` a\nWHERE a.collection_id IN ('nlst', 'cmb_lca') AND PatientID='MSB-00179'", P),
    ("client.sql_query(\"SELECT * FROM index WHERE PatientID = 'MSB-00179'\")", P),
    ("idc download cmb_lca", "cmb_lca"),
    ("idc download-from-selection --patient-id MSB-00179 --collection-id cmb_lca --download-dir .", P),
    (f"cmb_lca/{P}", P), (f"data/cmb_lca/{P}/", P), (f"{L}/  {L2}/", "two"),
    (f'patients <- c("{L}", "{L2}")', "two"), (f'patients <- c(\n  "{L}",\n  "{L2}"\n)', "two"),
    (f'[1] "{L}" "{L2}"', "two"), (f'[1] "{L}"\n[2] "{L2}"', "two"), (f"{L} and {L2}", "two"),
    (f"cmb_lca: {P}", P), (f"lidc_idri: {L}, {L2}", "two"), (f"lidc_idri\n  {L}\n  {L2}", "two"),
    (f"{L}\n  {L2}", "two"),
    (f"{PORTAL}/explore/filters/?collection_id=cmb_lca", "cmb_lca"), (f"{PORTAL}/collections/cmb_lca", "cmb_lca"),
    ("https://www.cancerimagingarchive.net/collection/cmb-lca/", "cmb_lca"),
    (f"{VIEWER}&hangingprotocolid=x", "$A"), ("https://x/dicomWeb/studies/$A/series?includefield=all", "$A"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), READ)
def test_what_is_clearly_meant_is_read(text: str, what: str, catalog: idc.Catalog) -> None:
    found = found_in(catalog, text)
    of = catalog.sql(f"SELECT SeriesInstanceUID FROM index WHERE {WHERE[what]}")
    assert series(catalog, found) == set(of.SeriesInstanceUID)
    assert not found.unknown


def test_two_lists_are_two_lists(catalog: idc.Catalog) -> None:
    for colon in ("", ":"):
        found = found_in(catalog, f"Patients{colon}\n{L}\n{L2}\n\nSeries{colon}\n$S")
        assert found.counts == {"PatientID": 2, "SeriesInstanceUID": 1}


def test_a_patient_in_another_case(catalog: idc.Catalog) -> None:
    twice = "SELECT lower(PatientID) FROM index GROUP BY 1 HAVING count(DISTINCT PatientID) > 1"
    assert catalog.sql(twice).empty
    for text in (f"Patient: {L.lower()}", f"PatientID\n{L.lower()}\n", f"WHERE PatientID = '{L.lower()}'"):
        found = found_in(catalog, text)
        assert found.counts == {"PatientID": 1} and not found.unknown
        assert found.notes == (f"{L.lower()} is read as the patient {L}.",)


@pytest.mark.parametrize(
    "text",
    [
        "Patients of vestibular_schwannoma_seg\nPatientID,age\nVS-SEG-126,50",
        "# vestibular_schwannoma_seg\nVS-SEG-126",
        "collections:\n  - id: vestibular_schwannoma_seg\n    patients:\n      - VS-SEG-126",
        "vestibular_schwannoma_seg: VS-SEG-126",
        "vestibular_schwannoma_seg/VS-SEG-126",
    ],
)
def test_a_title_says_of_which_collection(text: str, catalog: idc.Catalog) -> None:
    of = catalog.sql(
        "SELECT SeriesInstanceUID FROM index WHERE collection_id = 'vestibular_schwannoma_seg' "
        "AND PatientID = 'VS-SEG-126'"
    )
    assert series(catalog, found_in(catalog, text)) == set(of.SeriesInstanceUID)
