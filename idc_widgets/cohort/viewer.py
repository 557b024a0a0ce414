"""Where to look at images: the address of a study or series in IDC's viewers."""

from __future__ import annotations

from urllib.parse import quote

from idc_widgets.catalog import Catalog, UnknownNameError
from idc_widgets.catalog.catalog import default_catalog

_VIEWER = "https://viewer.imaging.datacommons.cancer.gov"
#: Objects about images: a viewer opens the study they are in, not them.
NO_IMAGES = ("SEG", "SR", "RTSTRUCT", "RTDOSE", "RTPLAN", "ANN", "REG", "KO", "PR", "FID", "M3D")


def viewer_url(uid: str, catalog: Catalog | None = None) -> str:
    """Return the address at which IDC's viewer opens a study or series: Slim for slides, OHIF for all else.

    Parameters
    ----------
    uid
        A StudyInstanceUID or SeriesInstanceUID. Of a series without images of its own, such as a segmentation, the
        study is opened.
    catalog
        The catalogue to look in; by default the shared one.

    Raises
    ------
    UnknownNameError
        If this release has neither.
    """
    catalog = catalog or default_catalog()
    found = catalog.database.rows(
        "SELECT StudyInstanceUID, Modality::VARCHAR, SeriesInstanceUID FROM series "
        "WHERE SeriesInstanceUID = $1 OR StudyInstanceUID = $1 LIMIT 1",
        [uid],
    )
    if not found:
        raise UnknownNameError(f'IDC v{catalog.version} has no study or series "{uid}".')
    study, modality, series = found[0]
    return viewer(catalog, study, series if series == uid and modality not in NO_IMAGES else None)[1]


def viewer(catalog: Catalog, study: str, series: str | None) -> tuple[str, str]:
    """Return the viewer that a study needs and the address at which it opens, at a series if one is given."""
    slides = catalog.database.rows(
        "SELECT count(*) FROM series WHERE StudyInstanceUID = ? AND Modality = 'SM'", [study]
    )[0][0]
    if slides:
        at = f"/series/{quote(series)}" if series else ""
        return "Slim", f"{_VIEWER}/slim/studies/{quote(study)}{at}"
    at = f"&initialSeriesInstanceUID={quote(series)}" if series else ""
    return "OHIF", f"{_VIEWER}/v3/viewer/?StudyInstanceUIDs={quote(study)}{at}"
