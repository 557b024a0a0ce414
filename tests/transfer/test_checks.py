"""What is refused before anything begins, each time in one sentence."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from idc_widgets.lib.format import human_bytes
from idc_widgets.transfer import (
    Job,
    TransferError,
    check_room,
    describe_destination,
    free_space,
    jobs,
    plan,
    wish,
)
from tests.mirror import SpawnedMirror

from .conftest import STUDY, gets, pick

Fetch = Callable[..., Job]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_nothing_to_download(fetch: Fetch) -> None:
    with pytest.raises(TransferError, match="nothing to download: the cohort matches no series"):
        fetch(())


def test_unknown_provider(fetch: Fetch) -> None:
    with pytest.raises(TransferError, match="provider='azure': valid are 'aws', 'gcs'"):
        fetch(pick(STUDY), provider="azure")


def test_unknown_key_of_a_layout(fetch: Fetch, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"unknown key %Modalty; valid keys: .*Modality"):
        fetch(pick(STUDY), layout="%Modalty/%PatientID")
    assert not (tmp_path / "data").exists()


def test_no_workers(fetch: Fetch) -> None:
    with pytest.raises(TransferError, match="workers=0"):
        fetch(pick(STUDY), workers=0)


@pytest.mark.parametrize("name", ["IDC_WIDGETS_TRIES", "IDC_WIDGETS_STALL_SECONDS"])
@pytest.mark.parametrize("value", ["many", "0", "-1", "nan"])
def test_setting_that_is_no_number(fetch: Fetch, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TransferError, match=f"{name}='{value}' is not a number above 0"):
        fetch(pick(STUDY))


def test_destination_is_a_file(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(TransferError, match="is a file, a download needs a folder") as caught:
        fetch(pick(STUDY))
    assert str(tmp_path / "data") in str(caught.value)


def test_destination_below_a_file(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(TransferError, match=r"cannot be made: .*file is not a folder"):
        fetch(pick(STUDY), tmp_path / "file" / "data")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that nobody can write")
def test_destination_that_nobody_can_write(fetch: Fetch) -> None:
    with pytest.raises(TransferError, match=r"^/proc/data cannot be made: .+ \(/proc\)$"):
        fetch(pick(STUDY), Path("/proc/data"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the system's owner may write anywhere")
def test_read_only_destination(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(TransferError, match="cannot be written: Permission denied"):
        fetch(pick(STUDY))


def test_too_little_room(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    total = sum(item.bytes for item in pick(STUDY))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(total, 1, total - 1))
    with pytest.raises(TransferError) as caught:
        fetch(pick(STUDY))
    for part in (f"needs {human_bytes(total)}, ", "1 bytes more", str(tmp_path / "data")):
        assert part in str(caught.value)
    assert gets(mirror) == 0 and jobs() == [] and not (tmp_path / "data").exists()


def test_what_is_there_needs_no_room(
    fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: SpawnedMirror
) -> None:
    assert fetch(pick(STUDY)[:2]).wait(30)
    rest = pick(STUDY)[2].bytes
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(rest, 0, rest))
    view = plan(pick(STUDY), tmp_path / "data")
    assert (view.need, view.free, view.fits, view.series_present) == (rest, rest, True, 2)
    assert view.bytes == view.bytes_present + rest and view.path == tmp_path / "data"
    assert fetch(pick(STUDY)).wait(30)


def test_endpoint_that_nobody_serves(fetch: Fetch, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransferError, match=rf"http://127.0.0.1:{port} cannot be reached .*check the network"):
        fetch(pick(STUDY), endpoint_url=f"http://127.0.0.1:{port}")
    assert not (tmp_path / "data").exists() and jobs() == []


def test_endpoint_without_a_name(fetch: Fetch) -> None:
    with pytest.raises(TransferError, match=r"http://nowhere\.invalid cannot be reached .*IDC_WIDGETS_AWS_ENDPOINT"):
        fetch(pick(STUDY), endpoint_url="http://nowhere.invalid")


@pytest.mark.parametrize("url", ["s3.amazonaws.com", "ftp://x", "http://", "http://a b", "http://x:99999"])
def test_endpoint_that_is_none(fetch: Fetch, url: str) -> None:
    with pytest.raises(TransferError, match=r"is not an endpoint; it should look like 'https://s3\.amazonaws\.com'"):
        fetch(pick(STUDY), endpoint_url=url)


@pytest.fixture
def website() -> Iterator[str]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_endpoint_that_is_no_s3_server(fetch: Fetch, website: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDC_WIDGETS_GCS_ENDPOINT", website)  # read when used
    with pytest.raises(TransferError, match=f"{website} answers, but not as an S3 server does"):
        fetch(pick(STUDY), provider="gcs", endpoint_url=None)


def test_destination_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    described = describe_destination("new/folder")
    assert described.path == str(tmp_path / "new" / "folder")
    assert described.writable and described.problem is None
    assert described.free is not None and abs(described.free - free_space(tmp_path)) < 2**30
    assert not (tmp_path / "new").exists() and list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert "is a file" in str(describe_destination("file").problem)
    assert describe_destination("~/x").path == str(Path.home().resolve() / "x")


@pytest.mark.parametrize(
    ("destination", "says"),
    [
        ("", "name a folder"),
        ("s3://bucket/x", "is an address"),
        ("file:///tmp/x", "is an address"),
        ("a" * 300, "longer than 255 bytes"),
        ("~nobody-of-this-name/x", "no such home folder"),
    ],
)
def test_what_is_no_folder(destination: str, says: str) -> None:
    described = describe_destination(destination)
    assert says in (described.problem or "") and not described.writable
    with pytest.raises(TransferError, match=says):
        check_room(wish(destination), 1)


def test_hopeless_sizes_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match=r"needs 900\.00 TB"):
        check_room(wish(tmp_path / "new"), 900 * 10**12)
    (tmp_path / "something").write_text("may be part of it")
    check_room(wish(tmp_path), 900 * 10**12)
