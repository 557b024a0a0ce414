from __future__ import annotations

import re

import duckdb
import idc_index_data
import pytest

from idc_widgets.transfer import DEFAULT_LAYOUT, Item, TransferError, layout_keys
from idc_widgets.transfer.paths import parse_layout, path_key, place, safe_component

KEYS = ("collection_id", "PatientID", "StudyInstanceUID", "Modality", "SeriesInstanceUID", "StudyDate")


def item(number: int, **fields: str | None) -> Item:
    return Item(f"1.2.{number}", f"{number:08d}-aaaa", "idc-open-data", 1, 1, fields)


def final_paths(items: list[Item], layout: str, taken: dict[str, str]) -> list[str]:
    return [at.path for at in place(items, layout, taken)]


def test_default_layout_gives_the_folders_that_idc_index_gives() -> None:
    one = item(1, collection_id="nlst", PatientID="100002", StudyInstanceUID="1.2", Modality="CT")
    assert final_paths([one], DEFAULT_LAYOUT, {}) == ["nlst/100002/1.2/CT_1.2.1"]


def test_keys_are_the_longest_that_fit_and_underscore_separates() -> None:
    assert layout_keys("%Modality_%SeriesInstanceUID/%Modality-x", KEYS) == ["Modality", "SeriesInstanceUID"]
    assert parse_layout("%StudyDate_%Modality", KEYS) == [[(True, "StudyDate"), (False, "_"), (True, "Modality")]]
    assert layout_keys("%collection_id_%PatientID", KEYS) == ["collection_id", "PatientID"]


@pytest.mark.parametrize("layout", ["%Modalty", "%PatientIDs", "%", "a/%_x"])
def test_unknown_key_names_the_valid_ones(layout: str) -> None:
    with pytest.raises(TransferError, match=r"unknown key .*valid keys: .*PatientID"):
        parse_layout(layout, KEYS)


def test_layout_may_not_leave_the_destination() -> None:
    with pytest.raises(TransferError, match="stays inside the destination"):
        parse_layout("../%PatientID", KEYS)


HOSTILE = [
    "../../x", "CON", "con.txt", "a/b", "a\\b", "trailing.", "trailing ", " leading", "x" * 300, "x" * 301, "😀" * 90,
    "a\nb",    'quo"te', "quo'te", "nul", "COM1", "..", ".", ".idc_widgets", "-rf", "*", "a?b", "%PatientID", "\x00",
    "\u2028",    "LPT¹", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_become_one_safe_component(text: str) -> None:
    safe = safe_component(text)
    assert safe and safe not in (".", "..")
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', safe)
    assert not safe.startswith(".") and safe == safe.strip(" ").rstrip(".")
    assert len(safe.encode()) <= 255
    assert safe.split(".")[0].split("_")[0].upper() not in {"CON", "NUL", "COM1"} or safe.startswith("_")


def test_hostile_values_stay_distinct() -> None:
    values = [*HOSTILE, "a_b", "_", "a-b", "CON_", "_CON"]
    paths = final_paths([item(n, PatientID=value) for n, value in enumerate(values)], "%PatientID", {})
    assert len({path_key(path) for path in paths}) == len(values)


def test_harmless_values_are_left_alone() -> None:
    for text in ("100002", "TCGA-06-0119", "A=B", "with space", "Łódź", "1.2.3"):
        assert safe_component(text) == text


def test_missing_value_is_unknown_and_two_series_never_share_a_folder() -> None:
    paths = final_paths([item(1, PatientID=None), item(2, PatientID=None)], "%PatientID", {})
    assert paths == ["unknown", "unknown_00000002"]


def test_case_alone_does_not_tell_two_folders_apart() -> None:
    first, second = final_paths([item(1, PatientID="abc"), item(2, PatientID="ABC")], "%PatientID", {})
    assert first.casefold() != second.casefold()


def test_a_series_keeps_its_folder_and_a_newcomer_gets_another() -> None:
    mine, other = item(1, PatientID="p"), item(2, PatientID="p")
    assert final_paths([mine], "%PatientID", {"p": mine.crdc_series_uuid}) == ["p"]
    assert final_paths([other], "%PatientID", {"p": mine.crdc_series_uuid}) == ["p_00000002"]


def test_flat() -> None:
    assert final_paths([item(1), item(2)], "", {}) == ["", ""]


def test_the_longest_names_of_the_index_are_whole_and_distinct() -> None:
    """Five keys in one folder's name: 201 bytes at most, where they once were cut at 120."""
    table = idc_index_data.IDC_INDEX_PARQUET_FILEPATH
    keys = ("collection_id", "PatientID", "StudyInstanceUID", "Modality", "SeriesInstanceUID")
    names = [
        name
        for (name,) in duckdb.sql(
            f"SELECT concat_ws('_', {', '.join(keys)}) AS name FROM '{table}' ORDER BY strlen(name) DESC LIMIT 60000"
        ).fetchall()
    ]
    whole = duckdb.sql(f"SELECT max(strlen(concat_ws('_', {', '.join(keys)}))), count(*) FROM '{table}'").fetchone()
    assert whole is not None and len(names[0].encode()) == whole[0] <= 255 and len(names[-1]) > 120
    assert all(safe_component(name) == name for name in names if not re.search(r"[ .]$|^[ .]|[<>:\"/\\|?*]", name))
    assert len({path_key(safe_component(name)) for name in names}) == len(names)
    pairs = duckdb.sql(
        f"SELECT max(strlen(StudyInstanceUID || '_' || SeriesInstanceUID)),"
        f" count(*) FILTER (strlen(StudyInstanceUID || '_' || SeriesInstanceUID) > 120) FROM '{table}'"
    ).fetchone()
    assert pairs is not None and pairs[0] == 129 and pairs[1] > 400_000


def test_names_are_cut_in_bytes_as_the_file_system_counts() -> None:
    for text, longest in (("é" * 200, 255), ("x" * 256, 255), ("😀" * 64, 255), ("x" * 144, 143)):
        safe = safe_component(text, longest)
        assert safe != text and longest - 4 <= len(safe.encode()) <= longest
    assert safe_component("é" * 127) == "é" * 127 and safe_component("x" * 255) == "x" * 255
    items = [item(n, PatientID="x" * 255) for n in (1, 2)]
    first, second = place(items, "%PatientID", {})
    assert (first.path, first.shortened) == ("x" * 255, False)
    assert len(second.path) == 255 and second.moved_aside and second.path.endswith("_00000002")
    (long,) = place([item(1, PatientID="x" * 256)], "%PatientID", {})
    assert long.shortened and long.renamed and not long.moved_aside
