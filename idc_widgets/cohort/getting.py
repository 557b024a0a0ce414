"""What a download needs to know of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.catalog.database import SERIES


def items(catalog: Catalog, where: str, parameters: Sequence[Any], layout: str) -> list[transfer.Item]:
    """Return what a download needs to know of each series; of the columns, those that the layout names."""
    keys = transfer.layout_keys(layout, catalog.index_columns)
    extra = "".join(f', "{k}"::VARCHAR' for k in keys)
    rows = catalog.database.rows(
        f"SELECT SeriesInstanceUID, crdc_series_uuid, aws_bucket::VARCHAR, instanceCount, series_bytes{extra} "
        f"FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    return [
        transfer.Item(uid, uuid, bucket, files, size, dict(zip(keys, fields, strict=True)))
        for uid, uuid, bucket, files, size, *fields in rows
    ]


def title(collections: Sequence[tuple[Any, int]], modalities: Sequence[tuple[Any, int]]) -> str:
    """Return the name of a job from its values with their counts."""
    return f"{_some([v for v, _ in collections], 2)} · {_some([v for v, _ in modalities], 3)}"


def _some(values: Sequence[object], shown: int) -> str:
    more = f" +{len(values) - shown}" if len(values) > shown else ""
    return ", ".join(str(v) for v in values[:shown]) + more
