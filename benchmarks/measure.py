"""Running a piece of Python in a process of its own and reading its time and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Run:
    """One process: wall seconds until it said it was ready, and its memory then (resident, megabytes)."""

    seconds: float
    megabytes: float


def run(code: str, environment: Mapping[str, str] | None = None) -> Run:
    """Run `code`; when it is through, read its memory and end it. Imports are counted."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code + "\nimport sys; print('ready', flush=True); sys.stdin.read()"],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout and process.stdin
    for line in process.stdout:
        if line.strip() == "ready":
            break
    else:
        raise RuntimeError(f"this ended before it was ready:\n{code}")
    seconds = time.perf_counter() - start
    memory = psutil.Process(process.pid).memory_info().rss / 1e6
    process.stdin.close()
    process.wait()
    return Run(seconds, memory)


def median(measure: Callable[[], Run], times: int = 3) -> Run:
    """Return the run of median duration."""
    runs = sorted((measure() for _ in range(times)), key=lambda r: r.seconds)
    return runs[len(runs) // 2]


def quantile(values: list[float], q: float) -> float:
    """Return a quantile, such as 0.95, of some values."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(q * 100) - 1]


def line(what: str, ours: str, against: str, ratio: str, target: str) -> None:
    """Print one row of the table of figures."""
    print(f"{what:<46} {ours:>16} {against:>24} {ratio:>9}  {target}", flush=True)
