"""Which series should be in a folder, and which of its files are theirs: records, headers and the index together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import contents, providers
from .model import Item
from .receipt import Entry, Key
from .records import Known, known

_UNREADABLE = "their DICOM headers cannot be read"
_BUCKET = "idc-open-data"
_NOT_IN_INDEX = "their series are not in this version of the index"


@dataclass
class Target:
    """A series in a folder, or one that should be there.

    Attributes
    ----------
    item, path, entry
        The series version, its folder, and what the records say of it.
    names
        Its files that are in the folder.
    current
        What the index has of the series; another version where it was revised since.
    why
        Why it may be absent.
    earlier_version
        Where another version of it is, if so.
    backed
        Whether the index, or this machine's own record, has this version; else a receipt alone does.
    """

    item: Item
    path: str
    entry: Entry | None = None
    names: Collection[str] = ()
    current: Item | None = None
    rivals: Mapping[str, tuple[int, str | None]] = field(default_factory=dict)
    why: str = ""
    earlier_version: str = ""
    backed: bool = True
    files: dict[str, tuple[int, str | None]] = field(default_factory=dict)  # of the entry, by name

    def __post_init__(self) -> None:
        if self.entry is not None:
            self.files = {name: (size, md5) for name, size, md5 in self.entry.files}


@dataclass
class Targets:
    """All of a folder.

    Attributes
    ----------
    groups
        The series by crdc_series_uuid, each with its folders; those of a record come first.
    absent
        Series that are in no folder at all.
    unknown
        Files that look like IDC's and are of no known series: UID and reason, by folder and name.
    strangers
        How many other files are of no known series.
    sizes
        All DICOM files, by folder and name.
    unread
        Folders that cannot be read, with why.
    """

    known: Known
    sizes: dict[str, Mapping[str, int]]
    groups: dict[str, list[Target]] = field(default_factory=dict)
    absent: list[Target] = field(default_factory=list)
    unknown: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    strangers: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    @property
    def identifiers(self) -> set[str]:
        """UIDs and CRDC UUIDs of the series that are here."""
        here = [target for group in self.groups.values() for target in group if target.names]
        return {t.item.series_uid for t in here} | {t.item.crdc_series_uuid for t in here}


def collect(
    root: Path, lookup: Callable[[Collection[str]], Mapping[str, Item]], expect: Sequence[Item] = ()
) -> Targets:
    """Return what should be in a folder and what is there."""
    unread: dict[str, str] = {}
    targets = Targets(known(root), {each.path: each.files for each in contents.scan(root, unread)}, unread=unread)
    records, sizes = targets.known, targets.sizes
    recorded: dict[str, set[str]] = {}
    for entry in records.entries.values():
        recorded.setdefault(entry.path, set()).update(name for name, *_ in entry.files)
    strange: dict[str, dict[str, str | None]] = {}
    for path, files in sizes.items():
        rest = {name: size for name, size in files.items() if name not in recorded.get(path, ())}
        if rest or not files:
            strange[path] = contents.owners(root, path, rest)
    index = _Index(lookup, records, (uid for owners in strange.values() for uid in owners.values() if uid))
    _ask_each(root, sizes, strange, index)
    wanted = _recorded(targets, index)
    wanted += _named_in_vain(strange, index)
    _on_disk(targets, index, strange)
    wanted += [(index.of(key[0]) or item, key[1], why) for key, (item, why) in records.asked.items()]
    wanted += [(item, "", "") for item in expect]
    expected = {item.crdc_series_uuid for item in expect}
    for key in records.asked:  # from now on not by downloads alone, which may take it back
        if key[0] in expected:
            records.askers.setdefault(key, set()).add("")
    _absent(targets, index, wanted)
    for group in targets.groups.values():
        group.sort(key=lambda target: (target.entry is None, -len(target.names), target.path))
    return targets


def _ask_each(
    root: Path, sizes: Mapping[str, Mapping[str, int]], strange: dict[str, dict[str, str | None]], index: _Index
) -> None:
    """Read all headers where a folder's name spoke for all its files, and they are not what the index has of it."""
    asked: set[str] = set()
    for path, owners in strange.items():
        named = contents.named_uid(path)
        item = index.by_uid.get(named or "")
        if named is None or item is None or set(owners.values()) != {named}:
            continue
        found = {name: sizes[path][name] for name in owners}
        if len(found) != item.files or sum(found.values()) != item.bytes:
            read = contents.owners(root, path, found, each=True)
            # What cannot be read is of the folder's series still, if it has the name of an object.
            strange[path] = {n: uid or (named if contents.is_object_name(n) else None) for n, uid in read.items()}
            asked |= {uid for uid in read.values() if uid}
    index.add(asked)


