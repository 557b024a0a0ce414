"""JSON, values of Python, frames and parquet: of each record the finest counts, under whatever key it stands."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read, read_frame, read_text
from tests.cohort.reading import series

pytestmark = pytest.mark.usefixtures("quiet")

P, L = "MSB-00179", "LIDC-IDRI-0001"
C, VS, VP = "cmb_lca", "vestibular_schwannoma_seg", "VS-SEG-126"
A = "1.3.6.1.4.1.14519.5.2.1.100204653349044037372258398905"
B = "1.3.6.1.4.1.14519.5.2.1.127377969346517652403876504852919368388"
S0 = "1.3.6.1.4.1.14519.5.2.1.208966382948379218872118884943"
S1 = "1.3.6.1.4.1.14519.5.2.1.332727034930287766155564486022"
SB = "1.3.6.1.4.1.14519.5.2.1.245708872641425464957380623742093638536"
X = "1.3.6.1.4.1.14519.5.2.1.999999999999999999999999999999999999999"
GONE, OF_GONE = "1.2.276.0.7230010.3.1.3.17436516.645093.1696970574.690305", "ACRIN-NSCLC-FDG-PET-062"
VIEWER = "https://viewer.imaging.datacommons.cancer.gov/v3/viewer/"

_P, _L, _C = f"PatientID = '{P}'", f"PatientID = '{L}'", f"collection_id = '{C}'"
_A = f"StudyInstanceUID = '{A}'"


def where(plain: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    return {r[0] for r in plain.execute(f"SELECT SeriesInstanceUID FROM idx WHERE {sql}").fetchall()}


#: Values as JSON and as Python has them, and the series that each names: themselves, or by SQL.
VALUES: dict[str, tuple[Any, list[str] | str]] = {
    # Below a record, under any key.
    "lists in studies": ({"studies": [{"id": A, "scans": [X]}, {"id": B, "scans": [SB]}]}, [SB]),
    "records in records": ([{"study": A, "scans": [{"path": X}]}, {"study": B, "scans": [{"path": SB}]}], [SB]),
    "an unknown under any key": ({"PatientID": P, "foo": [X]}, []),
    "one that is gone": ({"PatientID": OF_GONE, "images": [GONE]}, []),
    "one that is gone in a mapping": ({A: {"ct": GONE}}, []),
    "nothing else": ({"data": {"ct": GONE}}, []),
    "deep": ({"collection_id": C, "foo": {"bar": [{"baz": [X]}]}}, []),
    "a study in a section": ({"PatientID": P, "exam": {"uid": A}, "images": [X]}, []),
    "two levels in sections": ({"PatientID": P, "exam": {"uid": A}, "images": [S0]}, [S0]),
    "levels in mappings": ({"patient": {"id": P}, "study": {"uid": A}, "series": {"uid": S0}}, [S0]),
    "levels in mappings, unknown": ({"patient": {"id": P}, "study": {"uid": A}, "series": {"uid": X}}, []),
    "an empty mapping": ({"StudyInstanceUID": A, "series": {}}, []),
    "a key that is empty in a list": ({"StudyInstanceUID": A, "series": [{"uid": None}]}, []),
    "a record beside those with series": ([{"PatientID": P, "series": [S0, S1]}, {"PatientID": L}], [S0, S1]),
    "lists": ([{"PatientID": P, "images": [S0, S1]}], [S0, S1]),
    "mappings": ({"PatientID": P, "foo": {"bar": S0}}, [S0]),
    "two keys": ({"PatientID": P, "ct": S0, "seg": S1}, [S0, S1]),
    "two keys, one unknown": ({"PatientID": P, "ct": S0, "seg": X}, [S0]),
    "another patient's": ({"PatientID": L, "images": [S0]}, []),
    "patients under any key": ({"collection_id": C, "foo": [P]}, _P),
    "paths": ({"ct": {"path": f"/data/{P}/{A}/{S0}.nii.gz"}}, [S0]),
    "addresses under any key": ({"PatientID": P, "links": [f"{VIEWER}?StudyInstanceUIDs={A}"]}, _A),
    "an address that is none": ({"PatientID": P, "link": "https://example.org/x"}, _P),
    "damage": ({"PatientID": P, "images": ["1.36E+12"]}, []),
    "other UIDs": ({"StudyInstanceUID": A, "FrameOfReferenceUID": X}, _A),
    "classes": ({"PatientID": P, "SOPClassUIDs": ["1.2.840.10008.5.1.4.1.1.2"]}, _P),
    "references": ({"SeriesInstanceUID": S0, "StudyInstanceUID": A, "source": {"SeriesInstanceUID": S1}}, [S0]),
    # Operators.
    "$in": ({"collection_id": C, "PatientID": {"$in": [P]}}, _P),
    "$ne": ({"collection_id": C, "PatientID": {"$ne": P}}, []),
    "$nin": ({"collection_id": C, "PatientID": {"$nin": [P]}}, []),
    "$and": ({"$and": [{"collection_id": C}, {"PatientID": P}]}, _P),
    "$or": ({"$or": [{"PatientID": L}, {"PatientID": P}]}, f"{_P} OR {_L}"),
    "an operator in words": ({"op": "in", "content": {"field": "PatientID", "value": [P]}}, _P),
    "not, in words": ({"op": "not in", "field": "PatientID", "value": [P]}, []),
    # Pairs.
    "pairs": ([[P, [S0]]], [S0]),
    "rows": ([[P, A, S0], [P, A, S1]], [S0, S1]),
    # Yes and no.
    "true and false": ({S0: True, S1: False}, [S0]),
    "1 and 0": ({S0: 1, S1: 0}, [S0]),
    "words": ({S0: "include", S1: "exclude"}, [S0]),
    "keep": ({S0: {"keep": True}, S1: {"keep": False}}, [S0]),
    "in a study": ({"study": A, "series": {S0: True, S1: False}}, [S0]),
    "in records of a study": ({"study": A, "x": [{"uid": S0, "use": True}, {"uid": S1, "use": False}]}, [S0]),
    "in records with lists": ([{"uid": S0, "exclude": False, "t": ["a"]}, {"uid": S1, "exclude": True, "t": []}], [S0]),
    "their numbers": ({S0: 0, S1: 1, SB: 2}, [S0, S1, SB]),
    "counts": ({P: 60, L: 10}, f"{_P} OR {_L}"),
    "in a patient": ({P: {S0: True, S1: False}}, [S0]),
    "in records below a patient": ({P: {"series": [{"uid": S0, "use": "no"}, {"uid": S1, "use": "yes"}]}}, [S1]),
    # Several in one cell.
    "between commas": ({"PatientID": P, "series": f"{S0},{S1}"}, [S0, S1]),
    "JSON in JSON": ([{"PatientID": P, "series": json.dumps([S0])}], [S0]),
    # As others write it.
    "FHIR": ({"identifier": [{"value": f"urn:oid:{A}"}], "series": [{"uid": S0}]}, [S0]),
    "FHIR, one file": (
        {"identifier": [{"value": f"urn:oid:{A}"}], "series": [{"uid": S0, "instance": [{"uid": X}]}]}, []),
    "Orthanc": ({"Patient": {"ID": P}, "Studies": [{"MainDicomTags": {"StudyInstanceUID": A}, "Series": [X]}]}, []),
    "must_not": ({"bool": {"must": [{"collection_id": C}], "must_not": [{"term": {"PatientID": P}}]}}, []),
    # Keys that identify.
    "a patient's list": ({P: [S0]}, [S0]),
    "a patient's series": ({P: S0}, [S0]),
    "a patient's mapping": ({P: {"ct": S0, "seg": S1}}, [S0, S1]),
    "a collection's list": ({C: [P]}, _P),
    "a collection's unknown patient": ({C: ["MSB-99999"]}, []),
    "a study's mapping": ({A: {"ct": S0}}, [S0]),
    "all the way": ({C: {P: {A: {S0: {"Modality": "SM"}}}}}, [S0]),
    "a patient and an empty one": ({P: {A: [S0]}, L: {}}, [S0]),
    # A patient of two collections.
    "under its collection": ({VS: {"patients": [VP]}}, f"PatientID = '{VP}' AND collection_id = '{VS}'"),
    "one under its collection": ({VS: {"PatientID": VP}}, f"PatientID = '{VP}' AND collection_id = '{VS}'"),
    "beside its name": ([{"name": VS, "patients": [VP]}], f"PatientID = '{VP}' AND collection_id = '{VS}'"),
    "misspelt": ({"vestibular_schwanoma_seg": {"patients": [VP]}}, []),
    # Sections.
    "train and test": ({"train": [S0], "val": [S1], "test": [SB]}, [S0, S1, SB]),
    "include and exclude": ({"include": [S0], "exclude": [S1]}, [S0]),
    "accepted and rejected": ({"accepted": [S0], "rejected": [S1]}, [S0]),
    "excluded from three": ({"train": [S0], "val": [S1], "excluded": [SB]}, [S0, S1]),
    "an exception of a patient": ({"PatientID": P, "exclude": {"series": [S1]}}, []),
    # What asks for a part.
    **{f"a part by {k}": ({"collection_id": C, k: v}, []) for k, v in {
        "n": 10, "where": "Modality='SM'", "conditions": ["a"], "exclude_modality": "SM", "exclude": ["SM"],
        "maxSeriesPerPatient": 1, "subset": "train", "limit": 3, "$limit": 3, "filters": {"Modality": ["SM"]},
        "sample_size": 3, "query": "lung"}.items()},
    "a part below a key": ({C: {"limit": 5}}, []),
    "a part around": ({"where": "Modality='SM'", "cohort": {"collection_id": C}}, []),
    "a part in columns": ({"collection_id": [C], "exclude": ["SM"]}, []),
    "a part in a table": ([{"collection_id": C, "limit": 3}, {"collection_id": "lidc_idri", "limit": 3}], []),
    "pages": ({"count": 1, "limit": 100, "results": [{"PatientID": P}]}, _P),
    "a count": ({"n": 2, "patients": [P, L]}, f"{_P} OR {_L}"),
}  # fmt: skip


@pytest.mark.parametrize("written", ["JSON", "Python"])
@pytest.mark.parametrize(("value", "named"), VALUES.values(), ids=VALUES)
def test_values(
    value: Any, named: list[str] | str, written: str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    found = read_text(catalog.index, json.dumps(value)) if written == "JSON" else read(catalog.index, value)
    assert series(catalog, found) == (where(plain, named) if isinstance(named, str) else set(named))
    if not named:
        assert found.unknown or found.notes
    assert all(u.reason for u in found.unknown)


@pytest.mark.parametrize(
    ("key", "value"),
    [("PatientSex", "F"), ("PatientAge", [50]), ("StudyDate_btw", ["a", "b"]), ("Modality", "SM"), ("tumor", {"T": 1})],
)
def test_what_is_not_read_of_a_record_is_told(key: str, value: Any, catalog: idc.Catalog) -> None:
    for source in ({"collection_id": C, key: value}, {C: {key: value}}, {"x": [{"collection_id": C, key: value}]}):
        (note,) = [n for n in read(catalog.index, source).notes if "is not read" in n]
        assert key in note


@pytest.mark.parametrize("key", ["name", "description", "size_MB", "series_count", "patients", "created_at", "version"])
def test_names_counts_and_sizes_need_no_word(key: str, catalog: idc.Catalog) -> None:
    assert read(catalog.index, {"collection_id": C, key: 7}).notes == ()


def test_keys_of_ones_own_are_told(catalog: idc.Catalog) -> None:
    (note,) = read(catalog.index, {"train": [S0], "val": [S1]}).notes
    assert "train, val" in note


_ROW = pd.DataFrame({"PatientID": [P], "StudyInstanceUID": [A], "SeriesInstanceUID": [S0]})
_TWO = pd.DataFrame({"PatientID": [P, P], "study": [A, B], "s": [S0, S1]})
_LISTS = _TWO.groupby("PatientID")[["s"]].agg(list)
#: Values of Python alone.
PYTHON: dict[str, tuple[Any, list[str] | str]] = {
    "a labelled row": (_ROW.iloc[0], [S0]),
    "a row of two": (_ROW[["PatientID", "StudyInstanceUID"]].iloc[0], _A),
    "a tuple": ((P, A, S0), [S0]),
    "a tuple with an unknown": ((P, A, X), []),
    "a row of an array": (_ROW.to_numpy()[0], [S0]),
    "a list of three levels": ([P, A, S0], [S0]),
    "arrays": ([np.array([P, A, S0]), np.array([P, A, S1])], [S0, S1]),
    "items": (list({P: [S0]}.items()), [S0]),
    "a view of items": ({P: [S0]}.items(), [S0]),
    "items of what is gone": (list({OF_GONE: [GONE]}.items()), []),
    "rows that end in a list": ([(P, A, [S0])], [S0]),
    "keys of two": ({(P, A): [S0, S1]}, [S0, S1]),
    "sets": ({P: {S0, S1}}, [S0, S1]),
    "frames in a mapping": ({P: pd.DataFrame({"SeriesInstanceUID": [S0, S1]})}, [S0, S1]),
    "a mask": (pd.Series([True, False], index=[S0, S1]), [S0]),
}


@pytest.mark.parametrize(("value", "named"), PYTHON.values(), ids=PYTHON)
def test_python(value: Any, named: list[str] | str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    found = read(catalog.index, value)
    assert series(catalog, found) == (where(plain, named) if isinstance(named, str) else set(named))
    assert named or found.unknown


class _Column:
    """A column of another library."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def to_pylist(self) -> list[Any]:
        return self._values

    def to_pandas(self) -> Any:
        return pd.Series(self._values)


