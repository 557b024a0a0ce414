"""How identifiers and the headings of their columns are written."""

from __future__ import annotations

import math
import re
from typing import Any

SERIES, UUID, STUDY, PATIENT = "SeriesInstanceUID", "crdc_series_uuid", "StudyInstanceUID", "PatientID"
COLLECTION, RESULT, DOI = "collection_id", "analysis_result_id", "source_DOI"
INSTANCE, FILE, STUDY_UUID = "SOPInstanceUID", "crdc_instance_uuid", "crdc_study_uuid"
OPEN, ADDRESS = "?", "address"
MAYBE = "??"  # of a column whose heading says nothing, beside columns that identify

#: The columns of the index that identify, the finest first.
IDENTIFYING = (SERIES, STUDY, UUID, PATIENT, COLLECTION, DOI, RESULT)

#: Those that hold many patients.
COARSE = (COLLECTION, DOI, RESULT)

#: How fine a field is.
LEVEL = {INSTANCE: 5, FILE: 5, ADDRESS: 4, SERIES: 4, UUID: 4, STUDY: 3, STUDY_UUID: 3, PATIENT: 2, RESULT: 1, DOI: 1,
         COLLECTION: 1, OPEN: 0, MAYBE: 0}  # fmt: skip
#: What a row of a level above a series stands for.
WHOLE = {1: "collection", 2: "patient", 3: "study"}
LEVEL_NAMES = {5: "SOPInstanceUID", 4: "SeriesInstanceUID", 3: "StudyInstanceUID", 2: "PatientID", 1: "collection_id"}

# Of few parts only where it is long: "61.7.1672…" and "1.1020…" are UIDs of the index, 25.0.5 is a version.
UID_SHAPE = re.compile(r"[012](?:\.[0-9]+){2,}|(?=[0-9.]{20,}$)[0-9]+(?:\.[0-9]+)+")
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DOI_SHAPE = re.compile(r"10\.[0-9]{4,9}/\S+")
_DOI_PREFIX = re.compile(r"^(?:(?:https?://)?(?:dx\.)?doi\.org/|doi\s*[:=]?\s*)(?=10\.)", re.IGNORECASE)
_INSIDE = re.compile(
    r"(?<![0-9.A-Za-z-])(?:[012](?:\.[0-9]+){4,}|(?=[0-9.]{20,})[0-9]+(?:\.[0-9]+)+)(?![0-9A-Za-z-])(?!\.[0-9.]|…)"
    r"|(?<![0-9A-Za-z-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z-])"
)
# Of DICOM itself: SOP classes, transfer syntaxes. They name no images.
STANDARD_UID = re.compile(r"1\.2\.840\.10008\.[0-9.]+")

# By the letters and digits of a heading.
_HEADINGS = {
    SERIES: "seriesinstanceuid seriesinstanceuids seriesuid seriesuids seriesinstanceid dicomseriesinstanceuid "
    "dicomseriesuid seriesinstuid serieninstanzuid serienuid serieuid "
    "0020000e initialseriesinstanceuid listofseriestodownload tagseriesinstanceuid",
    UUID: "crdcseriesuuid crdcseriesuuids crdcseriesid seriesuuid seriesuuids idcseriesuuid crdcuuid",
    ADDRESS: "seriesawsurl seriesgcsurl awsurl gcsurl s3url gsurl seriesurl seriess3url s3uri gsuri s3path gcspath "
    "viewerurl dicomweburl awsaddress gcsaddress address",
    STUDY: "studyinstanceuid studyinstanceuids studyuid studyuids studyinstanceid dicomstudyinstanceuid "
    "dicomstudyuid studyinstuid studieninstanzuid studienuid examuid 0020000d tagstudyinstanceuid",
    STUDY_UUID: "crdcstudyuuid studyuuid",
    PATIENT: "patientid patientids subjectid subjectids caseid caseids participantid dicompatientid idccaseid "
    "patientenid patientennummer pid pids patientnum patientno patientnumber patientuid patientuids mrn subjectno "
    "subjectnum subjectnumber subjectuid subjectuids caseno casenumber submitterid "
    "submittercaseid casesubmitterid 00100020 patientidentifier subjectidentifier tagpatientid",
    COLLECTION: "collectionid collectionids collection collections collectionname collectionnames idccollectionid "
    "idccollection sammlung kollektion "
    "tciacollection tciacollectionid tciacollectionname idcwebappcollectionid collectionshortname",
    RESULT: "analysisresultid analysisresultids analysisresult analysisresults idcanalysisresultid",
    DOI: "sourcedoi sourcedois doi dois collectiondoi datadoi datasetdoi",
    INSTANCE: "sopinstanceuid sopinstanceuids sopuid sopuids instanceuid instanceuids imageuid sopinstanceid 00080018 "
    "dicomsopinstanceuid objectuid imageinstanceuid",
    FILE: "crdcinstanceuuid crdcinstanceuuids instanceuuid crdcinstanceid fileuuid",
}
# Used for other things too, so their values must look the part; without a field, any identifier may be there.
_LOOSE = {
    SERIES: "series seriesinstance seriesid seriesids serie serien dicomseries",
    STUDY: "study studies studyinstance studyid studyids studie studien dicomstudy",
    PATIENT: "patient patients subject subjects case cases participant patientname",
    COLLECTION: "project projectid dataset",
    OPEN: "uid uids uuid uuids id ids identifier identifiers url urls uri uris instance image dicomuid link manifest",
}
_FIELD = {w: f for f, words in _HEADINGS.items() for w in words.split()}
_LOOSE_FIELD = {w: f for f, words in _LOOSE.items() for w in words.split()}

