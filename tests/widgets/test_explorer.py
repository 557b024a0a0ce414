"""The Explorer's Python side: the cohort both ways, and the answers to the browser's requests."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import traitlets

import idc_widgets as idc
from idc_widgets.lib.format import human_bytes
from idc_widgets.widgets import describe, kernel
from tests.widgets.conftest import Browser

CT = {"op": "in", "column": "Modality", "values": ["CT"]}
RIDER = {"op": "in", "column": "collection_id", "values": ["rider_pilot"]}


def test_cohort_goes_both_ways(explorer: idc.Explorer, catalog: idc.Catalog) -> None:
    assert explorer.cohort == catalog.cohort()
    seen: list[idc.Cohort] = []
    explorer.observe(lambda change: seen.append(change["new"]), "cohort")
    explorer.set_state({"_where": [CT, RIDER]})
    wanted = catalog.cohort(Modality="CT", collection_id="rider_pilot")
    assert explorer.cohort == wanted
    assert seen == [wanted]
    explorer.cohort = catalog.cohort(Modality="MR")
    assert explorer._where == [{"op": "in", "column": "Modality", "values": ["MR"]}]


def test_what_it_does_not_take(explorer: idc.Explorer, catalog: idc.Catalog) -> None:
    with pytest.raises(traitlets.TraitError):
        explorer.cohort = "CT"
    with pytest.raises(TypeError, match="takes a Cohort"):
        idc.Explorer({"Modality": "CT"})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        idc.Explorer(cohorts=catalog.cohort())  # type: ignore[call-arg]


def test_a_checkout_without_its_frontend_says_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match="make build"):
        kernel.asset("missing.js")


def test_totals_are_exact(browser: Browser, catalog: idc.Catalog) -> None:
    found = browser.get(op="totals", where=[CT, RIDER])
    counts = catalog.cohort(Modality="CT", collection_id="rider_pilot").counts
    assert found == {
        f: getattr(counts, f) for f in ("series", "studies", "patients", "collections", "instances", "bytes")
    }


def test_ticks_become_a_cohort(browser: Browser, explorer: idc.Explorer, catalog: idc.Catalog) -> None:
    nothing = {"base": None, "minus": [], "plus": []}
    asked = {"where": [RIDER], "sort": [], "level": "series", "from": 2, "to": 5, "on": True}
    ticked = browser.get(op="tick", ticks=nothing, **asked)
    rows = ticked["plus"]
    assert len(rows) == 4
    assert explorer.selection.counts.series == 0
    explorer.set_state({"_ticks": ticked})
    order = catalog.cohort(collection_id="rider_pilot").series(columns=["SeriesInstanceUID"]).SeriesInstanceUID
    assert explorer.selection == catalog.cohort(SeriesInstanceUID=list(order[2:6]))
    ticks = {"base": [CT], "minus": [], "plus": rows}
    explorer.set_state({"_ticks": ticks})
    either = catalog.cohort(Modality="CT") | catalog.cohort(SeriesInstanceUID=list(order[2:6]))
    assert explorer.selection.counts == either.counts
    less = {"base": [RIDER], "minus": rows, "plus": []}
    found = browser.get(op="selection", ticks=less)
    assert found["series"] == catalog.cohort(collection_id="rider_pilot").counts.series - 4
    assert sum(entry["series"] for entry in found["licences"]) == found["series"]


def test_licences_are_told(browser: Browser) -> None:
    noncommercial = {"op": "in", "column": "license_short_name", "values": ["CC BY-NC 4.0", "CC BY 4.0"]}
    found = browser.get(op="selection", ticks={"base": [noncommercial], "minus": [], "plus": []})
    assert {entry["name"]: entry["noncommercial"] for entry in found["licences"]} == {
        "CC BY 4.0": False,
        "CC BY-NC 4.0": True,
    }


def test_refusals_are_sentences(browser: Browser) -> None:
    nothing = {"base": None, "minus": [], "plus": []}
    everything = {"base": [], "minus": [], "plus": []}
    for message, says in (
        ({"op": "download", "ticks": nothing, "destination": "x"}, "Nothing is ticked"),
        ({"op": "download", "ticks": {"base": [RIDER], "minus": [], "plus": []}, "destination": " "}, "name a folder"),
        (
            {"op": "tick", "where": [], "sort": [], "ticks": nothing, "on": True, "from": 0, "to": 500_000},
            "500,001 rows is too long",
        ),
        ({"op": "page", "where": [], "sort": [], "columns": ["Modalty"], "offset": 0, "limit": 1}, '"Modality"'),
        ({"op": "totals", "where": [{"op": "near"}]}, "near"),
        ({"op": "dance"}, "dance"),
    ):
        reply = browser.ask(**message)
        assert not reply["ok"]
        assert says in reply["error"]
        assert "\n" not in reply["error"]
    asked = browser.get(op="download", ticks=everything, destination="x")
    assert "99.94 TB" in asked["confirm"]


def test_destination_that_cannot_be(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = browser.get(op="destination", path=str(tmp_path / "file" / "below"))
    assert found["problem"]
    assert not found["writable"]
    fine = browser.get(op="destination", path=str(tmp_path / "not" / "yet"))
    assert fine["problem"] is None
    assert fine["free"] > 0
    assert not (tmp_path / "not").exists()


def test_facets_that_issue_of_users_need_are_there(explorer: idc.Explorer) -> None:
    facets = {f["name"] for f in explorer._catalog["facets"] if f["kind"] != "kernel"}
    cube = {d["name"] for part in ("dimensions", "derived", "bins") for d in explorer._cube[part]}
    assert facets <= cube
    assert facets >= {
        "collection_id", "Modality", "BodyPartExamined", "PatientSex", "Manufacturer", "sop_class_name",
        "license_short_name", "analysis_result_id", "cancer_types", "tumor_locations",
    }  # fmt: skip


def test_presets_hold_what_they_say(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    truth = {
        "original": "analysis_result_id IS NULL",
        "segmentations": "StudyInstanceUID IN (SELECT StudyInstanceUID FROM idx WHERE Modality = 'SEG')",
        "commercial": "license_short_name IN ('CC BY 3.0', 'CC BY 4.0')",
    }
    presets = describe.presets(catalog)
    assert {p["name"] for p in presets} == set(truth)
    for preset in presets:
        from idc_widgets.widgets.ticks import from_json_list

        found = from_json_list(catalog, preset["where"]).counts.series
        assert (found,) == plain.execute(f"SELECT count(*) FROM idx WHERE {truth[preset['name']]}").fetchone()


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (15_500_000, "15.5 MB"), (999_949_000_000, "1.00 TB"),
     (99_944_891_647_274, "99.94 TB")],
)  # fmt: skip
def test_sizes_read_well(n: int, text: str) -> None:
    assert human_bytes(n) == text


@pytest.mark.parametrize("view", [idc.Explorer, idc.DownloadPanel])
def test_a_wrong_provider_or_destination_is_refused_at_once(
    view: type[idc.Explorer], catalog: idc.Catalog, tmp_path: Path
) -> None:
    cohort = catalog.cohort(collection_id="rider_pilot")
    for wrong, says in (
        ({"provider": "gcp"}, "provider='gcp': valid are 'aws', 'gcs'"),
        ({"provider": 1}, "valid are 'aws', 'gcs'"),
        ({"destination": "s3://bucket/x"}, "is an address"),
        ({"destination": 3}, "is no path"),
        ({"destination": " "}, "name a folder"),
    ):
        with pytest.raises(ValueError, match=re.escape(says)):
            view(cohort, **wrong)
    part = view(cohort, destination=f'  "{tmp_path}/x" ', provider="gcs")
    assert part._destination == str(tmp_path / "x") and part.provider == "gcs"
    with pytest.raises(ValueError, match="valid are 'aws', 'gcs'"):
        part.provider = "gcp"
    assert part.provider == "gcs"
    part.close()


def test_the_page_is_answered_with_the_folder_that_is_used(browser: Browser, tmp_path: Path) -> None:
    ticks = {"base": [RIDER], "minus": [], "plus": []}
    told = browser.get(op="destination", path=f'  "{tmp_path}/x" ')
    plan = browser.get(op="plan", ticks=ticks, destination=f'  "{tmp_path}/x" ')
    assert told["path"] == dict(plan["lines"])["Destination"] == str(tmp_path / "x")
    for path in ("C:\\data", "$NO_SUCH_VARIABLE/x", "", None, 3):
        assert browser.get(op="destination", path=path)["problem"]
        for op in ("plan", "download"):
            assert not browser.ask(op=op, ticks=ticks, destination=path)["ok"]
