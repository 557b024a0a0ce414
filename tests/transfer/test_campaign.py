"""Processes killed at random moments, journals lost, a server that misbehaves: what is there afterwards is the truth.

`IDC_WIDGETS_ROUNDS` and `IDC_WIDGETS_SEED` repeat a campaign.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from idc_widgets.transfer import Item, Job, jobs
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.model import ACTIVE, JournalError
from idc_widgets.transfer.receipt import present
from idc_widgets.transfer.registry import journal_path, log_path
from tests.mirror import SpawnedMirror

from .conftest import STUDY, pick, refetched, tree, until, whole_truth
from .test_control import transports
from .test_large import LARGE

Fetch = Callable[..., Job]

VICTIMS = ("worker", "worker", "s5cmd", "s5cmd", "kernel", "journal deleted", "worker, journal deleted",
           "worker, journal damaged")  # fmt: skip
FAULTS = (None, None, None, "status", "reset", "truncate", "short", "flip", "slow")
KERNEL = """
import sys, json
from idc_widgets.transfer import Item, start
items = [Item(*values) for values in json.loads(sys.argv[1])]
job = start(items, sys.argv[2], endpoint_url=sys.argv[3], idc_version=25)
print(job.id, flush=True)
job.wait()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")


def values_of(items: tuple[Item, ...]) -> str:
    fields = ("series_uid", "crdc_series_uuid", "bucket", "files", "bytes")
    return json.dumps([[*(getattr(item, name) for name in fields), dict(item.fields)] for item in items])


def worker_pid(destination: Path) -> int | None:
    try:
        rows = Journal.of(journal_path(destination)).all("SELECT pid FROM job ORDER BY created DESC LIMIT 1")
    except (ValueError, OSError):
        return None
    return rows[0]["pid"] if rows else None


def kill(pid: int | None) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def strike(victim: str, destination: Path, kernel: subprocess.Popen[str]) -> None:
    journal = journal_path(destination)
    if "worker" in victim:
        kill(worker_pid(destination))
    if victim == "s5cmd":
        for process in transports(destination):
            kill(process.pid)
    if victim == "kernel":
        kernel.kill()
    if "deleted" in victim:
        for path in journal.parent.glob(f"{journal.name}*"):
            path.unlink(missing_ok=True)
    if "damaged" in victim and journal.exists():
        with journal.open("r+b") as file:
            file.write(os.urandom(4096))


def one_round(
    mirror: SpawnedMirror, items: tuple[Item, ...], destination: Path, chance: random.Random, fetch: Fetch
) -> tuple[str, int]:
    """Start from a kernel, strike, go on, compare; return what was struck and how many objects came twice."""
    mirror.faults.clear()
    mirror.reset_counts()
    mirror.set(delay_ms=chance.choice([0, 20, 60]), rate_mb=chance.choice([None, 6, 15]))
    fault = chance.choice(FAULTS)
    if fault:
        mirror.faults.add(fault, match="*.dcm", probability=0.1, times=5)
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL, values_of(items), str(destination), mirror.endpoint],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert kernel.stdout is not None and kernel.stdout.readline()
        victim = chance.choice(VICTIMS)
        time.sleep(chance.uniform(0, 1))
        if not any(job.state in ACTIVE for job in jobs(destination)):
            victim = "too late"
        strike(victim, destination, kernel)
    finally:
        kernel.kill()
        kernel.wait()
        kernel.stdout.close()
    if "worker" in victim:
        until(lambda: not transports(destination), 10)  # no orphan
    mirror.faults.clear()
    mirror.set()
    found = jobs(destination)
    job = found[0] if found else fetch(items, destination)
    if not job.wait(30):
        try:
            job.resume()
        except JournalError:  # which says to start it again
            job = fetch(items, destination)
        if not job.wait(60):
            log = log_path(journal_path(destination), job.id).read_text()[-3000:]
            raise AssertionError(victim, fault, job.error, job.failures()[:3], log)
    assert tree(destination) == whole_truth(mirror, items), (victim, fault)
    until(lambda: not (destination / ".idc_widgets/staging").exists(), 5)
    assert {path.name for path in (destination / ".idc_widgets").iterdir()} == {"receipt.jsonl"}
    assert len(present(destination, {item.crdc_series_uuid for item in items})) == len(items)
    return victim, len(refetched(mirror))


def campaign(rounds: int, mirror: SpawnedMirror, tmp_path: Path, fetch: Fetch) -> None:
    seed = int(os.environ.get("IDC_WIDGETS_SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    struck: Counter[str] = Counter()
    twice = 0
    for number in range(rounds):
        items = pick(STUDY) if chance.random() < 0.85 else (*pick(STUDY), *pick(LARGE)[:1])
        try:
            victim, again = one_round(mirror, items, tmp_path / f"round{number}", chance, fetch)
        except BaseException as error:
            raise AssertionError(f"round {number} of the campaign with IDC_WIDGETS_SEED={seed}") from error
        struck[victim] += 1
        twice += again
    print(f"\n{rounds} rounds, seed {seed}: {dict(struck)}; {twice} objects fetched twice; every tree is the truth")


def test_a_dozen_rounds(mirror: SpawnedMirror, tmp_path: Path, fetch: Fetch) -> None:
    campaign(int(os.environ.get("IDC_WIDGETS_ROUNDS") or 12), mirror, tmp_path, fetch)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_rounds(mirror: SpawnedMirror, tmp_path: Path, fetch: Fetch) -> None:
    campaign(200, mirror, tmp_path, fetch)
