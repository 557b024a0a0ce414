"""What a download needs to know of a cohort."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

from idc_widgets import transfer
from idc_widgets.api.manifest import manifest
from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort import citations
from idc_widgets.lib import arguments
from idc_widgets.lib.files import file_problem, write_text
from idc_widgets.lib.format import human_bytes

if TYPE_CHECKING:
    from idc_widgets.api.catalog import Catalog
    from idc_widgets.cohort.summary import Counts, Summary


def items(index: Index, where: str, parameters: Sequence[Any], layout: str) -> list[transfer.Item]:
    """Return what a download needs to know of each series; of the columns, those that the layout names."""
    keys = transfer.layout_keys(layout, index.columns)
    extra = "".join(f', "{k}"::VARCHAR' for k in keys)
    rows = index.database.rows(
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


def documents_of(cohort: Downloadable, provider: str, layout: str) -> transfer.Documents:
    """Return what `manifest.csv` and `README.md` are to say of a cohort."""
    catalog, (where, parameters) = cohort.catalog, cohort.compiled()
    columns = ", ".join(f'"{name}"::VARCHAR' for name in _DOCUMENTED)
    rows = catalog.index.database.rows(
        f"SELECT crdc_series_uuid, {columns}, '{catalog.version}' FROM {SERIES} WHERE {where} ORDER BY row_id",
        parameters,
    )
    cited = [f"  - {source}" for source in citations.sources(catalog.index, where, parameters)]
    counts = cohort.counts
    code = cohort.to_code()
    if len(code) > _READABLE:  # long lists of UIDs: those are in the manifest
        code = 'import idc_widgets as idc\n\ncohort = idc.Cohort.from_manifest("manifest.csv")\n'
    section = "\n".join(
        (
            f"## {title_of(cohort.value_counts('collection_id'), cohort.value_counts('Modality'))}",
            "",
            f"- Asked for: {counts.series:,} series, {counts.instances:,} files, {human_bytes(counts.bytes)}",
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


class Downloadable:
    """What a cohort does to be downloaded."""

    __slots__ = ()

    if TYPE_CHECKING:  # the cohort has these

        @property
        def catalog(self) -> Catalog: ...
        @property
        def counts(self) -> Counts: ...
        def compiled(self, *, without: str | None = None) -> tuple[str, list[Any]]: ...
        def value_counts(self, column: str) -> list[tuple[Any, int]]: ...
        def describe(self) -> Summary: ...
        def to_code(self) -> str: ...

    def documents(
        self, provider: transfer.Provider = "aws", layout: str = transfer.DEFAULT_LAYOUT
    ) -> transfer.Documents:
        """Return what `manifest.csv` and `README.md` in a destination say of the cohort."""
        return documents_of(self, transfer.check_provider(provider), transfer.check_layout(layout))

    def items(self, layout: str = transfer.DEFAULT_LAYOUT) -> list[transfer.Item]:
        """Return what a download needs to know of each series.

        Parameters
        ----------
        layout
            Template of the folders; the columns it names are read.
        """
        return items(self.catalog.index, *self.compiled(), transfer.check_layout(layout))

    def to_manifest(self, path: str | os.PathLike[str] | None = None, *, provider: transfer.Provider = "aws") -> str:
        """Return its manifest, for s5cmd or idc-index, and write it to `path` where one is given.

        Raises
        ------
        ValueError
            If `path` is no name that a file can have, or the provider is unknown.
        OSError
            If it cannot be written.
        """
        transfer.check_provider(provider)
        if path is not None and (problem := file_problem(arguments.path(path, "path", "the name of a file"))):
            raise ValueError(f"to_manifest({arguments.shown(str(path))}): {problem}")
        text = manifest(self.catalog.index, *self.compiled(), provider)
        if path is not None:
            write_text(path, text)
        return text

    @overload
    def download(
        self, destination: str | os.PathLike[str], *, provider: transfer.Provider = ..., layout: str = ...,
        endpoint_url: str | None = ..., title: str | None = ..., workers: int = ..., verify: transfer.Verify = ...,
        reuse: transfer.Reuse = ..., documents: bool = ..., max_bytes: int | str | None = ...,
        bandwidth: int | str | None = ..., dry_run: Literal[True],
    ) -> transfer.Plan: ...  # fmt: skip

    @overload
    def download(
        self, destination: str | os.PathLike[str], *, provider: transfer.Provider = ..., layout: str = ...,
        endpoint_url: str | None = ..., title: str | None = ..., workers: int = ..., verify: transfer.Verify = ...,
        reuse: transfer.Reuse = ..., documents: bool = ..., max_bytes: int | str | None = ...,
        bandwidth: int | str | None = ..., dry_run: Literal[False] = ...,
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
        reuse: transfer.Reuse = "copy",
        documents: bool = False,
        max_bytes: int | str | None = None,
        bandwidth: int | str | None = None,
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
        reuse
            What to do with series that are in the destination under another layout: "copy" them (a clone where the
            file system can) and verify the copy; "link" them, where one damaged byte is in both; None: fetch again.
        documents
            Whether to write `manifest.csv` and `README.md` into the destination: what is there, of which version, its
            licences, what to cite, and how to get it again.
        max_bytes
            How much may be fetched, in bytes or such as "5 GB". No file is begun that would pass it: the job pauses,
            and `job.resume()` goes on. What is there already does not count, nor do listings (some 400 bytes a file).
        bandwidth
            How much may be fetched a second, in bytes or such as "20 MB/s". With a limit, files are not fetched by
            s5cmd, which keeps none; at hundreds of MB/s that takes more of the processor.
        dry_run
            Whether to return the plan only: what is there already, free space, licences, paths, time.

        Raises
        ------
        TransferError
            If the cohort is empty, the destination cannot be written, the disk is too small, or the endpoint does
            not answer; one sentence says which.
        """
        arguments.flag(documents, "documents")
        arguments.flag(dry_run, "dry_run")
        how = transfer.wish(
            destination,
            provider=provider,
            layout=layout,
            endpoint_url=endpoint_url,
            title=title,
            workers=workers,
            verify=verify,
            reuse=reuse,
            max_bytes=max_bytes,
            bandwidth=bandwidth,
        )
        if dry_run:
            return replace(transfer.make(self.items(how.layout), how), licences=self.describe().licences)
        # From the sums alone where it is hopeless: the plan of a million series takes half a minute.
        transfer.check_room(how, self.counts.bytes)
        if how.title is None:
            how = replace(how, title=title_of(self.value_counts("collection_id"), self.value_counts("Modality")))
        return transfer.begin(
            self.items(how.layout),
            how,
            idc_version=self.catalog.version,
            documents=self.documents(how.provider, how.layout) if documents else None,
        )


def title_of(collections: Sequence[tuple[Any, int]], modalities: Sequence[tuple[Any, int]]) -> str:
    """Return the name of a job from its values with their counts."""
    return f"{_some([v for v, _ in collections], 2)} · {_some([v for v, _ in modalities], 3)}"


def _some(values: Sequence[object], shown: int) -> str:
    more = f" +{len(values) - shown}" if len(values) > shown else ""
    return ", ".join(str(v) for v in values[:shown]) + more
