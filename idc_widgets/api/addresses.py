"""Where to look at images: the addresses of studies and series in viewers, and in DICOMweb."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from idc_widgets.api.shared import catalog_or_default
from idc_widgets.cohort import viewers
from idc_widgets.cohort.viewers import Viewer
from idc_widgets.lib.arguments import shown

if TYPE_CHECKING:
    from idc_widgets.api.catalog import Catalog


def viewer_url(uid: str, catalog: Catalog | None = None, *, viewer: Viewer | None = None) -> str:
    """Return the address at which a viewer opens a study or series.

    A series without images of its own, such as a segmentation, opens at the series that it refers to. IDC's
    `seg_index`, `rtstruct_index` and `ann_index` name that series; they are fetched on first use. Where they name
    none, or cannot be fetched, the study that the series is in is opened, if it holds images.

    Parameters
    ----------
    uid
        A StudyInstanceUID or SeriesInstanceUID.
    catalog
        The catalogue to look in; by default the shared one.
    viewer
        "ohif" (radiology), "slim" (slides) or "volview" (volumes, in the browser alone); by default Slim for studies
        with slides and OHIF for all others.

    Raises
    ------
    UnknownNameError
        If this release has no such study or series.
    ValueError
        If there are no images to open, or the viewer is none of these or does not show such images.

    Notes
    -----
    The forms of the addresses are those of `idc-index` (`get_viewer_URL`) and of VolView's documentation
    (`?urls=[s3://bucket/folder,…]`).
    """
    index = catalog_or_default(catalog).index
    if viewer is not None and (not isinstance(viewer, str) or viewer not in get_args(Viewer)):
        raise ValueError(f'viewer={shown(viewer)}: a viewer is "ohif", "slim" or "volview"; None takes the usual one.')
    return viewers.locate(index, uid, viewer)[1]


def dicomweb_url(uid: str, catalog: Catalog | None = None) -> str:
    """Return the DICOMweb address of a study or series at IDC's public proxy.

    A DICOMweb client adds `/metadata`, `/series`, `/instances` or `/rendered` to it. The proxy holds the current IDC
    version, needs no account and has a daily quota for each network address: it is meant for looking, not for
    downloads.

    Parameters
    ----------
    uid
        A StudyInstanceUID or SeriesInstanceUID.
    catalog
        The catalogue to look in; by default the shared one.

    Raises
    ------
    UnknownNameError
        If this release has no such study or series.

    Notes
    -----
    The proxy's address is that of IDC's documentation, "DICOM stores" (learn.canceridc.dev), which IDC's viewers use.
    """
    return viewers.dicomweb(catalog_or_default(catalog).index, uid)
