"""What a download would do, worked out before anything is written."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import receipt
from .journal import Journal
from .model import Item, TransferError
from .paths import DEFAULT_LAYOUT, OWN_FOLDER, final_paths, parse_layout, path_key
from .registry import journal_path
from .space import describe_destination


@dataclass(frozen=True)
class Plan:
    """What a download holds, what of it is there already, and whether the rest fits.

    Attributes
    ----------
    path
        The absolute destination.
    series, files, bytes
        All that was asked for.
    series_present, bytes_present
        What is there already, verified.
    need, free
        Bytes still to be written, and the room there is (None when the system does not say).
    problem
        Why the destination cannot be used, if so.
    """

    path: Path
    series: int
    files: int
    bytes: int
    series_present: int
    bytes_present: int
    need: int
    free: int | None
    problem: str | None

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.free is None or self.need <= self.free


def distinct(items: Iterable[Item]) -> list[Item]:
    """Return the items, each series version once."""
    return list({item.crdc_series_uuid: item for item in items}.values())


def plan(items: Sequence[Item], destination: str | Path, *, layout: str = DEFAULT_LAYOUT) -> Plan:
    """Work out what a download of `items` to `destination` would do.

    Parameters
    ----------
    items
        The series.
    destination
        A folder, which need not exist.
    layout
        The template of each series' folder.
    """
    return plan_with_paths(distinct(items), destination, layout)[0]


def plan_with_paths(items: Sequence[Item], destination: str | Path, layout: str) -> tuple[Plan, list[str]]:
    """Return the plan and each item's folder, relative to the destination."""
    if not items:
        raise TransferError("nothing to download: the cohort matches no series")
    parse_layout(layout, set(items[0].fields) | {"SeriesInstanceUID", "crdc_series_uuid"})
    place = describe_destination(destination)
    root = Path(place.path)
    uuids = {item.crdc_series_uuid for item in items}
    taken: dict[str, str] = {}
    for path, uuid in _owned(root):
        taken.setdefault(path_key(path), uuid)
    paths = final_paths(items, layout, taken)
    there = receipt.present(root, uuids)
    present = [item for item, path in zip(items, paths, strict=True) if (item.crdc_series_uuid, path) in there]
    absent = uuids.difference(item.crdc_series_uuid for item in present)
    total, bytes_present = sum(item.bytes for item in items), sum(item.bytes for item in present)
    result = Plan(
        path=root,
        series=len(items),
        files=sum(item.files for item in items),
        bytes=total,
        series_present=len(present),
        bytes_present=bytes_present,
        need=max(0, total - bytes_present - _staged(root, absent)),
        free=place.free,
        problem=place.problem,
    )
    return result, paths


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
                total += sum(entry.stat().st_size for entry in entries if entry.name.endswith(".dcm"))
    return total
