"""The cohort as people use it: narrowing, combining, frames, errors."""

from __future__ import annotations

import re
import subprocess
import sys

import duckdb
import pytest

import idc_widgets as idc

STUDY = "1.2.840.113654.2.55.68425808326883186792123057288612355322"


def test_known_answers(catalog: idc.Catalog) -> None:
    if catalog.version != 25:
        pytest.skip("figures of IDC v25")
    # 8,259 PatientIDs; 89 of them stand in two collections, and those are two people.
    assert catalog.cohort(Modality="MR").series(columns=["PatientID"]).PatientID.nunique() == 8259
    assert catalog.cohort(Modality="MR").counts.patients == 8348
    liver = catalog.cohort(Modality="MR", BodyPartExamined="LIVER").counts
    assert (liver.series, liver.patients) == (1022, 47)
    study = catalog.cohort(StudyInstanceUID=STUDY)
    assert (study.counts.series, study.counts.instances) == (8, 258)
    assert round(study.counts.bytes / 1e6, 2) == 314.45
    assert set(study.series().Modality) == {"CT", "SEG", "SR"}


def test_is_a_value(catalog: idc.Catalog) -> None:
    a = catalog.cohort(Modality=["CT", "PT"], PatientSex="F")
    assert a == catalog.cohort(PatientSex=["F"]).where(Modality=("PT", "CT"))
    assert a != catalog.cohort(Modality=["CT", "PT"])
    assert a.where(Modality="CT") == catalog.cohort(Modality="CT", PatientSex="F")
    assert a.where(Modality="MR").counts.series == 0
    first = a.facets("collection_id").value[0]
    assert a.exclude(collection_id=first).counts.series < a.counts.series
    assert repr(a) == "catalog.cohort(Modality=['CT', 'PT'], PatientSex='F')"


def test_combines(catalog: idc.Catalog) -> None:
    ct, female = catalog.cohort(Modality="CT"), catalog.cohort(PatientSex="F")
    both = (ct & female).counts.series
    assert (ct | female).counts.series == ct.counts.series + female.counts.series - both
    assert (ct - female).counts.series == ct.counts.series - both


