"""Manifests: what s5cmd and idc-index download from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.lib.format import human_bytes
from idc_widgets.transfer import Provider
from idc_widgets.transfer.providers import bucket_at, endpoint


def manifest(index: Index, where: str, parameters: Sequence[Any], provider: Provider) -> str:
    """Return the manifest that s5cmd and idc-index read: a line a series."""
    url = endpoint(provider)
    rows = index.database.rows(
        f"SELECT aws_bucket::VARCHAR, crdc_series_uuid, series_bytes FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    size = human_bytes(sum(r[2] for r in rows))
    lines = [
        f"# IDC v{index.version}: {len(rows):,} series, {size}",
        f"# s5cmd --no-sign-request --endpoint-url {url} run <this file>",
        *(f"cp s3://{bucket_at(provider, bucket)}/{uuid}/* ." for bucket, uuid, _ in rows),
    ]
    return "\n".join(lines) + "\n"
