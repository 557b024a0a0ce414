"""Python's functions where nothing works: no network, a login page, places that cannot be written, a full disk."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import idc_widgets as idc
from idc_widgets import transfer
from idc_widgets.api import Catalog
from idc_widgets.transfer.registry import make_private, state_dir
from tests.sweeping import sentence

NOWHERE = "http://127.0.0.1:9"
SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
NAMES = ("AWS_ENDPOINT", "GCS_ENDPOINT", "RELEASE_URL", "METADATA_ENDPOINT")


@pytest.fixture
def own(catalog: Catalog, tmp_path: Path) -> Catalog:
    (tmp_path / "cache").mkdir()
    os.link(catalog.index.database.cache_path, tmp_path / "cache" / catalog.index.database.cache_path.name)
    return Catalog(cache_dir=tmp_path / "cache")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / f"CT_{SERIES}"
    folder.mkdir(parents=True)
    (folder / "a.dcm").write_bytes(b"not DICOM")
    return tmp_path / "data"


def _answers(own: Catalog, data: Path, tmp_path: Path) -> dict[str, Callable[[], Any]]:
    cohort = own.cohort(SeriesInstanceUID=SERIES)
    return {
        "counts": lambda: cohort.counts,
        "names": own.index.table_names,
        "tables": own.tables,
        "sql": lambda: own.sql("SELECT count(*) FROM index"),
        "plan": lambda: cohort.download(tmp_path / "new", dry_run=True),
        "offline": lambda: idc.verify(data, catalog=own, offline=True),
        "jobs": idc.jobs,
    }


def _asks(own: Catalog, data: Path, tmp_path: Path) -> dict[str, Callable[[], Any]]:
    cohort = own.cohort(SeriesInstanceUID=SERIES)
    return {
        "fetch": lambda: own.fetch("ct_index"),
        "clinical": own.clinical,
        "sql": lambda: own.sql("SELECT * FROM seg_index"),
        "unknown": lambda: own.sql("SELECT * FROM nonsense"),
        "remote": lambda: own.remote("idc_current"),
        "datasets": own.remote,
        "instances": lambda: cohort.instances(limit=1),
        "col": lambda: own.cohort(idc.col("ct_index.KVP") == 120),
        "download": lambda: cohort.download(tmp_path / "new"),
        "verify": lambda: idc.verify(data, catalog=own),
    }


@pytest.mark.parametrize("where", ["nothing", "html"])
def test_without_a_network(
    where: str, html: str, own: Catalog, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        monkeypatch.setenv(f"IDC_WIDGETS_{name}", html if where == "html" else NOWHERE)
    for name, answer in _answers(own, data, tmp_path).items():
        assert answer() is not None, name
    for name, ask in _asks(own, data, tmp_path).items():
        with pytest.raises((ValueError, OSError)) as raised:
            if name == "verify":  # that it could not be listed is among the problems, where the endpoint answers
                audit = ask()
                raise ValueError(f"said in the audit: {audit.problems[0].reason}")
            ask()
        if name != "verify" or not str(raised.value).startswith("said in the audit"):
            sentence(raised.value)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/x", "/proc/x"])
@pytest.mark.skipif(sys.platform != "linux", reason="needs places that root cannot write either")
def test_places_that_cannot_be_written(
    place: str, own: Catalog, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = own.cohort(SeriesInstanceUID=SERIES)
    for ask in (
        lambda: cohort.download(place),
        lambda: cohort.to_manifest(f"{place}/manifest.txt"),
        lambda: idc.verify(f"{place}/nothing", catalog=own),
    ):
        with pytest.raises((ValueError, OSError)) as raised:
            ask()
        sentence(raised.value)
    with monkeypatch.context() as patch:
        patch.setenv("IDC_WIDGETS_STATE_DIR", place)
        patch.setenv("IDC_WIDGETS_AWS_ENDPOINT", NOWHERE)  # is asked first where the state folder could still be made
        with pytest.raises(transfer.TransferError, match=r"IDC_WIDGETS_STATE_DIR|cannot be reached") as told:
            cohort.download(tmp_path / "new")
        sentence(told.value)
        assert idc.verify(data, catalog=own, offline=True).problems
    with monkeypatch.context() as patch:
        patch.setenv("IDC_WIDGETS_CACHE_DIR", place)
        blocked = Catalog()
        assert not blocked.index.database.wait_for_cache(60)
        assert "IDC_WIDGETS_CACHE_DIR" in blocked.index.database.note
        assert blocked.cohort(SeriesInstanceUID=SERIES).counts.series == 1


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses(number: int, own: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number), str(self))

    cohort = own.cohort(SeriesInstanceUID=SERIES)
    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    for ask in (lambda: cohort.to_manifest(tmp_path / "m.txt"), lambda: make_private(tmp_path / "state")):
        with pytest.raises(OSError if ask.__code__.co_freevars[0] == "cohort" else transfer.TransferError) as raised:
            ask()
        assert os.strerror(number) in str(raised.value)
        sentence(raised.value)


def test_junk_is_no_cohort(own: Catalog, tmp_path: Path) -> None:
    junk = {
        "empty": b"", "binary": bytes(range(256)) * 40, "a.parquet": b"PAR1 nonsense PAR1", "a.gz": b"\x1f\x8bnonsense",
        "a.json": b'{"format": 1', "deep.json": b"[" * 100_000, "page.html": b"<html><body>Please log in</body></html>",
        "a.zip": b"PK\x03\x04nonsense", "nul": b"\0" * 1000,
    }  # fmt: skip
    for name, body in junk.items():
        (tmp_path / name).write_bytes(body)
        for ask in (
            lambda path=tmp_path / name: idc.Cohort.from_manifest(path, own),
            lambda body=body: idc.Cohort.from_json(body.decode("latin-1"), own),
            lambda path=tmp_path / name: idc.verify(tmp_path, catalog=own, offline=True, expect=path),
        ):
            with pytest.raises(ValueError) as raised:
                ask()
            sentence(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_state_folder_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made so, and made so again where it stood open to others."""
    wide = tmp_path / "state"
    (wide / "journals").mkdir(parents=True)
    wide.chmod(0o755)
    (wide / "journals").chmod(0o777)
    monkeypatch.setenv("IDC_WIDGETS_STATE_DIR", str(wide))
    make_private(state_dir() / "journals")
    make_private(state_dir() / "locks")
    for folder in (wide, wide / "journals", wide / "locks"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
