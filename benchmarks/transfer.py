"""Downloads from a bucket on loopback that is faster than its clients, beside bare `s5cmd run` and beside idc-index.

All clients and the bucket share this machine's cores, so ratios are what counts. `BENCH_SMALL=1` takes a tenth.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.bucket import Bucket, Shape
from benchmarks.measure import line
from idc_widgets.catalog import bundled
from idc_widgets.transfer import Item, Job, jobs, s5cmd, start
from idc_widgets.transfer.journal import Journal
from idc_widgets.transfer.registry import journal_path

WORKERS = 64
TIMES = 3
PART = 10 if os.environ.get("BENCH_SMALL") else 1
_TICKS = os.sysconf("SC_CLK_TCK")

IDC_INDEX = """
import sys, logging
from pathlib import Path
import idc_index.index
from idc_index import IDCClient
client = IDCClient()
idc_index.index.aws_endpoint_url = sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
client.download_dicom_series(sys.stdin.readline().split(), downloadDir=sys.argv[1], quiet=True, show_progress_bar=False)
"""


@dataclass
class Usage:
    """What a download took."""

    seconds: float = 0
    worker: float = 0  # CPU seconds
    s5cmd: float = 0
    bucket: float = 0
    megabytes: float = 0


def half_megabyte_series() -> list[tuple[str, Shape]]:
    """Return real series that amount to 4,000 files of about 0.5 MB."""
    rows = duckdb.sql(
        "SELECT SeriesInstanceUID, crdc_series_uuid, aws_bucket, instanceCount, round(series_size_MB * 1e6)::BIGINT "
        f"FROM '{bundled.table('index').path}' WHERE instanceCount = 100 AND aws_bucket = 'idc-open-data' "
        f"AND series_size_MB BETWEEN 48 AND 55 ORDER BY crdc_series_uuid LIMIT {40 // PART}"
    ).fetchall()
    return [(uid, Shape(series, bucket, files, size)) for uid, series, bucket, files, size in rows]


def made_up(series: int, files: int, size: int) -> list[tuple[str, Shape]]:
    """Return series that are not in the index."""
    return [
        (f"1.2.{n}", Shape(str(uuid.UUID(int=n + 1)), "idc-open-data", files, files * size + n)) for n in range(series)
    ]


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder in memory where there is one, so that the disk is not what is measured."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, ignore_cleanup_errors=True) as name:
        os.environ["IDC_WIDGETS_STATE_DIR"] = f"{name}/state"
        yield Path(name)


def bare(bucket: Bucket, series: list[tuple[str, Shape]], place: Path) -> Usage:
    """Download with s5cmd alone."""
    place.mkdir()
    commands = "".join(f"cp s3://{shape.bucket}/{shape.uuid}/* {shape.uuid}/\n" for _, shape in series)
    before, served = resource.getrusage(resource.RUSAGE_CHILDREN), _cpu(*bucket.pids)
    began = time.perf_counter()
    subprocess.run(
        [s5cmd.binary(), "--no-sign-request", "--endpoint-url", bucket.endpoint, "--numworkers", str(WORKERS), "run"],
        input=commands.encode(), cwd=place, env=s5cmd.environment(), stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    _complete(place, series)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(seconds, s5cmd=used, bucket=_cpu(*bucket.pids) - served)


def idc_index(bucket: Bucket, series: list[tuple[str, Shape]], place: Path) -> Usage:
    """Download with idc-index; its start and the reading of its index are not counted."""
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", IDC_INDEX, str(place), bucket.endpoint],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "AWS_REGION": "us-east-1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stdout.readline() == "ready\n"
    began = time.perf_counter()
    process.communicate("\n" + " ".join(uid for uid, _ in series) + "\n")
    seconds = time.perf_counter() - began
    _complete(place, series)
    return Usage(seconds)


def begin(bucket: Bucket, series: list[tuple[str, Shape]], place: Path, verify: str) -> Job:
    """Start ours."""
    items = [Item(uid, shape.uuid, shape.bucket, shape.files, shape.bytes) for uid, shape in series]
    return start(
        items, place, idc_version=25, layout="%SeriesInstanceUID", endpoint_url=bucket.endpoint, workers=WORKERS,
        verify=verify,  # type: ignore[arg-type]
    )  # fmt: skip


def ours(bucket: Bucket, series: list[tuple[str, Shape]], place: Path, verify: str = "md5") -> Usage:
    """Download with ours, from the call to the state "complete"."""
    began, served = time.perf_counter(), _cpu(*bucket.pids)
    job = begin(bucket, series, place, verify)
    usage = watch(job)
    usage.seconds, usage.bucket = time.perf_counter() - began, _cpu(*bucket.pids) - served
    if job.state != "complete":
        sys.exit(f"the download failed: {job.error}")
    _complete(place, series)
    return usage


def watch(job: Job, enough: float = float("inf")) -> Usage:
    """Wait for the end, or until so many bytes have come, looking at what worker and s5cmd processes take."""
    usage, seen = Usage(), dict[int, float]()
    while not job.wait(0.03) and job.state not in ("failed", "cancelled"):
        if job.progress.bytes_done + job.progress.bytes_in_flight > enough:
            break
        pid = worker_pid(job)
        if pid is None or sys.platform != "linux":
            continue
        try:
            usage.worker = _cpu(pid)
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                seen[int(child)] = _cpu(int(child))
            status = Path(f"/proc/{pid}/status").read_text()
            usage.megabytes = int(status.split("VmHWM:")[1].split()[0]) / 1000
        except (OSError, IndexError):
            continue
    usage.s5cmd = sum(seen.values())
    return usage


def worker_pid(job: Job) -> int | None:
    """Return the process that a job's worker is."""
    pid: int | None = Journal.of(journal_path(job.path)).job(job.id)["pid"]
    return pid


