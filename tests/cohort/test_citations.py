"""What to cite: every source once, worded by IDC's tables, with its series."""

from __future__ import annotations

import duckdb

import idc_widgets as idc
from idc_widgets.widgets import facets


def test_every_source_is_cited_once(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    found = catalog.cohort().citations()
    truth = plain.execute(
        "SELECT source_DOI, count(*), sum(round(series_size_MB * 1e6))::BIGINT FROM idx GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    assert list(found[["source_DOI", "series", "bytes"]].itertuples(index=False, name=None))[:-1] == truth
    assert found.source_DOI.iloc[-1] == "10.1148/rg.230180" and found.series.iloc[-1] == found.series[:-1].sum()
    # Citations are sentences, and name a DOI (now and then that of another version).
    assert found.citation.str.contains(r"https://doi\.org/10\.", regex=True).all()
    assert not found.citation.str.contains("<|&amp;|\n", regex=True).any()


def test_one_collection(catalog: idc.Catalog) -> None:
    found = catalog.cohort(collection_id="nlst", Modality="CT").citations()
    assert found.citation.str.contains("National Lung Screening Trial Research Team").sum() == 1
    assert found.collections.iloc[0] == "nlst" and found.licences.iloc[0] == "CC BY 4.0"
    text = facets.handlers(catalog, lambda note: None)["code"](
        {"flavour": "citations", "where": [{"op": "in", "column": "collection_id", "values": ["nlst"]}]}
    )["text"]
    assert "National Lung Screening Trial Research Team. (2013)." in text and text.rstrip().endswith("rg.230180")
    assert "(CC BY 4.0; 203,087 series of nlst)" in text


def test_nothing_has_nothing_to_cite_but_idc(catalog: idc.Catalog) -> None:
    found = catalog.cohort(SeriesInstanceUID=[]).citations()
    assert list(found.series) == [0] and list(found.bytes) == [0]
