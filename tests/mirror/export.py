"""The bucket of metadata: a small `bigquery_export`, whose instances are the objects that the mirror serves.

`dicom_all` holds the instances of some small collections, in many files whose series do not overlap; a clinical
dataset holds a table for each that `clinical_index` names, with `table_metadata` and `column_metadata`. Made when
first asked for, kept for the next time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import duckdb
import pandas as pd

from .index import cache_dir, read
from .tables import _IDC, Tables

BUCKET = "idc-open-metadata"
COLLECTIONS = ("rider_pilot", "cmb_brca", "qin_breast")
FILES = 60
_CLINICAL = """SELECT dicom_patient_id, 'idc' AS source_batch,
  20 + (md5_number_lower(dicom_patient_id) % 70)::BIGINT AS age_at_diagnosis,
  ['F', 'M'][1 + (md5_number_lower(dicom_patient_id) // 100 % 2)::INTEGER] AS gender,
  ((md5_number_lower(dicom_patient_id) // 1000) % 2)::VARCHAR AS vital_status
  FROM (SELECT DISTINCT PatientID AS dicom_patient_id FROM idx WHERE collection_id = '{collection}') ORDER BY 1"""


@dataclass(frozen=True)
class File:
    """One object."""

    path: Path
    size: int
    etag: str


class Export:
    """The bucket's objects by key."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._objects: dict[str, File] = {}

    @property
    def objects(self) -> dict[str, File]:
        """Key → file, in the order of keys."""
        with self._lock:
            if not self._objects:
                folder = cache_dir("export", "index", "series", "tables") / "bigquery_export"
                if not folder.exists():
                    draft = folder.with_name(f"draft{os.getpid()}")
                    _make(draft, self._tables)
                    try:
                        draft.replace(folder)
                    except OSError:  # another process was faster
                        shutil.rmtree(draft)
                self._objects = {
                    f"bigquery_export/{path.relative_to(folder).as_posix()}": File(
                        path, path.stat().st_size, hashlib.md5(path.read_bytes()).hexdigest()
                    )
                    for path in sorted(folder.rglob("*.parquet"), key=lambda p: p.relative_to(folder).as_posix())
                }
            return self._objects

    def replace(self, key: str, path: Path) -> None:
        """Let an object be another file, as after a new version."""
        self.objects[key] = File(path, path.stat().st_size, hashlib.md5(path.read_bytes()).hexdigest())

    def listing(self, query: Mapping[str, str]) -> bytes:
        """Return the XML that answers ListObjectsV2."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after, limit = query.get("continuation-token", ""), min(int(query.get("max-keys", "1000")), 1000)
        entries: list[str] = []
        for key in self.objects:
            end = key.find(delimiter, len(prefix)) if delimiter and key.startswith(prefix) else -1
            entry = key if end < 0 else key[: end + 1]
            if key.startswith(prefix) and entry > after and entry not in entries[-1:]:
                entries.append(entry)
        shown, more = entries[:limit], len(entries) > limit
        text = quote if query.get("encoding-type") else escape
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix>{text(prefix)}</Prefix><KeyCount>{len(shown)}</KeyCount>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>",
            f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if more else "",
        ]
        for entry in shown:
            if entry in self.objects:
                file = self.objects[entry]
                lines.append(
                    f"<Contents><Key>{text(entry)}</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified>"
                    f"<ETag>&quot;{file.etag}&quot;</ETag><Size>{file.size}</Size></Contents>"
                )
            else:
                lines.append(f"<CommonPrefixes><Prefix>{text(entry)}</Prefix></CommonPrefixes>")
        return "".join([*lines, "</ListBucketResult>"]).encode()


def _make(folder: Path, tables: Tables) -> None:
    import idc_index_data

    index = str(idc_index_data.IDC_INDEX_PARQUET_FILEPATH).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            "CREATE TEMP TABLE idx AS SELECT collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, Modality, "
            f"StudyDate, SeriesDescription, crdc_series_uuid, aws_bucket FROM '{index}'"
        )
        _dicom_all(connection, folder / "idc_current" / "dicom_all")
        known = f"FROM '{tables.path('clinical_index')}'"
        names = connection.execute(f"SELECT DISTINCT collection_id, short_table_name {known} ORDER BY ALL").fetchall()
        clinical = folder / "idc_current_clinical"
        for collection, name in names:
            _copy(connection, _CLINICAL.format(collection=collection), clinical / name)
        listed = f"SELECT DISTINCT collection_id, short_table_name AS table_name {known} ORDER BY ALL"
        _copy(connection, listed, clinical / "table_metadata")
        _copy(connection, f"SELECT * {known}", clinical / "column_metadata")
    # The newest version goes by two names.
    shutil.copytree(folder / "idc_current", folder / f"idc_v{_IDC}")
    shutil.copytree(clinical, folder / f"idc_v{_IDC}_clinical")


def _dicom_all(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    named = ", ".join(f"'{c}'" for c in COLLECTIONS)
    rows = [
        (each.uuid, str(uuid := each.instance_uuid(n)), f"2.25.{uuid.int}", n + 1, each.instance_size(n))
        for each in read(f"collection_id IN ({named})")
        for n in range(each.count)
    ]
    columns = ["crdc_series_uuid", "crdc_instance_uuid", "SOPInstanceUID", "InstanceNumber", "instance_size"]
    connection.register("made", pd.DataFrame(rows, columns=columns))
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE dicom_all AS SELECT i.collection_id, i.PatientID, i.StudyInstanceUID,
        i.SeriesInstanceUID, m.SOPInstanceUID, i.Modality, i.StudyDate::DATE AS StudyDate, m.InstanceNumber,
        i.SeriesDescription, m.crdc_instance_uuid, i.crdc_series_uuid, m.instance_size, i.aws_bucket,
        's3://' || i.aws_bucket || '/' || i.crdc_series_uuid || '/' || m.crdc_instance_uuid || '.dcm' AS aws_url,
        dense_rank() OVER (ORDER BY i.SeriesInstanceUID) AS place
        FROM made m JOIN idx i USING (crdc_series_uuid)"""
    )
    last = connection.execute("SELECT max(place) FROM dicom_all").fetchall()[0][0]
    for number in range(FILES):
        first, end = number * last // FILES, (number + 1) * last // FILES
        _copy(
            connection,
            f"SELECT * EXCLUDE (place) FROM dicom_all WHERE place > {first} AND place <= {end} "
            "ORDER BY SeriesInstanceUID, SOPInstanceUID",
            folder,
            f"{number:012d}",
        )


def _copy(connection: duckdb.DuckDBPyConnection, query: str, folder: Path, name: str = "000000000000") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / f"{name}.parquet").replace("'", "''")
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
