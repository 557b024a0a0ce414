"""The one reader of identifiers: files of any kind and encoding, paths, data frames."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read
from tests.cohort.test_identifiers import S2, T2, S, T, uids

pytestmark = pytest.mark.usefixtures("quiet")


# -- files


def _text() -> str:
    return f"collection_id,SeriesInstanceUID\nlidc_idri,{S}\nnlst,{S2}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(encoding: str, ends: str, packed: bool, tmp_path: Path, catalog: idc.Catalog) -> None:
    data = ("# Größe\n" + _text()).replace("\n", ends).encode(encoding)
    path = tmp_path / "list"
    path.write_bytes(gzip.compress(data) if packed else data)
    for source in (path, str(path), io.BytesIO(path.read_bytes())):
        assert uids(idc.Cohort.from_manifest(source, catalog)) == {S, S2}


def test_what_the_product_writes(tmp_path: Path, catalog: idc.Catalog) -> None:
    cohort = catalog.cohort(SeriesInstanceUID=[S, S2])
    frame = cohort.series()
    parquet = tmp_path / "table.parquet"
    duckdb.sql(f"COPY frame TO '{parquet}' (FORMAT parquet)")
    packed = tmp_path / "table.parquet.gz"
    packed.write_bytes(gzip.compress(parquet.read_bytes()))
    saved = tmp_path / "cohort.json"
    saved.write_text(cohort.to_json())
    for source in (
        parquet, packed, saved, cohort.to_json(), frame.to_csv(), frame.to_csv(sep="\t"), frame.to_json(),
        frame.to_json(orient="records"), frame.to_json(orient="split"), frame.to_json(orient="index"),
        frame.to_json(orient="records", lines=True), frame.to_string(), io.StringIO(frame.to_csv()), frame,
        frame.SeriesInstanceUID, frame.SeriesInstanceUID.to_numpy(), set(frame.SeriesInstanceUID),
    ):  # fmt: skip
        assert uids(idc.Cohort.from_manifest(source, catalog)) == {S, S2}, str(source)[:200]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"hello world\nthis is nothing\n", "names no series"),
        (bytes(range(256)) * 20, "binary file"),
        (b"\0" * 128 + b"DICM" + b"\1" * 300, "DICOM file"),
        (b"PK\x03\x04" + b"\1" * 300, "Excel"),
        (b"\x1f\x8b" + b"\1" * 300, "cannot be unpacked"),
        (b"PAR1" + b"\1" * 300, "no parquet file"),
    ],
)
def test_files_that_name_nothing(data: bytes, says: str, tmp_path: Path, catalog: idc.Catalog) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=says) as error:
        idc.Cohort.from_manifest(path, catalog)
    assert "no such file" not in str(error.value)
    assert "\n" not in str(error.value).replace("\\n", "")


def test_paths(tmp_path: Path, catalog: idc.Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nlst").mkdir()
    assert idc.Cohort.from_manifest("nlst", catalog) == catalog.cohort(collection_id="nlst")
    (tmp_path / "rider_pilot").write_text(S)
    assert uids(idc.Cohort.from_manifest("rider_pilot", catalog)) == {S}
    with pytest.raises(ValueError, match="is a folder"):
        idc.Cohort.from_manifest(tmp_path, catalog)
    with pytest.raises(ValueError, match="is a folder"):
        idc.Cohort.from_manifest(str(tmp_path), catalog)
    for path in ("no/such/file.txt", "manifest.csv", "C:\\data\\list.txt", tmp_path / "none"):
        with pytest.raises(ValueError, match="no such file"):
            idc.Cohort.from_manifest(path, catalog)
    closed = tmp_path / "closed.txt"
    closed.write_text(S)
    closed.chmod(0)
    if not os.access(closed, os.R_OK):
        with pytest.raises(ValueError, match="cannot be read"):
            idc.Cohort.from_manifest(closed, catalog)
    with pytest.raises(TypeError, match="int holds no identifiers"):
        idc.Cohort.from_manifest(3, catalog)


# -- data frames


def test_frames(catalog: idc.Catalog) -> None:
    frame = catalog.cohort(SeriesInstanceUID=[S, S2]).series()

    def found(table: Any) -> set[str]:
        return uids(idc.Cohort.from_frame(table, catalog))

    for table in (
        pd.DataFrame({"StudyInstanceUID": [T, T2]}, index=pd.Index([S, S2], name="SeriesInstanceUID")),
        pd.DataFrame({"StudyInstanceUID": [T, T2]}, index=[S, S2]),
        frame.set_index(["collection_id", "PatientID", "SeriesInstanceUID"])[["Modality"]],
        frame.astype({"collection_id": "category", "SeriesInstanceUID": "category"}),
        frame.convert_dtypes(),
        pd.concat({"a": frame[["SeriesInstanceUID", "StudyInstanceUID"]]}, axis=1),
        frame[["collection_id", "series_aws_url"]],
        frame[["PatientID", "crdc_series_uuid"]],
        pd.DataFrame({0: [S, S2], 1: [T, T2], 2: ["x", "y"]}),
        frame.SeriesInstanceUID,
        frame.rename(columns={"SeriesInstanceUID": "uid"})[["uid", "Modality"]],
    ):
        assert found(table) == {S, S2}, table
    numbers = pd.DataFrame({"PatientID": [100012.0, None]})
    assert idc.Cohort.from_frame(numbers, catalog) == catalog.cohort(PatientID="100012")
    assert idc.Cohort.from_frame(numbers.astype(str), catalog) == catalog.cohort(PatientID="100012")


def test_notes_of_a_table(catalog: idc.Catalog) -> None:
    found = read(catalog.index, f"SeriesInstanceUID,StudyInstanceUID\n{S},{T}\n,{T2}\n")
    assert found.notes == ("1 row has no SeriesInstanceUID and names nothing.",)
    assert found.counts == {"SeriesInstanceUID": 1}
    beside = read(catalog.index, f"SeriesInstanceUID,Subject ID\n{S},7\n")
    assert beside.counts == {"SeriesInstanceUID": 1}
    assert '"7": not known' in beside.notes[0]
