"""Where IDC's viewers open a study or series."""

from __future__ import annotations

import duckdb
import pytest

import idc_widgets as idc

VIEWER = "https://viewer.imaging.datacommons.cancer.gov"


@pytest.mark.parametrize(
    ("modality", "study_at", "series_at"),
    [
        ("CT", "/v3/viewer/?StudyInstanceUIDs={study}", "&initialSeriesInstanceUID={series}"),
        ("SEG", "/v3/viewer/?StudyInstanceUIDs={study}", ""),
        ("SM", "/slim/studies/{study}", "/series/{series}"),
    ],
)
def test_the_viewer_that_a_study_needs(
    modality: str, study_at: str, series_at: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    without_slides = "" if modality == "SM" else "HAVING count(*) FILTER (Modality = 'SM') = 0 "
    study, series = plain.execute(
        f"SELECT StudyInstanceUID, min(SeriesInstanceUID) FILTER (Modality = '{modality}') AS s FROM idx GROUP BY 1 "
        f"{without_slides}ORDER BY s NULLS LAST LIMIT 1"
    ).fetchall()[0]
    assert idc.viewer_url(study, catalog) == VIEWER + study_at.format(study=study)
    assert idc.viewer_url(series, catalog) == VIEWER + (study_at + series_at).format(study=study, series=series)


def test_nobody_s_uid(catalog: idc.Catalog) -> None:
    with pytest.raises(idc.UnknownNameError, match=r'no study or series "1\.2\.3"'):
        idc.viewer_url("1.2.3", catalog)
