"""Every command, found by walking the parser, with what is missing, wrong, junk, unwritable or out of reach."""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from idc_widgets import Catalog
from idc_widgets.cli import exits
from idc_widgets.cli.main import parser
from tests.cli.run import NOWHERE, Done, Run

DOCUMENTED = {exits.OK, exits.WRONG, exits.USAGE, exits.UNCHECKED, exits.UNKNOWN, exits.ENVIRONMENT}
ONE_SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"


_RAW = re.compile(r"\b\w+(Error|Exception|Warning)\b|embedded null|C\+\+|object at 0x")


def _commands() -> dict[str, argparse.ArgumentParser]:
    (found,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


COMMANDS = _commands()


def _is_sentence(done: Done, what: object) -> None:
    assert done.code in DOCUMENTED, (what, done)
    assert "Traceback" not in done.err, (what, done)
    assert not _RAW.search(done.err), (what, done)
    lines = done.err.splitlines()
    if done.code in (exits.USAGE, exits.ENVIRONMENT):
        assert lines and lines[-1].startswith("idc-widgets"), (what, done)
        assert len(lines[-1].split()) >= 4 and len(lines[-1]) < 1000, (what, done)
        others = [line for line in lines[:-1] if not line.startswith(("  ", "idc-widgets: ", "'"))]
        assert not others, (what, done)


@pytest.fixture
def bad(tmp_path: Path) -> list[str]:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "junk.parquet").write_bytes(b"PAR1 nonsense PAR1")
    (tmp_path / "junk.csv.gz").write_bytes(b"\x1f\x8bnonsense")
    (tmp_path / "junk.json").write_text('{"format": 1')
    (tmp_path / "utf16.csv").write_bytes("SeriesInstanceUID,x\n1.2.3,4\n".encode("utf-16"))
    files = [str(p) for p in sorted(tmp_path.iterdir())]
    return ["", "nonsense", "-1", "a\nb", "\x1b[2J", "é" * 300, "\0", "\udcff", "-", "/dev/null", "/dev/null/x", *files]


@pytest.fixture
def tried(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    yield run
    assert not list(tmp_path.rglob("*.dcm"))


def _required(command: str, value: str) -> list[str]:
    """Return a command with each required argument set to a value."""
    words = [command]
    for action in COMMANDS[command]._actions:
        if not action.option_strings:
            words += [] if action.nargs in ("*", "?") else ["1" if action.type is int else value]
        elif action.required:
            words += [action.option_strings[0], value]
    return words


def test_the_walk_finds_the_commands() -> None:
    assert {"download", "list", "search", "describe", "url", "manifest", "jobs", "pause", "resume", "retry", "cancel",
            "workers", "next", "series", "files", "failures", "add", "verify", "cache"} <= COMMANDS.keys()  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_and_wrong_arguments(command: str, tried: Run, bad: list[str]) -> None:
    assert tried(command, "--nonsense").code == exits.USAGE
    _is_sentence(tried(command), command)
    _is_sentence(tried(command, "a", "b", "c", "d"), command)
    for value in bad:
        _is_sentence(tried(*_required(command, value)), (command, value))
    for action in COMMANDS[command]._actions:
        if action.nargs == 0 or action.choices or not action.option_strings:
            values = ["nonsense"] if action.choices else bad if not action.option_strings else []
        else:
            values = ["", "nonsense", "\udcff", bad[-1]]
        for value in values:
            named = [action.option_strings[0]] if action.option_strings else []
            _is_sentence(tried(*_required(command, "1.2.3"), *named, value), (command, action.dest, value))


def _valid(command: str, folder: Path) -> list[str]:
    words = _required(command, str(folder))
    return [*words, ONE_SERIES] if any(a.dest in ("what", "words") for a in COMMANDS[command]._actions) else words


@pytest.mark.parametrize("command", COMMANDS)
def test_no_network_html_and_unwritable_places(
    command: str, tried: Run, html: str, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / f"CT_{ONE_SERIES}"
    folder.mkdir(parents=True)
    (folder / "a.dcx").write_bytes(b"not DICOM")
    names = ("AWS_ENDPOINT", "GCS_ENDPOINT", "RELEASE_URL", "METADATA_ENDPOINT")
    for endpoint in (NOWHERE, html, "nonsense", "ftp://127.0.0.1"):
        with monkeypatch.context() as patch:
            for name in names:
                patch.setenv(f"IDC_WIDGETS_{name}", endpoint)
            done = tried(*_valid(command, tmp_path / "data"))
            _is_sentence(done, (command, endpoint))
            if command == "download":
                assert done.code == (exits.ENVIRONMENT if endpoint in (NOWHERE, html) else exits.USAGE), done
            if "--where" in COMMANDS[command]._option_string_actions:
                where = ["--where", "ct_index.SliceThickness<=1.5"]
                done = tried(*_required(command, str(tmp_path / "data")), *where)
                _is_sentence(done, (command, endpoint, where))
    for name in ("STATE_DIR", "CACHE_DIR"):
        for place in ("/dev/null", "/dev/null/x"):
            with monkeypatch.context() as patch:
                patch.setenv(f"IDC_WIDGETS_{name}", place)
                _is_sentence(tried(*_valid(command, tmp_path / "data")), (command, name, place))


def test_destinations_that_cannot_be_used(tried: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for to, code in (
        ("", 2), ("/dev/null", 2), (str(tmp_path / "file"), 2), (str(tmp_path / "file" / "x"), 2), ("s3://a/b", 2),
        (f"{tmp_path}/{'x' * 300}", 2), ("/proc/1/x", 5), ("/sys/x", 5),
    ):  # fmt: skip
        for more in ([], ["--dry-run"]):
            done = tried("download", ONE_SERIES, "--to", to, *more)
            assert done.code == code, (to, more, done)
