"""The files of a series and where they lie, from a listing of its folder in the bucket: nothing is downloaded."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from idc_widgets import transfer
from idc_widgets.api.download import items
from idc_widgets.api.shared import catalog_or_default
from idc_widgets.catalog import UnknownNameError
from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers.reasons import why
from idc_widgets.lib import arguments

if TYPE_CHECKING:
    import pandas as pd

    from idc_widgets.api.catalog import Catalog

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ADDRESS = re.compile(rf"(?:s3|gs|https?)://\S*/({_UUID})/([^/?#\s]*)")
_MD5 = re.compile(r"[0-9a-f]{32}")
_SCHEMES = {"aws": "s3", "gcs": "gs"}
COLUMNS = ("SeriesInstanceUID", "crdc_instance_uuid", "bytes", "md5", "url", "https_url")


def files(
    uid: str,
    catalog: Catalog | None = None,
    *,
    provider: transfer.Provider = "aws",
    endpoint_url: str | None = None,
) -> pd.DataFrame:
    """Return the files of a series or study and their addresses, by one listing of the bucket.

    Parameters
    ----------
    uid
        A SeriesInstanceUID, a StudyInstanceUID, a CRDC UUID of a series, or the address of a single file
        (`s3://bucket/series/instance.dcm`), of which only that file is returned.
    catalog
        The catalogue to look in; by default the shared one.
    provider
        "aws" or "gcs".
    endpoint_url
        Another S3 endpoint than the provider's.

    Returns
    -------
        A row each file, in the bucket's order: SeriesInstanceUID, crdc_instance_uuid (the file's name), bytes, md5
        (missing for files that were uploaded in parts, which have none), url (`s3://…` or `gs://…`) and https_url.
        The bucket does not know SOPInstanceUIDs; `catalog.remote("idc_current")` does.

    Raises
    ------
    UnknownNameError
        If this release has no such study, series or file.
    TransferError
        If the bucket does not answer, or holds something else than the index says.
    """
    import pandas as pd

    catalog = catalog_or_default(catalog)
    uid = arguments.text(uid, "uid", "the UID of a series or study").strip()
    how = transfer.wish(Path(tempfile.gettempdir()), provider=provider, endpoint_url=endpoint_url)
    address = _ADDRESS.fullmatch(uid)
    wanted = address[1].lower() if address else uid
    where = "(SeriesInstanceUID = $1 OR StudyInstanceUID = $1 OR crdc_series_uuid = lower($1))"
    found = items(catalog.index, where, [wanted], "")
    if not found:
        kind = "file" if address else "study or series"
        raise UnknownNameError(f'IDC v{catalog.version} has no {kind} "{short(uid)}": {why(catalog.index, wanted)}.')
    rows = []
    with tempfile.TemporaryDirectory(prefix="idc_widgets-") as folder:
        for n, objects, problem in transfer.listings(Path(folder), found, how.endpoint, how.provider):
            if problem is not None:
                raise transfer.ResourceError(f"series {found[n].series_uid}: {problem}")
            bucket = transfer.bucket_at(how.provider, found[n].bucket)
            for item in objects:
                key = f"{bucket}/{found[n].crdc_series_uuid}/{item.name}"
                md5 = item.etag if _MD5.fullmatch(item.etag) else None
                urls = f"{_SCHEMES[how.provider]}://{key}", f"{how.endpoint}/{quote(key)}"
                rows.append((n, found[n].series_uid, item.name.removesuffix(".dcm"), item.size, md5, *urls))
    rows.sort(key=lambda row: (row[0], row[2]))
    if address and address[2] not in ("", "*"):
        rows = [row for row in rows if row[5].endswith(f"/{address[2]}")]
        if not rows:
            raise UnknownNameError(f'series {found[0].series_uid} has no file "{short(address[2])}".')
    frame: pd.DataFrame = pd.DataFrame([row[1:] for row in rows], columns=list(COLUMNS))
    return frame
