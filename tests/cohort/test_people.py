"""Age, sex and body parts where a cohort is summed up, and all that a study's series say."""

from __future__ import annotations

import duckdb

import idc_widgets as idc


def test_patients_and_studies(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(collection_id="rider_pilot")
    for frame, keys in (
        (cohort.patients(), ["PatientID"]),
        (cohort.studies(), ["StudyInstanceUID"]),
        (cohort.collections(), ["collection_id"]),
    ):
        key = keys[0]
        columns = ("PatientAge", "PatientSex", "BodyPartExamined", "StudyDescription", "StudyDate")
        listed = ", ".join(f"list(DISTINCT {c} ORDER BY {c})" for c in columns)
        rows = plain.execute(
            f"SELECT {key}, {listed} FROM idx WHERE collection_id = 'rider_pilot' GROUP BY 1"
        ).fetchall()
        right = {r[0]: ["; ".join(v for v in some if v is not None) for some in r[1:]] for r in rows}
        assert len(frame) == len(right)
        shown = frame.fillna("").set_index(key)
        for each, (ages, sexes, parts, descriptions, dates) in right.items():
            assert shown.loc[each, "body_parts"] == parts.replace("; ", ", ")
            if key != "collection_id":
                assert shown.loc[each, "PatientAge"] == ages.replace("; ", ", ")
                assert shown.loc[each, "PatientSex"] == sexes.replace("; ", ", ")
            if key == "StudyInstanceUID":
                assert (shown.loc[each, "StudyDescription"], shown.loc[each, "StudyDate"]) == (descriptions, dates)


def test_a_study_of_several_dates_and_descriptions(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    (study, dates, descriptions) = plain.execute(
        "SELECT StudyInstanceUID, list(DISTINCT StudyDate ORDER BY StudyDate), "
        "list(DISTINCT StudyDescription ORDER BY StudyDescription) "
        "FROM idx WHERE StudyDescription IS NOT NULL GROUP BY 1 "
        "HAVING count(DISTINCT StudyDate) > 1 AND count(DISTINCT StudyDescription) > 1 ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    (row,) = catalog.cohort(StudyInstanceUID=study).where(~idc.col("StudyDescription").isna()).studies().itertuples()
    assert (row.StudyDate, row.StudyDescription) == ("; ".join(dates), "; ".join(descriptions))


def test_described(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    found = catalog.cohort(collection_id="rider_pilot").describe()
    young, old, without = plain.execute(
        "SELECT min(age(PatientAge)), max(age(PatientAge)), count(*) - count(age(PatientAge)) FROM idx "
        "WHERE collection_id = 'rider_pilot'"
    ).fetchall()[0]
    assert (found.youngest, found.oldest, found.ageless) == (young, old, without)
    assert f"{young:.3g} to {old:.3g} years ({without:,} series without)" in repr(found)
    assert {v: n for v, n, _ in found.sexes} == {"missing": 330, "M": 264, "F": 180}
    assert "Body parts    missing 512 · CHEST 262" in repr(found)