def test_exclude_of_several_means_none_of_them(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    found = catalog.cohort().exclude(Modality="CT", PatientSex="F").counts.series
    truth = plain.execute(
        "SELECT count(*) FROM idx WHERE Modality IS DISTINCT FROM 'CT' AND PatientSex IS DISTINCT FROM 'F'"
    ).fetchone()
    assert (found,) == truth


def test_patients_are_told_apart_by_collection(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    pairs, ids = plain.execute(
        "SELECT count(DISTINCT (collection_id, PatientID)), count(DISTINCT PatientID) FROM idx"
    ).fetchall()[0]
    assert catalog.cohort().counts.patients == pairs > ids


@pytest.mark.parametrize("column", ["Modality", "PatientSex", "BodyPartExamined", "series_init_idc_version"])
def test_facets_ignore_their_own_condition(column: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(Modality="CT", BodyPartExamined="CHEST", PatientSex=["F", None])
    own = {
        "Modality": "BodyPartExamined = 'CHEST' AND (PatientSex = 'F' OR PatientSex IS NULL)",
        "BodyPartExamined": "Modality = 'CT' AND (PatientSex = 'F' OR PatientSex IS NULL)",
        "PatientSex": "Modality = 'CT' AND BodyPartExamined = 'CHEST'",
    }.get(column, "Modality = 'CT' AND BodyPartExamined = 'CHEST' AND (PatientSex = 'F' OR PatientSex IS NULL)")
    truth = plain.execute(
        f"SELECT {column}, count(*), sum(round(series_size_MB * 1e6)::BIGINT)::BIGINT FROM idx WHERE {own} GROUP BY 1"
    ).fetchall()
    frame = cohort.facets(column)
    found = {(None if v != v or v is None else v): (n, b) for v, n, b in frame.itertuples(index=False)}
    assert found == {v: (n, b) for v, n, b in truth}


def test_frames(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(collection_id="rider_pilot")
    counts = cohort.counts
    assert len(cohort.series()) == counts.series
    assert len(cohort.studies()) == counts.studies
    assert len(cohort.patients()) == counts.patients
    assert len(cohort.collections()) == counts.collections
    assert int(cohort.patients().bytes.sum()) == counts.bytes
    page = cohort.series(
        columns=["SeriesInstanceUID"], order_by=["-series_size_MB", "SeriesInstanceUID"], limit=5, offset=3
    )
    truth = plain.execute(
        "SELECT SeriesInstanceUID FROM idx WHERE collection_id = 'rider_pilot' "
        "ORDER BY series_size_MB DESC, SeriesInstanceUID LIMIT 5 OFFSET 3"
    ).fetchall()
    assert [(u,) for u in page.SeriesInstanceUID] == truth


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"Modality": "CTT"}, 'No series has Modality "CTT". Did you mean "CT"'),
        ({"Modalty": "CT"}, 'There is no column "Modalty" in the index. Did you mean "Modality"'),
        ({"collection_id": "rider-pilot"}, '"rider_pilot"'),
        ({"cancer_types": "Lung cancer"}, '"Lung Cancer"'),
        ({"SeriesInstanceUID": "1.2.3"}, 'No series has SeriesInstanceUID "1.2.3"'),
        ({"BodyPartExamined": ["LIVER", "LIVR", "x' OR 1=1 --"]}, "nor 1 more"),
    ],
)
def test_unknown_names_suggest_near_ones(columns: dict[str, object], says: str, catalog: idc.Catalog) -> None:
    with pytest.raises(idc.UnknownNameError) as error:
        catalog.cohort(**columns)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_wrong_types_are_told(catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match='write PatientSex="1"'):
        catalog.cohort(PatientSex=1)
    with pytest.raises(ValueError, match=r'write idc\.between\("PatientAge", 50, 50\)'):
        catalog.cohort(PatientAge=50)
    with pytest.raises(ValueError, match="holds numbers"):
        catalog.cohort(instanceCount="12")
    with pytest.raises(TypeError, match="a value is a text"):
        catalog.cohort(Modality=object())
    with pytest.raises(ValueError, match="above the upper"):
        idc.between("series_size_MB", 5, 1)
    with pytest.raises(ValueError, match="takes numbers"):
        catalog.cohort(idc.between("series_size_MB", "small"))
    with pytest.raises(TypeError, match="neither true nor false"):
        catalog.cohort(idc.search("a") and idc.search("b"))
    with pytest.raises(ValueError, match="not a cohort"):
        idc.Cohort.from_json("{}", catalog)


@pytest.mark.parametrize("text", ["'", '"; DROP TABLE series; --', "100%", "_", "\\", "ü☃", "(", "[a-z", "\x00"])
def test_hostile_text_is_only_text(text: str, catalog: idc.Catalog) -> None:
    for cohort in (
        catalog.cohort(idc.contains("SeriesDescription", text)),
        catalog.cohort(idc.search(text + "zzqx")),
    ):
        assert cohort.counts.series < catalog.cohort().counts.series
        assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort
    assert catalog.sql("SELECT count(*) AS n FROM index").n[0] == catalog.cohort().counts.series


def test_ages_are_years(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    def years(text: str) -> float | None:
        found = re.fullmatch(r"(\d{1,3})([YMWD]?)", text.upper())
        if not found:
            return None
        value = int(found[1]) / {"M": 12, "W": 52.1775, "D": 365.25}.get(found[2], 1)
        return value if value <= 120 else None

    ages = plain.execute("SELECT PatientAge, count(*) FROM idx WHERE PatientAge IS NOT NULL GROUP BY 1").fetchall()
    assert {"066Y", "90", "N-A"} <= {a for a, _ in ages}
    for low, high in ((0, 2), (60, 70), (0.5, 0.75)):
        truth = sum(n for a, n in ages if (y := years(a)) is not None and low <= y <= high)
        assert catalog.cohort(idc.between("PatientAge", low, high)).counts.series == truth > 0
    assert catalog.cohort(idc.between("PatientAge", 121)).counts.series == 0


def test_code_runs_in_a_fresh_interpreter(catalog: idc.Catalog) -> None:
    cohort = catalog.cohort(Modality="MR", BodyPartExamined="LIVER").exclude(PatientSex="F")
    done = subprocess.run(
        [sys.executable, "-c", cohort.to_code() + "print(cohort.counts.series)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == cohort.counts.series
