"""What the filter panel asks of the kernel, beside plain SQL on the published parquet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

import idc_widgets as idc
from idc_widgets.catalog import fetch
from idc_widgets.catalog.markup import plain
from idc_widgets.catalog.terms import PROGRAM
from idc_widgets.cohort.identifiers import MOST, read_text
from idc_widgets.widgets import about, describe, facets, ticks
from idc_widgets.widgets.cubes import outside_of
from tests.mirror import Mirror

MR = {"op": "in", "column": "Modality", "values": ["MR"]}

Ask = Callable[..., Any]


def asking(catalog: idc.Catalog, notes: list[Mapping[str, Any]] | None = None) -> Ask:
    handlers = facets.handlers(catalog, (notes if notes is not None else []).append)
    return lambda op, **message: handlers[op](message)


@pytest.fixture
def ask(catalog: idc.Catalog) -> Ask:
    return asking(catalog)


def test_values_of_any_column_are_counted(ask: Ask, plain: duckdb.DuckDBPyConnection) -> None:
    found = ask("facet", column="ManufacturerModelName", where=[MR])
    truth = plain.execute(
        "SELECT ManufacturerModelName, count(*) FILTER (WHERE Modality = 'MR') AS n, count(*) AS total FROM idx "
        "WHERE ManufacturerModelName IS NOT NULL GROUP BY 1 ORDER BY n DESC, total DESC, 1 LIMIT 100"
    ).fetchall()
    missing = plain.execute(
        "SELECT NULL, count(*) FILTER (WHERE Modality = 'MR'), count(*) FROM idx WHERE ManufacturerModelName IS NULL"
    ).fetchall()
    got = list(zip(found["values"], found["counts"], found["totals"], strict=True))
    assert got == [*truth, *missing]
    distinct, matching = plain.execute(
        "SELECT count(DISTINCT ManufacturerModelName), "
        "count(DISTINCT ManufacturerModelName) FILTER (WHERE Modality = 'MR') FROM idx"
    ).fetchall()[0]
    assert (found["distinct"], found["matching"]) == (distinct, matching)


def test_a_facet_ignores_its_own_condition_and_searches(ask: Ask, plain: duckdb.DuckDBPyConnection) -> None:
    own = {"op": "not", "arg": {"op": "in", "column": "SeriesDescription", "values": ["LOCALIZER"]}}
    bound = {"op": "contains", "column": "SeriesDescription", "text": "nothing has this"}
    narrow = ask("facet", column="SeriesDescription", where=[MR, own, bound], text="T2 Ax")
    assert narrow == ask("facet", column="SeriesDescription", where=[MR], text="t2 ax")
    truth = plain.execute(
        "SELECT count(DISTINCT SeriesDescription) FROM idx WHERE contains(lower(SeriesDescription), 't2 ax')"
    ).fetchall()[0][0]
    assert narrow["distinct"] == truth
    assert all("t2 ax" in v.lower() for v in narrow["values"])
    # What is ticked is shown, however rare.
    rare = plain.execute("SELECT SeriesDescription FROM idx GROUP BY 1 ORDER BY count(*), 1 LIMIT 1").fetchall()[0][0]
    assert rare in ask("facet", column="SeriesDescription", where=[], marked=[rare])["values"]


def test_numbers_stay_numbers(ask: Ask, plain: duckdb.DuckDBPyConnection) -> None:
    found = ask("facet", column="instanceCount", where=[])
    assert found["kind"] == "number"
    assert found["values"][: -1 if None in found["values"] else None] == [
        r[0]
        for r in plain.execute(
            "SELECT instanceCount FROM idx GROUP BY 1 ORDER BY count(*) DESC, instanceCount LIMIT 100"
        ).fetchall()
    ]


def test_other_tables_of_the_index_count_too(ask: Ask, plain: duckdb.DuckDBPyConnection) -> None:
    found = ask("facet", column=PROGRAM, where=[MR])
    truth = plain.execute(
        "SELECT program_id, count(*) FILTER (WHERE Modality = 'MR'), count(*) FROM idx "
        "JOIN collections USING (collection_id) GROUP BY 1"
    ).fetchall()
    assert sorted(zip(found["values"], found["counts"], found["totals"], strict=True)) == sorted(truth)


def test_programmes_are_in_the_cube(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    axis = next(d for d in catalog.index.cube()["derived"] if d["name"] == PROGRAM)
    condition = {"op": "in", "column": PROGRAM, "values": ["tcga"]}
    assert outside_of([condition]) == []
    counted = dict(zip(axis["values"], axis["total"], strict=True))["tcga"]
    assert counted == ticks.from_json_list(catalog, [condition]).counts.series
    assert (counted,) == plain.execute(
        "SELECT count(*) FROM idx JOIN collections USING (collection_id) WHERE program_id = 'tcga'"
    ).fetchone()


def test_columns_come_with_idcs_descriptions(elsewhere: idc.Catalog) -> None:
    found = facets.columns(elsewhere, {})
    by_name = {c["name"]: c for c in found["columns"]}
    published = elsewhere.index.columns["ManufacturerModelName"].description
    assert by_name["ManufacturerModelName"]["description"] == published
    assert "SliceThickness" in by_name["ct_index.SliceThickness"]["name"]
    assert by_name["ct_index.SliceThickness"]["table"] == "ct_index"
    assert found["lacking"]["ct_index"]["host"] == "github.com"
    assert not any(n.startswith("version_metadata_index") for n in by_name)  # nothing in it says which series


@pytest.fixture
def elsewhere(tmp_path: Path, catalog: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> idc.Catalog:
    """A catalogue that has fetched nothing yet."""
    monkeypatch.setenv("IDC_WIDGETS_CACHE_DIR", str(tmp_path))
    (tmp_path / catalog.index.database.cache_path.name).symlink_to(catalog.index.database.cache_path)
    return idc.Catalog(cache_dir=tmp_path)


def heard(notes: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    end = time.monotonic() + 60
    while not any("here" in n for n in notes):
        assert time.monotonic() < end
        time.sleep(0.02)
    return next(n for n in notes if "here" in n)


def test_a_table_is_fetched_when_asked_for(elsewhere: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[Mapping[str, Any]] = []
    ask = asking(elsewhere, notes)
    with Mirror() as mirror:
        monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", f"{mirror.endpoint}/releases/download")
        lacking = ask("facet", column="ct_index.SliceThickness", where=[])["lacking"]
        assert lacking["table"] == "ct_index"
        assert lacking["host"] in mirror.endpoint
        assert not notes  # asking for the facet fetches nothing
        ask("fetch", table="ct_index")
        assert heard(notes)["here"]
        found = ask(
            "facet", column="ct_index.SliceThickness", where=[{"op": "in", "column": "Modality", "values": ["CT"]}]
        )
    assert found["kind"] == "number"
    thickness = found["values"][0]
    own = {"op": "in", "column": "ct_index.SliceThickness", "values": [thickness]}
    assert ticks.from_json_list(elsewhere, [own]).counts.series == found["totals"][0]
    none = {"op": "in", "column": "ct_index.SliceThickness", "values": [None]}
    assert ticks.from_json_list(elsewhere, [none]).counts.series == found["totals"][found["values"].index(None)]


def test_lists_within_a_column_count_each_value(elsewhere: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    with Mirror() as mirror:
        monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", f"{mirror.endpoint}/releases/download")
        elsewhere.fetch("ct_index")
        found = asking(elsewhere)("facet", column="ct_index.ImageType", where=[])
        for value, n in list(zip(found["values"], found["counts"], strict=True))[:4]:
            own = {"op": "in", "column": "ct_index.ImageType", "values": [value]}
            assert ticks.from_json_list(elsewhere, [own]).counts.series == n


def test_a_table_that_cannot_be_had_is_told(elsewhere: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(fetch, "_WAIT", 0)
    notes: list[Mapping[str, Any]] = []
    asking(elsewhere, notes)("fetch", table="mr_index")
    note = heard(notes)
    assert not note["here"]
    assert "mr_index" in note["error"]
    assert "127.0.0.1:9" in note["error"]


def test_lists_of_any_identifier(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    series, study, patient, uuid, doi = plain.execute(
        "SELECT SeriesInstanceUID, StudyInstanceUID, PatientID, crdc_series_uuid, source_DOI FROM idx "
        "WHERE collection_id = 'cmb_lca' LIMIT 1"
    ).fetchall()[0]
    spaced = plain.execute("SELECT PatientID FROM idx WHERE contains(PatientID, ' ') LIMIT 1").fetchall()[0][0]
    text = f'{series}\n"{study}"\n {patient};\n{uuid.upper()}\nhttps://doi.org/{doi.upper()}\n{spaced}\nTCGA-LUAD\nrubbish\n1.2.3\n'
    found = read_text(catalog.index, text)
    # A study, patient and DOI beside parts of themselves are these parts' headings: they add nothing.
    assert found.counts == {"SeriesInstanceUID": 1, "crdc_series_uuid": 1, "PatientID": 1, "collection_id": 1}
    assert found.unknown == ("rubbish", "1.2.3")
    assert found.condition is not None
    n = plain.execute(
        "SELECT count(*) FROM idx WHERE SeriesInstanceUID = $1 OR PatientID = $2 OR crdc_series_uuid = $3 "
        "OR collection_id = 'tcga_luad'",
        [series, spaced, uuid],
    ).fetchall()[0][0]
    assert idc.Cohort(catalog, [found.condition]).counts.series == n


def test_thousands_of_identifiers_between_spaces(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    uids = [r[0] for r in plain.execute("SELECT SeriesInstanceUID FROM idx LIMIT 4000").fetchall()]
    found = read_text(catalog.index, " ".join([*uids, "1.2.3", "x"]))
    assert found.counts == {"SeriesInstanceUID": 4000}
    assert found.unknown == ("1.2.3",)  # a word among UIDs is no identifier
    lines = "\n".join(f"cp s3://idc-open-data/{u}/* ." for (u,) in plain.execute(
        "SELECT crdc_series_uuid FROM idx LIMIT 10").fetchall())  # fmt: skip
    assert read_text(catalog.index, f"# a manifest\n{lines}").counts == {"crdc_series_uuid": 10}


def test_lists_that_name_nothing(catalog: idc.Catalog) -> None:
    assert read_text(catalog.index, "rubbish, more rubbish").condition is None
    with pytest.raises(ValueError, match="empty"):
        read_text(catalog.index, " \n, ;\n")
    with pytest.raises(ValueError, match=r"50,001.*from_manifest"):
        read_text(catalog.index, "\n".join(str(i) for i in range(MOST + 1)), MOST)


def test_the_cohort_keeps_what_a_pasted_list_named_in_vain(catalog: idc.Catalog) -> None:
    explorer = idc.Explorer(catalog=catalog)
    found = explorer.answers["identify"]({"text": "nlst\nrubbish"})
    explorer.set_state({"_where": [MR, found["condition"]]})
    assert explorer.cohort == catalog.cohort(Modality="MR", collection_id="nlst")
    assert explorer.cohort.unknown == ("rubbish",)
    explorer.set_state({"_where": [MR]})
    assert explorer.cohort.unknown == ()
    explorer.close()


def test_collections_are_described(ask: Ask) -> None:
    nlst = ask("about", column="collection_id", value="nlst")
    assert nlst["title"] == "National Lung Screening Trial"
    assert ("Includes tumour locations", "Chest") in nlst["facts"]
    assert all(url.startswith("https://doi.org/10.") for _, url in nlst["links"])
    assert "Collections analysed" in dict(
        ask("about", column="analysis_result_id", value="bamf_aimi_annotations")["facts"]
    )
    with pytest.raises(ValueError, match="no description"):
        ask("about", column="collection_id", value="nowhere")
    # Of a value without a description that is said as plainly, and is no error.
    said = ask("about", column="Modality", value="PR")
    assert said["title"] == "Presentation State" and "of this value it has none" in said["text"]


def test_every_collection_has_a_name(catalog: idc.Catalog) -> None:
    names = about.names(catalog)
    assert set(names["collection_id"]) >= set(catalog.index.vocabulary.values["collection_id"])
    assert not any("<" in n or "\n" in n for n in names["collection_id"].values())


def test_every_code_in_the_index_has_a_name(catalog: idc.Catalog) -> None:
    names = about.names(catalog)
    assert set(names["Modality"]) >= set(catalog.index.vocabulary.values["Modality"])
    assert {"F", "M", "O"} <= set(names["PatientSex"])
    programs = {v for (v,) in catalog.index.database.rows("SELECT DISTINCT program_id FROM collections_index")}
    # An acronym that speaks for itself needs none.
    assert programs - set(names[PROGRAM]) <= {"covid_19", "cddp_eagle"}


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One <b>bold</b> &amp; two</p><p>Three.</p>", "One bold & two Three."),
        ("p < 0.05 and n<10<script>alert(1)</script>", "p < 0.05 and n<10"),
        ("<img src=x onerror=alert(1)>Seen", "Seen"),
        ("A line\nthat goes on.\nAnother.", "A line that goes on.\nAnother."),
        (None, ""),
    ],
)
def test_markup_becomes_text(markup: str | None, text: str) -> None:
    assert plain(markup) == text


def test_code_in_every_flavour(ask: Ask) -> None:
    said = {f: ask("code", where=[MR], flavour=f)["text"] for f in ("idc_widgets", "idc-index", "duckdb", "bigquery")}
    assert "catalog.cohort(Modality='MR')" in said["idc_widgets"]
    assert "IDCClient" in said["idc-index"]
    assert "read_parquet" in said["duckdb"]
    assert "bigquery-public-data" in said["bigquery"]
    with pytest.raises(ValueError, match="flavour"):
        ask("code", where=[MR], flavour="cobol")


def test_groups_are_those_that_users_expect(catalog: idc.Catalog) -> None:
    found = describe.catalog_state(catalog, catalog.cohort().counts)["facets"]
    groups = list(dict.fromkeys(f["group"] for f in found))
    assert groups[:4] == ["What", "Who", "Where from", "When and how"]
    assert all(f["description"] for f in found)
    assert next(f for f in found if f["name"] == "ManufacturerModelName")["kind"] == "kernel"
