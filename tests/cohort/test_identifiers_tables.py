"""Columns and marks that say what is wanted, what a table does not identify, lists in cells, tables of HTML."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read, read_text
from tests.cohort.reading import series
from tests.cohort.test_identifiers_narrow import filled

pytestmark = pytest.mark.usefixtures("quiet")

P = "MSB-00179"


@pytest.fixture(scope="module")
def ids(plain: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Two studies of P, A of two series and more, and two series of A."""
    (a, *_), (b, *_) = plain.execute(
        "SELECT StudyInstanceUID, count(*) n FROM idx WHERE PatientID = ? GROUP BY 1 HAVING n > 1 ORDER BY 2, 1", [P]
    ).fetchall()[:2]
    own = "SELECT SeriesInstanceUID FROM idx WHERE StudyInstanceUID = ? ORDER BY 1"
    (u,), (u2,) = plain.execute(own, [a]).fetchall()[:2]
    return {"P": P, "A": a, "B": b, "U": u, "U2": u2, "V": plain.execute(own, [b]).fetchall()[0][0]}


def _read(source: Any, ids: dict[str, str], catalog: idc.Catalog) -> tuple[set[str], bool]:
    """Return what is named, and whether anything is told."""
    source = filled(source, ids)
    found = (read if isinstance(source, pd.DataFrame) else read_text)(catalog.index, source)
    return series(catalog, found), bool(found.unknown or found.notes)


CHOICES = """is_excluded 0 1|exclude_flag no yes|Exclude (1=yes) 0 1|exclusion_reason  motion|dropped_reason  dup
include_in_study yes no|Include? (Y/N) Y N|is_valid True False|valid 1 0|good yes no|ok 1 0|failed 0 1|notUsed 0 1
status included excluded_(motion)|status ok excluded|decision Include Unsure|qc_status ok bad|comment  do_not_use
comment fine exclude|usable yes maybe|keep 1 -1|keep 1 2|include [x] [ ]|use ✓ ✗|QC pass 1 0|keep yes
reason for exclusion  no_contrast|eligible yes no_-_age|note  excluded_due_to_motion|reviewer decision accept reject"""


