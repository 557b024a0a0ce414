"""The mirror is what other tests stand on, so it is held against pydicom and against the index."""

from __future__ import annotations

import hashlib
import io
import time
from typing import Any

import duckdb
import numpy as np
import pydicom
import pytest

from tests.mirror import Mirror

from .asking import NS, PARQUET, ask, keys_of, listing, pick

SAMPLE = {
    "CT": "Modality = 'CT' AND SOPClassUID LIKE '%.1.2' AND instanceCount BETWEEN 20 AND 30",
    "CT, little room": "Modality = 'CT' AND SOPClassUID LIKE '%.1.2' AND series_size_MB * 1e6 / instanceCount < 75000",
    "MR": "Modality = 'MR' AND SOPClassUID LIKE '%.1.4' AND instanceCount BETWEEN 20 AND 30",
    "MR, little room": "Modality = 'MR' AND series_size_MB * 1e6 / instanceCount < 10600",
    "PT": "Modality = 'PT' AND SOPClassUID LIKE '%.128' AND instanceCount BETWEEN 20 AND 60",
    "SM": "Modality = 'SM' AND instanceCount > 2 AND series_size_MB < 40",
    "SM, little room": "Modality = 'SM' AND series_size_MB * 1e6 / instanceCount < 40000",
    "SEG": "SOPClassUID LIKE '%.66.4' AND instanceCount > 1 AND series_size_MB < 40",
    "SEG, smallest": "SOPClassUID LIKE '%.66.4' AND series_size_MB < 0.0037",
    "SEG, label map": "SOPClassUID LIKE '%.66.7' AND series_size_MB < 10",
    "SR": "Modality = 'SR' AND series_size_MB < 0.005",
    "RTSTRUCT": "Modality = 'RTSTRUCT' AND series_size_MB < 0.003",
    "PR, smallest of all": "Modality = 'PR' AND series_size_MB < 0.00127",
    "MG": "Modality = 'MG' AND SOPClassUID LIKE '%.1.2' AND series_size_MB < 30",
    "US": "Modality = 'US' AND series_size_MB < 20",
    "NC": "aws_bucket = 'idc-open-data-cr' AND instanceCount BETWEEN 2 AND 5 AND series_size_MB < 60",
    "heads": "aws_bucket = 'idc-open-data-two' AND instanceCount BETWEEN 2 AND 50 AND series_size_MB < 40",
    "raw data": "SOPClassUID LIKE '%.1.66' AND series_size_MB < 1",
}


@pytest.mark.parametrize("condition", SAMPLE.values(), ids=SAMPLE)
def test_objects_are_the_series(mirror: Mirror, condition: str) -> None:
    row = pick(condition)
    uuid = row["crdc_series_uuid"]
    truth = mirror.truth(uuid)
    assert len(truth) == len({key for key, _, _ in truth}) == row["instanceCount"]
    assert sum(size for _, size, _ in truth) == row["bytes"]

    seen, pictures = set(), {}
    for key, size, etag in truth[:6]:
        body = mirror.body(key)
        assert len(body) == size and hashlib.md5(body).hexdigest() == etag
        data = pydicom.dcmread(io.BytesIO(body))
        tags = [element.tag for element in data]
        assert tags == sorted(tags) and tags[-1] == 0xFFFCFFFC
        for column in (
            "PatientID",
            "StudyInstanceUID",
            "SeriesInstanceUID",
            "SOPClassUID",
            "Modality",
            "SeriesDescription",
        ):
            assert str(data.get(column) or "") == (row[column] or ""), column
        assert data.StudyDate == (row["StudyDate"] or "").replace("-", "")
        assert data.get("BodyPartExamined") == row["BodyPartExamined"]
        assert data.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
        seen.add((data.SOPInstanceUID, data.InstanceNumber))
        if "PixelData" in data:
            pictures[int(data.InstanceNumber)] = data.pixel_array
    assert len(seen) == min(6, len(truth))
    if row["Modality"] in ("CT", "MR", "PT", "SM", "SEG", "MG", "US") and "1.66" not in row["SOPClassUID"][-4:]:
        assert len(pictures) == len(seen)
    if row["Modality"] == "SM":
        assert all(picture.shape[-1] == 3 for picture in pictures.values())
    for number, picture in pictures.items():
        assert picture.max() > picture.min()
        assert not any(np.array_equal(picture, other) for n, other in pictures.items() if n != number)


