"""One series while it is being fetched: its objects, its staging folder, its way to the final name."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import s5cmd, safe, verify

# With more patterns than this, s5cmd's matching of every key against every pattern begins to cost.
_MANY_PATTERNS = 1000
_LONGEST_BACKOFF = 30.0
#: Objects above this are fetched in blocks: s5cmd, too, fetches only up to this with a single GET.
LARGE = 50 << 20
_DRAFTS = (".part", ".blocks")


def backoff(tries: int) -> float:
    """Return how long to wait after so many tries: doubling, with jitter, with a ceiling."""
    return min(_LONGEST_BACKOFF, 0.5 * 2.0 ** (tries - 1)) * random.uniform(0.75, 1.25)


@dataclass(slots=True)
class Object:
    """One object of a series; state as in the journal, and how often it was tried by this worker."""

    name: str
    size: int
    etag: str
    state: str = "pending"
    reason: str | None = None
    tries: int = 0
    direct: bool = False  # in blocks whatever its size, since s5cmd passes over it
    local: bool = False  # was on this disk already: if it is damaged, no try of the bucket failed

    @property
    def in_blocks(self) -> bool:
        """Whether it is fetched in blocks."""
        return self.direct or self.size > LARGE


class Series:
    """A series at work.

    Parameters
    ----------
    row
        Its row of the journal, or a mapping with n, uid, uuid, study, bucket and path.
    objects
        Its listing.
    staging, destination
        Where files arrive, and where they are to be.
    """

    def __init__(
        self,
        row: Any,
        objects: list[Object],
        staging: Path,
        destination: Path,
    ) -> None:
        self.n: int = row["n"]
        self.uid, self.study = str(row["uid"]), str(row["study"])
        self.uuid, self.bucket, self.path = str(row["uuid"]), str(row["bucket"]), str(row["path"])
        self.objects = {item.name: item for item in objects}
        safe.require(self.uuid, self.path, self.objects)
        self.staging = staging / self.uuid
        self._destination = destination
        self.final = destination / self.path
        self.source: Path | None = None  # a folder that may have files of it under another layout
        self.tainted: Collection[str] = ()  # those of them that a check found wrong there
        self.adopted = False  # whether files of it were in its folder before
        self.expected: set[str] = set()  # asked of a transport, no word yet
        self.in_blocks: set[str] = set()  # being fetched in blocks
        self.held: set[str] = set()  # not to be fetched in this run: the limit of bytes does not allow them
        self.checking = 0  # files in verification

    def survey(self, damaged: Collection[str] = ()) -> tuple[list[tuple[str, Path]], list[str]]:
        """Compare with the disk, tidy the staging folder, and set out what is to be fetched.

        What was found `damaged` in its place counts as not there, whatever its size says.

        Returns
        -------
            The files that are there with the right size but were not verified yet, and the names of objects
            that the journal has as verified but that are gone.
        """
        staged = self.tidy()
        missing = {
            item.name: item.size
            for item in self.objects.values()
            if item.name not in staged and item.name not in damaged
        }
        at_final = verify.of_right_size(self.final, missing) if self.final.is_dir() else {}
        unchecked, lost = [], []
        for item in self.objects.values():
            folder = self.final if item.name in at_final else self.staging
            there = item.name in staged or item.name in at_final
            if item.state == "verified" and not there:
                item.state = "pending"
                lost.append(item.name)
            elif item.state == "pending" and there:
                item.state, item.local = "received", True
                self.adopted = self.adopted or item.name in at_final
                unchecked.append((item.name, folder / item.name))
        return unchecked, lost

    def tidy(self) -> dict[str, int]:
        """Remove what is no object of this series or has a wrong size from its staging folder; return the rest."""
        self.refuse_links()
        kept: dict[str, int] = {}
        with contextlib.suppress(FileNotFoundError), os.scandir(self.staging) as entries:
            for entry in entries:
                item = self.objects.get(entry.name)
                size = entry.stat(follow_symlinks=False).st_size
                if item is not None and size == item.size and entry.is_file(follow_symlinks=False):
                    kept[entry.name] = size
                elif self._is_draft(entry.name) and safe.is_own_file(self.staging / entry.name):
                    continue
                elif entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)
        return kept

    def _is_draft(self, name: str) -> bool:
        stem, dot, kind = name.rpartition(".")
        item = self.objects.get(stem)
        # Also of small ones: they come in blocks while there is a limit.
        return item is not None and dot + kind in _DRAFTS and item.state == "pending"

    def in_flight(self) -> int:
        """Return the bytes in s5cmd's temporary files: allocated ones, since those of a large object are sparse."""
        total = 0
        with contextlib.suppress(OSError), os.scandir(self.staging) as entries:
            for entry in entries:
                if entry.name not in self.objects and not entry.name.endswith(_DRAFTS):
                    with contextlib.suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        total += min(status.st_size, getattr(status, "st_blocks", 1 << 60) * 512)
        return total

    def commands(self, all_in_blocks: bool = False) -> list[str]:
        """Begin a round: return s5cmd's commands for all that is pending, one GET an object and no HEAD.

        What is to be fetched in blocks is in `in_blocks` then.
        """
        self.refuse_links()
        pending = [item for item in self.objects.values() if item.state == "pending"]
        self.held.clear()
        self.in_blocks = {item.name for item in pending if all_in_blocks or item.in_blocks}
        self.expected = {item.name for item in pending}.difference(self.in_blocks)
        return list(self._commands("", list(self.objects), self.expected))

    def _commands(self, prefix: str, names: Collection[str], wanted: Collection[str]) -> Iterator[str]:
        source, target = f"s3://{self.bucket}/{self.uuid}/{prefix}*", f"{self.uuid}/"
        # s5cmd matches names within the folder of a wildcard, but whole keys where the wildcard follows part of a name.
        within = f"{self.uuid}/" if prefix else ""
        unwanted = len(names) - len(wanted)
        if not wanted:
            return
        if unwanted <= _MANY_PATTERNS:
            have = set(wanted)
            options = [word for name in names if name not in have for word in ("--exclude", within + name)]
            yield s5cmd.line("cp", *options, source, target)
        elif len(wanted) <= _MANY_PATTERNS:
            options = [word for name in wanted for word in ("--include", within + name)]
            yield s5cmd.line("cp", *options, source, target)
        else:  # name by name, narrower: each part lists its own keys only
            length = len(prefix) + 1
            heads: dict[str, list[str]] = {}
            for name in names:
                heads.setdefault(name[:length], []).append(name)
            have = set(wanted)
            for head, part in heads.items():
                yield from self._commands(head, part, [name for name in part if name in have])

    def received(self, name: str) -> Object | None:
        """Take note that a transport delivered an object; None when it was not asked for."""
        if name not in self.expected and name not in self.in_blocks:
            return None
        self._settle(name)
        item = self.objects[name]
        item.state = "received"
        return item

    def missing(self) -> dict[str, int]:
        """Return the files that may be taken from `source`, with their sizes."""
        pending = (item for item in self.objects.values() if item.state == "pending")
        return {item.name: item.size for item in pending if item.name not in self.tainted}

    def taken(self, name: str) -> Object:
        """Take note that a file came from this disk."""
        item = self.objects[name]
        item.state, item.local = "received", True
        return item

    def damaged(self, name: str) -> bool:
        """Take note that a file is not the object; whether it was on this disk already, so that no try failed."""
        item = self.objects[name]
        if not item.local:
            return False
        item.state, item.reason, item.local = "pending", None, False
        return True

    def gave_up(self, name: str, reason: str, permanent: bool, tries: int) -> None:
        """Take note that a try of an object failed."""
        self._settle(name)
        item = self.objects[name]
        item.tries += 1
        item.reason = reason
        item.state = "failed" if permanent or item.tries >= tries else "pending"

    def hold(self, name: str) -> None:
        """Leave an object out of this run."""
        self._settle(name)
        self.held.add(name)

    def _settle(self, name: str) -> None:
        self.expected.discard(name)
        self.in_blocks.discard(name)

    def matching(self, pattern: str) -> list[str]:
        """Return what is still expected under a name, or under a name that ends in a star."""
        if pattern.endswith("*"):
            return [name for name in self.expected if name.startswith(pattern[:-1])]
        return [pattern] if pattern in self.expected else []

    @property
    def busy(self) -> bool:
        """Whether something of it is under way."""
        return bool(self.expected or self.in_blocks) or self.checking > 0

    def count(self, state: str) -> int:
        """Return how many objects are in a state."""
        return sum(item.state == state for item in self.objects.values())

    def backoff(self) -> float:
        """Return how long to wait before the next round."""
        tries = max((item.tries for item in self.objects.values() if item.state == "pending"), default=1)
        return backoff(tries) if tries else 0.0

    def publish(self) -> None:
        """Give the verified series its final name: one rename, or file by file into a folder that exists."""
        staged = self.tidy()
        if not staged:  # all of it was found at its place
            with contextlib.suppress(OSError):
                self.staging.rmdir()
            return
        if not self.final.exists() and len(staged) == len(self.objects):
            self.final.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.staging.rename(self.final)
                return
            except OSError:
                if not self.final.is_dir():
                    raise
        self.final.mkdir(parents=True, exist_ok=True)
        for name in staged:
            try:
                (self.staging / name).replace(self.final / name)
            except IsADirectoryError:
                raise IsADirectoryError(
                    errno.EISDIR, "a folder is in the place of a file", str(self.final / name)
                ) from None
        self.staging.rmdir()

    def not_published(self, error: OSError) -> str:
        """Return the sentence for an error of `publish`, with the place, which is none of the staging folder."""
        place = Path(error.filename or self.final)
        place = self.final if place.is_relative_to(self.staging) else place
        return f"the series cannot be put in its place, {error.strerror or error}: {place}"

    def refuse_links(self) -> None:
        """Raise where its folder, or the one it is staged in, is a link or below one: before either is used."""
        for path in (self.path, safe.staging_of(self.uuid)):
            safe.refuse_link(self._destination, path)
