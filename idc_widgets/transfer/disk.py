"""What a destination holds of series, whoever put it there and under whatever layout; no content is checked here."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import blocks, contents, receipt, verify
from .journal import Journal
from .model import Item, TransferError
from .paths import OWN_FOLDER, STAGING, Placed
from .registry import journal_path

#: Files by name, with their sizes.
Files = dict[str, int]

_MOST_HEADERS = 20_000  # read in one look; more would take a minute
_MOST_KEPT = 20_000  # folders
_OBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.dcm")  # IDC's names; others are not found by name
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(slots=True)
class Found:
    """What is there of one series.

    Attributes
    ----------
    verified
        Whether the receipt has all of it as verified in its folder, and it is still there.
    here
        Files in its folder, or staged for it; not verified, but as far as is known of the right size.
    blocks
        Bytes of large files that arrived in part.
    elsewhere, source
        Further files, and the folder below the destination that has them.
    """

    verified: bool = False
    here: Files = field(default_factory=dict)
    blocks: int = 0
    elsewhere: Files = field(default_factory=dict)
    source: str | None = None


def is_below(path: str) -> bool:
    """Whether a path of a receipt stays in its destination, outside of what is ours there."""
    parts = path.replace("\\", "/").split("/")
    return path == "" or not (
        path.startswith(("/", "\\")) or _DRIVE.match(path) or ".." in parts or parts[0] == OWN_FOLDER or "\0" in path
    )


@dataclass
class Recorded:
    """What a receipt says, as far as a plan needs it: it may name millions of files.

    `owned` are (folder, crdc_series_uuid), `mine` the entries of the series in question, `others` how many files the
    folders have of further series.
    """

    owned: list[tuple[str, str]] = field(default_factory=list)
    mine: dict[tuple[str, str], receipt.Entry] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)


def read(root: Path, items: Iterable[Item]) -> Recorded:
    """Read a destination's receipt."""
    found = Recorded()
    uuids = {item.crdc_series_uuid for item in items}
    counts: dict[tuple[str, str], int] = {}
    for entry in receipt.entries(root):
        if not is_below(entry.path):
            continue
        uuid, path = entry.crdc_series_uuid, entry.path
        if not entry.scattered:  # else the folder is another series', and a file of this one strayed into it
            found.owned.append((path, uuid))
        if uuid in uuids:
            found.mine[uuid, path] = entry
        else:
            counts[uuid, path] = len(entry.files)
    for (_, path), count in counts.items():
        found.others[path] += count
    return found


def look(root: Path, items: Sequence[Item], placed: Sequence[Placed], by: str, recorded: Recorded) -> list[Found]:
    """Return what is there of each series.

    Parameters
    ----------
    root
        The destination.
    items, placed
        The series, and the folders they are to have.
    by
        How files are to be verified; what was verified by less is there, but not verified.
    recorded
        The destination's receipt.
    """
    result = [Found() for _ in items]
    if not _holds_something(root):
        return result
    present, damaged, _ = receipt.look(root, {item.crdc_series_uuid for item in items}, by)
    rest: dict[str, _Wanted] = {}
    for item, at, found in zip(items, placed, result, strict=True):
        entry = present.get((item.crdc_series_uuid, at.path))
        found.verified = entry is not None and entry.is_whole(item.files, item.bytes)
        if not found.verified:
            rest[item.crdc_series_uuid] = _Wanted(item, at.path, found)
    for (uuid, path), names in damaged.items():
        if uuid in rest:
            rest[uuid].damaged[path] = names
    if rest:
        _known_files(root, rest, recorded.mine.values())
        _staged(root, rest)
        for wanted in rest.values():
            wanted.known_places(root)
        if any(not wanted.whole for wanted in rest.values()):
            _search(root, rest, recorded)
        for wanted in rest.values():
            wanted.settle()
    return result


def _holds_something(root: Path) -> bool:
    """Whether anything is there that could be of a series; a new folder is the usual case."""
    try:
        with os.scandir(root) as entries:
            if any(e.name.lower().endswith(".dcm") or (e.name != OWN_FOLDER and e.is_dir()) for e in entries):
                return True
    except OSError:
        return False
    return (root / OWN_FOLDER / STAGING).is_dir()


