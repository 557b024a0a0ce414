"""`verify`: whether what lies in a folder is what it should be."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from idc_widgets import transfer
from idc_widgets.api.cohort import Cohort
from idc_widgets.api.download import items
from idc_widgets.api.shared import catalog_or_default
from idc_widgets.lib import arguments

if TYPE_CHECKING:
    from idc_widgets.api.catalog import Catalog

_SERIES = re.compile(r"[0-9]+(\.[0-9]+){3,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def verify(
    folder: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    provider: transfer.Provider = "aws",
    endpoint_url: str | None = None,
    offline: bool = False,
    expect: Cohort | str | os.PathLike[str] | None = None,
    progress: Callable[[transfer.Audit], None] = lambda audit: None,
) -> transfer.Audit:
    """Check every file of IDC's in a folder, whoever put it there, against a listing of the bucket.

    Which series should be there is what the folder's receipt, this machine's record of it and `expect` say; which
    series other files are of, their headers say. What is found missing or damaged is kept in the receipt and in the
    state folder: it is reported by each later check until it is mended, and a download into the folder fetches it,
    and nothing else. What can be known is in `docs/verification.md`.

    Parameters
    ----------
    folder
        Where series were downloaded to.
    catalog
        The catalogue that knows them; by default the shared one.
    provider, endpoint_url
        The cloud, or another S3 endpoint, to list.
    offline
        Whether to go by the receipt and the index alone.
    expect
        What should be there: a cohort, or a manifest (a file or its text). Series of it that are absent are problems.
    progress
        Called with the outcome so far after each series.

    Returns
    -------
        The outcome; its `ok` is True when all is right, False when something is wrong, and None when nothing wrong
        was found but the content of some files could not be checked.

    Raises
    ------
    TransferError
        If it is no folder, holds nothing of IDC, `expect` names nothing, or the endpoint does not answer.
    """
    root = transfer.folder(folder, "check")
    catalog = catalog_or_default(catalog)
    arguments.flag(offline, "offline")
    arguments.function(progress, "progress", "the outcome so far")

    def lookup(identifiers: Collection[str]) -> dict[str, transfer.Item]:
        found = items(
            catalog.index,
            "SeriesInstanceUID IN (SELECT unnest(?::VARCHAR[])) OR crdc_series_uuid IN (SELECT unnest(?::VARCHAR[]))",
            [sorted(identifiers)] * 2,
            "",
        )
        return {item.series_uid: item for item in found}

    expected, unknown = _expected(catalog, expect)
    return transfer.audit(
        root,
        lookup,
        idc_version=catalog.version,
        provider=provider,
        endpoint_url=endpoint_url,
        offline=offline,
        expect=expected,
        unknown=unknown,
        progress=progress,
    )


def _expected(
    catalog: Catalog, expect: Cohort | str | os.PathLike[str] | None
) -> tuple[list[transfer.Item], list[str]]:
    """Return the series that are expected, and those of them that this release does not know."""
    if expect is None:
        return [], []
    try:
        cohort = expect if isinstance(expect, Cohort) else Cohort.from_manifest(expect, catalog)
    except (ValueError, TypeError, OSError) as error:
        raise transfer.TransferError(f"expect={arguments.shown(expect)} is no manifest: {error}") from error
    unknown = [text for each in cohort.unknown if _SERIES.fullmatch(text := str(each))]
    found = items(cohort.catalog.index, *cohort.compiled(), "")
    if not found and not unknown:
        raise transfer.TransferError(f"expect={arguments.shown(expect)} names no series of IDC v{catalog.version}")
    return found, unknown