class _Table:
    columns = ("PatientID",)

    def __getitem__(self, name: str) -> _Column:
        return _Column([P])


class _Plan:
    columns = ("PatientID",)

    def collect(self) -> _Table:
        return _Table()


FRAMES: dict[str, tuple[Any, list[str] | str]] = {
    "lists of series": (_LISTS.rename(columns={"s": "series"}).reset_index(), [S0, S1]),
    "lists under any heading": (_LISTS.rename(columns={"s": "scans"}), [S0, S1]),
    "lists of studies": (
        _TWO.groupby("PatientID")[["study"]].agg(list).reset_index(), f"StudyInstanceUID IN ('{A}', '{B}')"),
    "a column of lists": (_LISTS["s"], [S0, S1]),
    "records in cells": (pd.DataFrame({"x": [[{"uid": S0}, {"uid": S1}]]}), [S0, S1]),
    "an unknown in a list": (pd.DataFrame({"PatientID": [P], "scans": [[X]]}), []),
    "lists and a mark": (pd.DataFrame({"PatientID": [P, P], "x": [[S0], [S1]], "keep": [True, False]}), [S0]),
    "a column of no heading": (pd.DataFrame([[P]]), _P),
    "columns of no heading": (pd.DataFrame([[P, A, S0]]), [S0]),
    "one column": (_Column([S0, S1]), [S0, S1]),
    "a plan": (_Plan(), _P),
    "a relation": (duckdb.sql(f"SELECT '{P}' AS PatientID"), _P),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "named"), FRAMES.values(), ids=FRAMES)
