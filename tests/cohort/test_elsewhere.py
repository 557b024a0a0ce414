"""Columns of other tables: where a name is looked for, and what is said where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import idc_widgets as idc
from tests.mirror import Mirror

THICKNESS = r'ct_index, mr_index and pt_index have it: idc\.col\("ct_index\.SliceThickness"\)'


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.cohort(SliceThickness=1),
        lambda c: c.cohort(slicethickness=1),
        lambda c: c.cohort().exclude(SliceThickness=1),
        lambda c: c.cohort(idc.between("SliceThickness", 1, 2)),
        lambda c: c.cohort(idc.contains("SliceThickness", "1")),
        lambda c: c.cohort(idc.col("SliceThickness") < 2),
        lambda c: c.cohort(~idc.col("SliceThickness").isna()),
        lambda c: c.cohort(idc.sql("SliceThickness < 2")),
        lambda c: c.cohort().facets("SliceThickness"),
        lambda c: c.cohort().value_counts("SliceThickness"),
        lambda c: c.cohort().series(columns=["SliceThickness"]),
        lambda c: c.cohort().series(order_by="-SliceThickness", limit=1),
        lambda c: c.columns("SliceThickness"),
        lambda c: c.fetch("SliceThickness"),
    ],
)
def test_the_tables_that_have_a_column_are_named_without_fetching(
    ask: Callable[[idc.Catalog], object], offline: idc.Catalog
) -> None:
    with pytest.raises(ValueError, match=THICKNESS):
        ask(offline)


def test_near_names_of_other_tables(catalog: idc.Catalog) -> None:
    with pytest.raises(idc.UnknownNameError, match=r'mr_index has it: idc\.col\("mr_index\.EchoTime"\)'):
        catalog.cohort(EchoTime=1)
    with pytest.raises(idc.UnknownNameError, match=r'Did you mean "mr_index\.EchoTime"'):
        catalog.cohort(EchoTmie=1)
    with pytest.raises(idc.UnknownNameError, match=r'Did you mean "Modality"'):
        catalog.cohort(Modlity="CT")


def test_names_in_an_expression_are_those_of_its_parse(offline: idc.Catalog) -> None:
    found = offline.cohort(idc.sql("SeriesDescription = 'seg_index'"))
    assert found.counts.series == 0
    assert "seg_index" not in found.to_sql().split("WHERE")[0]
    assert not offline.index.available("seg_index")
    with pytest.raises(ValueError, match=r"write idc\.col\(\"seg_index\.…\"\) == …, or SeriesInstanceUID IN \(SELECT"):
        offline.cohort(idc.sql("seg_index.total_segments > 2"))


def test_facets_of_another_table(online: idc.Catalog) -> None:
    cohort = online.cohort(Modality=["CT", "MR"], PatientSex="F")
    for column, table, value in (
        ("ct_index.KVP", "ct_index", "KVP"),
        ("ct_index.ConvolutionKernel", "ct_index", "unnest(ConvolutionKernel)"),
    ):
        found = cohort.facets(column)
        right = online.index.database.rows(
            f"SELECT v, count(DISTINCT i.SeriesInstanceUID) FROM series i LEFT JOIN "
            f"(SELECT SeriesInstanceUID, {value} AS v FROM {table}) t ON t.SeriesInstanceUID = i.SeriesInstanceUID "
            "WHERE i.Modality IN ('CT', 'MR') AND PatientSex = 'F' GROUP BY v"
        )
        shown = {(None if v != v or v is None else v): n for v, n in zip(found["value"], found["series"], strict=True)}
        assert shown == dict(right), column
        assert dict(cohort.value_counts(column)) == dict(right)
    # What choosing another value would give: its own condition is left out, as for columns of the index.
    chosen = cohort.where(**{"ct_index.KVP": 120})
    assert chosen.facets("ct_index.KVP").equals(cohort.facets("ct_index.KVP"))
    with pytest.raises(idc.UnknownNameError, match='no column "Nope" in the table "ct_index"'):
        cohort.facets("ct_index.Nope")


def test_columns_of_other_tables_beside_the_series(online: idc.Catalog) -> None:
    ((collection,),) = online.index.database.rows(
        "SELECT collection_id FROM series WHERE Modality = 'ANN' GROUP BY 1 ORDER BY count(*) LIMIT 1 OFFSET 5"
    )
    cohort = online.cohort(Modality="ANN", collection_id=collection)
    frame = cohort.series(
        columns=["SeriesInstanceUID", "ann_group_index.GraphicType", "ann_index.AnnotationCoordinateType"],
        order_by=["-ann_index.AnnotationCoordinateType", "SeriesInstanceUID"],
    )
    assert len(frame) == cohort.counts.series > 10
    rows = online.index.database.rows(
        "SELECT SeriesInstanceUID, any_value(a.AnnotationCoordinateType), list(DISTINCT g.GraphicType ORDER BY 1) "
        "FROM ann_index a JOIN ann_group_index g USING (SeriesInstanceUID) GROUP BY 1"
    )
    right = {uid: (kind, sorted(set(graphics))) for uid, kind, graphics in rows}
    for uid, graphics, kind in frame.itertuples(index=False):
        assert (kind, sorted(graphics)) == right[uid]
    keys = [(k, u) for u, _, k in frame.itertuples(index=False)]
    assert keys == sorted(sorted(keys, key=lambda k: k[1]), key=lambda k: k[0], reverse=True)


def test_clinical_tables_by_name_in_a_fresh_session(
    mirror: Mirror, online: idc.Catalog, fresh: Callable[[], idc.Catalog]
) -> None:
    table = "nlst_clinical"
    assert list(online.columns(table)["column"]) == ["age_at_diagnosis", "dicom_patient_id", "gender", "vital_status"]
    assert not online.index.available(table)
    online.fetch(table)
    assert online.index.available(table)

    again = fresh()
    frame = again.sql(f"SELECT * FROM {table.upper()}")
    assert len(frame) > 0
    assert len(again.columns(table)) == frame.shape[1]
    listed = again.tables().set_index("table").loc[table]
    assert (listed["rows"], listed["description"]) == (len(frame), "Clinical: nlst")
    assert (
        again.cohort(collection_id="nlst").facets(f"{table}.gender")["series"].sum()
        == again.cohort(collection_id="nlst").counts.series
    )


def test_clinical_tables_offline(offline: idc.Catalog) -> None:
    for ask in (
        lambda: offline.sql("SELECT * FROM nlst_prsn"),
        lambda: offline.columns("nlst_prsn"),
        lambda: offline.fetch("nlst_prsn"),
    ):
        with pytest.raises(idc.UnknownNameError, match=r'no table "nlst_prsn".*clinical table cannot be said.*127'):
            ask()
    # A slip of the finger waits for nothing.
    with pytest.raises(idc.UnknownNameError, match=r'no table "seg_indx"\. Did you mean "seg_index"') as caught:
        offline.sql("SELECT * FROM seg_indx")
    assert "clinical" not in str(caught.value)
