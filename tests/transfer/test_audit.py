"""`verify`: a folder checked any time, without the journal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets import Catalog, verify
from idc_widgets.transfer import Job, TransferError
from idc_widgets.transfer.receipt import receipt_path
from tests.mirror import SpawnedMirror

from .conftest import STUDY, gets, pick, tree, whole_truth

Fetch = Callable[..., Job]


@pytest.fixture
def data(fetch: Fetch, tmp_path: Path, state: Path) -> Path:
    assert fetch(pick(STUDY)).wait(30)
    shutil.rmtree(state)  # no journal
    return tmp_path / "data"


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_right(data: Path, mirror: SpawnedMirror, catalog: Catalog, offline: bool) -> None:
    mirror.reset_counts()
    found = verify(data, endpoint_url=mirror.endpoint, catalog=catalog, offline=offline)
    assert found.ok and (found.series, found.files, found.files_by_md5) == (3, 40, 40)
    assert found.bytes == sum(i.bytes for i in pick(STUDY)) and not found.extra
    assert gets(mirror) == 0 and mirror.requests()["LIST"] == (0 if offline else 3)


@pytest.mark.parametrize("receipt", [True, False])
def test_what_is_wrong_is_told_and_mended_by_a_download(
    data: Path, mirror: SpawnedMirror, catalog: Catalog, fetch: Fetch, receipt: bool
) -> None:
    if not receipt:
        receipt_path(data).unlink()
    files = sorted(data.rglob("*.dcm"))
    flipped = bytearray(files[0].read_bytes())
    flipped[-1] ^= 255
    files[0].write_bytes(flipped)
    files[20].unlink()
    stray = files[30].with_name("stray.dcm")
    stray.write_bytes(b"x")
    found = verify(data, endpoint_url=mirror.endpoint, catalog=catalog)
    assert {problem.path: problem.reason for problem in found.problems} == {
        files[0]: "damaged on this disk: its content differs (MD5)",
        files[20]: "the file is missing",
    }
    assert found.extra == [stray] and found.files == 38 and not found.ok and "1 problem: missing files" in str(found)
    stray.unlink()
    mirror.reset_counts()
    assert fetch(pick(STUDY)).wait(30)
    assert gets(mirror) == 2
    assert tree(data) == whole_truth(mirror, pick(STUDY))
    assert verify(data, endpoint_url=mirror.endpoint, catalog=catalog).ok


def test_a_folder_that_others_filled(data: Path, mirror: SpawnedMirror, catalog: Catalog, fetch: Fetch) -> None:
    """Flat, without a receipt: the headers say which series it is."""
    shutil.rmtree(data / ".idc_widgets")
    for file in data.rglob("*.dcm"):
        file.rename(data / file.name)
    shutil.rmtree(data / "ispy1")
    assert verify(data, endpoint_url=mirror.endpoint, catalog=catalog).files == 40
    mirror.reset_counts()
    assert fetch(pick(STUDY), data, layout="").wait(30)  # which now knows them
    assert gets(mirror) == 0 and mirror.requests()["LIST"] == 0


def test_what_cannot_be_verified(tmp_path: Path, catalog: Catalog) -> None:
    with pytest.raises(TransferError, match="is no folder"):
        verify(tmp_path / "none", catalog=catalog)
    with pytest.raises(TransferError, match="holds no series of IDC"):
        verify(tmp_path, catalog=catalog)
