"""What a download would do, worked out before anything is written."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import receipt
from .journal import Journal
from .model import Item, Provider, TransferError, Verify
from .paths import DEFAULT_LAYOUT, OWN_FOLDER, Placed, path_key, place
from .registry import journal_path, journal_paths
from .space import describe_destination, long_paths_work
from .units import human_bytes, human_seconds

_LONGEST_WINDOWS_PATH = 259
_FILE_NAME = 41  # "/" and <uuid>.dcm
_PAST_JOBS = 5


@dataclass(frozen=True, repr=False)
class Plan:
    """What a download holds, what of it is there already, and whether the rest fits.

    Attributes
    ----------
    path, provider, layout
        The absolute destination, the cloud, the template of the folders.
    series, files, bytes
        All that was asked for.
    series_present, files_present, bytes_present
        What is there already, verified: not fetched again.
    need, free
        Bytes still to be written, and the room there is (None when the system does not say).
    seconds
        About how long that takes, going by this machine's last downloads; None without any.
    licences
        (licence, series, bytes), most series first; empty where nothing is known of them.
    folders
        (SeriesInstanceUID, folder below the destination) of every series.
    renamed
        Those of them whose values could not be folder names as they are.
    moved_aside
        Those that would have shared a folder with another series, also by letter case alone.
    too_long
        Those whose paths are longer than Windows takes by default.
    problem
        Why the destination cannot be used, if so.
    """

    path: Path
    provider: Provider
    layout: str
    series: int
    files: int
    bytes: int
    series_present: int
    files_present: int
    bytes_present: int
    need: int
    free: int | None
    seconds: float | None
    folders: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    moved_aside: tuple[tuple[str, str], ...]
    too_long: tuple[tuple[str, str], ...]
    problem: str | None
    licences: tuple[tuple[str, int, int], ...] = ()

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.free is None or self.need <= self.free

    def lines(self) -> list[tuple[str, str]]:
        """Return the plan as pairs of a heading and what there is to say."""
        there = (
            f"{self.series_present:,} series, {self.files_present:,} files, {human_bytes(self.bytes_present)}, verified"
        )
        out = [
            ("Destination", f"{self.path}" + (f": {self.problem}" if self.problem else "")),
            ("Holds", f"{self.series:,} series, {self.files:,} files, {human_bytes(self.bytes)} from {self.provider}"),
            ("There already", there if self.series_present else "nothing"),
            ("To fetch", human_bytes(self.need) + (f", about {human_seconds(self.seconds)}" if self.seconds else "")),
        ]  # fmt: skip
        if self.free is not None:
            short = "" if self.fits else f": {human_bytes(self.need - self.free)} too little"
            out.append(("Free space", human_bytes(self.free) + short))
        if self.licences:
            out.append(("Licences", "; ".join(f"{name} ({series:,} series)" for name, series, _ in self.licences)))
        for heading, found in (
            ("Names made safe", self.renamed),
            ("Moved aside", self.moved_aside),
            ("Too long for Windows", self.too_long),
        ):
            if found:
                out.append((heading, f"{len(found):,} series, such as {found[0][1]}"))
        return out

    def __str__(self) -> str:
        return "\n".join(f"{heading + ':':22}{text}" for heading, text in self.lines())

    __repr__ = __str__


def distinct(items: Iterable[Item]) -> list[Item]:
    """Return the items, each series version once."""
    return list({item.crdc_series_uuid: item for item in items}.values())


def plan(
    items: Sequence[Item],
    destination: str | os.PathLike[str],
    *,
    layout: str = DEFAULT_LAYOUT,
    provider: Provider = "aws",
    verify: Verify = "md5",
) -> Plan:
    """Work out what a download of `items` to `destination` would do.

    Parameters
    ----------
    items
        The series.
    destination
        A folder, which need not exist.
    layout
        The template of each series' folder.
    provider
        ``"aws"`` or ``"gcs"``.
    verify
        How files are to be verified; what was verified by less is not there already.
    """
    return make(distinct(items), destination, layout, provider, verify)


def make(
    items: Sequence[Item], destination: str | os.PathLike[str], layout: str, provider: Provider, verify: str
) -> Plan:
    """Return the plan for items that are distinct."""
    if not items:
        raise TransferError("nothing to download: the cohort matches no series")
    described = describe_destination(destination)
    root = Path(described.path)
    uuids = {item.crdc_series_uuid for item in items}
    taken: dict[str, str] = {}
    for path, uuid in _owned(root):
        taken.setdefault(path_key(path), uuid)
    placed = place(items, layout, taken)
    there = receipt.present(root, uuids, verify)
    present = [item for item, at in zip(items, placed, strict=True) if (item.crdc_series_uuid, at.path) in there]
    absent = uuids.difference(item.crdc_series_uuid for item in present)
    total, bytes_present = sum(item.bytes for item in items), sum(item.bytes for item in present)
    need = max(0, total - bytes_present - _staged(root, absent))
    rate = _usual_rate(provider)
    too_long = _chosen(items, placed, [_too_long(root, at.path) for at in placed])
    problem = described.problem
    if too_long and problem is None and not long_paths_work():
        problem = (
            f"{len(too_long):,} series would get paths longer than this Windows takes, such as {too_long[0][1]}: "
            "choose a shorter destination or layout, or enable long paths in Windows"
        )
    return Plan(
        path=root,
        provider=provider,
        layout=layout,
        series=len(items),
        files=sum(item.files for item in items),
        bytes=total,
        series_present=len(present),
        files_present=sum(item.files for item in present),
        bytes_present=bytes_present,
        need=need,
        free=described.free,
        seconds=need / rate if rate else None,
        folders=_chosen(items, placed, [True] * len(items)),
        renamed=_chosen(items, placed, [at.renamed for at in placed]),
        moved_aside=_chosen(items, placed, [at.moved_aside for at in placed]),
        too_long=too_long,
        problem=problem,
    )


def too_little(plan: Plan) -> str:
    """Return the sentence for a plan that does not fit."""
    return no_room(str(plan.path), plan.free or 0, plan.need)


def no_room(path: str, free: int, need: int) -> str:
    """Return the sentence for a disk that is too small."""
    return (
        f"{path} has {human_bytes(free)} free, the download needs {human_bytes(need)}, "
        f"{human_bytes(need - free)} more: choose another destination or fewer series"
    )


def _chosen(items: Sequence[Item], placed: Sequence[Placed], which: Sequence[bool]) -> tuple[tuple[str, str], ...]:
    return tuple((i.series_uid, at.path) for i, at, yes in zip(items, placed, which, strict=True) if yes)


def _too_long(root: Path, path: str) -> bool:
    return len(str(root)) + 1 + len(path) + _FILE_NAME > _LONGEST_WINDOWS_PATH


def _usual_rate(provider: str) -> float | None:
    """Return the bytes a second that the last downloads here had."""
    rates: list[tuple[float, float]] = []
    for path in journal_paths():
        with contextlib.suppress(sqlite3.DatabaseError, TransferError):
            found = Journal.of(path).all(
                "SELECT created, rate FROM job WHERE rate IS NOT NULL AND provider = ? ORDER BY created DESC LIMIT ?",
                (provider, _PAST_JOBS),
            )
            rates += [(row["created"], row["rate"]) for row in found]
    latest = sorted(rates)[-_PAST_JOBS:]
    return statistics.median(rate for _, rate in latest) if latest else None


def _owned(root: Path) -> Iterable[tuple[str, str]]:
    yield from ((entry.path, entry.crdc_series_uuid) for entry in receipt.entries(root) if entry.path)
    journal = journal_path(root)
    if journal.exists():
        with contextlib.suppress(sqlite3.DatabaseError):  # damaged: `start` puts it aside
            yield from Journal.of(journal).owned_paths()


def _staged(root: Path, uuids: set[str]) -> int:
    """Return the bytes of `uuids` that an unfinished download left, which are not needed again."""
    total = 0
    try:
        folders = list(os.scandir(root / OWN_FOLDER / "staging"))
    except OSError:
        return 0
    for folder in folders:
        if folder.name in uuids:
            with os.scandir(folder) as entries:
                total += sum(_allocated(entry) for entry in entries if entry.name.endswith((".dcm", ".part")))
    return total


def _allocated(entry: os.DirEntry[str]) -> int:
    """Return the bytes a file has on the disk: that of a large object has holes."""
    status = entry.stat()
    if entry.name.endswith(".part"):
        return min(status.st_size, getattr(status, "st_blocks", 0) * 512)
    return status.st_size
