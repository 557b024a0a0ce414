"""The data's quirks, each in a test: what is missing, odd, doubled or huge in IDC's index stays true in cohorts."""

from __future__ import annotations

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.lib.format import human_bytes


def _count(plain: duckdb.DuckDBPyConnection, where: str) -> int:
    return int(plain.execute(f"SELECT count(*) FROM idx WHERE {where}").fetchall()[0][0])


@pytest.mark.parametrize(
    "column",
    [
        "PatientAge", "PatientSex", "analysis_result_id", "BodyPartExamined", "SeriesDescription", "StudyDescription",
        "Manufacturer", "StudyDate",
    ],
)  # fmt: skip
def test_missing_is_a_value(column: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    missing = catalog.cohort(**{column: None})
    assert missing.counts.series == _count(plain, f"{column} IS NULL") > 0
    assert missing.series(columns=[column], limit=5)[column].isna().all()
    assert catalog.cohort().exclude(**{column: None}).counts.series == _count(plain, f"{column} IS NOT NULL")
    assert missing.facets(column).value.isna().sum() == 1


def test_odd_ages_are_kept_as_values(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    """What is no age in years is in no range of ages, but can be asked for as it is written."""
    for age in ("N-A", "155Y", "90", "042y", "007M"):
        found = catalog.cohort(PatientAge=age)
        assert found.counts.series == _count(plain, f"PatientAge = '{age}'") > 0
        in_a_range = found.where(idc.between("PatientAge", 0)).counts.series
        assert in_a_range == (0 if age in ("N-A", "155Y") else found.counts.series)
        assert found.exclude(idc.between("PatientAge", 0)).counts.series == found.counts.series - in_a_range
    newborn = catalog.cohort(idc.between("PatientAge", 0, 0))
    assert newborn.counts.series >= catalog.cohort(PatientAge="000Y").counts.series > 10_000


def test_sexes_that_are_none(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    frame = catalog.cohort().facets("PatientSex")
    assert {"F", "M", "O", "U", "0000", "6657"} <= set(frame.value.dropna())
    assert catalog.cohort(PatientSex=["0000", "6657"]).counts.series == _count(plain, "PatientSex IN ('0000', '6657')")


@pytest.mark.parametrize(
    ("column", "spellings"),
    [
        ("BodyPartExamined", ("PHANTOM", "Phantom")),
        ("Manufacturer", ("GE MEDICAL SYSTEMS", "GE Medical Systems")),
    ],
)
def test_letter_case_distinguishes(
    column: str, spellings: tuple[str, str], catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    each = [catalog.cohort(**{column: s}).counts.series for s in spellings]
    assert each == [_count(plain, f"{column} = '{s}'") for s in spellings]
    assert all(each)
    assert catalog.cohort(**{column: spellings}).counts.series == sum(each)
    with pytest.raises(idc.UnknownNameError) as error:  # a third spelling is offered both
        catalog.cohort(**{column: spellings[0].swapcase().replace("m", "M")})
    assert all(f'"{s}"' in str(error.value) for s in spellings)


def test_dates_are_as_shifted_as_they_come(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    first, last = plain.execute("SELECT min(StudyDate), max(StudyDate) FROM idx").fetchall()[0]
    said = catalog.cohort().describe()
    assert (said.first_date, said.last_date) == (first, last)
    dated = catalog.cohort(idc.between("StudyDate", first, last))
    assert dated.counts.series == _count(plain, "StudyDate IS NOT NULL")
    assert catalog.cohort(idc.between("StudyDate", None, int(first[:4]))).counts.series > 0
    assert catalog.cohort(idc.between("StudyDate", int(last[:4]) + 1)).counts.series == 0


def test_a_study_of_two_dates_is_one_study(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    study, first, dates = plain.execute(
        "SELECT StudyInstanceUID, min(StudyDate), list(DISTINCT StudyDate ORDER BY StudyDate) FROM idx GROUP BY 1 "
        "HAVING count(DISTINCT StudyDate) > 1 ORDER BY 1 LIMIT 1"
    ).fetchall()[0]
    frame = catalog.cohort(StudyInstanceUID=study).studies()
    assert list(frame.StudyDate) == ["; ".join(dates)]
    # A condition is on series: it keeps those of the other date out.
    kept = catalog.cohort(idc.between("StudyDate", first, first), StudyInstanceUID=study).counts
    assert kept.studies == 1
    assert kept.series == _count(plain, f"StudyInstanceUID = '{study}' AND StudyDate = '{first}'")


@pytest.mark.parametrize("column", ["TransferSyntaxUID", "PhotometricInterpretation"])
def test_lists_by_comma(column: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    several = plain.execute(f"SELECT {column} FROM idx WHERE {column} LIKE '%,%' ORDER BY 1 LIMIT 1").fetchall()[0][0]
    assert catalog.cohort(**{column: several}).counts.series == _count(plain, f"{column} = '{several}'")
    one = several.split(",")[0]
    found = catalog.cohort(idc.contains(column, one)).counts.series
    assert found == _count(plain, f"contains(lower({column}), lower('{one}'))")
    assert found > catalog.cohort(**{column: one}).counts.series


def test_sizes_are_exact_to_the_byte(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    uid, size, files = plain.execute(
        "SELECT SeriesInstanceUID, round(series_size_MB * 1e6)::BIGINT, instanceCount FROM idx "
        "ORDER BY series_size_MB DESC LIMIT 1"
    ).fetchall()[0]
    largest = catalog.cohort(SeriesInstanceUID=uid)
    assert (largest.counts.bytes, largest.counts.instances) == (size, files)
    assert f"{human_bytes(size)} in {files:,} file" in repr(largest.describe())
    assert catalog.cohort(idc.between("series_size_MB", size / 1e6)).counts.series == 1
    assert catalog.cohort(idc.between("instanceCount", 91_980)).counts.series == _count(plain, "instanceCount >= 91980")


def test_odd_characters_of_real_values(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    """PatientIDs with "=" and spaces, descriptions with markup, quotes and control characters."""
    odd = [("PatientID", "="), ("PatientID", " "), *(("SeriesDescription", chr(c)) for c in (0, 1, 34, 38, 39, 60))]
    tried = 0
    for column, character in odd:
        rows = plain.execute(f"SELECT min({column}) FROM idx WHERE contains({column}, ?)", [character]).fetchall()
        value = rows[0][0]
        if value is None:
            continue
        tried += 1
        cohort = catalog.cohort(**{column: value})
        truth = plain.execute(f"SELECT count(*) FROM idx WHERE {column} = ?", [value]).fetchone()
        assert (cohort.counts.series,) == truth
        assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort
        assert idc.Cohort.from_json(cohort.to_json(), catalog) == cohort
        program = cohort.to_code("idc-index").split("sql_query(")[1].rstrip()[:-1]
        assert plain.execute(f'WITH "index" AS (FROM idx) SELECT count(*) FROM ({eval(program)})').fetchone() == truth
        shown = cohort.describe()._repr_html_()
        assert not set(shown) & {"\x00", "\x01"}
        assert shown.count("<t") == shown.count("</t")
    assert tried >= 5


def test_the_bucket_does_not_tell_the_licence(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    terms = [v for v in catalog.cohort().facets("license_short_name").value if "-NC" in v]
    strict = catalog.cohort(license_short_name=terms)
    elsewhere = strict.where(aws_bucket="idc-open-data").counts.series
    assert elsewhere == _count(plain, "license_short_name LIKE '%-NC%' AND aws_bucket = 'idc-open-data'") > 0
    assert catalog.cohort(aws_bucket="idc-open-data").describe().noncommercial > 0
    assert strict.describe().noncommercial == strict.counts.bytes


def test_collections_mix_licences(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    mixed = plain.execute(
        "SELECT collection_id FROM idx GROUP BY 1 HAVING count(DISTINCT license_short_name) > 1 ORDER BY 1"
    ).fetchall()
    assert mixed
    assert len(catalog.cohort(collection_id=mixed[0][0]).describe().licences) > 1


def test_values_that_differ_in_letter_case_alone_stand_together(catalog: idc.Catalog) -> None:
    values = list(catalog.cohort().facets("BodyPartExamined").value)
    folded = [str(v).casefold() for v in values]
    twins = {f for f in folded if folded.count(f) > 1}
    assert twins
    for each in twins:
        places = [i for i, f in enumerate(folded) if f == each]
        assert places == list(range(places[0], places[0] + len(places)))
    assert (
        list(catalog.cohort().facets("SeriesDescription", limit=100).series.head(2))
        == sorted(catalog.cohort().facets("SeriesDescription").series, reverse=True)[:2]
    )
    with pytest.raises(ValueError, match="limit='x'"):
        catalog.cohort().facets("Modality", limit="x")  # type: ignore[arg-type]
