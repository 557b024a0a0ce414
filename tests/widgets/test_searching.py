"""What the search box is told of a text, beside plain SQL."""

from __future__ import annotations

import duckdb

import idc_widgets as idc
from idc_widgets.widgets.searching import readings

MR = {"op": "in", "column": "Modality", "values": ["MR"]}


def test_readings_are_counted_beside_the_other_filters(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    found = readings(catalog, {"text": "glioblastoma", "where": [MR]})
    assert found["taken"]
    first, as_text = found["readings"]
    assert first["label"].startswith("cancer type Glioblastoma")
    where = "collection_id IN (SELECT collection_id FROM collections WHERE cancer_types LIKE '%Glioblastoma%')"
    expected = plain.execute(f"SELECT count(*) FROM idx WHERE Modality = 'MR' AND {where}").fetchone()
    assert (first["series"],) == expected
    assert as_text == {"label": "", "where": [{"op": "search", "text": "glioblastoma"}], "series": 0}


def test_text_stays_text_and_a_misspelt_name_offers_near_ones(catalog: idc.Catalog) -> None:
    found = readings(catalog, {"text": "axial flair", "where": []})
    assert not found["taken"]
    assert [r["label"] for r in found["readings"]] == [""]
    near = readings(catalog, {"text": "gliobastoma", "where": []})
    assert not near["taken"]
    assert near["readings"][0]["label"].startswith("cancer type Glioblastoma")
    assert near["readings"][0]["series"] > 0
    assert near["readings"][-1]["series"] == 0
    assert readings(catalog, {"text": " ", "where": []}) == {"taken": False, "readings": []}