@pytest.mark.parametrize("case", [c for line in CHOICES.splitlines() for c in line.split("|")])
def test_a_column_of_choice(case: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    heading, yes, no = case.replace("[ ]", "[_]").rsplit(" ", 2) if not case.endswith("yes") else ("keep", "yes", "")
    text = f"SeriesInstanceUID,{heading}\n$U,{yes}\n$U2,{no.replace('_', ' ')}\n"
    assert _read(text, ids, catalog) == ({ids["U"]}, True)


INNOCENT = {
    "SeriesDescription": ("include neck", "exclude fat"), "status": ("downloaded", "pending"), "pass": ("a", "b"),
    "comment": ("use of contrast", "lung"), "Modality": ("CT", "OT"), "used_slices": ("30", "12"),
    "valid": ("0.9", "0.8"),
    "split": ("train", "val"), "quality": ("3", "4"), "diagnosis": ("rejected kidney", "x"), "fail_count": ("0", "3"),
    "n_excluded": ("0", "2"), "use case": ("seg", "cls"), "has_seg": ("yes", "no"), "label": ("0", "1"),
    "reviewed": ("yes", "no"), "selected_by": ("Anna", "Ben"), "use": ("train", "test"), "contrast_used": ("yes", "no"),
    "inclusion_date": ("2020-01-01", "2021-01-01"), "valid_from": ("2020-01-01", "2021-01-01"),
    "true_label": ("1", "0"),
    "license": ("CC BY", "not for commercial use"), "included_organs": ("liver", "lung"), "passes": ("3", "4"),
    "download_status": ("done", "queued"), "Lesion (x, y)": ("1", "3"), "good_slices": ("30", "0"),
    "note": ("use with care", "keep an eye on artefacts"), "drop_out": ("0.5", "0.1"),
}  # fmt: skip


@pytest.mark.parametrize("heading", INNOCENT)
def test_a_column_of_anything_else(heading: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    first, second = INNOCENT[heading]
    text = f"SeriesInstanceUID,{heading}\n$U,{first}\n$U2,{second}\n"
    assert _read(text, ids, catalog) == ({ids["U"], ids["U2"]}, False)


ONE = [
    "SeriesInstanceUID,decision\n$U,Include\n$U2,Exclude\n$V,Unsure\n",
    "- uid: $U\n  keep: true\n- uid: $U2\n  keep: false", "- keep: true\n  uid: $U\n- keep: false\n  uid: $U2",
    "$U: true\n$U2: false", "$U: included\n$U2: excluded", "uid: $U\nkeep: yes\n\nuid: $U2\nkeep: no",
    "# Included\n$U\n\n# Excluded\n$U2\n\n$V", "Excluded:\n\n$U2\n\nIncluded:\n$U", "# Keep\n$U\n\n## Drop\n$U2",
    "## Excluded\n\n| Series UID | n |\n|--|--|\n| $U2 | 1 |\n\n## Included\n\n| Series UID | n |\n|--|--|\n| $U | 1 |",
    "Cohort\n$U\n\nExcluded, 12 cases\n$U2", "# Excluded (n=2):\n$U2\n# Included\n$U",
    "| use | Series UID |\n|---|---|\n| [x] | $U |\n| [ ] | $U2 |",
    "|  | Series UID |\n|--|--|\n| ✅ | $U |\n| ❌ | $U2 |",
    "✅ $U\n❌ $U2", "$U\nREM $U2", "$U # instead of $U2", "use $U instead of $U2", "$U rather than $U2",
    "$U\nPlease don't download $U2", "$U\nAvoid $U2", "$U\n$U2 is corrupt", "keep_uid\tdrop_uid\n$U\t$U2",
    "exclude:\n  - $U2\nseries:\n  - $U", "PatientID,seg_series_uid,referenced_series_uid\n$P,$U,$U2\n",
]  # fmt: skip


@pytest.mark.parametrize("text", ONE)
def test_one_series(text: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert _read(text, ids, catalog)[0] == {ids["U"]}


def test_a_table_that_is_excluded(ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert _read("Excluded\nSeriesInstanceUID\n$U2", ids, catalog) == (set(), True)
    assert _read("series,exclude\n$U,yes", ids, catalog) == (set(), True)


LINK = '<a href="https://viewer.imaging.datacommons.cancer.gov/v3/viewer/?StudyInstanceUIDs=$A&SeriesInstanceUIDs=%s">view</a>'
TWO: list[Any] = [
    *(f"PatientID,{heading}\n$P,{cell}\n" for heading in ("series", "scans") for cell in (
        "$U;$U2", "$U+$U2", "$U & $U2", "\"['$U', '$U2']\"", '"$U\n$U2"')),
    "PatientID,series\n$P,$U/$U2\n", '"Series Instance\nUID",Modality\n$U,CT\n$U2,CT\n', "Series UID\n$U\n$U2\n",
    "Patient ID (0010,0020),SeriesInstanceUID\n$P,$U\n$P,$U2\n", 'SeriesInstanceUID,n\n="$U",1\n"=""$U2""",2\n',
    "PatientID,ct_series_uid,seg_series_uid\n$P,$U,$U2\n", "image_uid,mask_uid\n$U,$U2\n",
    pd.DataFrame({"PatientID": [P], "CT": ["$U"], "SEG": ["$U2"]}),
    pd.DataFrame({"PatientID": [P], "SeriesInstanceUID_x": ["$U"], "SeriesInstanceUID_y": ["$U2"]}),
    "<table><tr><th>Study</th><th>Series</th></tr><tr><td rowspan=2>$A</td><td>$U<tr><td>$U2</td></tr></table>",
    "<table><tr><th>PatientID<th>SeriesInstanceUID<tr><td>$P<td>$U<tr><td>$P<td>$U2</table>",
    f"<table><tr><th>Series UID</th></tr><tr><td>{LINK % '$U'}</td></tr><tr><td>{LINK % '$U2'}</td></tr></table>",
    "# Series used for training, none excluded\n$U\n$U2", "$U # axial\n$U2 # coronal", "# Final list\n$U\n\n$U2\n",
    "title: mine\nuse_cache: false\nseries:\n  - $U\n  - $U2\n",
]  # fmt: skip


@pytest.mark.parametrize("source", TWO)
def test_two_series(source: Any, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert _read(source, ids, catalog)[0] == {ids["U"], ids["U2"]}


def test_a_patient_above_two_studies(
    ids: dict[str, str], catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    text = "<table><tr><th>PatientID<th>StudyInstanceUID<tr><td rowspan=2>$P<td>$A<tr><td>$B</table>"
    of = "SELECT SeriesInstanceUID FROM idx WHERE StudyInstanceUID IN (?, ?)"
    assert _read(text, ids, catalog)[0] == {r[0] for r in plain.execute(of, [ids["A"], ids["B"]]).fetchall()}


@pytest.mark.parametrize("text", [
    "collection_id,PatientSex\nrider_pilot,F", "collection_id,Manufacturer\nrider_pilot,GE", "StudyUID,Series\n$A,3",
    "collection_id,analysis_result_id\nrider_pilot,", "PatientID,Series\n$P,axial T2", "PatientID,Study,Series\n$P,1,3",
    *(f"PatientID,{h}\n$P,3" for h in ("Series", "SeriesNum", "series_desc", "ProtocolName", "modality_type", "mod",
                                      "Modalities", "scan", "sequence", "visit", "date", "Series Label")),
])  # fmt: skip
def test_what_is_finer_is_told(text: str, ids: dict[str, str], catalog: idc.Catalog) -> None:
    assert _read(text, ids, catalog)[1]


def test_summaries_are_not_told(catalog: idc.Catalog) -> None:
    cohort = catalog.cohort(collection_id="rider_pilot")
    for source in (cohort.collections(), cohort.patients(), cohort.studies()):
        assert read(catalog.index, source).notes == ()
    assert read_text(catalog.index, "collection_id,series\nrider_pilot,774").notes == ()
