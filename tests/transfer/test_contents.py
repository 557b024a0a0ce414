"""What lies in a folder, by its names and its files' headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from idc_widgets.transfer import contents
from tests.mirror import SpawnedMirror

from .conftest import STUDY, pick, truth

UID = "1.2.840.1"


def fill(mirror: SpawnedMirror, root: Path, folders: dict[int, str]) -> None:
    """Put series of the study into folders, by their number."""
    for number, folder in folders.items():
        for name, content in truth(mirror, pick(STUDY)[number], folder).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)


def test_names_that_a_header_confirms_cost_one_header(
    mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = pick(STUDY)[0].series_uid
    fill(mirror, tmp_path, {0: f"a/CT_{uid}"})
    asked: list[Path] = []
    read = contents.series_uid
    monkeypatch.setattr(contents, "series_uid", lambda path: asked.append(path) or read(path))
    found = contents.scan(tmp_path)
    assert [(each.path, len(each.files)) for each in found] == [(f"a/CT_{uid}", pick(STUDY)[0].files)]
    assert contents.series_of(tmp_path, found) == {f"a/CT_{uid}": {uid}} and len(asked) == 1


@pytest.mark.parametrize("folder", ["", "patient", UID, f"study_{UID}"])
def test_headers_decide_over_names(mirror: SpawnedMirror, tmp_path: Path, folder: str) -> None:
    fill(mirror, tmp_path, {0: folder, 1: folder, 2: "other"})
    uids = [item.series_uid for item in pick(STUDY)]
    assert contents.series_of(tmp_path, contents.scan(tmp_path)) == {folder: set(uids[:2]), "other": {uids[2]}}


def test_what_is_no_dicom_is_of_no_series(mirror: SpawnedMirror, tmp_path: Path) -> None:
    fill(mirror, tmp_path, {0: "a"})
    (tmp_path / "a/junk.dcm").write_bytes(b"x" * 300)
    (tmp_path / "a/.hidden.dcm").write_bytes(b"x")
    (tmp_path / ".idc_widgets").mkdir()
    (tmp_path / ".idc_widgets/x.dcm").write_bytes(b"x")
    (tmp_path / "a/notes.txt").write_bytes(b"x")
    (found,) = contents.scan(tmp_path)
    assert found.files["junk.dcm"] == 300 and len(found.files) == pick(STUDY)[0].files + 1
    assert contents.owners(tmp_path, "a", found.files)["junk.dcm"] is None
    assert contents.series_of(tmp_path, [found]) == {"a": {pick(STUDY)[0].series_uid}}
