"""The cloud of downloads as part of the view's state, and the UIDs of what is ticked."""

from __future__ import annotations

import pytest
import traitlets

import idc_widgets as idc
from idc_widgets.widgets import ticks
from tests.widgets.conftest import Browser


def test_the_cloud_goes_both_ways_and_is_checked(browser: Browser) -> None:
    explorer = browser.widget
    table = idc.ResultTable(explorer)
    explorer.set_state({"provider": "gcs"})
    assert explorer.provider == table.provider == "gcs"
    table.provider = "aws"
    assert explorer.get_state("provider")["provider"] == "aws"
    for kind in (ValueError, traitlets.TraitError):
        with pytest.raises(kind, match="provider='gcp': valid are 'aws', 'gcs'"):
            explorer.provider = "gcp"
    assert explorer.provider == "aws"
    with pytest.raises(ValueError, match="provider='gcp': valid are 'aws', 'gcs'"):
        idc.Explorer(catalog=explorer.catalog, provider="gcp")  # type: ignore[arg-type]


def test_a_plan_is_of_the_cloud_that_was_asked_about(browser: Browser) -> None:
    asked = {"ticks": {"base": None, "minus": [], "plus": [0]}, "destination": "data"}
    assert browser.get(op="plan", provider="gcs", **asked)["provider"] == "Google Cloud"
    assert browser.get(op="plan", **asked)["provider"] == "AWS"
    assert "valid are 'aws', 'gcs'" in browser.ask(op="plan", provider="gcp", **asked)["error"]


def test_uids_are_those_of_what_is_ticked(
    browser: Browser, catalog: idc.Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = catalog.cohort(collection_id="rider_pilot")
    ticked = {"base": [c.to_json() for c in cohort.conditions], "minus": [], "plus": [0]}
    found = browser.get(op="uids", ticks=ticked)
    whole = ticks.cohort_of(catalog, ticked)
    assert sorted(found) == sorted(whole.series(columns=["SeriesInstanceUID"])["SeriesInstanceUID"])
    assert browser.get(op="uids", ticks=ticks.NOTHING) == []
    monkeypatch.setattr(ticks, "_MOST_UIDS", 3)
    assert "save them to a file" in browser.ask(op="uids", ticks=ticked)["error"]


def test_a_series_has_volview_and_dicomweb(browser: Browser, catalog: idc.Catalog) -> None:
    row, uid = catalog.index.database.rows(
        "SELECT row_id, SeriesInstanceUID FROM series WHERE collection_id = 'rider_pilot' AND Modality = 'CT' LIMIT 1"
    )[0]
    found = browser.get(op="detail", row=row)
    assert [link["label"] for link in found["links"]][:2] == ["Open in OHIF", "Open in VolView"]
    assert found["dicomweb"] == idc.dicomweb_url(uid)
