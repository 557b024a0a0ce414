"""What was probably meant by a value that no series has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.suggest import did_you_mean, nearest

#: A near UID is no likelier to be meant than any other: these identify, and are looked up whole.
IDENTIFIERS = ("StudyInstanceUID", "SeriesInstanceUID", "crdc_series_uuid", "series_aws_url")

# What people call what DICOM has a code for. Keys are folded, see `_folded`.
_MODALITIES: Mapping[str, tuple[str, ...]] = {
    "mri": ("MR",), "mrt": ("MR",), "magneticresonance": ("MR",), "magneticresonanceimaging": ("MR",),
    "pet": ("PT",), "positronemissiontomography": ("PT",), "petct": ("PT", "CT"), "ctpet": ("PT", "CT"),
    "cat": ("CT",), "ctscan": ("CT",), "catscan": ("CT",), "computedtomography": ("CT",), "computertomography": ("CT",),
    "xray": ("CR", "DX"), "radiograph": ("CR", "DX"), "radiography": ("CR", "DX"), "computedradiography": ("CR",),
    "digitalradiography": ("DX",), "dr": ("DX",), "rx": ("CR", "DX"), "xr": ("CR", "DX"),
    "mammogram": ("MG",), "mammography": ("MG",), "mammo": ("MG",), "tomosynthesis": ("MG",), "dbt": ("MG",),
    "ultrasound": ("US",), "sonography": ("US",), "echo": ("US",),
    "slide": ("SM",), "slides": ("SM",), "slidemicroscopy": ("SM",), "microscopy": ("SM",), "wsi": ("SM",),
    "pathology": ("SM",), "histology": ("SM",), "histopathology": ("SM",), "wholeslideimage": ("SM",),
    "segmentation": ("SEG",), "segmentations": ("SEG",), "mask": ("SEG",), "masks": ("SEG",), "labelmap": ("SEG",),
    "structuredreport": ("SR",), "report": ("SR",), "reports": ("SR",), "measurements": ("SR",),
    "rtss": ("RTSTRUCT",), "rs": ("RTSTRUCT",), "structureset": ("RTSTRUCT",), "contours": ("RTSTRUCT",),
    "contour": ("RTSTRUCT",), "rt": ("RTSTRUCT", "RTDOSE", "RTPLAN"), "dose": ("RTDOSE",), "plan": ("RTPLAN",),
    "annotation": ("ANN",), "annotations": ("ANN",), "presentationstate": ("PR",), "registration": ("REG",),
    "nuclearmedicine": ("NM",), "spect": ("NM",), "angiography": ("XA",), "fluoroscopy": ("RF",), "stl": ("M3D",),
    "other": ("OT",), "keyobject": ("KO",), "photo": ("XC",), "photography": ("XC",),
}  # fmt: skip
_SEXES: Mapping[str, tuple[str, ...]] = {
    "female": ("F",), "woman": ("F",), "women": ("F",), "females": ("F",), "w": ("F",), "girl": ("F",),
    "male": ("M",), "man": ("M",), "men": ("M",), "males": ("M",), "boy": ("M",),
    "other": ("O",), "diverse": ("O",), "unknown": ("U", "O"),
}  # fmt: skip
_PARTS: Mapping[str, tuple[str, ...]] = {
    "thorax": ("CHEST",), "lungs": ("LUNG", "CHEST"), "thoracic": ("CHEST",), "abdominal": ("ABDOMEN",),
    "belly": ("ABDOMEN",), "skull": ("HEAD",), "cranium": ("HEAD",), "cerebrum": ("BRAIN",), "breasts": ("BREAST",),
    "mamma": ("BREAST",), "renal": ("KIDNEY",), "kidneys": ("KIDNEY",), "hepatic": ("LIVER",), "hip": ("PELVIS",),
    "wholebody": ("WHOLEBODY",), "fullbody": ("WHOLEBODY",), "headandneck": ("HEADNECK",),
    "bowel": ("COLON",), "intestine": ("COLON",), "womb": ("UTERUS",),
}  # fmt: skip
_SYNONYMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Modality": _MODALITIES,
    "PatientSex": _SEXES,
    "BodyPartExamined": _PARTS,
}
_AGE = re.compile(r"0*(\d{1,3})(\.\d+)?\s*(y|years?|yrs?|yo|m|months?|w|weeks?|d|days?)?(?:\s*old)?", re.IGNORECASE)


def suggestion(index: Index, column: str, value: str, known: Sequence[str]) -> str:
    """Return what follows "No series has …": " Did you mean …?" or what to write instead, "" where nothing is near.

    Parameters
    ----------
    column, value
        What was asked for; the column may be "table.column".
    known
        The values that the column has, or those among them that look most like it.
    """
    if column.rpartition(".")[2] in IDENTIFIERS or column.rpartition(".")[2].endswith("UID"):
        return ""
    if column == "PatientAge":
        return _of_age(value, known)
    if column in ("StudyDate", "SeriesDate"):
        return _of_date(column, value)
    # In this order: what it is called, the same but for case and signs, one that begins with it, what looks like it.
    meant = [m for m in _SYNONYMS.get(column, {}).get(_folded(value), ()) if _held(index, column, m)]
    if column == "collection_id":
        meant += _collections(index, value)
    same = [k for k in known if _folded(k) == _folded(value)]
    starts = [k for k in known if len(_folded(value)) > 2 and _folded(k).startswith(_folded(value))]
    near = [] if meant or same or len(starts) > 2 else nearest(value, known)
    return did_you_mean(
        list(dict.fromkeys([*meant, *_frequent(index, column, same), *_frequent(index, column, starts), *near]))[:3]
    )


def _folded(text: str) -> str:
    """Return a text without case and without signs: "X-ray" is "xray"."""
    return re.sub(r"[\W_]+", "", text[:200].casefold())


def _held(index: Index, column: str, value: str) -> bool:
    return bool(index.database.rows(f'SELECT 1 FROM {SERIES} WHERE "{column}" = ? LIMIT 1', [value]))


def _frequent(index: Index, column: str, values: Sequence[str]) -> Iterable[str]:
    """Return values of a column of the index with the most frequent first: of SIEMENS and Siemens, SIEMENS."""
    if column not in index.columns or len(values) < 2:
        return values
    rows = index.database.rows(
        f'SELECT "{column}"::VARCHAR AS v, count(*) FROM {SERIES} WHERE v IN (SELECT unnest(?)) GROUP BY v',
        [list(values)],
    )
    number = dict(rows)
    return sorted(dict.fromkeys(values), key=lambda v: -number.get(v, 0))


def _collections(index: Index, value: str) -> list[str]:
    """Return the collections of this name: "TCGA-BRCA" is tcga_brca, and so is a display name."""
    rows = index.database.rows("SELECT collection_id, collection_name FROM collections_index ORDER BY 1")
    return [i for i, name in rows if _folded(value) in (_folded(i), _folded(name or ""))]


def _of_age(value: str, known: Sequence[str]) -> str:
    found = _AGE.fullmatch(value.strip())
    if found is None or ((found[3] or "y")[0].upper() == "Y" and int(found[1]) > 120):
        return ' Ages are written as "065Y" and asked for in years: idc.between("PatientAge", 60, 70).'
    number, unit = int(found[1]), (found[3] or "y")[0].upper()
    if unit == "Y":
        span = f'idc.between("PatientAge", {number}, {number + 1 if found[2] else number})'
    else:
        share = {"M": 12, "W": 52.1775, "D": 365.25}[unit]
        span = f'idc.between("PatientAge", {number / share:.3g}, {(number + 1) / share:.3g})'
    written = f"{number:03d}{unit}"
    if found[2] or written not in known:
        return f" Ages are asked for in years: {span}."
    return f"{did_you_mean([written]).removesuffix('?')}, or {span} (in years)?"


def _of_date(column: str, value: str) -> str:
    digits = re.sub(r"\D", "", value)
    year = re.search(r"(?:18|19|20)\d\d", value)
    if re.fullmatch(r"(18|19|20)\d{6}", digits) and digits == value.strip():
        iso = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
        return f' Dates are written as "{iso}"; idc.between("{column}", "{iso}", "{iso}") asks for that day.'
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        return f' No {column} is that day; idc.between("{column}", …, …) asks for a time.'
    shown = f"{year[0]}, {year[0]}" if year else "2010, 2015"
    return f' Dates are written as "2015-06-01"; idc.between("{column}", {shown}) asks for years.'
