"""IDC's first documented example, through this package and by hand."""

from __future__ import annotations

import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import duckdb
import pytest

import idc_widgets as idc
from tests.mirror import Mirror


def _by_hand(endpoint: str, bucket: str, folder: str) -> dict[str, bytes]:
    """Return a series' files by plain requests: the listing's pages, then each object."""
    files: dict[str, bytes] = {}
    token = ""
    while True:
        with urllib.request.urlopen(f"{endpoint}/{bucket}?list-type=2&prefix={folder}/{token}") as answer:
            listing = ET.fromstring(answer.read())
        found = {e.tag.rpartition("}")[2]: e for e in listing.iter()}
        for key in (e.text or "" for e in listing.iter() if e.tag.endswith("}Key")):
            with urllib.request.urlopen(f"{endpoint}/{bucket}/{key}") as answer:
                files[key.rpartition("/")[2]] = answer.read()
        if "NextContinuationToken" not in found:
            return files
        token = f"&continuation-token={found['NextContinuationToken'].text}"


def test_the_mr_series_by_sql_and_the_first_of_them_downloaded(
    catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = catalog.sql("SELECT * FROM index WHERE Modality='MR'")
    truth = plain.execute("SELECT * FROM idx WHERE Modality = 'MR'").df()
    order = ["SeriesInstanceUID"]
    ours = found.sort_values(order, ignore_index=True)
    assert ours.astype(object).equals(truth.sort_values(order, ignore_index=True).astype(object))
    first = truth.iloc[0]
    assert found.iloc[0].SeriesInstanceUID == first.SeriesInstanceUID

    monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", str(tmp_path / "state"))
    with Mirror.spawn() as mirror:
        cohort = catalog.cohort(SeriesInstanceUID=found.iloc[0].SeriesInstanceUID)
        job = cohort.download(tmp_path / "data", endpoint_url=mirror.endpoint)
        job.wait(timeout=120)
        assert job.state == "complete"
        wanted = _by_hand(mirror.endpoint, first.aws_bucket, first.crdc_series_uuid)
    assert len(wanted) == first.instanceCount
    got = {p.name: p.read_bytes() for p in (tmp_path / "data").rglob("*.dcm")}
    assert got == wanted


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"limit": "x"}, {"limit": True}, {"limit": 1.5}, {"offset": -3}])
def test_a_wrong_number_of_rows_is_named(wrong: dict[str, Any], catalog: idc.Catalog) -> None:
    (name, value), *_ = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value!r}"):
        catalog.cohort().series(**wrong)
