"""How well a limit of bandwidth holds, and what a limit costs: our own reader beside s5cmd through a throttling hop.

The hop is the other way to a limit: a proxy on loopback that passes on so many bytes a second. It is kept here for
the comparison only.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.bucket import Bucket, Shape
from benchmarks.measure import line
from benchmarks.transfer import PART, WORKERS, _cpu, folder, half_megabyte_series, made_up, watch, worker_pid
from idc_widgets.transfer import Item, Job, s5cmd, start

RATE = 20_000_000
SECONDS = 30 // (6 if PART > 1 else 1)


def begin(bucket: Bucket, series: list[tuple[str, Shape]], place: Path, **limits: Any) -> Job:
    """Start ours."""
    items = [Item(uid, shape.uuid, shape.bucket, shape.files, shape.bytes) for uid, shape in series]
    return start(
        items,
        place,
        idc_version=25,
        layout="%SeriesInstanceUID",
        endpoint_url=bucket.endpoint,
        workers=WORKERS,
        **limits,
    )


def sample(bucket: Bucket) -> tuple[float, float, float]:
    """Return the rate over so many seconds, and the lowest and highest of two seconds within."""
    seen = [(time.perf_counter(), bucket.counts()["bytes"])]
    while seen[-1][0] - seen[0][0] < SECONDS:
        time.sleep(2)
        seen.append((time.perf_counter(), bucket.counts()["bytes"]))
    each = [(b - a) / (t - s) for (s, a), (t, b) in itertools.pairwise(seen)]
    return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]), min(each), max(each)


def hop(port: int, upstream: str) -> None:
    """Pass on what a server says, at most so fast."""
    host, to = urlsplit(upstream).hostname, urlsplit(upstream).port
    even = time.monotonic()

    async def passed(reader: Any, writer: Any, throttled: bool) -> None:
        nonlocal even
        try:
            while data := await reader.read(1 << 16):
                if throttled:
                    even = max(even, time.monotonic() - 0.2) + len(data) / RATE
                    await asyncio.sleep(max(0.0, even - time.monotonic()))
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def client(reader: Any, writer: Any) -> None:
        server_reader, server_writer = await asyncio.open_connection(host, to, limit=1 << 17)
        await asyncio.gather(passed(reader, server_writer, False), passed(server_reader, writer, True))

    async def serve() -> None:
        server = await asyncio.start_server(client, "127.0.0.1", port, limit=1 << 17)
        await server.serve_forever()

    asyncio.run(serve())


def rates() -> None:
    """Measure 20 MB/s over 30 s, for small and large objects."""
    for what, series in (
        ("0.5 MB", [*half_megabyte_series(), *[(f"2.{u}", s) for u, s in made_up(40, 50, 500_000)]]),
        ("200 MB", made_up(8, 1, 200_000_000)),
    ):
        with folder() as top, Bucket([shape for _, shape in series]) as bucket:
            job = begin(bucket, series, top / "o", bandwidth=RATE)
            while not bucket.counts()["bytes"]:
                time.sleep(0.05)
            pid = worker_pid(job)
            before = _cpu(pid) if pid else 0
            rate, low, high = sample(bucket)
            pid = worker_pid(job)
            used = _cpu(pid) - before if pid else 0
            began = time.perf_counter()
            job.cancel()
            spent = time.perf_counter() - began
            line(f"{what}, 20 MB/s over {SECONDS} s", f"{rate / 1e6:.2f} MB/s",
                 f"2 s: {low / 1e6:.1f} to {high / 1e6:.1f}", f"{rate / RATE:.3f}", "0.9 to 1.1")  # fmt: skip
            line(f"{what}, worker's CPU; cancel", f"{used / SECONDS:.1%}", f"{spent:.2f} s", "", "≤ 0.5 s")
            port = 18_765
            proxy = multiprocessing.get_context("spawn").Process(target=hop, args=(port, bucket.endpoint), daemon=True)
            proxy.start()
            time.sleep(1.5)
            place = top / "h"
            place.mkdir()
            commands = "".join(f"cp s3://{shape.bucket}/{shape.uuid}/* {shape.uuid}/\n" for _, shape in series)
            other = subprocess.Popen(
                [s5cmd.binary(), "--no-sign-request", "--endpoint-url", f"http://127.0.0.1:{port}", "--numworkers",
                 str(WORKERS), "run"],
                stdin=subprocess.PIPE, cwd=place, env=s5cmd.environment(), stdout=subprocess.DEVNULL,
            )  # fmt: skip
            assert other.stdin and proxy.pid
            other.stdin.write(commands.encode())
            other.stdin.close()
            bucket.reset()
            while not bucket.counts()["bytes"]:
                time.sleep(0.05)
            before = _cpu(proxy.pid, other.pid)
            rate, low, high = sample(bucket)
            used = _cpu(proxy.pid, other.pid) - before
            other.kill()
            other.wait()
            proxy.kill()
            proxy.join()
            line(f"{what}, s5cmd through a hop", f"{rate / 1e6:.2f} MB/s", f"2 s: {low / 1e6:.1f} to {high / 1e6:.1f}",
                 f"{rate / RATE:.3f}", f"CPU of both {used / SECONDS:.1%}")  # fmt: skip


def cost() -> None:
    """Measure a download that its limit does not slow down, beside one without a limit."""
    series = half_megabyte_series()
    total = sum(shape.bytes for _, shape in series)
    for delay in (0, 50):
        with folder() as top, Bucket([shape for _, shape in series], delay) as bucket:
            seconds = []
            for number, limits in enumerate(({}, {"max_bytes": total})):
                began = time.perf_counter()
                job = begin(bucket, series, top / f"{number}", **limits)
                usage = watch(job)
                seconds.append(time.perf_counter() - began)
                if job.state != "complete":
                    sys.exit(f"the download failed: {job.status}")
                cpu = f"CPU {usage.worker + usage.s5cmd:.1f} s"
                what = f"{total / 1e6:,.0f} MB of 0.5 MB, {delay} ms, {'a' if limits else 'no'} limit"
                line(what, f"{seconds[-1]:.1f} s", cpu, f"{seconds[-1] / seconds[0]:.2f}", "")


def main() -> None:
    """Measure and print."""
    chosen = os.environ.get("BENCH_LIMITS", "rates cost").split()
    for part in (rates, cost):
        if part.__name__ in chosen:
            part()


if __name__ == "__main__":
    main()