_TAG = re.compile(r"\(?\b[0-9a-f]{4}[,|]?\s?[0-9a-f]{4}\b\)?", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:_[xy]|\[\d+\])$")  # of merged frames and of lists
_CUT = re.compile(r"(?<![0-9.A-Za-z-])[012](?:\.[0-9]+){3,}\.?(?:\.{3}|\u2026)")

# What a spreadsheet, a narrow column or a printer left of an identifier.
_DAMAGED = re.compile(
    r"[-+]?\d+(?:[.,]\d+)?E\+?\d{2,}|#{3,}|#(?:REF|VALUE|NAME|NUM|NULL|DIV/0)[!?]?|[012](?:\.\d+)+\.?(?:\.{2,}|\u2026)",
    re.IGNORECASE,
)
#: A UID with commas in the place of its dots.
WITH_COMMAS = re.compile(r"(?<![\d,.])(?:1,[23]|2,16|2,25)(?:,\d+)*,\d{4,}(?:,\d+)*(?![\d.])")

_BLANK = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "nat", "-", "--", "n.a.", "missing", "#n/a"})
_MODALITY = re.compile(r"(?:[A-Z]{2,16}|M3D)(?:\s*[,/\\]\s*(?:[A-Z]{2,16}|M3D))*")
_PLAIN = re.compile(
    r"[-+]?[\d.,\s]+(?:\s?[kKMGTP]?i?B|\s?%|k|M)?|\d{4}-\d\d(-\d\d)?.*|\d{1,4}[/.]\d\d?[/.]\d{1,4}.*|\d{3}[YMWD]"
)


def key_of(name: object) -> str:
    """Return the letters and digits of a heading: "Series Instance UID" and series_instance_uid are one."""
    return re.sub(r"[^0-9a-z]", "", str(name).lower())


def field_of(heading: object) -> str | None:
    """Return the field that a heading names for certain, or None."""
    key = _unlisted(key_of(heading))
    if found := _FIELD.get(key) or _FIELD.get(key_of(str(heading).rpartition(".")[2])):
        return found
    if key.startswith("0x"):
        return _FIELD.get(key[2:])
    if (bare := _SUFFIX.sub("", str(heading).strip())) != heading:
        return _FIELD.get(key_of(bare))
    return _FIELD.get(key_of(_TAG.sub("", str(heading)))) if _TAG.search(str(heading)) else None


def loose_field_of(heading: object) -> str | None:
    """Return the field that a heading may name, to be held against its values, or None."""
    return _LOOSE_FIELD.get(_unlisted(key_of(heading)))


def _unlisted(key: str) -> str:
    """Return the key of a list's name: "series_list" is "series"."""
    return key if key in _FIELD else key.removesuffix("list")


def fold(name: str) -> str:
    """Return a collection's name so that case, spaces, `-` and `_` say nothing."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def bare_doi(text: str) -> str:
    """Return a DOI however written as the catalogue writes it; any other text as it is."""
    return (
        _DOI_PREFIX.sub("", text).rstrip("/.").lower() if _DOI_PREFIX.match(text) or DOI_SHAPE.fullmatch(text) else text
    )


def as_written(field: str, value: str) -> str:
    """Return an identifier as the index writes its kind."""
    if field in (UUID, FILE) or UUID_SHAPE.fullmatch(value):
        return value.lower().removesuffix(".dcm")
    return bare_doi(value) if field in (DOI, OPEN) else value


def inside(text: str) -> list[str]:
    """Return the identifiers that a text holds between whatever else: UIDs, uuids, DOIs, in their order."""
    return [m[0].rstrip(".") for m in _INSIDE.finditer(text)]


def cut_off(text: str) -> list[str]:
    """Return the UIDs in a text that end in an ellipsis: what they name cannot be told."""
    return _CUT.findall(text)


def damaged(value: str) -> bool:
    """Return whether a value is what is left of an identifier: "1.36E+12", "####", "1.3.6...", "1,3,6,1,4,1,14519"."""
    return bool(_DAMAGED.fullmatch(value) or WITH_COMMAS.fullmatch(value))


def shaped(value: str) -> bool:
    """Return whether a value is an identifier by its looks alone."""
    return bool(UID_SHAPE.fullmatch(value) or UUID_SHAPE.fullmatch(value) or DOI_SHAPE.fullmatch(bare_doi(value)))


def plain(value: str) -> bool:
    """Return whether a cell is a number, size, date, age or modality: nothing that identifies."""
    return numeric(value) or bool(_MODALITY.fullmatch(value))


def numeric(value: str) -> bool:
    """Return whether a cell is nothing but a number, a size or a date."""
    return bool(_PLAIN.fullmatch(value)) and not UID_SHAPE.fullmatch(value)


def text_of(value: Any) -> str:
    """Return a cell as text; "" where it is missing, "100012" for the float that pandas makes of a number."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        value = int(value) if value.is_integer() else value
    if isinstance(value, list | tuple | set | frozenset):
        value = " ".join(map(str, value))
    text = str(value).strip()
    if text.startswith('="'):  # as a spreadsheet is made to leave numbers alone
        text = text[1:]
    text = text.strip("\"'`").strip()
    return "" if text.lower() in _BLANK else text
