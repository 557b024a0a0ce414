"""Tables of one's own: parquet, CSV, data frames."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import idc_widgets as idc


def test_a_parquet_file_of_ones_own(fresh: Callable[[], idc.Catalog], tmp_path: Path) -> None:
    catalog = fresh()
    path = tmp_path / "it's mine.parquet"
    wanted = catalog.sql("SELECT SeriesInstanceUID, 7 AS score FROM index WHERE Modality = 'RWV'")
    with duckdb.connect() as con:
        con.register("wanted", wanted)
        con.execute(f"COPY (FROM wanted) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    catalog.add_table("scores", path)
    joined = catalog.sql("SELECT DISTINCT Modality, score FROM scores JOIN index USING (SeriesInstanceUID)")
    assert joined.to_numpy().tolist() == [["RWV", 7]]
    listed = catalog.tables().set_index("table").loc["scores"]
    assert listed.available and listed.rows == len(wanted) and str(path) in listed.description
    assert list(catalog.columns("scores").column) == ["SeriesInstanceUID", "score"]


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz", "mine.tsv"])
def test_a_csv_file_keeps_identifiers_as_they_are(name: str, fresh: Callable[[], idc.Catalog], tmp_path: Path) -> None:
    text = "patientid,grade,seen\n0042,3,2020-01-31\n0043,4,2021-02-01\n"
    text = text.replace(",", "\t") if name.endswith(".tsv") else text
    (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    catalog = fresh()
    catalog.add_table("mine", str(tmp_path / name))
    assert list(catalog.sql("FROM mine").patientid) == ["0042", "0043"]
    assert dict(catalog.columns("mine")[["column", "type"]].to_numpy()) == {
        "patientid": "VARCHAR",
        "grade": "BIGINT",
        "seen": "DATE",
    }
    assert len(catalog.sql("FROM mine LEFT JOIN index USING (PatientID)")) >= 2


def test_a_data_frame_is_copied_and_a_name_may_be_given_anew(fresh: Callable[[], idc.Catalog]) -> None:
    catalog = fresh()
    frame = pd.DataFrame({"collection_id": ["nlst", "rider_pilot"], "note": ["large", "small"]})
    catalog.add_table("notes", frame)
    frame.loc[0, "note"] = "changed"
    joined = catalog.sql("SELECT DISTINCT collection_id, note FROM notes JOIN collections_index USING (collection_id)")
    assert sorted(joined.note) == ["large", "small"]
    catalog.add_table("Notes", frame)
    assert sorted(catalog.sql("FROM notes").note) == ["changed", "small"]
    assert list(catalog.tables().table).count("Notes") == 1 and "notes" not in set(catalog.tables().table)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("index", 'taken.*"my_index"'),
        ("Seg_Index", 'taken.*"my_Seg_Index"'),
        ("series", "taken"),
        ("order_7", "taken"),
        ("select", "word of SQL"),
        ("1st", "letters, digits and _"),
        ('a"; DROP TABLE x; --', "letters, digits and _"),
        ("", "letters, digits and _"),
        (7, "letters, digits and _"),
    ],
)
def test_names_that_are_none(name: str, says: str, catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match=says):
        catalog.add_table(name, pd.DataFrame({"a": [1]}))


def test_sources_that_are_none(fresh: Callable[[], idc.Catalog], tmp_path: Path) -> None:
    catalog = fresh()
    catalog.add_table("mine", pd.DataFrame({"a": [1]}))
    (tmp_path / "data.csv").write_text("a\n1\n")
    (tmp_path / "broken.parquet").write_text("no parquet")
    (tmp_path / "notes.docx").write_text("no table")
    for source, error, says in (
        (tmp_path / "dta.csv", FileNotFoundError, '"data.csv"'),
        (tmp_path, FileNotFoundError, "no file"),
        (tmp_path / "notes.docx", ValueError, ".parquet"),
        (tmp_path / "broken.parquet", ValueError, "cannot be read"),
        ([1, 2], TypeError, "data frame"),
        (pd.DataFrame(), ValueError, "at least one column"),
        (pd.DataFrame({"a": pd.period_range("2020", periods=1)}), ValueError, "period"),
    ):
        with pytest.raises(error, match=says):
            catalog.add_table("mine", source)  # type: ignore[arg-type]
    assert catalog.sql("FROM mine").a[0] == 1, "what was there before still is"


def test_a_variable_is_no_table(catalog: idc.Catalog) -> None:
    parameters = pd.DataFrame({"a": [1]})
    assert len(parameters) == 1
    with pytest.raises(idc.UnknownNameError):
        catalog.sql("FROM parameters")
