"""Random cohorts of real values: ours against plain SQL that is written beside each condition, not by the compiler."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import idc_widgets as idc
from idc_widgets.catalog import bins
from idc_widgets.cohort.conditions import And, Condition, Or
from tests.catalog.test_catalog import decode, plain_cube

Draw = Callable[[st.SearchStrategy[Any]], Any]

few = settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
fewer = settings(few, max_examples=8)

FACETS = (
    "Modality", "BodyPartExamined", "PatientSex", "Manufacturer", "collection_id", "analysis_result_id",
    "license_short_name", "SOPClassUID", "ManufacturerModelName", "PatientID", "StudyInstanceUID",
)  # fmt: skip
TEXTS = ("SeriesDescription", "StudyDescription", "ManufacturerModelName", "PatientID")
SEARCHED = (
    "collection_id", "analysis_result_id", "StudyDescription", "SeriesDescription", "BodyPartExamined", "Modality",
    "sop_class_name", "Manufacturer", "ManufacturerModelName", "license_short_name", "source_DOI",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A condition, and the same in plain SQL over `idx`."""

    condition: Condition
    sql: str


def _quoted(value: Any) -> str:
    return str(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


def _years(text: str) -> float | None:
    found = re.fullmatch(r"(\d{1,3})([YMWD]?)", text.upper())
    years = int(found[1]) / {"M": 12, "W": 52.1775, "D": 365.25}.get(found[2], 1) if found else 999
    return years if years <= 120 else None


class Real:
    """Values that occur, and conditions made of them."""

    def __init__(self, plain: duckdb.DuckDBPyConnection) -> None:
        self.values = {c: self._some(plain, c, 60) for c in FACETS}
        self.texts = {c: [t for t in self._some(plain, c, 200) if t] for c in TEXTS}
        self.ages = {a: _years(a) for (a,) in plain.execute("SELECT DISTINCT PatientAge FROM idx").fetchall() if a}
        self.sizes, self.instances = (
            [r[0] for r in plain.execute(f"SELECT DISTINCT {c} FROM idx USING SAMPLE 100 (reservoir, 1)").fetchall()]
            for c in ("series_size_MB", "instanceCount")
        )
        # The usual values should come up often enough for conditions to meet.
        self.modalities = ["CT", "SEG", "SR", "MR", "PT", "RTSTRUCT", "SM", "ANN"]
        self.asked = st.recursive(
            st.one_of(
                st.composite(lambda draw: self._one_of(draw))(),
                st.composite(lambda draw: self._between(draw))(),
                st.composite(lambda draw: self._contains(draw))(),
                st.composite(lambda draw: self._search(draw))(),
                st.composite(lambda draw: self._with_modalities(draw))(),
            ),
            lambda inner: st.one_of(
                st.builds(lambda a: Asked(~a.condition, f"(NOT {a.sql})"), inner),
                st.builds(lambda a, b: Asked(a.condition & b.condition, f"({a.sql} AND {b.sql})"), inner, inner),
                st.builds(lambda a, b: Asked(a.condition | b.condition, f"({a.sql} OR {b.sql})"), inner, inner),
            ),
            max_leaves=3,
        )
        self.cohorts = st.lists(self.asked, min_size=1, max_size=2)

    @staticmethod
    def _some(plain: duckdb.DuckDBPyConnection, column: str, count: int) -> list[Any]:
        # The most frequent (the missing among them), then some of the rest by chance.
        rows = plain.execute(
            f"SELECT v FROM (SELECT {column} AS v, count(*) AS n FROM idx GROUP BY 1) "
            f"ORDER BY n > 5000 DESC, hash(v) LIMIT {count}"
        ).fetchall()
        return [r[0] for r in rows]

    def _one_of(self, draw: Draw) -> Asked:
        column = draw(st.sampled_from(FACETS))
        values = draw(st.lists(st.sampled_from(self.values[column]), max_size=4, unique=True))
        tests = [f"{column} IS NULL" if v is None else f"{column} IS NOT DISTINCT FROM {_quoted(v)}" for v in values]
        return Asked(idc.col(column).isin(values), f"({' OR '.join(tests) or 'FALSE'})")

    def _between(self, draw: Draw) -> Asked:
        kind = draw(st.sampled_from(["series_size_MB", "instanceCount", "age", "year", "date"]))
        if kind == "age":
            low, high = sorted(draw(st.tuples(st.integers(0, 120), st.integers(0, 120))))
            ages = [a for a, y in self.ages.items() if y is not None and low <= y <= high]
            listed = ", ".join(map(_quoted, ages)) or "NULL"
            return Asked(idc.between("PatientAge", low, high), f"coalesce(PatientAge IN ({listed}), FALSE)")
        if kind == "year":
            low, high = sorted(draw(st.tuples(st.integers(1985, 2024), st.integers(1985, 2024))))
            return Asked(
                idc.between("StudyDate", low, high),
                f"coalesce(StudyDate BETWEEN '{low}-01-01' AND '{high}-12-31', FALSE)",
            )
        if kind == "date":
            low = draw(st.dates()).isoformat()
            return Asked(idc.between("StudyDate", low), f"coalesce(StudyDate >= '{low}', FALSE)")
        drawn = st.sampled_from(self.sizes if kind == "series_size_MB" else self.instances)
        low, high = sorted(draw(st.tuples(drawn, drawn)))
        if draw(st.booleans()):
            return Asked(idc.between(kind, None, high), f"({kind} <= {high!r})")
        return Asked(idc.between(kind, low, high), f"({kind} BETWEEN {low!r} AND {high!r})")

    def _contains(self, draw: Draw) -> Asked:
        column = draw(st.sampled_from(TEXTS))
        whole = draw(st.sampled_from(self.texts[column]))
        start = draw(st.integers(0, len(whole) - 1))
        text = whole[start : start + draw(st.integers(1, 12))]
        text = draw(st.sampled_from([text, text.upper(), text.lower()])) if text.isascii() else text
        sql = f"(position(lower({_quoted(text)}) IN lower(coalesce({column}, ''))) > 0)"
        return Asked(idc.contains(column, text), sql)

    def _search(self, draw: Draw) -> Asked:
        text = " ".join(draw(st.lists(st.sampled_from(self.texts["SeriesDescription"]), min_size=1, max_size=2)))
        words = [w[: draw(st.integers(2, 6))] for w in re.findall("[a-z]{2,}", text.lower())[:2]] or ["axial"]
        each = []
        for w in words:
            tests = [f"coalesce(regexp_matches(lower({c}), '(^|[^a-z0-9]){w}'), FALSE)" for c in SEARCHED]
            tests += [f"starts_with(lower({c}), '{w}')" for c in ("PatientID", "crdc_series_uuid")]
            each.append(f"({' OR '.join(tests)})")
        return Asked(idc.search(" ".join(words)), f"({' AND '.join(each)})")

    def _with_modalities(self, draw: Draw) -> Asked:
        wanted = draw(st.lists(st.sampled_from(self.modalities), min_size=1, max_size=3, unique=True))
        per, keep = draw(st.sampled_from(["study", "patient"])), draw(st.sampled_from(["named", "all"]))
        key = "StudyInstanceUID" if per == "study" else "(collection_id, PatientID)"
        holding = " INTERSECT ".join(f"SELECT {key} FROM idx WHERE Modality = {_quoted(m)}" for m in wanted)
        sql = f"{key} IN ({holding})"
        if keep == "named":
            sql += f" AND Modality IN ({', '.join(map(_quoted, wanted))})"
        return Asked(idc.with_modalities(*wanted, per=per, keep=keep), f"({sql})")


@pytest.fixture(scope="module")
def real(plain: duckdb.DuckDBPyConnection) -> Real:
    return Real(plain)


def _asked(data: st.DataObject, real: Real, catalog: idc.Catalog) -> tuple[idc.Cohort, str]:
    asked = data.draw(real.cohorts)
    return catalog.cohort(*(a.condition for a in asked)), " AND ".join(a.sql for a in asked)


@few
@given(data=st.data())
def test_counts_equal_plain_sql(
    data: st.DataObject, real: Real, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    cohort, sql = _asked(data, real, catalog)
    truth = plain.execute(
        "SELECT count(*), count(DISTINCT StudyInstanceUID), count(DISTINCT (collection_id, PatientID)), "
        "count(DISTINCT collection_id), coalesce(sum(instanceCount), 0)::BIGINT, "
        f"coalesce(sum(round(series_size_MB * 1e6)::BIGINT), 0)::BIGINT FROM idx WHERE {sql}"
    ).fetchone()
    assert truth is not None
    assert cohort.counts == idc.Counts(*truth)


@fewer
@given(data=st.data())
def test_facets_equal_plain_sql(
    data: st.DataObject, real: Real, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    cohort, sql = _asked(data, real, catalog)
    column = data.draw(st.sampled_from(FACETS[:9]))
    # As one disjunction, so that no condition counts as the column's own.
    whole = idc.Cohort(catalog, [Or((And(cohort.conditions),))])
    truth = plain.execute(f"SELECT {column}, count(*) FROM idx WHERE {sql} GROUP BY 1").fetchall()
    frame = whole.facets(column)
    assert {(None if v != v else v): n for v, n in zip(frame.value, frame.series, strict=True)} == dict(truth)


@fewer
@given(data=st.data())
def test_exported_sql_selects_the_same_set(
    data: st.DataObject, real: Real, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    cohort, sql = _asked(data, real, catalog)
    same = "SELECT count(*), sum(hash(SeriesInstanceUID)) FROM ({})"
    truth = plain.execute(same.format(f"SELECT SeriesInstanceUID FROM idx WHERE {sql}")).fetchone()
    # From the table in memory: that it runs on the file, test_conditions tries for each kind of condition.
    exported = re.sub(r"^(WITH \"index\" AS \(SELECT \* FROM) read_parquet\('[^']+'\)", r"\1 idx", cohort.to_sql())
    assert "read_parquet" not in exported
    assert plain.execute(same.format(exported)).fetchone() == truth


@few
@given(data=st.data())
def test_text_forms_round_trip(data: st.DataObject, real: Real, catalog: idc.Catalog) -> None:
    cohort, _ = _asked(data, real, catalog)
    written = eval(repr(cohort), {"idc": idc, "catalog": catalog})
    loaded = idc.Cohort.from_json(cohort.to_json(), catalog)
    assert written == cohort == loaded
    assert hash(written) == hash(cohort) == hash(loaded)
    assert loaded.unknown == ()


_EDGES: dict[str, st.SearchStrategy[bins.Edge]] = {
    "series_size_MB": st.tuples(st.floats(0, 2000) | st.sampled_from([0.5, 20, 500]), st.sampled_from([0, 1])),
    "PatientAge": st.tuples(st.integers(0, 121) | st.floats(0, 121), st.sampled_from([0, 1])),
    "StudyDate": st.tuples(st.dates().map(str) | st.integers(1985, 2030).map(str), st.just(0)),
    "instanceCount": st.tuples(st.integers(1, 1000), st.just(0)),
}


@fewer
@given(data=st.data())
def test_the_cube_equals_plain_sql(
    data: st.DataObject, real: Real, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    cohort, sql = _asked(data, real, catalog)
    edges = {c: data.draw(st.lists(e, max_size=3)) for c, e in _EDGES.items() if data.draw(st.booleans())}
    where, parameters = cohort.compiled()
    packed = catalog.index.cube(where, parameters, [c.to_json() for c in cohort.conditions], edges)
    used = {b["name"]: [tuple(e) for e in b["extra"]] for b in packed["bins"]}
    for column, given_edges in edges.items():
        assert {e for e in given_edges if (e[0] not in bins.BY_COLUMN[column].edges or e[1])} == set(used[column])
    assert set(decode(packed)) == plain_cube(plain, sql, used)


@fewer
@given(data=st.data())
def test_pages_in_any_order(
    data: st.DataObject, real: Real, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    cohort, sql = _asked(data, real, catalog)
    columns = st.sampled_from(["SeriesDescription", "PatientAge", "StudyDate", "instanceCount", "Modality"])
    order = data.draw(st.lists(st.tuples(columns, st.booleans()), max_size=2, unique_by=lambda t: t[0]))
    offset = data.draw(st.integers(0, max(cohort.counts.series, 1)))
    frame = cohort.series(
        columns=["SeriesInstanceUID"], order_by=[("-" if d else "") + c for c, d in order], limit=20, offset=offset
    )
    terms = [f"{c} {'DESC' if d else 'ASC'} NULLS LAST" for c, d in order]
    truth = plain.execute(
        f"SELECT SeriesInstanceUID FROM idx WHERE {sql} ORDER BY {', '.join([*terms, 'rowid'])} "
        f"LIMIT 20 OFFSET {offset}"
    ).fetchall()
    assert [(u,) for u in frame.SeriesInstanceUID] == truth


@few
@given(text=st.text(min_size=1, max_size=30).filter(lambda t: not re.search("[\ud800-\udfff]", t)))
def test_any_text_is_only_text(text: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(idc.contains("SeriesDescription", text))
    truth = plain.execute("SELECT count(*) FROM idx WHERE contains(lower(SeriesDescription), ?)", [text.lower()])
    assert truth.fetchone() == (cohort.counts.series,)
    assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort


# -- much at once


def test_ten_thousand_identifiers_at_once(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    uids = [
        r[0] for r in plain.execute("SELECT SeriesInstanceUID FROM idx WHERE rowid % 100 = 0 LIMIT 10000").fetchall()
    ]
    started = time.monotonic()
    cohort = catalog.cohort(SeriesInstanceUID=uids)
    assert cohort.counts.series == len(uids) == 10_000
    pasted = idc.Cohort.from_manifest("\n".join(uids), catalog)
    assert pasted == cohort
    assert time.monotonic() - started < 2 * 4  # 2 s, on a busy machine
    assert len(repr(cohort.describe())) < 2000
    assert duckdb.sql(f"SELECT count(*) FROM ({cohort.to_sql()})").fetchall() == [(10_000,)]
    assert idc.Cohort.from_json(cohort.to_json(), catalog) == cohort


def test_a_megabyte_of_text(catalog: idc.Catalog) -> None:
    text = "a' OR 1=1; --" * 80_000
    started = time.monotonic()
    cohort = catalog.cohort(idc.contains("SeriesDescription", text))
    assert cohort.counts.series == 0
    assert duckdb.sql(f"SELECT count(*) FROM ({cohort.to_sql()})").fetchall() == [(0,)]
    assert idc.Cohort.from_json(cohort.to_json(), catalog) == cohort
    assert len(repr(cohort.describe())) < 1000
    for asked in (lambda: catalog.cohort(PatientID=text), lambda: idc.search(text)):
        with pytest.raises(ValueError, match=r"^No series has |^search\(.* are too many") as error:
            asked()
        assert len(str(error.value)) < 400
    assert time.monotonic() - started < 45


def test_a_search_of_many_words(catalog: idc.Catalog) -> None:
    few = catalog.cohort(idc.search("t2 axial"))
    assert catalog.cohort(idc.search("t2 axial " * 111)).counts == few.counts
    with pytest.raises(ValueError, match=r"200 words in \d+ characters are too many, 32 words"):
        idc.search(" ".join(f"w{i}" for i in range(200)))