def _named_in_vain(strange: Mapping[str, Mapping[str, str | None]], index: _Index) -> list[tuple[Item, str, str]]:
    """Return the series that folders are named after of whose files none can be read: they were something once.

    A file of another series that can be read says nothing: people keep results under the name of what they are of.
    """
    named = {}
    for path, owners in strange.items():
        if (uid := contents.named_uid(path)) is not None and not any(owners.values()):
            named[path] = uid
    index.add(set(named.values()))
    why = "its folder holds only files that cannot be read"
    return [(index.by_uid[uid], path, why) for path, uid in named.items() if uid in index.by_uid]


class _Index:
    def __init__(
        self, lookup: Callable[[Collection[str]], Mapping[str, Item]], records: Known, strange: Iterable[str]
    ) -> None:
        identifiers = set(strange)
        for entry in records.entries.values():
            identifiers |= {entry.series_uid, entry.crdc_series_uuid}
        for item, _ in records.asked.values():
            identifiers |= {item.series_uid, item.crdc_series_uuid}
        self._lookup = lookup
        self.by_uid: dict[str, Item] = {}
        self._by_uuid: dict[str, Item] = {}
        self.add(identifiers)

    def add(self, identifiers: Collection[str]) -> None:
        """Look up more series."""
        if identifiers:
            self.by_uid |= self._lookup(identifiers)
            self._by_uuid = {item.crdc_series_uuid: item for item in self.by_uid.values()}

    def of(self, uuid: str) -> Item | None:
        """Return the series that has this version now."""
        return self._by_uuid.get(uuid)


def _recorded(targets: Targets, index: _Index) -> list[tuple[Item, str, str]]:
    """Make targets of the records' entries; return what else they say should be there."""
    also = []
    for key, entry in targets.known.entries.items():
        current = index.by_uid.get(entry.series_uid)
        item = index.of(entry.crdc_series_uuid)
        backed = item is not None or key in targets.known.backed
        if item is None:  # revised since, or withdrawn
            bucket = entry.bucket if providers.is_of_idc(entry.bucket) else _BUCKET
            item = Item(entry.series_uid, entry.crdc_series_uuid, bucket, len(entry.files), entry.bytes)
        elif item.series_uid != entry.series_uid:  # the record is wrong
            if current is not None:
                also.append((current, entry.path, ""))
            current = item
        there = targets.sizes.get(entry.path, {})
        names = [name for name, *_ in entry.files if name in there]
        target = Target(item, entry.path, entry, names, current, targets.known.rivals.get(key, {}), backed=backed)
        targets.groups.setdefault(item.crdc_series_uuid, []).append(target)
    return also


def _on_disk(targets: Targets, index: _Index, strange: Mapping[str, Mapping[str, str | None]]) -> None:
    """Make targets of the files that no record names."""
    recorded: dict[tuple[str, str], list[Target]] = {}
    for group in targets.groups.values():
        for target in group:
            recorded.setdefault((target.path, target.item.series_uid), []).append(target)
    for path, owners in strange.items():
        by_series: dict[str, list[str]] = {}
        for name, uid in owners.items():
            if uid in index.by_uid and uid is not None:
                by_series.setdefault(uid, []).append(name)
            elif contents.is_object_name(name):
                why = _UNREADABLE if uid is None else _NOT_IN_INDEX
                targets.unknown.setdefault(path, {})[name] = uid or "", why
            else:
                targets.strangers += 1
        for uid, names in by_series.items():
            if (path, uid) in recorded:
                # The listing says whether they belong to it. Where nothing that the record names is left, they are it.
                for target in recorded[path, uid]:
                    target.names = [*target.names, *names]
                continue
            item = index.by_uid[uid]
            targets.groups.setdefault(item.crdc_series_uuid, []).append(Target(item, path, None, names, item))


def _absent(targets: Targets, index: _Index, wanted: Iterable[tuple[Item, str, str]]) -> None:
    here: dict[str, list[Target]] = {}
    for group in targets.groups.values():
        for target in group:
            if target.names:
                here.setdefault(target.item.series_uid, []).append(target)

    def is_current(target: Target) -> bool:
        return index.of(target.item.crdc_series_uuid) is not None

    for uuid, group in list(targets.groups.items()):
        gone = [
            t
            for t in group
            if not t.names and not is_current(t) and any(map(is_current, here.get(t.item.series_uid, ())))
        ]
        targets.groups[uuid] = [t for t in group if t not in gone]  # a later version is in its place
    told: set[Key | str] = {uuid for uuid, group in targets.groups.items() if group}
    for item, path, why in wanted:
        if item.crdc_series_uuid in told:
            continue
        told.add(item.crdc_series_uuid)
        others = here.get(item.series_uid, ())
        if any(map(is_current, others)):
            continue
        earlier = others[0].path or "the folder itself" if others else ""
        targets.absent.append(Target(item, path, None, (), item, {}, why, earlier))
