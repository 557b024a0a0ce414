"""Where viewers open a study or series."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

import idc_widgets as idc

VIEWER = "https://viewer.imaging.datacommons.cancer.gov"
DICOMWEB = (
    "https://proxy.imaging.datacommons.cancer.gov/current/"
    "viewer-only-no-downloads-see-tinyurl-dot-com-slash-3j3d9jyp/dicomWeb"
)
NO_IMAGES = "('SEG', 'SR', 'RTSTRUCT', 'RTDOSE', 'RTPLAN', 'ANN', 'REG', 'KO', 'PR', 'FID', 'M3D', 'RWV')"
# A segmentation of one of two slides in its study.
TIL_MAP = "1.2.826.0.1.3680043.10.511.3.13030052368605737491286008410171774"
TIL_STUDY = "2.25.163435673594068541162465399044000558735"

Plain = duckdb.DuckDBPyConnection


def pick(plain: Plain, where: str) -> tuple[str, str, str]:
    """The study, series and bucket address of a series that is so."""
    found = plain.execute(
        f"SELECT StudyInstanceUID, SeriesInstanceUID, series_aws_url FROM idx WHERE {where} ORDER BY 2 LIMIT 1"
    ).fetchall()
    return found[0]


@pytest.mark.parametrize(
    ("modality", "study_at", "series_at"),
    [
        ("CT", "/v3/viewer/?StudyInstanceUIDs={study}", "&initialSeriesInstanceUID={series}"),
        ("SM", "/slim/studies/{study}", "/series/{series}"),
    ],
)
def test_the_viewer_that_a_study_needs(
    modality: str, study_at: str, series_at: str, catalog: idc.Catalog, plain: Plain
) -> None:
    study, series, _ = pick(plain, f"Modality = '{modality}'")
    assert idc.viewer_url(study, catalog) == VIEWER + study_at.format(study=study)
    assert idc.viewer_url(series, catalog) == VIEWER + (study_at + series_at).format(study=study, series=series)


def test_a_derived_series_opens_at_the_series_that_it_refers_to(online: idc.Catalog, plain: Plain) -> None:
    for table, modality, column in (
        ("seg_index", "SEG", "segmented_SeriesInstanceUID"),
        ("rtstruct_index", "RTSTRUCT", "referenced_SeriesInstanceUID"),
        ("ann_index", "ANN", "referenced_SeriesInstanceUID"),
    ):
        rows = online.index.database.rows(
            f"SELECT t.SeriesInstanceUID, o.SeriesInstanceUID, o.StudyInstanceUID, o.Modality FROM {table} t "
            f'JOIN "index" o ON o.SeriesInstanceUID = t.{column} JOIN "index" i '
            f"ON i.SeriesInstanceUID = t.SeriesInstanceUID WHERE i.Modality = '{modality}' "
            "ORDER BY hash(t.SeriesInstanceUID) LIMIT 5"
        )
        assert rows
        for derived, series, study, image in rows:
            right = (
                f"{VIEWER}/slim/studies/{study}/series/{series}"
                if image == "SM"
                else f"{VIEWER}/v3/viewer/?StudyInstanceUIDs={study}&initialSeriesInstanceUID={series}"
            )
            assert idc.viewer_url(derived, online) == right, (table, derived)


def test_a_segmentation_of_a_slide(online: idc.Catalog) -> None:
    ((slide,),) = online.index.database.rows(
        "SELECT segmented_SeriesInstanceUID FROM seg_index WHERE SeriesInstanceUID = ?", [TIL_MAP]
    )
    assert idc.viewer_url(TIL_MAP, online) == f"{VIEWER}/slim/studies/{TIL_STUDY}/series/{slide}"


def test_a_reference_into_another_study(
    monkeypatch: pytest.MonkeyPatch, online: idc.Catalog, plain: Plain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lonely, series, _ = pick(
        plain,
        f"Modality = 'SEG' AND StudyInstanceUID NOT IN "
        f"(SELECT StudyInstanceUID FROM idx WHERE Modality NOT IN {NO_IMAGES})",
    )
    study, image, _ = pick(plain, "Modality = 'MR'")
    path = tmp_path_factory.mktemp("tables") / "seg.parquet"
    plain.execute(
        f"COPY (SELECT '{series}' AS SeriesInstanceUID, '{image}' AS segmented_SeriesInstanceUID) TO '{path}'"
    )
    online.fetch("seg_index")
    online.index.database.view("seg_index", path)
    right = f"{VIEWER}/v3/viewer/?StudyInstanceUIDs={study}&initialSeriesInstanceUID={image}"
    assert idc.viewer_url(series, online) == right
    assert idc.viewer_url(lonely, online) == right  # its study holds nothing else


def test_without_the_tables(offline: idc.Catalog, plain: Plain) -> None:
    # Slim finds the slide of a derived series by itself.
    assert idc.viewer_url(TIL_MAP, offline) == f"{VIEWER}/slim/studies/{TIL_STUDY}/series/{TIL_MAP}"
    study, series, _ = pick(
        plain, "Modality = 'SEG' AND StudyInstanceUID IN (SELECT StudyInstanceUID FROM idx WHERE Modality = 'CT')"
    )
    assert idc.viewer_url(series, offline) == f"{VIEWER}/v3/viewer/?StudyInstanceUIDs={study}"
    for modality in ("SEG", "SR"):
        study, series, _ = pick(
            plain,
            f"Modality = '{modality}' AND StudyInstanceUID NOT IN "
            f"(SELECT StudyInstanceUID FROM idx WHERE Modality NOT IN {NO_IMAGES})",
        )
        for uid in (study, series):
            with pytest.raises(ValueError, match=f"{uid} has no images to open: it is of {modality}"):
                idc.viewer_url(uid, offline)


def test_the_choice_of_a_viewer(catalog: idc.Catalog, plain: Plain) -> None:
    study, series, address = pick(plain, "Modality = 'CT'")
    at = address.removesuffix("/*")
    assert idc.viewer_url(series, catalog, viewer="volview") == f"https://volview.kitware.app/?urls=[{at}]"
    assert idc.viewer_url(series, catalog, viewer="ohif") == idc.viewer_url(series, catalog)
    with pytest.raises(ValueError, match=f'viewer="slim": the study {study} holds no slides'):
        idc.viewer_url(series, catalog, viewer="slim")

    slides, slide, _ = pick(plain, "Modality = 'SM'")
    assert idc.viewer_url(slide, catalog, viewer="slim") == f"{VIEWER}/slim/studies/{slides}/series/{slide}"
    with pytest.raises(ValueError, match="VolView shows no slides"):
        idc.viewer_url(slide, catalog, viewer="volview")
    for wrong in ("volvew", "", 3):
        with pytest.raises(ValueError, match=f'viewer={wrong!r}: a viewer is "ohif", "slim" or "volview"'):
            idc.viewer_url(series, catalog, viewer=wrong)  # type: ignore[arg-type]


def test_volview_opens_all_images_of_a_study(catalog: idc.Catalog, plain: Plain) -> None:
    study = "1.2.840.113654.2.55.68425808326883186792123057288612355322"
    addresses = plain.execute(
        f"SELECT series_aws_url FROM idx WHERE StudyInstanceUID = '{study}' AND Modality NOT IN {NO_IMAGES}"
    ).fetchall()
    url = idc.viewer_url(study, catalog, viewer="volview")
    start, _, inside = url.partition("[")
    assert start == "https://volview.kitware.app/?urls="
    assert sorted(inside.removesuffix("]").split(",")) == sorted(a.removesuffix("/*") for (a,) in addresses)
    ((large,),) = plain.execute(
        f"SELECT StudyInstanceUID FROM idx WHERE Modality NOT IN {NO_IMAGES} GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    ).fetchall()
    with pytest.raises(ValueError, match="100 the most in an address"):
        idc.viewer_url(large, catalog, viewer="volview")


def test_dicomweb(catalog: idc.Catalog, plain: Plain) -> None:
    for uid in (TIL_MAP, pick(plain, "Modality = 'CT'")[1]):
        study = plain.execute("SELECT StudyInstanceUID FROM idx WHERE SeriesInstanceUID = ?", [uid]).fetchall()[0][0]
        assert idc.dicomweb_url(uid, catalog) == f"{DICOMWEB}/studies/{study}/series/{uid}"
        assert idc.dicomweb_url(study, catalog) == f"{DICOMWEB}/studies/{study}"


@pytest.mark.parametrize("address", [idc.viewer_url, idc.dicomweb_url])
def test_nobody_s_uid(address: Callable[..., str], catalog: idc.Catalog) -> None:
    with pytest.raises(idc.UnknownNameError, match=r'no study or series "1\.2\.3"'):
        address("1.2.3", catalog)
    withdrawn = "1.3.6.1.4.1.14519.5.2.1.1600.1201.100051262392991201754098832576"
    with pytest.raises(idc.UnknownNameError, match=r"withdrawn in IDC v\d+"):
        address(withdrawn, catalog)
    with pytest.raises(TypeError, match="is no UID"):
        address(3, catalog)