def test_frames(frame: Any, named: list[str] | str, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    found = read_frame(catalog.index, frame)
    assert series(catalog, found) == (where(plain, named) if isinstance(named, str) else set(named))
    assert named or found.unknown


@pytest.mark.parametrize("orient", ["columns", "split", "index", "table"])
def test_rows_labelled_by_their_series(orient: Any, catalog: idc.Catalog) -> None:
    text = pd.DataFrame({"PatientID": [P, P]}, index=[S0, S1]).to_json(orient=orient)
    assert series(catalog, read_text(catalog.index, text)) == {S0, S1}


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT '$P' AS PatientID, true AS exclude UNION ALL SELECT '$L', false", _L),
        ("SELECT '$P' AS PatientID, false AS include UNION ALL SELECT '$L', true", _L),
        ("SELECT '$P' AS PatientID, 1 AS exclude UNION ALL SELECT '$L', 0", _L),
        ("SELECT '$P' AS PatientID, ['$S0', '$S1'] AS scans", [S0, S1]),
        ("SELECT '$P' AS PatientID, {'SeriesInstanceUID': '$S0'} AS info", [S0]),
        ("SELECT '$P' AS PatientID, [{'SeriesInstanceUID': '$S0'}] AS scans", [S0]),
        ("SELECT '$P' AS PatientID, MAP {'$S0': 'ct'} AS scans", [S0]),
        ("SELECT '$P' AS PatientID, []::VARCHAR[] AS series", []),
        ("SELECT ['$S0', '$S1'] AS series", [S0, S1]),
        ("SELECT ['$S0', '$S1'] AS uids", [S0, S1]),
    ],
)
def test_parquet(
    sql: str, named: list[str] | str, tmp_path: Path, catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "x.parquet"
    duckdb.sql(f"COPY ({Template(sql).substitute(P=P, L=L, S0=S0, S1=S1)}) TO '{path}'")
    found = read(catalog.index, path)
    assert series(catalog, found) == (where(plain, named) if isinstance(named, str) else set(named))


@pytest.mark.parametrize("cells", [20_000_000, 0])
def test_numbers_in_parquet_are_told(
    cells: int, tmp_path: Path, catalog: idc.Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idc_widgets.cohort.identifiers.files._CELLS", cells)
    path = tmp_path / "x.parquet"
    duckdb.sql(f"COPY (SELECT '{P}' AS PatientID, 3 AS SeriesNumber, true AS exclude) TO '{path}'")
    assert read(catalog.index, path).condition is None
    duckdb.sql(f"COPY (SELECT '{P}' AS PatientID, 3 AS SeriesNumber) TO '{path}'")
    assert "SeriesNumber is not read" in read(catalog.index, path).notes[0]


_FIRST, _SECOND = (json.dumps({"PatientID": P, "SeriesInstanceUID": s}, indent=1) for s in (S0, S1))
LITERALS: dict[str, tuple[str, list[str]]] = {
    "JSON5": (
        f"[\n{{\n PatientID: '{P}',\n SeriesInstanceUID: '{S0}',\n}},\n"
        f"{{\n PatientID: '{P}',\n SeriesInstanceUID: null,\n}},\n]", [S0]),
    "JSON5 without its series": (f"{{\n PatientID: '{P}',\n SeriesInstanceUID: undefined\n}}", []),
    "nan": (str([{"SeriesInstanceUID": S0, "n": 1.0}, {"SeriesInstanceUID": float("nan"), "n": 2}]), [S0]),
    "a time": (str([{"SeriesInstanceUID": S0, "at": pd.Timestamp("2020-01-01")}]), [S0]),
    "an array": (str({P: np.array([S0, S1])}), [S0, S1]),
    "a dict by name": (f"x = OrderedDict([('PatientID', '{P}'), ('SeriesInstanceUID', '{S0}')])", [S0]),
    "one after another": (f"{_FIRST}\n{_SECOND}", [S0, S1]),
    "comments": (f'{{\n // mine\n "PatientID": "{P}", // p\n "SeriesInstanceUID": "{S0}" # s\n}}', [S0]),
    "by names": (f"keep = ['{S0}']\ndrop = ['{S1}']", [S0]),
    "by one name": (f"excluded = ['{S1}']", []),
    "printed": (f"result = {_FIRST}\nprint(result)", [S0]),
    "exported": (f"const c = {{\n patient: '{P}', // me\n series: [\"{S0}\"], /* all */\n}};\nexport default c;", [S0]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "named"), LITERALS.values(), ids=LITERALS)
def test_literals(text: str, named: list[str], catalog: idc.Catalog) -> None:
    found = read_text(catalog.index, text)
    assert series(catalog, found) == set(named)
    assert named or found.notes or found.unknown


def test_code_behind_a_value_is_refused(catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match="Behind the value"):
        read_text(catalog.index, f"result = {{'PatientID': '{P}'}}\nresult.pop('x')")
