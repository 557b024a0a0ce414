"""What a check of a folder must say, from `docs/verification.md` and what lies on the disk alone.

It knows every byte that should be there, and knows nothing of how the check is made.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

#: SeriesInstanceUID, kind, and the file or folder; None where the check cannot know which file it is.
Told = tuple[str, str, Path | None]

_OBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.dcm")
_UID_AT_END = re.compile(r"[0-9]+(\.[0-9]+)+$")


@dataclass
class Says:
    """What is told, what is unchecked, and what is extra."""

    problems: set[Told] = field(default_factory=set)
    unchecked: set[Path] = field(default_factory=set)
    extra: set[Path] = field(default_factory=set)

    @property
    def ok(self) -> bool | None:
        return False if self.problems else None if self.unchecked else True


@dataclass
class Oracle:
    """What is known of one folder, check by check.

    Attributes
    ----------
    root, truth
        The folder, and the files of each series by name.
    has_md5
        Whether the ETags tell the content.
    whole
        The folders that records say a series is in.
    asked
        Series that should be somewhere.
    listed
        Series whose files a check has seen listed.
    seen
        The digests of files whose ETag does not tell their content, as a check first saw them.
    since
        In which order the folders of series became known.
    missed
        The folders of series that were told to be absent.
    """

    root: Path
    truth: dict[str, dict[str, bytes]]
    has_md5: bool
    whole: dict[str, set[Path]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    seen: dict[Path, str] = field(default_factory=dict)
    since: dict[tuple[str, Path], tuple[int, int, str]] = field(default_factory=dict)
    missed: set[tuple[str, Path]] = field(default_factory=set)
    checks: int = 0

    def check(self, *, offline: bool, expect: bool) -> Says:
        """Return what a check must say now; what it saw is known from then on."""
        disk = {path: path.read_bytes() for path in self.root.rglob("*.dcm")}
        owners = self._owners(disk)
        says, claimed = Says(), set[Path]()
        self._date(disk)
        self.checks += 1
        for uid, files in self.truth.items():
            here = {path.parent for path in disk if owners[path] == uid}
            wanted = set(self.whole.get(uid, set()))
            in_vain = self._named_in_vain(uid, disk, owners)
            if not here:
                if not wanted and (expect or uid in self.asked or in_vain):
                    says.problems.add((uid, "absent", in_vain))
                    self.asked.add(uid)
            elif offline and not wanted and uid not in self.listed:
                mine = {path: disk[path] for path in disk if owners[path] == uid}
                claimed |= self._by_counts(says, uid, files, mine)
                self.asked.add(uid)
            else:
                claimed |= self._by_names(says, uid, files, disk, here)
            for folder in wanted - here:
                self._missed(says, uid, folder, here & wanted, disk)
        self._date(disk)
        for path, data in disk.items():
            if path in claimed:
                continue
            if owners[path] is None and _OBJECT.fullmatch(path.name):
                if data:
                    says.unchecked.add(path)
                else:
                    says.problems.add(("", "damaged", path))
            else:
                says.extra.add(path)
        return says

    def _date(self, disk: dict[Path, bytes]) -> None:
        for uid, folders in self.whole.items():
            for folder in folders:
                count = sum(folder / name in disk for name in self.truth[uid])
                self.since.setdefault((uid, folder), (self.checks, -count, folder.relative_to(self.root).as_posix()))

    def _missed(self, says: Says, uid: str, folder: Path, here: set[Path], disk: dict[Path, bytes]) -> None:
        """A folder that a check came upon is missed once only where the series is whole at an earlier place."""
        wrong = {path.parent for _, kind, path in says.problems if path is not None and kind != "absent"}
        whole = {at for at in here - wrong if all(at / name in disk for name in self.truth[uid])}
        earlier = any(self.since[uid, at] < self.since[uid, folder] for at in whole)
        if earlier and (uid, folder) in self.missed:
            self.whole[uid].discard(folder)
            self.missed.discard((uid, folder))
            return
        self.missed.add((uid, folder))
        says.problems.add((uid, "absent", folder))

    @staticmethod
    def _named_in_vain(uid: str, disk: dict[Path, bytes], owners: dict[Path, str | None]) -> Path | None:
        """A folder that is named after a series and of whose files none can be read."""
        for folder in sorted({path.parent for path in disk}):
            found = _UID_AT_END.search(folder.name)
            files = [path for path in disk if path.parent == folder]
            if found and found.group() == uid and not any(owners[path] for path in files):
                return folder
        return None

    def _owners(self, disk: dict[Path, bytes]) -> dict[Path, str | None]:
        owners: dict[Path, str | None] = {}
        for folder in {path.parent for path in disk}:
            rest = {}
            for path in (path for path in disk if path.parent == folder):
                recorded = [
                    uid for uid in self.truth if folder in self.whole.get(uid, ()) and path.name in self.truth[uid]
                ]
                if recorded:
                    owners[path] = recorded[0]
                else:
                    rest[path] = self._header(disk[path])
            found = _UID_AT_END.search(folder.name)
            named = found.group() if found else None
            if named in self.truth:
                right = self.truth[named]
                like_the_index = len(rest) == len(right) and sum(len(disk[p]) for p in rest) == sum(
                    map(len, right.values())
                )
                for path, uid in rest.items():
                    if like_the_index or (uid is None and _OBJECT.fullmatch(path.name)):
                        rest[path] = named
            owners |= rest
        return owners

    def _header(self, data: bytes) -> str | None:
        if data[128:132] != b"DICM":
            return None
        return next((uid for uid in self.truth if uid.encode() in data[:4000]), "another")

    def _by_names(
        self, says: Says, uid: str, files: dict[str, bytes], disk: dict[Path, bytes], here: set[Path]
    ) -> set[Path]:
        known, claimed, lacking = self.whole.setdefault(uid, set()), set[Path](), set(files)
        some_whole = len(here) == 1 or bool(known & here)
        for folder in here:
            there = {name for name in files if folder / name in disk}
            lacking -= there
            for name, right in files.items():
                path = folder / name
                if name in there:
                    claimed.add(path)
                    self._file(says, uid, path, disk[path], right)
                elif len(here) == 1 or folder in known:
                    says.problems.add((uid, "missing", path))
            if len(here) == 1 or there == set(files):
                known.add(folder)
        if not some_whole:
            says.problems |= {(uid, "missing", None) for _ in lacking}
        self.asked.add(uid)
        self.listed.add(uid)
        return claimed

    def _file(self, says: Says, uid: str, path: Path, data: bytes, right: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        if len(data) != len(right) or (self.has_md5 and data != right):
            says.problems.add((uid, "damaged", path))
        elif not self.has_md5:
            if self.seen.setdefault(path, digest) != digest:
                says.problems.add((uid, "damaged", path))
            else:
                says.unchecked.add(path)

    @staticmethod
    def _by_counts(says: Says, uid: str, right: dict[str, bytes], mine: dict[Path, bytes]) -> set[Path]:
        if len(mine) > len(right):
            objects = {path: data for path, data in mine.items() if _OBJECT.fullmatch(path.name)}
            mine = objects if len(objects) == len(right) else mine
        sizes: dict[str, set[int]] = {}
        for path, data in mine.items():
            sizes.setdefault(path.name, set()).add(len(data))
            if not data:
                says.problems.add((uid, "damaged", path))
        empty = any(not data for data in mine.values())
        total = sum(max(found) for found in sizes.values())
        if len(sizes) < len(right):
            says.problems.add((uid, "missing", None))
        elif len(sizes) > len(right) or (not empty and total != sum(map(len, right.values()))):
            says.problems.add((uid, "damaged", None))
        if any(len(found - {0}) > 1 for found in sizes.values()):
            says.problems.add((uid, "damaged", None))
        says.unchecked |= {path for path, data in mine.items() if data}
        return set(mine)