def _cpu(*pids: int) -> float:
    """Return the CPU seconds of processes; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    each = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum(int(parts[11]) + int(parts[12]) for parts in each) / _TICKS


def _complete(place: Path, series: list[tuple[str, Shape]]) -> None:
    found = sum(1 for _ in place.rglob("*.dcm"))
    wanted = sum(shape.files for _, shape in series)
    if found != wanted:
        sys.exit(f"{place} holds {found} files of {wanted}")
    shutil.rmtree(place)


def speed() -> None:
    """Measure many small objects: as fast as it goes, with 50 ms before each answer, and over a line of 200 MB/s."""
    series = half_megabyte_series()
    files = sum(shape.files for _, shape in series)
    for delay, rate in ((0, None), (50, None), (20, 200)):
        with folder() as top, Bucket([shape for _, shape in series], delay, rate) as bucket:
            runs: dict[str, list[Usage]] = {}
            for number in range(TIMES):  # in turns, so that what else the machine does befalls all of them
                runs.setdefault("s5cmd", []).append(bare(bucket, series, top / f"b{number}"))
                for verify in ("size", "md5"):
                    runs.setdefault(verify, []).append(ours(bucket, series, top / f"{verify}{number}", verify))
                if number == 0:
                    runs["idc-index"] = [idc_index(bucket, series, top / "i")]
        seconds = {name: statistics.median(run.seconds for run in some) for name, some in runs.items()}
        what = f"{files:,} × 0.5 MB" + (f", {delay} ms" if delay else "") + (f", {rate} MB/s" if rate else "")
        for verify, words, target in (("size", "verified by size", "≤ 1.10"), ("md5", "by MD5", "≤ 1.30")):
            for other in ("s5cmd", "idc-index"):
                line(f"{what}, {words}", f"{seconds[verify]:.2f} s", f"{other} {seconds[other]:.2f} s",
                     f"{seconds[verify] / seconds[other]:.2f}", target if other == "s5cmd" else "")  # fmt: skip
        if not delay and sys.platform == "linux":
            one = min(runs["size"], key=lambda run: run.worker / run.s5cmd)
            line("worker's CPU beside s5cmd's, hashing apart", f"{one.worker:.2f} s", f"s5cmd {one.s5cmd:.2f} s",
                 f"{one.worker / one.s5cmd:.2f}", "≤ 0.20")  # fmt: skip
            # Where bucket, s5cmd and worker keep all cores busy, no wall time can be better than the sum of their CPU.
            sums = {
                name: min(run.worker + run.s5cmd + run.bucket for run in some)
                for name, some in runs.items()
                if name != "idc-index"
            }
            for verify, words in (("size", "verified by size"), ("md5", "by MD5")):
                line(f"CPU of all there is, {words}", f"{sums[verify]:.2f} s", f"s5cmd {sums['s5cmd']:.2f} s",
                     f"{sums[verify] / sums['s5cmd']:.2f}", f"what {os.cpu_count()} cores allow")  # fmt: skip


def many() -> None:
    """Measure 100,000 small objects, and a series of 91,980."""
    for what, series in (
        ("100,000 × 10 kB", made_up(1000 // PART, 100, 10_000)),
        ("a series of 91,980 × 10 kB", made_up(1, 91_980 // PART, 10_000)),
    ):
        with folder() as top, Bucket([shape for _, shape in series]) as bucket:
            other = bare(bucket, series, top / "b")
            before = bucket.counts()
            usage = ours(bucket, series, top / "o")
            counts = {name: count - before[name] for name, count in bucket.counts().items()}
        files = sum(shape.files for _, shape in series)
        pages = sum(-(-shape.files // 1000) for _, shape in series)
        line(what, f"{usage.seconds:.1f} s", f"s5cmd {other.seconds:.1f} s", f"{usage.seconds / other.seconds:.2f}", "")
        line(f"{what}, worker's memory", f"{usage.megabytes:.0f} MB", "", "", "")
        asked = f"{counts['GET']:,} GET, {counts['HEAD']} HEAD"
        line(f"{what}, requests", asked, f"{counts['LIST']:,} LIST",
             f"{counts['LIST'] / pages:.2f}", f"1 GET a file, 0 HEAD, LIST ≤ 2 × {pages:,}")  # fmt: skip
        assert counts["HEAD"] == 0 and counts["GET"] <= files + 1


def interrupted() -> None:
    """Measure a kill at half and the way on, and a cancel."""
    for what, series in (
        ("4,000 × 0.5 MB", half_megabyte_series()),
        ("one object of 5 GB", made_up(1, 1, 5_000_000_000 // PART)),
    ):
        total = sum(shape.bytes for _, shape in series)
        with folder() as top, Bucket([shape for _, shape in series], 5) as bucket:
            if len(series) == 1:
                other = bare(bucket, series, top / "b")
                usage = ours(bucket, series, top / "o")
                line(what, f"{usage.seconds:.1f} s", f"s5cmd {other.seconds:.1f} s",
                     f"{usage.seconds / other.seconds:.2f}", "")  # fmt: skip
            before = bucket.counts()["bytes"]
            job = begin(bucket, series, top / "k", "md5")
            watch(job, total / 2)
            pid = worker_pid(job)
            assert pid is not None and job.state == "running"
            os.kill(pid, 9)
            while job.state != "failed":
                time.sleep(0.05)
            job.resume()
            watch(job)
            twice = bucket.counts()["bytes"] - before - total
            assert job.state == "complete" and not (top / "k/.idc_widgets/staging").exists()
            _complete(top / "k", series)
            line(f"{what}, killed at half: fetched twice", f"{twice / 1e6:.0f} MB", f"of {total / 1e6:.0f} MB",
                 f"{twice / total:.3f}", "≤ 0.02, no stray file")  # fmt: skip
            job = begin(bucket, series, top / "c", "md5")
            watch(job, total / 3)
            began = time.perf_counter()
            job.cancel()
            spent = time.perf_counter() - began
            after = bucket.counts()["bytes"]
            time.sleep(0.5)
            late = bucket.counts()["bytes"] - after  # what the server had handed to the system by then
            if job.state != "cancelled" or late > WORKERS << 19 or list((top / "c").rglob(".idc_widgets")):
                sys.exit(f"after the cancel the job is {job.state}, and {late:,} bytes came")
            line(f"{what}, cancel", f"{spent:.2f} s", "", "", "≤ 0.5 s, nothing half-written")


def history() -> None:
    """Measure a folder that has seen 2,000 jobs."""
    series = made_up(1, 1, 1000)
    with folder() as top, Bucket([shape for _, shape in series]) as bucket:
        job = begin(bucket, series, top / "h", "md5")
        job.wait()
        journal = Journal.of(journal_path(top / "h"))
        row = dict(journal.job(job.id))
        for number in range(2000):
            journal.add_job({**row, "id": f"job{number}"}, [("1.2.0", series[0][1].uuid, "b", 1, 1000, "1.2.0", "")])
        for what, question in (
            ("idc.jobs()", lambda: jobs(top / "h")),
            ("all their progress", lambda: [job.progress for job in jobs(top / "h")]),
            ("another download", lambda: begin(bucket, series, top / "h", "md5").wait()),
        ):
            began = time.perf_counter()
            question()
            line(f"2,000 jobs in one folder: {what}", f"{(time.perf_counter() - began) * 1000:.0f} ms", "", "", "")


def main() -> None:
    """Measure and print."""
    chosen = os.environ.get("BENCH_TRANSFER", "speed many interrupted history").split()
    for part in (speed, many, interrupted, history):
        if part.__name__ in chosen:
            part()


if __name__ == "__main__":
    main()
