"""`--where`: what it states is what plain SQL counts; what it does not understand is a sentence."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idc_widgets.api import Catalog
from idc_widgets.cli.conditions import conditions
from idc_widgets.cohort.conditions import In, isin

CASES = [
    (["Modality=CT,PT"], "Modality IN ('CT', 'PT')"),
    (["Modality=CT", "Modality=PT"], "Modality IN ('CT', 'PT')"),
    (["Modality==CT"], "Modality = 'CT'"),
    ([" Modality = CT , PT "], "Modality IN ('CT', 'PT')"),
    (["Modality!=CT"], "Modality IS DISTINCT FROM 'CT'"),
    (["Modality!=CT,SR"], "Modality NOT IN ('CT', 'SR')"),
    (["Modality!=CT", "Modality!=SR"], "Modality NOT IN ('CT', 'SR')"),
    (["BodyPartExamined="], "BodyPartExamined IS NULL"),
    (["BodyPartExamined!="], "BodyPartExamined IS NOT NULL"),
    (["BodyPartExamined!=CHEST"], "BodyPartExamined IS DISTINCT FROM 'CHEST'"),
    (["BodyPartExamined=", "BodyPartExamined=CHEST"], "BodyPartExamined IS NULL OR BodyPartExamined = 'CHEST'"),
    (["StudyDate=2010..2015"], "StudyDate::VARCHAR BETWEEN '2010-01-01' AND '2015-12-31'"),
    (["StudyDate=2010"], "StudyDate::VARCHAR BETWEEN '2010-01-01' AND '2010-12-31'"),
    (["StudyDate=2010-06"], "StudyDate::VARCHAR BETWEEN '2010-06-01' AND '2010-06-30'"),
    (["StudyDate=20100615..20100620"], "StudyDate::VARCHAR BETWEEN '2010-06-15' AND '2010-06-20'"),
    (["StudyDate=..2001"], "StudyDate::VARCHAR <= '2001-12-31'"),
    (["StudyDate>=2015"], "StudyDate::VARCHAR >= '2015-01-01'"),
    (["StudyDate>2015"], "StudyDate::VARCHAR > '2015-12-31'"),
    (["StudyDate<2001"], "StudyDate::VARCHAR < '2001-01-01'"),
    (["StudyDate!=2010..2015"], "(StudyDate::VARCHAR BETWEEN '2010-01-01' AND '2015-12-31') IS NOT TRUE"),
    (["series_size_MB>10"], "series_size_MB > 10"),
    (["series_size_MB<=0.5"], "series_size_MB <= 0.5"),
    (["series_size_MB>10", "series_size_MB<=20"], "series_size_MB > 10 AND series_size_MB <= 20"),
    (["series_size_MB=10..20"], "series_size_MB BETWEEN 10 AND 20"),
    (["instanceCount=1,3,10..20"], "instanceCount IN (1, 3) OR instanceCount BETWEEN 10 AND 20"),
    (["PatientAge=40..60"], "age(PatientAge) BETWEEN 40 AND 60"),
    (["PatientAge>=65"], "age(PatientAge) >= 65"),
    (["PatientAge=65"], "age(PatientAge) = 65"),
    (["PatientAge=065Y"], "PatientAge = '065Y'"),
    (["SeriesDescription~t2"], "SeriesDescription ILIKE '%t2%'"),
    (["SeriesDescription!~t2"], "(SeriesDescription ILIKE '%t2%') IS NOT TRUE"),
    (["SeriesDescription~Chest, "], "SeriesDescription ILIKE '%chest,%'"),
    (["SeriesDescription~'chest, '"], "SeriesDescription ILIKE '%chest, %'"),
    (["Modality=CT", "series_size_MB>100", "PatientSex!=M"],
     "Modality = 'CT' AND series_size_MB > 100 AND PatientSex IS DISTINCT FROM 'M'"),
]  # fmt: skip


def _count(plain: duckdb.DuckDBPyConnection, where: str) -> int:
    row = plain.execute(f"SELECT count(*) FROM idx WHERE {where}").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(("texts", "where"), CASES)
def test_it_is_what_sql_counts(
    texts: list[str], where: str, catalog: Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    expected = _count(plain, where)
    assert 0 < expected < _count(plain, "TRUE")
    assert catalog.cohort(*conditions(catalog, texts)).counts.series == expected


def test_values_with_commas_and_dots_are_quoted(catalog: Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    rows = plain.execute(
        "SELECT DISTINCT SeriesDescription FROM idx WHERE contains(SeriesDescription, ',') "
        "OR contains(SeriesDescription, '..') OR contains(SeriesDescription, '\"') ORDER BY 1 LIMIT 50"
    ).fetchall()
    values = [row[0] for row in rows]
    text = ",".join('"' + value.replace('"', '""') + '"' for value in values)
    assert values
    assert conditions(catalog, [f"SeriesDescription={text}"]) == [isin("SeriesDescription", values)]


def test_dots_in_a_text_are_no_range(catalog: Catalog) -> None:
    assert conditions(catalog, ["SeriesDescription=t2...x"]) == [In("SeriesDescription", ("t2...x",))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4, unique=True), quote=st.sampled_from("\"'")
)
def test_quoted_values_come_back_as_they_are(values: list[str], quote: str, catalog: Catalog) -> None:
    text = " , ".join(quote + value.replace(quote, quote * 2) + quote for value in values)
    assert conditions(catalog, [f"SeriesDescription={text}"]) == [In("SeriesDescription", tuple(values))]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Modality", "write COLUMN=VALUE"),
        ("=CT", "write COLUMN=VALUE"),
        ("", "write COLUMN=VALUE"),
        ("Modalty=CT", '"Modality"'),
        ("Modalty>3", '"Modality"'),
        ("Modality=CT,", "is empty"),
        ("Modality=,CT", "is empty"),
        ('Modality="CT', "quotes are not closed"),
        ('Modality="CT"x', "quotes are not closed"),
        ("instanceCount=1,000", "1000 for 1,000"),
        ("instanceCount=ten", "a number"),
        ("series_size_MB>big", "a number"),
        ("series_size_MB>nan", "a number"),
        ("series_size_MB>1,2", "one value"),
        ("series_size_MB>", "one value"),
        ("series_size_MB=..", "a bound"),
        ("series_size_MB=20..10", "above the upper"),
        ("series_size_MB~1", "holds no text"),
        ("PatientAge>040Y", "number of years"),
        ("StudyDate=yesterday", "no date"),
        ("StudyDate=2010-13", "no date"),
        ("cancer_types>Lung", "list of terms"),
        ("SeriesDescription~", "one text"),
        ("Modality=CTT", 'Did you mean "CT"'),
        ("Modality!=CTT", 'Did you mean "CT"'),
        ("Modality=CT,CTT", 'Did you mean "CT"'),
    ],
)  # fmt: skip
def test_what_it_does_not_understand_is_a_sentence(text: str, says: str, catalog: Catalog) -> None:
    with pytest.raises(ValueError) as caught:
        catalog.cohort(*conditions(catalog, [text]))
    assert says in str(caught.value)


def test_terms_with_commas(catalog: Catalog) -> None:
    terms = sorted({t for found in catalog.index.terms["cancer_types"].values() for t in found if "," in t})
    assert terms
    cohort = catalog.cohort(*conditions(catalog, [f'cancer_types="{terms[0]}"']))
    assert cohort == catalog.cohort(cancer_types=terms[0]) and cohort.counts.series