class _Wanted:
    """A series that is not there verified."""

    __slots__ = ("damaged", "files", "folders", "found", "item", "path", "places")

    def __init__(self, item: Item, path: str, found: Found) -> None:
        self.item, self.path, self.found = item, path, found
        self.files: Files = {}  # all it has, where that is known
        self.folders: list[str] = []  # that the receipt names for it
        self.places: dict[str, Files] = {}
        self.damaged: dict[str, Collection[str]] = {}  # by folder, what a check found wrong

    @property
    def whole(self) -> bool:
        names = set(self.found.here).union(*self.places.values())
        return len(names) >= self.item.files

    def may_have(self, files: Files) -> bool:
        """Whether these can be all its files; a receipt may come from elsewhere."""
        return len(files) == self.item.files and sum(files.values()) == self.item.bytes

    def known_places(self, root: Path) -> None:
        """Look for the files, where those are known, in the folders that are."""
        if self.files:
            inside = (path for path in self.folders if Path(os.path.realpath(root / path)).is_relative_to(root))
            for path in dict.fromkeys((self.path, *inside)):
                bad = self.damaged.get(path, ())
                sizes = {name: size for name, size in self.files.items() if name not in bad}
                if files := verify.of_right_size(root / path, sizes):
                    self.places[path] = files

    def take(self, path: str, name: str, size: int) -> None:
        """Count a file that the search came upon."""
        if (self.files and self.files.get(name) != size) or name in self.damaged.get(path, ()):
            return
        self.places.setdefault(path, {})[name] = size

    def settle(self) -> None:
        """Say what of it is in its folder, and what another folder has beside that."""
        found, item = self.found, self.item
        found.here |= self.places.pop(self.path, {})
        others = {path: {n: s for n, s in files.items() if n not in found.here} for path, files in self.places.items()}
        if not self.files:  # sizes alone can tell that something is wrong, not which file
            found.here = _bounded(found.here, item.files, item.bytes)
        source = max(others, key=lambda path: len(others[path]), default=None)
        if source is not None and others[source]:
            rest = item.files - len(found.here), item.bytes - sum(found.here.values()) - found.blocks
            found.elsewhere = others[source] if self.files else _bounded(others[source], *rest)
            found.source = source if found.elsewhere else None


def _bounded(files: Files, count: int, size: int) -> Files:
    """Return as many of the files as a series can have."""
    kept: Files = {}
    for name, each in sorted(files.items()):
        if len(kept) < count and each <= size:
            kept[name], size = each, size - each
    return kept


def _known_files(root: Path, rest: Mapping[str, _Wanted], entries: Iterable[receipt.Entry]) -> None:
    """Take names and sizes from the receipt, or else from a listing in the journal."""
    for entry in entries:
        wanted = rest.get(entry.crdc_series_uuid)
        if wanted is not None and entry.files:
            wanted.folders.append(entry.path)
            if wanted.may_have(files := {name: size for name, size, _ in entry.files}):
                wanted.files = files
    unknown = {uuid for uuid, wanted in rest.items() if not wanted.files}
    journal = journal_path(root)
    if not unknown or not journal.exists():
        return
    with contextlib.suppress(TransferError):
        found: dict[str, Files] = {}
        for uuid, name, size in Journal.of(journal).listed(unknown):
            found.setdefault(uuid, {})[name] = size
        for uuid, files in found.items():
            if rest[uuid].may_have(files):
                rest[uuid].files = files


def _staged(root: Path, rest: Mapping[str, _Wanted]) -> None:
    """Count what an unfinished download left, which is not fetched again."""
    with contextlib.suppress(OSError):
        for folder in os.scandir(root / OWN_FOLDER / STAGING):
            wanted = rest.get(folder.name)
            if wanted is None:
                continue
            with contextlib.suppress(OSError):
                for entry in os.scandir(folder):
                    size = entry.stat(follow_symlinks=False).st_size
                    if wanted.files.get(entry.name) == size if wanted.files else _OBJECT.fullmatch(entry.name):
                        wanted.found.here[entry.name] = size
                    elif entry.name.endswith(".blocks"):
                        wanted.found.blocks += blocks.recorded(Path(entry.path))


def _search(root: Path, rest: Mapping[str, _Wanted], recorded: Recorded) -> None:
    """Find files of series by their names where those are known, else by the folder's name or the files' headers."""
    by_name = {name: wanted for wanted in rest.values() for name in wanted.files}
    by_uid: dict[str, list[_Wanted]] = {}
    for wanted in rest.values():
        if not wanted.files:
            by_uid.setdefault(wanted.item.series_uid, []).append(wanted)
    foreign: dict[str, set[str]] = {}  # files that are known to be of series that are not looked for
    for (uuid, path), entry in recorded.mine.items():
        if uuid not in rest:
            foreign.setdefault(path, set()).update(name for name, *_ in entry.files)
    headers = 0
    for found in contents.scan(root):
        others = foreign.get(found.path, set())
        named = {name: by_name[name] for name in found.files if name in by_name}
        for name, wanted in named.items():
            wanted.take(found.path, name, found.files[name])
        rest_of_it = {
            name: size
            for name, size in found.files.items()
            if name not in others and name not in named and _OBJECT.fullmatch(name) and size > 0
        }
        if len(rest_of_it) <= recorded.others[found.path] or not by_uid or headers > _MOST_HEADERS:
            continue
        last = found.path.rpartition("/")[2]
        headers += 1 if last.rpartition("_")[2] in by_uid else len(rest_of_it)
        for name, uid in _owners(root, found.path, rest_of_it).items():
            for wanted in by_uid.get(uid or "", ()):
                wanted.take(found.path, name, rest_of_it[name])


def _owners(root: Path, path: str, files: Files) -> dict[str, str | None]:
    """Return the SeriesInstanceUID of each file; kept while nothing changes, since plans are made again and again."""
    try:
        changed = (root / path).stat().st_mtime_ns
    except OSError:
        return {}
    key = str(root / path), changed
    known = _kept.get(key)
    if known is None or known[0] != files:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        known = _kept[key] = files, contents.owners(root, path, files)
    return known[1]


_kept: dict[tuple[str, int], tuple[Files, dict[str, str | None]]] = {}
