"""What the tests of the mirror share: picking series, asking over HTTP, reading answers."""

from __future__ import annotations

import http.client
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import urlencode, urlsplit

import duckdb
import idc_index_data

from tests.mirror import Mirror, SpawnedMirror

PARQUET = str(idc_index_data.IDC_INDEX_PARQUET_FILEPATH)
NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def pick(condition: str, order: str = "crdc_series_uuid") -> dict[str, Any]:
    """Return a row of the index."""
    relation = duckdb.sql(
        "SELECT crdc_series_uuid, aws_bucket, instanceCount, PatientID, StudyInstanceUID, SeriesInstanceUID, "
        "SOPClassUID, Modality, SeriesDescription, StudyDate, BodyPartExamined, "
        "round(series_size_MB * 1e6)::BIGINT AS bytes "
        f"FROM read_parquet('{PARQUET}') WHERE {condition} "
        f"ORDER BY {order} LIMIT 1"
    )
    rows = relation.fetchall()
    assert rows, f"no series where {condition}"
    return dict(zip(relation.columns, rows[0], strict=True))


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self) -> str | None:
        return ET.fromstring(self.body).findtext("Code")


def ask(mirror: Mirror | SpawnedMirror, path: str, method: str = "GET", timeout: float = 20, **headers: str) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(mirror.endpoint).netloc, timeout=timeout)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def listing(mirror: Mirror, bucket: str, **query: str) -> ET.Element:
    answer = ask(mirror, f"/{bucket}?" + urlencode({name.replace("_", "-"): value for name, value in query.items()}))
    assert answer.status == 200, answer.body
    return ET.fromstring(answer.body)


def keys_of(page: ET.Element) -> list[str]:
    return [item.findtext(f"{NS}Key") or "" for item in page.iter(f"{NS}Contents")]
