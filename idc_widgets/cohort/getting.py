"""What a download needs to know of a cohort."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.catalog.catalog import default_catalog
from idc_widgets.catalog.database import SERIES

if TYPE_CHECKING:
    from idc_widgets.cohort.cohort import Cohort


def items(catalog: Catalog, where: str, parameters: Sequence[Any], layout: str) -> list[transfer.Item]:
    """Return what a download needs to know of each series; of the columns, those that the layout names."""
    keys = transfer.layout_keys(layout, catalog.index_columns)
    extra = "".join(f', "{k}"::VARCHAR' for k in keys)
    rows = catalog.database.rows(
        "SELECT SeriesInstanceUID, crdc_series_uuid, aws_bucket::VARCHAR, instanceCount, series_bytes, "
        f"StudyInstanceUID{extra} "
        f"FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    return [
        transfer.Item(uid, uuid, bucket, files, size, dict(zip(keys, fields, strict=True)), study)
        for uid, uuid, bucket, files, size, study, *fields in rows
    ]


_DOCUMENTED = (
    "collection_id", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "StudyDate", "SeriesDescription",
    "license_short_name", "source_DOI", "series_aws_url",
)  # fmt: skip
_CITATION = (
    "Fedorov A, et al. National Cancer Institute Imaging Data Commons: Toward Transparency, Reproducibility, and "
    "Scalability in Imaging Artificial Intelligence. RadioGraphics 2023. https://doi.org/10.1148/rg.230180"
)


def documents(cohort: Cohort, provider: str, layout: str) -> transfer.Documents:
    """Return what `manifest.csv` and `README.md` are to say of a cohort."""
    catalog, (where, parameters) = cohort.catalog, cohort.compiled()
    columns = ", ".join(f'"{name}"::VARCHAR' for name in _DOCUMENTED)
    rows = catalog.database.rows(
        f"SELECT crdc_series_uuid, {columns}, '{catalog.version}' FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    sources = catalog.database.rows(
        "SELECT source_DOI::VARCHAR AS doi, collection_id::VARCHAR AS c, license_short_name::VARCHAR AS l, count(*) "
        f"FROM {SERIES} WHERE {where} GROUP BY ALL ORDER BY c, doi, l",
        parameters,
    )
    cited = [f"  - {c}: https://doi.org/{doi} ({licence}; {n:,} series)" for doi, c, licence, n in sources]
    counts = cohort.counts
    section = "\n".join(
        (
            f"## {title(cohort.tally('collection_id'), cohort.tally('Modality'))}",
            "",
            f"- Asked for: {counts.series:,} series, {counts.instances:,} files, {transfer.human_bytes(counts.bytes)}",
            f"- Version: IDC v{catalog.version} (data release {catalog.release}), from {provider}",
            "- Sources and licences, to be cited and kept to:",
            *cited,
            f"- Cite IDC too: {_CITATION}",
            "- What each folder holds: `manifest.csv`",
            "- To get it again, with idc_widgets:",
            "",
            *(f"      {line}" for line in cohort.code().splitlines()),
            f'      cohort.download("data", provider="{provider}", layout="{layout}")',
            "",
        )
    )
    return transfer.Documents(["crdc_series_uuid", *_DOCUMENTED, "idc_version"], rows, section)


def verify(
    folder: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    provider: transfer.Provider = "aws",
    endpoint_url: str | None = None,
    offline: bool = False,
    told: Callable[[transfer.Audit], None] = lambda audit: None,
) -> transfer.Audit:
    """Check every file of IDC's in a folder, whoever put it there, against a listing of the bucket.

    Which series should be there is what the folder's receipt says, and for folders that it does not know, what their
    names or their files' headers say. The outcome is kept in the receipt, so that a download into the folder fetches
    what is missing or damaged, and nothing else.

    Parameters
    ----------
    folder
        Where series were downloaded to.
    catalog
        The catalogue that knows them; by default the shared one.
    provider, endpoint_url
        The cloud, or another S3 endpoint, to list.
    offline
        Whether to go by the receipt alone.
    told
        Called with the outcome so far after each series.

    Raises
    ------
    TransferError
        If it is no folder, holds nothing of IDC, or the endpoint does not answer.
    """
    catalog = catalog or default_catalog()

    def lookup(uids: Collection[str]) -> dict[str, transfer.Item]:
        found = items(catalog, "SeriesInstanceUID IN (SELECT unnest(?))", [sorted(uids)], "")
        return {item.series_uid: item for item in found}

    return transfer.audit(
        folder,
        lookup,
        idc_version=catalog.version,
        provider=provider,
        endpoint_url=endpoint_url,
        offline=offline,
        told=told,
    )


def title(collections: Sequence[tuple[Any, int]], modalities: Sequence[tuple[Any, int]]) -> str:
    """Return the name of a job from its values with their counts."""
    return f"{_some([v for v, _ in collections], 2)} · {_some([v for v, _ in modalities], 3)}"


def _some(values: Sequence[object], shown: int) -> str:
    more = f" +{len(values) - shown}" if len(values) > shown else ""
    return ", ".join(str(v) for v in values[:shown]) + more
