"""Pages of studies, patients and collections against plain SQL on the published parquet."""

from __future__ import annotations

from typing import Any, get_args

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.catalog.levels import Level

KEYS = {
    "collection": "collection_id",
    "patient": "collection_id, PatientID",
    "study": "StudyInstanceUID",
}
CONDITIONS: list[tuple[str, dict[str, Any]]] = [
    ("TRUE", {}),
    ("Modality IN ('CT', 'MR')", {"Modality": ["CT", "MR"]}),
    ("PatientSex IS NULL AND Modality = 'SEG'", {"PatientSex": None, "Modality": "SEG"}),
    ("collection_id = 'rider_pilot'", {"collection_id": "rider_pilot"}),
    ("FALSE", {"Modality": []}),
]
# Column → how it is sorted by, ascending and descending.
SORTS = {
    "series_bytes": ("sum(round(series_size_MB * 1e6)::BIGINT)",) * 2,
    "series": ("count(*)",) * 2,
    "studies": ("count(DISTINCT StudyInstanceUID)",) * 2,
    "patients": ("count(DISTINCT (collection_id, PatientID))",) * 2,
    "StudyDate": ("min(StudyDate)", "max(StudyDate)"),
    "Manufacturer": ("min(Manufacturer)", "max(Manufacturer)"),
    "SeriesDescription": ("min(SeriesDescription)", "max(SeriesDescription)"),
    "cancer_types": (
        "min((SELECT cancer_types FROM collections c WHERE c.collection_id = idx.collection_id))",
        "max((SELECT cancer_types FROM collections c WHERE c.collection_id = idx.collection_id))",
    ),
}


@pytest.fixture(params=["cache", "parquet"])
def either(request: pytest.FixtureRequest, catalog: idc.Catalog, bare_catalog: idc.Catalog) -> idc.Catalog:
    return catalog if request.param == "cache" else bare_catalog


@pytest.mark.parametrize("level", get_args(Level))
def test_every_group_is_there_once_with_its_sums(
    either: idc.Catalog, plain: duckdb.DuckDBPyConnection, level: Level
) -> None:
    columns = ["patients", "studies", "series", "instanceCount", "series_bytes", "StudyDate", "Modality"]
    for condition, keywords in CONDITIONS:
        truth = plain.execute(
            f"SELECT min(rowid), count(DISTINCT (collection_id, PatientID)), count(DISTINCT StudyInstanceUID), "
            "count(*), sum(instanceCount)::BIGINT, sum(round(series_size_MB * 1e6)::BIGINT)::BIGINT, "
            "CASE WHEN min(StudyDate) = max(StudyDate) THEN min(StudyDate) "
            "ELSE min(StudyDate) || ' – ' || max(StudyDate) END, "
            "string_agg(DISTINCT Modality, ', ' ORDER BY Modality) "
            f"FROM idx WHERE {condition} GROUP BY {KEYS[level]} ORDER BY 1"
        ).fetchall()
        where, parameters = either.cohort(**keywords).compiled()
        for offset in sorted({0, len(truth) // 2, max(0, len(truth) - 40)}):
            rows, total = either.index.levels.page(level, where, parameters, [], columns, offset, 100)
            assert total == len(truth)
            expected = [list(r) for r in truth[offset : offset + 100]]
            for r in expected:
                if level != "collection":
                    r[1] = None
                if level == "study":
                    r[2] = None
            # Rows name eight modalities at most.
            assert [[*r[:7], r[7] if "more" not in str(r[7]) else ""] for r in rows] == [
                [*r[:7], r[7] if r[7] is None or r[7].count(",") < 8 else ""] for r in expected
            ]


@pytest.mark.parametrize("level", get_args(Level))
@pytest.mark.parametrize("column", SORTS)
def test_groups_are_sorted(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection, level: Level, column: str) -> None:
    where, parameters = catalog.cohort(Modality=["CT", "SEG"]).compiled()
    for descending in (False, True):
        truth = plain.execute(
            f"SELECT min(rowid) FROM idx WHERE Modality IN ('CT', 'SEG') GROUP BY {KEYS[level]} "
            f"ORDER BY {SORTS[column][descending]} {'DESC' if descending else 'ASC'} NULLS LAST, 1"
        ).fetchall()
        sort = [(column, descending)]
        for offset in (0, len(truth) // 2):
            rows, total = catalog.index.levels.page(level, where, parameters, sort, ["collection_id"], offset, 50)
            assert total == len(truth)
            assert [r[0] for r in rows] == [t[0] for t in truth[offset : offset + 50]]
        found = catalog.index.levels.groups(level, where, parameters, sort, 3, 9)
        assert found == [t[0] for t in truth[3:9]]


def test_many_values_are_counted_not_listed(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    where, parameters = catalog.cohort(collection_id="nlst").compiled()
    rows, total = catalog.index.levels.page("collection", where, parameters, [], ["SeriesDescription"], 0, 10)
    values = plain.execute(
        "SELECT DISTINCT SeriesDescription FROM idx WHERE collection_id = 'nlst' AND SeriesDescription IS NOT NULL"
    ).fetchall()
    assert total == 1
    said = rows[0][1]
    assert said.endswith(f" and {len(values) - 8:,} more")
    assert said.startswith(" · ".join(sorted(v[0] for v in values)[:8]))


def test_how_many_of_each_group_satisfy_more(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    where, parameters = catalog.cohort(Modality=["CT", "SEG"]).compiled()
    groups = catalog.index.levels.groups("patient", where, parameters, [("series", True)], 0, 60)
    part, bound = catalog.cohort(Modality="SEG").compiled()
    found = catalog.index.levels.count_in("patient", where, parameters, part, bound, groups)
    truth = plain.execute(
        "SELECT min(rowid), count(*) FILTER (Modality = 'SEG'), count(*) FROM idx WHERE Modality IN ('CT', 'SEG') "
        "GROUP BY collection_id, PatientID"
    ).fetchall()
    by_rep = {rep: (some, all_) for rep, some, all_ in truth}
    assert found == {g: by_rep[g] for g in groups}


def test_a_patient_id_in_two_collections_is_two_patients(
    catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    twice = plain.execute(
        "SELECT PatientID FROM idx GROUP BY 1 HAVING count(DISTINCT collection_id) > 1 ORDER BY 1 LIMIT 1"
    ).fetchall()[0][0]
    where, parameters = catalog.cohort(PatientID=twice).compiled()
    rows, total = catalog.index.levels.page("patient", where, parameters, [], ["collection_id", "PatientID"], 0, 10)
    assert total == len(rows) >= 2
    assert len({r[1] for r in rows}) == total
    assert {r[2] for r in rows} == {twice}