def test_a_volume_can_be_made(mirror: Mirror, small: dict[str, Any]) -> None:
    slices = [pydicom.dcmread(io.BytesIO(mirror.body(key))) for key, _, _ in mirror.truth(small["crdc_series_uuid"])]
    slices.sort(key=lambda data: int(data.InstanceNumber))
    assert [int(data.InstanceNumber) for data in slices] == list(range(1, small["instanceCount"] + 1))
    steps = np.diff([float(data.ImagePositionPatient[2]) for data in slices])
    assert np.allclose(steps, float(slices[0].SliceThickness)) and steps[0] > 0
    assert len({(data.Rows, data.Columns, data.FrameOfReferenceUID, str(data.PixelSpacing)) for data in slices}) == 1
    middle = slices[len(slices) // 2]
    hounsfield = middle.pixel_array * float(middle.RescaleSlope) + float(middle.RescaleIntercept)
    assert hounsfield.min() < -900 and 300 < hounsfield.max() < 1500
    corner = float(middle.ImagePositionPatient[0]) + middle.Columns * float(middle.PixelSpacing[1]) / 2
    assert abs(corner) < float(middle.PixelSpacing[1])


def test_bytes_never_change(mirror: Mirror) -> None:
    """A new digest here means that every mirror's objects are others than before: see that it is meant."""
    key = mirror.truth("000b69f9-24d7-4bfb-afc0-060620cb2bc5")[0].key
    assert key.endswith("/02bb0b85-52a0-5329-8363-87059bafaebf.dcm")
    assert hashlib.md5(mirror.body(key)).hexdigest() == "a643e9559182af5057af0a27ba3de755"


def test_etag_and_size_are_the_same_everywhere(mirror: Mirror, small: dict[str, Any]) -> None:
    page = listing(mirror, "idc-open-data", list_type="2", prefix=small["crdc_series_uuid"] + "/")
    item = next(page.iter(f"{NS}Contents"))
    key = item.findtext(f"{NS}Key")
    head, get = ask(mirror, f"/idc-open-data/{key}", "HEAD"), ask(mirror, f"/idc-open-data/{key}")
    assert item.findtext(f"{NS}ETag") == head.headers["etag"] == get.headers["etag"]
    assert get.headers["etag"].strip('"') == hashlib.md5(get.body).hexdigest()
    assert int(item.findtext(f"{NS}Size") or 0) == int(head.headers["content-length"]) == len(get.body)
    assert head.body == b"" and head.status == get.status == 200
    assert ask(mirror, f"/idc-open-data/{key}", If_None_Match=get.headers["etag"]).status == 304
    assert ask(mirror, f"/idc-open-data/{key}", If_Match='"other"').status == 412
    assert ask(mirror, f"/idc-open-data/{key}", "PUT").code == "AccessDenied"


@pytest.mark.parametrize("version", ["1", "2"])
def test_pages_of_a_long_series(mirror: Mirror, version: str) -> None:
    row = pick("instanceCount BETWEEN 2001 AND 2999", "series_size_MB")
    bucket, prefix = row["aws_bucket"], row["crdc_series_uuid"] + "/"
    pages, after = [], {}
    while True:
        page = listing(mirror, bucket, prefix=prefix, **({"list_type": "2"} if version == "2" else {}), **after)
        pages.append(keys_of(page))
        if page.findtext(f"{NS}IsTruncated") == "false":
            break
        if version == "2":
            after = {"continuation_token": page.findtext(f"{NS}NextContinuationToken") or ""}
        else:
            after = {"marker": pages[-1][-1]}
    keys = [key for page in pages for key in page]
    assert [len(page) for page in pages] == [1000, 1000, row["instanceCount"] - 2000]
    assert keys == sorted(set(keys)) and all(key.startswith(prefix) for key in keys)


def test_parameters_of_a_listing(mirror: Mirror, small: dict[str, Any]) -> None:
    uuid = small["crdc_series_uuid"]
    every = keys_of(listing(mirror, "idc-open-data", list_type="2", prefix=f"{uuid}/"))
    assert keys_of(listing(mirror, "idc-open-data", list_type="2", prefix=f"{uuid}/", max_keys="7")) == every[:7]
    later = listing(mirror, "idc-open-data", list_type="2", prefix=f"{uuid}/", start_after=every[9])
    assert keys_of(later) == every[10:]
    assert keys_of(listing(mirror, "idc-open-data", prefix=every[5])) == [every[5]]
    assert keys_of(listing(mirror, "idc-open-data", prefix=f"{uuid}/", delimiter="/")) == every
    folder = listing(mirror, "idc-open-data", list_type="2", prefix=uuid[:30], delimiter="/")
    assert [each.findtext(f"{NS}Prefix") for each in folder.iter(f"{NS}CommonPrefixes")] == [f"{uuid}/"]
    assert keys_of(folder) == []
    encoded = listing(mirror, "idc-open-data", list_type="2", prefix=f"{uuid}/", encoding_type="url", max_keys="1")
    assert encoded.findtext(f"{NS}EncodingType") == "url" and keys_of(encoded) == every[:1]
    assert keys_of(listing(mirror, "idc-open-data", list_type="2", prefix="nothing/")) == []
    assert keys_of(listing(mirror, "idc-open-data", list_type="2", prefix=f"{uuid}/", max_keys="0")) == []
    for wrong in ("max-keys=some", "max-keys=-1", "list-type=2&continuation-token=%C3%A9"):
        assert ask(mirror, f"/idc-open-data?{wrong}").code == "InvalidArgument"


def test_the_root_lists_series_as_folders(mirror: Mirror) -> None:
    expected = duckdb.sql(
        f"SELECT crdc_series_uuid FROM read_parquet('{PARQUET}') WHERE aws_bucket = 'idc-open-data-two' "
        "ORDER BY 1 LIMIT 8"
    ).fetchall()
    found: list[str] = []
    after: dict[str, str] = {}
    for _ in range(2):
        page = listing(mirror, "idc-open-idc1", list_type="2", delimiter="/", max_keys="4", **after)
        found += [each.findtext(f"{NS}Prefix") or "" for each in page.iter(f"{NS}CommonPrefixes")]
        after = {"continuation_token": page.findtext(f"{NS}NextContinuationToken") or ""}
    assert found == [f"{uuid}/" for (uuid,) in expected]


@pytest.mark.parametrize(
    ("aws", "gcs"),
    [("idc-open-data", "idc-open-data"), ("idc-open-data-two", "idc-open-idc1"), ("idc-open-data-cr", "idc-open-cr")],
)
def test_buckets_of_both_clouds(mirror: Mirror, aws: str, gcs: str) -> None:
    row = pick(f"aws_bucket = '{aws}' AND instanceCount < 5 AND series_size_MB < 20")
    prefix = row["crdc_series_uuid"] + "/"
    every = {"idc-open-data", "idc-open-data-two", "idc-open-data-cr", "idc-open-idc1", "idc-open-cr"}
    keys = keys_of(listing(mirror, aws, prefix=prefix))
    assert len(keys) == row["instanceCount"]
    for bucket in every:
        there = bucket in (aws, gcs)
        assert keys_of(listing(mirror, bucket, prefix=prefix)) == (keys if there else [])
        answer = ask(mirror, f"/{bucket}/{keys[0]}")
        assert (answer.status, there or answer.code) == ((200, True) if there else (404, "NoSuchKey"))
    for path in ("/no-such-bucket", f"/no-such-bucket/{keys[0]}"):
        answer = ask(mirror, path)
        assert (answer.status, answer.code) == (404, "NoSuchBucket")


def test_ranges(mirror: Mirror, small: dict[str, Any]) -> None:
    key, size, _ = mirror.truth(small["crdc_series_uuid"])[3]
    whole, path = mirror.body(key), f"/idc-open-data/{key}"
    for text, part in {
        "bytes=0-0": slice(0, 1),
        "bytes=100-4099": slice(100, 4100),
        f"bytes={size - 5}-": slice(size - 5, size),
        "bytes=-7": slice(size - 7, size),
        f"bytes=10-{size * 2}": slice(10, size),
    }.items():
        answer = ask(mirror, path, Range=text)
        assert answer.status == 206 and answer.body == whole[part]
        assert answer.headers["content-range"] == f"bytes {part.start}-{part.stop - 1}/{size}"
    refused = ask(mirror, path, Range=f"bytes={size}-")
    assert (refused.status, refused.code) == (416, "InvalidRange")
    assert refused.headers["content-range"] == f"bytes */{size}"


def test_the_largest_series_cost_nothing_to_list_or_to_read_from(mirror: Mirror) -> None:
    row = pick("instanceCount > 1", "series_size_MB / instanceCount DESC")
    began = time.monotonic()
    truth = mirror.truth(row["crdc_series_uuid"])
    assert sum(size for _, size, _ in truth) == row["bytes"]
    key, size, etag = truth[-1]
    assert "-" in etag and size > 1_000_000_000
    path = f"/{row['aws_bucket']}/{key}"
    start = size // 2 - 1000
    far = ask(mirror, path, Range=f"bytes={start}-{start + 1_999_999}")
    halves = [
        ask(mirror, path, Range=f"bytes={start}-{start + 999_999}").body,
        ask(mirror, path, Range=f"bytes={start + 1_000_000}-{start + 1_999_999}").body,
    ]
    assert far.body == b"".join(halves) and halves[0] != halves[1]
    assert far.headers["etag"] == f'"{etag}"'
    assert time.monotonic() - began < 2


def test_every_series_can_be_split(mirror: Mirror) -> None:
    """The smallest object of each kind has room for its header, whatever the kind."""
    rows = duckdb.sql(
        "SELECT arg_min(crdc_series_uuid, series_size_MB / instanceCount), arg_max(crdc_series_uuid, series_size_MB) "
        f"FROM read_parquet('{PARQUET}') GROUP BY Modality, SOPClassUID"
    ).fetchall()
    assert len(rows) > 40
    for uuid in {uuid for row in rows for uuid in row}:
        series = mirror.server.store.index.series(uuid)
        assert series is not None
        sizes = [series.instance_size(instance) for instance in range(series.count)]
        assert sum(sizes) == series.size and min(sizes) >= series.smallest
        content = mirror.server.store.content(series, sizes.index(min(sizes)))
        assert content.size == min(sizes)
