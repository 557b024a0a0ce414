"""What a download needs to know of a cohort."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.catalog.catalog import default_catalog
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort import citations

if TYPE_CHECKING:
    from idc_widgets.cohort.summary import Counts, Summary


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
_READABLE = 4_000  # characters of code


def documents_of(cohort: Gettable, provider: str, layout: str) -> transfer.Documents:
    """Return what `manifest.csv` and `README.md` are to say of a cohort."""
    catalog, (where, parameters) = cohort.catalog, cohort.compiled()
    columns = ", ".join(f'"{name}"::VARCHAR' for name in _DOCUMENTED)
    rows = catalog.database.rows(
        f"SELECT crdc_series_uuid, {columns}, '{catalog.version}' FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    cited = [f"  - {source}" for source in citations.sources(catalog, where, parameters)]
    counts = cohort.counts
    code = cohort.code()
    if len(code) > _READABLE:  # long lists of UIDs: those are in the manifest
        code = 'import idc_widgets as idc\n\ncohort = idc.Cohort.from_manifest("manifest.csv")\n'
    section = "\n".join(
        (
            f"## {title_of(cohort.tally('collection_id'), cohort.tally('Modality'))}",
            "",
            f"- Asked for: {counts.series:,} series, {counts.instances:,} files, {transfer.human_bytes(counts.bytes)}",
            f"- Version: IDC v{catalog.version} (data release {catalog.release}), from {provider}",
            "- Sources and licences, to be cited and kept to:",
            *cited,
            f"- Cite IDC too: {citations.IDC}",
            "- What each folder holds: `manifest.csv`",
            "- To get it again, with idc_widgets:",
            "",
            *(f"      {line}" for line in code.splitlines()),
            f'      cohort.download("data", provider="{provider}", layout="{layout}")',
            "",
        )
    )
    return transfer.Documents(["crdc_series_uuid", *_DOCUMENTED, "idc_version"], rows, section)


class Gettable:
    """What a cohort does to come to a disk."""

    __slots__ = ()

    if TYPE_CHECKING:  # the cohort has these

        @property
        def catalog(self) -> Catalog: ...
        @property
        def counts(self) -> Counts: ...
        def compiled(self, *, without: str | None = None) -> tuple[str, list[Any]]: ...
        def tally(self, column: str) -> list[tuple[Any, int]]: ...
        def describe(self) -> Summary: ...
        def code(self) -> str: ...

    def documents(
        self, provider: transfer.Provider = "aws", layout: str = transfer.DEFAULT_LAYOUT
    ) -> transfer.Documents:
        """Return what `manifest.csv` and `README.md` in a destination say of the cohort."""
        return documents_of(self, provider, layout)

    def items(self, layout: str = transfer.DEFAULT_LAYOUT) -> list[transfer.Item]:
        """Return what a download needs to know of each series.

        Parameters
        ----------
        layout
            Template of the folders; the columns it names are read.
        """
        return items(self.catalog, *self.compiled(), layout)

    @overload
    def download(
        self, destination: str | os.PathLike[str], *, provider: transfer.Provider = ..., layout: str = ...,
        endpoint_url: str | None = ..., title: str | None = ..., workers: int = ..., verify: transfer.Verify = ...,
        documents: bool = ..., dry_run: Literal[True],
    ) -> transfer.Plan: ...  # fmt: skip

    @overload
    def download(
        self, destination: str | os.PathLike[str], *, provider: transfer.Provider = ..., layout: str = ...,
        endpoint_url: str | None = ..., title: str | None = ..., workers: int = ..., verify: transfer.Verify = ...,
        documents: bool = ..., dry_run: Literal[False] = ...,
    ) -> transfer.Job: ...  # fmt: skip

    def download(
        self,
        destination: str | os.PathLike[str],
        *,
        provider: transfer.Provider = "aws",
        layout: str = transfer.DEFAULT_LAYOUT,
        endpoint_url: str | None = None,
        title: str | None = None,
        workers: int = transfer.DEFAULT_WORKERS,
        verify: transfer.Verify = "md5",
        documents: bool = False,
        dry_run: bool = False,
    ) -> transfer.Job | transfer.Plan:
        """Start downloading its series in the background and return the job at once.

        The download is a process of its own: it goes on when this one ends. What is there already is not fetched
        again. A series' folder appears under its name only when every file of it was checked.

        Parameters
        ----------
        destination
            Folder to download into; made if missing.
        provider
            "aws" or "gcs": the cloud to download from.
        layout
            Folders below the destination: `%column` of the index, joined by "/", "_" or "-".
        endpoint_url
            S3 endpoint in place of the provider's.
        title
            Name of the job in the download panel; by default its collections and modalities.
        workers
            Files fetched at once.
        verify
            "md5": the size of each file, and its MD5 where the bucket tells it; "size": the size alone; "dicom": as
            "md5", and the UIDs in each file's header.
        documents
            Whether to write `manifest.csv` and `README.md` into the destination: what is there, of which version, its
            licences, what to cite, and how to get it again.
        dry_run
            Whether to return the plan only: what is there already, free space, licences, paths, time.

        Raises
        ------
        TransferError
            If the cohort is empty, the destination cannot be written, the disk is too small, or the endpoint does
            not answer; one sentence says which.
        """
        folder = os.fspath(destination)
        if dry_run:
            plan = transfer.plan(self.items(layout), folder, layout=layout, provider=provider, verify=verify)
            return replace(plan, licences=self.describe().licences)
        # Told from the sums alone where it is hopeless: the plan of a million series takes half a minute.
        transfer.check_room(folder, self.counts.bytes)
        return transfer.start(
            self.items(layout),
            folder,
            provider=provider,
            layout=layout,
            endpoint_url=endpoint_url,
            title=title or title_of(self.tally("collection_id"), self.tally("Modality")),
            idc_version=self.catalog.version,
            workers=workers,
            verify=verify,
            documents=self.documents(provider, layout) if documents else None,
        )


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


def title_of(collections: Sequence[tuple[Any, int]], modalities: Sequence[tuple[Any, int]]) -> str:
    """Return the name of a job from its values with their counts."""
    return f"{_some([v for v, _ in collections], 2)} · {_some([v for v, _ in modalities], 3)}"


def _some(values: Sequence[object], shown: int) -> str:
    more = f" +{len(values) - shown}" if len(values) > shown else ""
    return ", ".join(str(v) for v in values[:shown]) + more
