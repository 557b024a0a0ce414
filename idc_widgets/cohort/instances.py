"""The instances of a cohort, from IDC's metadata export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.export import Progress
from idc_widgets.catalog.suggest import UnknownNameError, did_you_mean, nearest, short
from idc_widgets.cohort.frames import row_number
from idc_widgets.lib import arguments
from idc_widgets.lib.sql import identifier

if TYPE_CHECKING:
    import pandas as pd

_TABLE = "dicom_all"
# What most questions need; each column more is read of each file.
_USUAL = (
    "collection_id", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality",
    "InstanceNumber", "instance_size", "crdc_series_uuid", "crdc_instance_uuid", "aws_url", "gcs_url",
)  # fmt: skip


def instances(
    index: Index,
    where: str,
    parameters: Sequence[Any],
    columns: Sequence[str] | None,
    limit: int | None,
    progress: Progress | None,
) -> pd.DataFrame:
    """Return the instances of the series that satisfy a condition; see `Cohort.instances`."""
    if columns is not None:
        if isinstance(columns, dict) or hasattr(columns, "columns"):
            raise TypeError(f"columns={arguments.shown(columns)}: a list of names of columns is wanted.")
        columns = arguments.texts(columns, "columns", "names of columns of dicom_all")
        if not columns:
            raise ValueError("columns=[] asks for nothing: name columns of dicom_all, or leave it out for the usual.")
    if limit is not None:
        limit = row_number(limit, "limit")
    if progress is not None:
        arguments.function(progress, "progress", "what is going on, how far it is and of how much")
    name = f"idc_v{index.version}"
    remote = index.remote(name if name in index.datasets() else "idc_current")
    types = remote.types(_TABLE)
    for column in columns or ():
        if column not in types:
            near = did_you_mean(nearest(column, types))
            raise UnknownNameError(f'There is no column "{short(column)}" in {_TABLE} of {remote.dataset}.{near}')
    shown = list(columns) if columns is not None else [c for c in _USUAL if c in types]
    uids = [
        r[0] for r in index.database.rows(f"SELECT SeriesInstanceUID FROM {SERIES} WHERE {where}", list(parameters))
    ]
    files = remote.holding(_TABLE, "SeriesInstanceUID", uids, progress) if uids else remote.files(_TABLE)[:1]
    selected = ", ".join(map(identifier, shown))
    query = f"SELECT {selected} FROM {_TABLE} WHERE SeriesInstanceUID IN (SELECT unnest(?::VARCHAR[]))" + (
        " ORDER BY SeriesInstanceUID, SOPInstanceUID" if limit is None else " LIMIT ?"
    )
    return remote.ask(query, [uids, *([] if limit is None else [limit])], {_TABLE: files}, progress)
