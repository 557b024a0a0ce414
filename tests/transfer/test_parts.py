"""The parts by themselves."""

from __future__ import annotations

import hashlib
import os
import queue
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Job, TransferError, jobs, plan, receipt, s5cmd, verify
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import OwnerLock, journal_path, real_destination
from tests.mirror import SpawnedMirror

from .conftest import STUDY, gets, pick, until

Fetch = Callable[..., Job]


def test_environment_keeps_proxies_and_certificates_and_drops_the_rest() -> None:
    given = {
        "https_proxy": "http://proxy", "NO_PROXY": "x", "SSL_CERT_FILE": "ca.pem", "AWS_CA_BUNDLE": "ca.pem",
        "PATH": "/bin",
        "AWS_PROFILE": "me", "AWS_ACCESS_KEY_ID": "k", "S3_ENDPOINT_URL": "http://wrong", "AWS_REGION": "mars",
    }  # fmt: skip
    result = s5cmd.environment(given)
    for name in ("https_proxy", "NO_PROXY", "SSL_CERT_FILE", "AWS_CA_BUNDLE", "PATH"):
        assert result[name] == given[name]
    assert not {"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "S3_ENDPOINT_URL"} & result.keys()
    assert result["AWS_REGION"] == "us-east-1"


def test_settings_of_the_environment_do_not_lead_astray(
    fetch: Fetch, mirror: SpawnedMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", mirror.endpoint)
    assert fetch(pick(STUDY), endpoint_url=None).wait(30)


def test_binary_is_the_program_not_the_wrapper() -> None:
    assert Path(s5cmd.binary()).read_bytes()[:2] != b"#!"


def test_lines_are_quoted() -> None:
    assert shlex.split(s5cmd.line("cp", "it's", '"*"', "")) == ["cp", "it's", '"*"', ""]
    with pytest.raises(ValueError, match="line break"):
        s5cmd.line("cp", "a\nb")


def test_transport_reports_each_object_and_its_end(mirror: SpawnedMirror, tmp_path: Path) -> None:
    inbox: queue.SimpleQueue[s5cmd.Event] = queue.SimpleQueue()
    item = pick(STUDY)[0]
    transport = s5cmd.Transport(mirror.endpoint, 4, False, tmp_path, inbox)
    transport.feed(s5cmd.line("cp", f"s3://{item.bucket}/{item.crdc_series_uuid}/*", "x/"))
    transport.feed(s5cmd.line("cp", f"s3://{item.bucket}/nothing/*", "y/"))
    transport.close()
    records = []
    while (event := inbox.get(timeout=20))[1] is not None:
        records.append(event[1])
    assert sum("source" in record for record in records) == item.files
    assert ["error" in record for record in records].count(True) == 1
    assert sum(path.stat().st_size for path in (tmp_path / "x").iterdir()) == item.bytes


def test_verification(tmp_path: Path) -> None:
    path = tmp_path / "f"
    body = os.urandom(3_000_000)
    path.write_bytes(body)
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    assert verify.problem(path, len(body), etag) is None
    assert verify.problem(path, len(body), "0123-7") is None  # an upload in parts: size only
    assert "MD5" in str(verify.problem(path, len(body), "0" * 32))
    assert "3,000,000 bytes arrived" in str(verify.problem(path, len(body) + 1, etag))
    assert "cannot be read" in str(verify.problem(tmp_path / "none", 1, etag))
    with pytest.raises(verify.Stopped):
        verify.problem(path, len(body), etag, lambda: True)


def test_empty_file_is_verified_too(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert verify.problem(tmp_path / "f", 0, hashlib.md5(b"").hexdigest()) is None


def test_receipt_survives_torn_lines(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.dcm").write_bytes(b"123")
    entry = receipt.Entry("1.2", "u", "b", "aws", 25, "p", (("a.dcm", 3, None),))
    receipt.append(tmp_path, entry)
    with receipt.receipt_path(tmp_path).open("a") as file:
        file.write('{"receipt": 1, "series": "1.')
    later = receipt.Entry("1.3", "v", "b", "aws", 25, "p2", (("a.dcm", 3, None),))
    receipt.append(tmp_path, later)
    assert list(receipt.entries(tmp_path)) == [entry, later]
    assert receipt.present(tmp_path, {"u", "v"}) == {("u", "p"): entry}


def test_journal_is_keyed_by_the_real_destination(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert journal_path(real_destination(tmp_path / "link/x/..")) == journal_path(real_destination(tmp_path / "real"))


def test_damaged_journal_is_put_aside(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    path = journal_path(tmp_path / "data")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database" * 1000)
    assert jobs() == []
    assert fetch(pick(STUDY)).wait(30)
    assert len(jobs()) == 1
    assert list(path.parent.glob("*.damaged-*"))


def test_deleted_journal_costs_nothing_that_is_verified(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    job = fetch(pick(STUDY))
    assert job.wait(30)
    for path in journal_path(tmp_path / "data").parent.iterdir():
        path.unlink()
    assert jobs() == []
    assert fetch(pick(STUDY)).wait(30)
    assert gets(mirror) == 40


def test_journal_of_a_later_format_is_refused_in_words(tmp_path: Path, fetch: Fetch) -> None:
    path = journal_path(tmp_path / "data")
    journal = Journal(path, tmp_path / "data")
    with journal.transaction() as db:
        db.execute("PRAGMA user_version = 99")
    journal.close()
    with pytest.raises(TransferError, match="has format 99"):
        fetch(pick(STUDY))
    assert jobs() == []


def test_journal_that_is_not_finished_yet(tmp_path: Path, fetch: Fetch) -> None:
    """As another process leaves it that is killed while it makes it."""
    path = journal_path(tmp_path / "data")
    path.parent.mkdir(parents=True)
    path.touch()
    assert jobs() == [] and plan(pick(STUDY), tmp_path / "data").problem is None
    assert fetch(pick(STUDY)).wait(30)


def test_lock_has_one_holder_and_falls_with_it(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "l/lock"), OwnerLock(tmp_path / "l/lock")
    assert not second.held_elsewhere()
    assert first.acquire() and not second.acquire() and second.held_elsewhere()
    first.release()
    assert not second.held_elsewhere()
    script = (
        "import sys, time; from pathlib import Path; from idc_widgets.transfer.registry import OwnerLock\n"
        "lock = OwnerLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "l/lock")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdout is not None and holder.stdout.readline() == "True\n"
    assert second.held_elsewhere()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    until(lambda: not second.held_elsewhere())


def test_engine_imports_nothing_of_the_notebook() -> None:
    script = (
        "import sys, types, pathlib; parent = types.ModuleType('idc_widgets'); sys.modules['idc_widgets'] = parent\n"
        "parent.__path__ = [str(pathlib.Path('idc_widgets').resolve())]\n"
        "import idc_widgets.transfer, idc_widgets.transfer.worker\n"
        "unwanted = {'duckdb', 'pandas', 'anywidget', 'ipywidgets'}\n"
        "print(sorted(unwanted.intersection(sys.modules)))\n"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('idc_widgets.')}\n"
        "print(sorted(rooms))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
    assert done.stdout == "[]\n['lib', 'transfer']\n"
