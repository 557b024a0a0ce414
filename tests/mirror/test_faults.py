"""Each fault as a client sees it, rules, the mirror as a process, and real s5cmd."""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from tests.mirror import Fault, Mirror, SpawnedMirror

from .asking import ask


@pytest.fixture
def thing(mirror: Mirror, small: dict[str, Any]) -> tuple[str, bytes]:
    key = mirror.truth(small["crdc_series_uuid"])[0].key
    return f"/idc-open-data/{key}", mirror.body(key)


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (403, "AccessDenied"), (404, "NoSuchKey")]
)
def test_status(mirror: Mirror, thing: tuple[str, bytes], status: int, code: str) -> None:
    path, whole = thing
    mirror.faults.add("status", status=status, match="*.dcm", times=2)
    answers = [ask(mirror, path) for _ in range(3)]
    assert [(answer.status, answer.code) for answer in answers[:2]] == [(status, code)] * 2
    assert answers[2].body == whole


def test_rules_choose(mirror: Mirror, small: dict[str, Any]) -> None:
    paths = [f"/idc-open-data/{key}" for key, _, _ in mirror.truth(small["crdc_series_uuid"])]
    mirror.faults.add("status", match=paths[1].lstrip("/"))
    assert [ask(mirror, path).status for path in paths[:3]] == [200, 503, 200]
    assert ask(mirror, paths[1], "HEAD").status == 200
    mirror.faults.clear()
    mirror.faults.add("status", times=1, per_key=True, after=1)
    assert [ask(mirror, path).status for path in paths[:2] for _ in range(3)] == [200, 503, 200] * 2
    mirror.faults.clear()
    mirror.faults.add("status", probability=0.5)
    first = [ask(mirror, path).status for path in paths]
    assert 5 < first.count(503) < len(first) - 5
    mirror.faults.clear()
    mirror.faults.add("status", probability=0.5)
    assert [ask(mirror, path).status for path in paths] == first
    mirror.faults.clear()
    mirror.faults.add("status", operation="LIST", status=500)
    assert ask(mirror, "/idc-open-data?list-type=2&prefix=x").status == 500
    assert ask(mirror, paths[0]).status == 200


