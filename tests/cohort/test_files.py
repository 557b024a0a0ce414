"""The files of a series, by a listing of the bucket."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Iterator

import pytest

import idc_widgets as idc
from tests.mirror import Mirror, SpawnedMirror


@pytest.fixture(scope="module")
def served() -> Iterator[SpawnedMirror]:
    with Mirror.spawn() as m:
        yield m


@pytest.fixture
def series(catalog: idc.Catalog) -> tuple[str, str, str, int, int]:
    return catalog.index.database.rows(
        "SELECT SeriesInstanceUID, StudyInstanceUID, crdc_series_uuid, instanceCount, series_bytes FROM series "
        "WHERE collection_id = 'rider_pilot' AND instanceCount BETWEEN 3 AND 60 ORDER BY row_id LIMIT 1"
    )[0]


def test_each_file_has_its_address_size_and_md5(
    served: SpawnedMirror, catalog: idc.Catalog, series: tuple[str, str, str, int, int]
) -> None:
    uid, study, uuid, count, size = series
    found = idc.files(uid, catalog, endpoint_url=served.endpoint)
    assert len(found) == count and found["bytes"].sum() == size and set(found["SeriesInstanceUID"]) == {uid}
    row = found.iloc[0]
    assert row["url"].startswith("s3://idc-open-data") and row["url"].endswith(f"{row['crdc_instance_uuid']}.dcm")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(row["https_url"]) as answer:
        assert hashlib.md5(answer.read()).hexdigest() == row["md5"]
    assert idc.files(uuid, catalog, endpoint_url=served.endpoint).equals(found)
    whole = idc.files(study, catalog, endpoint_url=served.endpoint)
    assert set(found["url"]) <= set(whole["url"])
    in_study = catalog.index.database.rows("SELECT sum(instanceCount) FROM series WHERE StudyInstanceUID = ?", [study])
    assert len(whole) == in_study[0][0]
    one = idc.files(row["url"], catalog, endpoint_url=served.endpoint)
    assert list(one["url"]) == [row["url"]]


def test_the_other_cloud(served: SpawnedMirror, catalog: idc.Catalog, series: tuple[str, str, str, int, int]) -> None:
    found = idc.files(series[0], catalog, provider="gcs", endpoint_url=served.endpoint)
    assert len(found) == series[3] and found["url"].str.startswith("gs://idc-open-data/").all()


def test_what_is_not_there_is_told(
    served: SpawnedMirror, catalog: idc.Catalog, series: tuple[str, str, str, int, int]
) -> None:
    with pytest.raises(idc.UnknownNameError, match=r"1\.2\.3"):
        idc.files("1.2.3", catalog)
    with pytest.raises(idc.UnknownNameError, match=r"no file .none\.dcm"):
        idc.files(f"s3://idc-open-data/{series[2]}/none.dcm", catalog, endpoint_url=served.endpoint)
    with pytest.raises(idc.TransferError, match="azure"):
        idc.files(series[0], catalog, provider="azure")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="UID"):
        idc.files(None, catalog)  # type: ignore[arg-type]


def test_nobody_answers(
    catalog: idc.Catalog, series: tuple[str, str, str, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDC_WIDGETS_TRIES", "1")
    with pytest.raises(idc.TransferError, match="not listed"):
        idc.files(series[0], catalog, endpoint_url="http://127.0.0.1:9")
