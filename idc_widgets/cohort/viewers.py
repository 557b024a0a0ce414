"""Where to look at images: the addresses of studies and series in viewers, and in DICOMweb."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from idc_widgets.catalog import Index, TableUnavailableError, UnknownNameError
from idc_widgets.catalog.joins import REFERENCES, REFERRING
from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers.reasons import why
from idc_widgets.lib.arguments import text

Viewer: TypeAlias = Literal["ohif", "slim", "volview"]

_IDC = "https://viewer.imaging.datacommons.cancer.gov"
_VOLVIEW = "https://volview.kitware.app/"
_DICOMWEB = (
    "https://proxy.imaging.datacommons.cancer.gov/current/"
    "viewer-only-no-downloads-see-tinyurl-dot-com-slash-3j3d9jyp/dicomWeb"
)
#: Objects about images: a viewer opens the images that they are of.
NO_IMAGES = ("SEG", "SR", "RTSTRUCT", "RTDOSE", "RTPLAN", "ANN", "REG", "KO", "PR", "FID", "M3D", "RWV")
_MOST = 100  # series in an address of VolView; browsers cut longer ones


class _Series(NamedTuple):
    uid: str
    study: str
    modality: str
    address: str

    @property
    def has_images(self) -> bool:
        return self.modality not in NO_IMAGES


def dicomweb(index: Index, uid: str) -> str:
    """Return the DICOMweb address of a study or series; see `idc.dicomweb_url`."""
    found = _find(index, uid)
    at = f"{_DICOMWEB}/studies/{quote(found[0].study)}"
    return f"{at}/series/{quote(uid)}" if found[0].uid == uid else at


def locate(index: Index, uid: str, viewer: Viewer | None = None, *, fetch: bool = True) -> tuple[Viewer, str]:
    """Return the viewer that opens a study or series and the address; see `idc.viewer_url`.

    Parameters
    ----------
    fetch
        Whether a table that names references may be fetched; else only those on this machine are asked.
    """
    found = _find(index, uid)
    series = found[0] if found[0].uid == uid else None
    images = [s for s in found if s.has_images]
    if images:
        study = _study(index, series.study) if series else found
        return _address(study, images, viewer, series.uid if series else None)
    if referred := _referred(index, found, fetch):
        return _address(_study(index, referred.study), [referred], viewer, referred.uid)
    study = _study(index, found[0].study)
    images = [s for s in study if s.has_images]
    if not images:
        raise ValueError(_nothing(uid, found[0].modality))
    # Slim opens a derived series upon its slide (its issue 260); the others would open it without images.
    slides = viewer in (None, "slim") and any(s.modality == "SM" for s in study)
    return _address(study, images, viewer, uid if slides else None)


def _address(
    study: Sequence[_Series], wanted: Sequence[_Series], viewer: Viewer | None, series: str | None
) -> tuple[Viewer, str]:
    uid = study[0].study
    slides = any(s.modality == "SM" for s in study)
    chosen: Viewer = viewer or ("slim" if slides else "ohif")
    if chosen == "slim":
        if not slides:
            raise ValueError(f'viewer="slim": the study {uid} holds no slides, which are all that Slim shows.')
        at = f"/series/{quote(series)}" if series else ""
        return chosen, f"{_IDC}/slim/studies/{quote(uid)}{at}"
    if chosen == "ohif":
        at = f"&initialSeriesInstanceUID={quote(series)}" if series else ""
        return chosen, f"{_IDC}/v3/viewer/?StudyInstanceUIDs={quote(uid)}{at}"
    volumes = [s for s in wanted if s.modality != "SM"]
    if not volumes:
        raise ValueError(f'viewer="volview": VolView shows no slides, and study {uid} is of slides; "slim" shows them.')
    if len(volumes) > _MOST:
        raise ValueError(
            f'viewer="volview": the study {uid} has {len(volumes):,} series of images, {_MOST} the most in an address; '
            "the UID of a series opens that one."
        )
    return chosen, f"{_VOLVIEW}?urls=[{','.join(quote(s.address.removesuffix('/*'), safe=':/') for s in volumes)}]"


def _find(index: Index, uid: str) -> list[_Series]:
    """Return the series `uid`, or all of the study `uid`."""
    if not isinstance(uid, str):
        raise TypeError(f"{short(repr(uid))} is no UID: a StudyInstanceUID or SeriesInstanceUID is wanted, as text.")
    text(uid, "uid", "a StudyInstanceUID or SeriesInstanceUID", blank=True)
    found = _select(index, "SeriesInstanceUID = ?", [uid]) or _study(index, uid)
    if not found:
        raise UnknownNameError(f'IDC v{index.version} has no study or series "{short(uid)}": {why(index, uid)}.')
    return found


def _study(index: Index, uid: str) -> list[_Series]:
    return _select(index, "StudyInstanceUID = ?", [uid])


def _select(index: Index, where: str, parameters: Sequence[object]) -> list[_Series]:
    rows = index.database.rows(
        "SELECT SeriesInstanceUID, StudyInstanceUID, Modality::VARCHAR, series_aws_url FROM series "
        f"WHERE {where} ORDER BY row_id",
        parameters,
    )
    return [_Series(*row) for row in rows]


def _referred(index: Index, derived: Sequence[_Series], fetch: bool) -> _Series | None:
    """Return the series of images that the first of these refers to, where a table says so."""
    for series in derived:
        table = REFERRING.get(series.modality)
        if table is None or not (fetch or index.available(table)):
            continue
        try:
            found = _select(
                index,
                f'SeriesInstanceUID IN (SELECT "{REFERENCES[table]}" FROM "{table}" WHERE SeriesInstanceUID = ?)',
                [series.uid],
            )
        except TableUnavailableError:
            return None
        if images := [s for s in found if s.has_images]:
            return images[0]
    return None


def _nothing(uid: str, modality: str) -> str:
    return (
        f"{uid} has no images to open: it is of {modality}, its study holds no images, and no table on this machine "
        "names the series that it refers to."
    )