def test_broken_bodies(mirror: Mirror, thing: tuple[str, bytes]) -> None:
    path, whole = thing
    mirror.faults.add("truncate", times=1)
    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(mirror, path)
    assert cut.value.partial == whole[: len(whole) // 2]
    mirror.faults.add("short", times=1, at=0.9)
    assert ask(mirror, path).body == whole[: int(len(whole) * 0.9)]
    mirror.faults.add("flip", times=1)
    flipped = ask(mirror, path).body
    assert len(flipped) == len(whole) and sum(a != b for a, b in zip(flipped, whole, strict=True)) == 1
    mirror.faults.add("reset", times=1)
    with pytest.raises(ConnectionError):
        ask(mirror, path)
    mirror.faults.add("reset", times=1, at=0.5)
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(mirror, path)
    assert ask(mirror, path).body == whole


@pytest.mark.parametrize("values", [{}, {"at": 0.5}, {"operation": "LIST"}], ids=["headers", "body", "list"])
def test_hang(mirror: Mirror, thing: tuple[str, bytes], values: dict[str, Any]) -> None:
    path = "/idc-open-data?prefix=x" if "operation" in values else thing[0]
    mirror.faults.add("hang", **values)
    with pytest.raises(TimeoutError):
        ask(mirror, path, timeout=0.3)
    deadline = time.monotonic() + 3
    while mirror.requests()["active"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mirror.requests()["active"] == 0, "a client that hangs up ends it"


def test_slowness(mirror: Mirror, thing: tuple[str, bytes]) -> None:
    path, whole = thing

    def took() -> float:
        began = time.monotonic()
        assert ask(mirror, path).body == whole
        return time.monotonic() - began

    mirror.faults.add("delay", seconds=0.3, times=1)
    assert took() >= 0.3
    mirror.faults.add("slow", rate=2 * len(whole), times=1)
    assert took() >= 0.45
    mirror.set(delay_ms=200)
    assert took() >= 0.2
    mirror.set(rate_mb=len(whole) / 1e6)
    took()
    assert took() >= 0.5


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "explosion"},
        {"kind": "status", "operation": "PUT"},
        {"kind": "status", "probability": 2},
        {"kind": "short", "at": 1.5},
        {"kind": "slow", "rate": 0},
        {"kind": "delay"},
    ],
    ids=str,
)
def test_wrong_rules_are_refused(mirror: Mirror, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        mirror.faults.add(**values)


def test_rules_of_the_command_line() -> None:
    fault = Fault.parse("kind=status,status=500,match=*/a.dcm,times=2,per_key=true,probability=0.25")
    assert (fault.kind, fault.status, fault.match, fault.times) == ("status", 500, "*/a.dcm", 2)
    assert fault.per_key and fault.probability == 0.25
    for wrong in ("status=500", "kind=status,times=two", "kind=status,color=red", "kind"):
        with pytest.raises(ValueError):
            Fault.parse(wrong)


def s5cmd() -> Path:
    """Return the binary itself, not the Python wrapper on PATH."""
    files = distribution("s5cmd").files or []
    return Path(
        str(
            next(
                file
                for file in files
                if file.stem == "s5cmd" and file.parent.name == "bin" and file.parent.parent.name == "s5cmd"
            ).locate()
        )
    )


@pytest.fixture(scope="module")
def spawned() -> Iterator[SpawnedMirror]:
    with Mirror.spawn() as running:
        yield running


@pytest.mark.parametrize("flags", [[], ["--use-list-objects-v1"]], ids=["v2", "v1"])
def test_s5cmd_copies_a_series(spawned: SpawnedMirror, small: dict[str, Any], tmp_path: Path, flags: list[str]) -> None:
    uuid = small["crdc_series_uuid"]
    spawned.reset_counts()
    spawned.faults.clear()
    spawned.faults.add("status", status=503, times=3)
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(
        [s5cmd(), "--no-sign-request", "--endpoint-url", spawned.endpoint, *flags, "run"],
        input=f"cp 's3://idc-open-data/{uuid}/*' '{tmp_path}/'\n",
        text=True,
        capture_output=True,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    truth = spawned.truth(uuid)
    assert {path.name for path in tmp_path.iterdir()} == {key.split("/")[1] for key, _, _ in truth}
    for key, size, etag in truth:
        body = (tmp_path / key.split("/")[1]).read_bytes()
        assert len(body) == size and hashlib.md5(body).hexdigest() == etag and body == spawned.body(key)
    counts = spawned.requests()
    assert (counts["GET"], counts["HEAD"], counts["LIST"]) == (len(truth) + 3, 0, 1)
    assert set(counts["keys"]["GET"]) == {key for key, _, _ in truth}
    assert counts["active"] == 0 and counts["bytes"] > small["bytes"]


def test_another_process_says_the_same(mirror: Mirror, spawned: SpawnedMirror, small: dict[str, Any]) -> None:
    key = mirror.truth(small["crdc_series_uuid"])[-1].key
    spawned.faults.clear()
    path = f"/idc-open-data/{key}"
    assert ask(spawned, path).body == ask(mirror, path).body == mirror.body(key)
    remote = spawned.ask("truth", series=small["crdc_series_uuid"])
    assert [tuple(each) for each in remote] == mirror.truth(small["crdc_series_uuid"])
    with pytest.raises(ValueError, match="explosion"):
        spawned.faults.add("explosion")
    with pytest.raises(ValueError, match="no series 'nonsense'"):
        spawned.ask("truth", series="nonsense")
    with pytest.raises(KeyError, match="no object 'nonsense'"):
        spawned.body("nonsense")


def test_the_command_ends_cleanly(tmp_path: Path) -> None:
    # With an empty cache (on Linux), so that it is still busy with its index when it is told to end.
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.mirror", "--fault", "kind=status,status=500,operation=LIST"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("mirror on http://127.0.0.1:")
    connection = http.client.HTTPConnection(line.rsplit("/", 1)[1].strip(), timeout=10)
    connection.request("GET", "/idc-open-data")
    assert connection.getresponse().status == 500
    process.terminate()
    _, errors = process.communicate(timeout=10)
    connection.close()
    assert errors == ""
    if os.name == "posix":
        assert process.returncode == 0
    assert list(tmp_path.rglob("*.draft*")) == []


def test_the_command_refuses_a_wrong_rule() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mirror", "--fault", "kind=explosion"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2 and "there is no fault 'explosion'" in done.stderr
