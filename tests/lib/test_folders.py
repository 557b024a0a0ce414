"""Folders of one's own: who may enter them, and what is said where there can be none."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from idc_widgets.lib import folders
from idc_widgets.transfer import TransferError, registry

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_a_private_folder_and_those_above_it(tmp_path: Path) -> None:
    top = tmp_path / "a" / "state"
    old = os.umask(0)
    try:
        folders.make_private(top / "journals", top, "IDC_WIDGETS_STATE_DIR")
    finally:
        os.umask(old)
    assert [_mode(p) for p in (tmp_path / "a", top, top / "journals")] == [0o700] * 3


@posix
def test_what_is_there_already_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    top = tmp_path / "state"
    (top / "locks").mkdir(parents=True)
    top.chmod(0o755)
    (top / "locks").chmod(0o777)
    folders.make_private(top / "locks", top, "IDC_WIDGETS_STATE_DIR")
    assert (_mode(top), _mode(top / "locks")) == (0o700, 0o700)
    assert _mode(tmp_path) == 0o755  # above the state folder nothing is ours to change


@posix
def test_every_folder_of_the_state_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from idc_widgets.transfer.journal import Journal
    from idc_widgets.transfer.turns import queue_up

    monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", str(tmp_path / "state"))
    journal = registry.journal_path(tmp_path / "data")
    old = os.umask(0)
    try:
        Journal(journal, tmp_path / "data").close()
        queue_up(journal, "job")
        registry.OwnerLock(registry.lock_path(journal, "job")).acquire()
    finally:
        os.umask(old)
    found = [p for p in (tmp_path / "state", *(tmp_path / "state").rglob("*")) if p.is_dir()]
    assert len(found) >= 4
    assert {_mode(p) for p in found} == {0o700}


def test_a_folder_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    for make in (
        lambda p: folders.make(p, "IDC_WIDGETS_CACHE_DIR"),
        lambda p: folders.make_private(p, blocked, "IDC_WIDGETS_CACHE_DIR"),
    ):
        for place in (blocked, blocked / "deeper"):
            with pytest.raises(folders.FolderError, match=r"cannot be made or written: .*IDC_WIDGETS_CACHE_DIR names"):
                make(place)
    monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", str(blocked / "state"))
    with pytest.raises(TransferError, match="IDC_WIDGETS_STATE_DIR names another"):
        registry.make_private(registry.state_dir() / "journals")
