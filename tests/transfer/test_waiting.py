"""Waiting for a job: what is shown, and what an interrupt does."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Job, Progress, TransferError, waiting
from idc_widgets.transfer.model import Snapshot, Status
from tests.mirror import SpawnedMirror

from .conftest import STUDY, pick

Fetch = Callable[..., Job]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class FakeBar:
    """What of tqdm is used."""

    made: list[FakeBar]

    def __init__(self, **options: object) -> None:
        self.options, self.seen, self.closed, self.n, self.total = options, [], False, 0, options["total"]
        self.made.append(self)

    def set_description_str(self, text: str, refresh: bool) -> None:
        self.text = text

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        self.postfix = text

    def refresh(self) -> None:
        self.seen.append((self.n, self.text, self.postfix))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    found = Terminal()  # not in place of sys.stderr, which pytest changes between fixture and test
    monkeypatch.setattr(waiting, "sys", types.SimpleNamespace(stderr=found, modules=sys.modules))
    return found


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[FakeBar]:
    FakeBar.made = []
    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    module = types.ModuleType("tqdm.auto")
    module.tqdm = FakeBar  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    return FakeBar.made


@pytest.fixture
def no_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


def said(state: str, done: int, flight: int, total: int = 1000) -> Snapshot:
    progress = Progress(total, done, flight, 10, 1, 1, 0, 0, 5e6, 100)
    return Snapshot(state, None, Status(state, state), progress, 64)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("snapshot", "text"),
    [
        (said("running", 0, 0), "0.0%"),
        (said("running", 100, 251), "35.1%"),
        (said("running", 999_999, 0, 1_000_000), "99.9%"),
        (said("verifying", 0, 1000), "99.9%"),
        (said("running", 900, 5000), "99.9%"),
        (said("complete", 1000, 0), "100%"),
        (said("complete", 0, 0, 0), "100%"),
        (said("running", 0, 0, 0), "99.9%"),
        (said("failed", 1000, 0), "99.9%"),
    ],
)
def test_nothing_is_a_hundred_percent_before_it_is_complete(snapshot: Snapshot, text: str) -> None:
    assert waiting.percent(snapshot) == text


def test_a_line_says_it_all() -> None:
    assert waiting.progress_line(said("running", 100, 251)) == (
        "running: 35.1%, 351 bytes of 1 kB, 1 of 10 files, 5 MB/s, 2 min left"
    )


def test_a_bar_where_there_is_tqdm(
    fetch: Fetch, mirror: SpawnedMirror, terminal: Terminal, bars: list[FakeBar]
) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(STUDY))
    assert job.wait(30)
    (bar,) = bars
    assert bar.closed and bar.total == job.progress.bytes_total
    assert bar.seen[-1][0] == bar.total and bar.seen[-1][1] == "complete 100%"
    assert any(0 < n < bar.total for n, *_ in bar.seen)
    assert all(n < bar.total and "100%" not in text for n, text, _ in bar.seen if "complete" not in text)
    assert any(re.search(r"\d of 40 files, [\d.]+ MB/s, \d+ s left", text) for *_, text in bar.seen)
    assert terminal.getvalue() == ""


def test_the_real_tqdm_draws_it(fetch: Fetch, terminal: Terminal) -> None:
    pytest.importorskip("tqdm")
    job = fetch(pick(STUDY))
    assert job.wait(30)
    last = terminal.getvalue().rstrip("\n").rpartition("\r")[2]
    assert last.startswith("complete 100% ") and "5.21M/5.21M, 40 of 40 files" in last


@pytest.mark.usefixtures("no_tqdm")
def test_a_line_that_is_overwritten_where_there_is_none(
    fetch: Fetch, mirror: SpawnedMirror, terminal: Terminal
) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(STUDY))
    assert job.wait(30)
    shown = terminal.getvalue()
    assert shown.count("\n") == 1 and shown.endswith("\n") and shown.count("\r") > 2
    assert shown.rstrip().rpartition("\r")[2].startswith("complete: 100%, 5.21 MB of 5.21 MB, 40 of 40 files")


def test_a_script_is_told_nothing_unasked(
    fetch: Fetch, mirror: SpawnedMirror, capfd: pytest.CaptureFixture[str], bars: list[FakeBar]
) -> None:
    mirror.set(rate_mb=4)
    job = fetch(pick(STUDY))
    assert not job.wait(0.5)
    assert capfd.readouterr() == ("", "")
    assert job.wait(30, progress=True)
    lines = capfd.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 3 and lines[-1].startswith("complete: 100%")  # one every few seconds
    assert not bars


def test_nothing_is_shown_where_nothing_is_wanted(fetch: Fetch, terminal: Terminal, bars: list[FakeBar]) -> None:
    assert fetch(pick(STUDY)).wait(30, progress=False)
    assert terminal.getvalue() == "" and not bars


def test_a_function_is_called(fetch: Fetch, mirror: SpawnedMirror) -> None:
    mirror.set(rate_mb=4)
    seen: list[Progress] = []
    assert fetch(pick(STUDY)).wait(30, progress=seen.append)
    assert len(seen) > 2 and seen[-1].files_done == 40 and seen[0].files_done < 40


def test_what_a_function_raises_comes_through(fetch: Fetch) -> None:
    job = fetch(pick(STUDY))
    with pytest.raises(ZeroDivisionError):
        job.wait(progress=lambda p: 1 / 0)
    assert job.wait(30)


@pytest.mark.parametrize("wrong", ["yes", 1.5, 7, []])
def test_a_wrong_progress_is_told(fetch: Fetch, wrong: object) -> None:
    with pytest.raises(TransferError, match="progress="):
        fetch(pick(STUDY)).wait(progress=wrong)  # type: ignore[arg-type]


def test_the_bar_is_closed_at_a_timeout(
    fetch: Fetch, mirror: SpawnedMirror, terminal: Terminal, bars: list[FakeBar]
) -> None:
    mirror.set(rate_mb=1)
    job = fetch(pick(STUDY))
    assert not job.wait(0.3)
    assert not job.wait(0)
    assert [bar.closed for bar in bars] == [True, True]


def test_a_limit_that_is_reached_ends_the_waiting(fetch: Fetch, terminal: Terminal, bars: list[FakeBar]) -> None:
    assert not fetch(pick(STUDY), max_bytes="1 MB").wait(30)
    assert "limit of 1 MB reached" in bars[0].seen[-1][1]


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_an_interrupt_leaves_the_download_going(fetch: Fetch, mirror: SpawnedMirror, tmp_path: Path) -> None:
    mirror.set(rate_mb=1)
    job = fetch(pick(STUDY))
    code = (
        "import sys; from idc_widgets import jobs\n"
        "(job,) = jobs(sys.argv[1])\n"
        "job.wait(progress=lambda p: print('waits', flush=True)) if len(sys.argv) > 2 else job.wait(progress=True)"
    )
    for more in ((), ("own",)):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "data"), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        with process:
            stream = process.stdout if more else process.stderr
            assert stream is not None and stream.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        assert process.returncode != 0 and "KeyboardInterrupt" in err
        # Who shows the progress says what becomes of it, too.
        assert ("goes on in the background" in err) is not bool(more)
        assert job.state in ("listing", "running")
    mirror.set()
    assert job.wait(30)
