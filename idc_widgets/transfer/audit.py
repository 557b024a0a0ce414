"""Re-checking a folder, whoever filled it: against its records, the index, and the bucket's listing."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from idc_widgets.lib.format import human_bytes

from . import contents, counts, destination, providers, receipt
from .etags import md5_of
from .findings import Audit, Problem
from .judge import OFFLINE, UNBACKED, Expected, judge
from .listing import listings
from .model import Item, Provider, TransferError
from .paths import OWN_FOLDER, STAGING
from .receipt import Entry
from .records import entry_of, standing
from .registry import record_path
from .series import Object
from .targets import Target, Targets, collect

#: Returns what the index knows of SeriesInstanceUIDs and crdc_series_uuids, by SeriesInstanceUID.
Lookup = Callable[[Collection[str]], Mapping[str, Item]]


def audit(
    folder: str | os.PathLike[str],
    lookup: Lookup,
    *,
    idc_version: int,
    provider: Provider = "aws",
    endpoint_url: str | None = None,
    offline: bool = False,
    expect: Sequence[Item] = (),
    unknown: Sequence[str] = (),
    progress: Callable[[Audit], None] = lambda audit: None,
) -> Audit:
    """Check every file of IDC's that is in a folder, and whether all is there that should be.

    What there should be is what the folder's receipt says, this machine's own record and its journal of downloads,
    and `expect`; which series other files are of, their headers say. The outcome goes into both records: it stays
    until it is mended, and a download into the folder then fetches what is wrong.

    Parameters
    ----------
    folder
        The destination of downloads, of this package or another.
    lookup
        What the index knows of series.
    idc_version
        Of the index, for the receipt.
    provider, endpoint_url
        Where to list.
    offline
        Check against the records and the index alone, without a listing.
    expect
        Series that should be there.
    unknown
        Identifiers of series that should be there and that the index does not know.
    progress
        Called after each series with the outcome so far.
    """
    root = destination.folder(folder, "check")
    if not root.is_dir():
        raise TransferError(f"{root} is no folder")
    url = providers.endpoint(provider, endpoint_url)
    check = _Check(root, collect(root, lookup, expect), provider, idc_version, offline, progress)
    check.run(url, unknown)
    return check.result


class _Check:
    def __init__(
        self, root: Path, targets: Targets, provider: Provider, idc_version: int, offline: bool,
        progress: Callable[[Audit], None],
    ) -> None:  # fmt: skip
        self._root, self._targets, self._offline, self._progress = root, targets, offline, progress
        self._provider, self._version = provider, idc_version
        self.result = Audit(root)
        self._entries: list[Entry] = []
        self._asked: list[tuple[Item, str]] = []
        self._claimed: dict[str, set[str]] = {}
        self._whole: set[receipt.Key] = set()  # of which all files are here, and none is wrong
        self._mended: list[receipt.Key] = []

    def run(self, url: str, unknown: Sequence[str]) -> None:
        targets, result = self._targets, self.result
        if not (targets.groups or targets.absent or targets.unknown or targets.unread or unknown):
            more = f"; {targets.strangers:,} DICOM files in it are of others" if targets.strangers else ""
            raise TransferError(f"{self._root} holds no series of IDC{more}")
        groups = [group for group in targets.groups.values() if any(self._on_disk(target) for target in group)]
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            for group, objects, problem in self._listed(groups, url):
                self._series(group, objects, problem, pool)
                self._progress(result)
        for group in targets.groups.values():
            self._absent_of(group)
        for target in targets.absent:
            self._absent(target)
        for text in unknown:
            if text not in targets.identifiers:
                reason = f"it is expected, and IDC v{self._version} does not know {text}"
                result.problems.append(Problem(self._root, text, reason, "absent"))
        self._rest()
        self._keep()

    def _on_disk(self, target: Target) -> bool:
        """Whether anything of it is in its folder."""
        return bool(target.names)

    def _listed(
        self, groups: list[list[Target]], url: str
    ) -> Iterator[tuple[list[Target], list[Object] | None, str | None]]:
        """Yield each series with its listing; None where it is to be checked against the records."""
        if self._offline:
            yield from ((group, None, None) for group in groups)
            return
        if not groups:
            return
        first = groups[0][0].item
        providers.check_reachable(url, self._provider, providers.bucket_at(self._provider, first.bucket))
        items = [group[0].item for group in groups]
        for n, objects, problem in listings(self._root, items, url, self._provider):
            yield groups[n], None if problem else objects, problem

    def _absent_of(self, group: list[Target]) -> None:
        """Tell in which folders a series should be and is not; of scattered files, that they are nowhere."""
        gone = [target for target in group if not self._on_disk(target)]
        whole = [target for target in gone if not _is_scattered(target)]
        for target in whole or (gone[:1] if len(gone) == len(group) else ()):
            if self._is_mended(target):
                self._mended.append((target.item.crdc_series_uuid, target.path))
            else:
                self._absent(target)

    def _is_mended(self, target: Target) -> bool:
        """Whether an absence that was told is none: the series is whole where it was earlier, or a download put it.

        A check came upon the folder, as one that was moved away and back, or a copy; no download put it there.
        """
        known, key = self._targets.known, (target.item.crdc_series_uuid, target.path)
        if target.entry is None or target.entry.found.get("", ("",))[0] != "absent" or key in known.downloaded:
            return False
        better = {*itertools.takewhile(lambda each: each != key, known.entries), *known.downloaded}
        return any(each[0] == key[0] and each in better for each in self._whole)

    def _absent(self, target: Target) -> None:
        item, path = target.item, target.path
        elsewhere = [other.path for other in self._targets.groups.get(item.crdc_series_uuid, ()) if other.names]
        reason = f"the series is not here: {item.files:,} files, {human_bytes(item.bytes)}"
        if elsewhere:
            reason = f"the series is not here, it is in {elsewhere[0] or 'the folder itself'}"
        if target.earlier_version:
            reason = f"an earlier version of the series is here (in {target.earlier_version}), not the one expected"
        elif target.why:
            reason += f"; {target.why}"
        entry, place = target.entry, self._root / path
        if path and place.is_symlink():
            reason += "; its folder is a link, which is not followed"
        elif path and place.is_dir() and not os.access(place, os.R_OK | os.X_OK):
            reason += "; its folder cannot be read"
        self.result.problems.append(Problem(place, item.series_uid, reason, "absent"))
        self._asked.append((item, path))
        if entry is not None:
            found = dict(entry.found) | {"": ("absent", "the series is not here")}
            self._entries.append(replace(entry, found=found, claimed=not self._is_backed(entry)))

    # -- one series ---------------------------------------------------------------------------------------

    def _series(
        self, group: list[Target], objects: list[Object] | None, problem: str | None, pool: ThreadPoolExecutor
    ) -> None:
        here = [target for target in group if target.names]
        if problem is not None:
            what = problem if here[0].entry is None else f"{problem}; it was checked against the receipt"
            self.result.problems.append(Problem(self._root / here[0].path, here[0].item.series_uid, what, "unlisted"))
        record = next((target for target in group if target.entry is not None), None)  # its objects are the same
        wanted = objects if objects is not None else _objects(record.entry) if record and record.entry else None
        whole = len(here) == 1 or any(target.entry and not target.entry.scattered for target in here)
        if wanted is None:
            self._by_index(here)
        else:
            for target in here:
                self._folder(target, objects, wanted, record, pool, len(here) == 1)
        for target in here[1:]:
            self.result.notes.append(
                Problem(self._root / target.path, target.item.series_uid,
                        f"files of the series are in {here[0].path or 'the folder itself'} too", "duplicate")
            )  # fmt: skip
        if wanted is not None and not whole:
            copies = {name for path in {target.path for target in here} for name in self._targets.sizes[path]}
            for name in sorted({o.name for o in wanted} - copies):
                self._problem(here[0], name, ("missing", "the file is missing"))
            self._asked.append((here[0].item, here[0].path))
        if here[0].item is not here[0].current and here[0].current is not None:
            self.result.notes.append(
                Problem(self._root / here[0].path, here[0].item.series_uid,
                        f"the series has been revised since: IDC v{self._version} has another version", "revised")
            )  # fmt: skip

    def _folder(
        self, target: Target, objects: list[Object] | None, all_wanted: list[Object], record: Target | None,
        pool: ThreadPoolExecutor, alone: bool,
    ) -> None:  # fmt: skip
        """Check one folder's files of a series."""
        entry, wanted = target.entry, all_wanted
        source = target if entry is not None or record is None else record
        if not alone and (entry is None or entry.scattered):  # what it lacks may be in another
            wanted = [o for o in all_wanted if o.name in self._targets.sizes[target.path]]
        expected = [self._expected(o, source, objects is not None) for o in wanted]
        folder = self._root / target.path
        sizes = self._targets.sizes.get(target.path, {})
        offline = objects is None
        verdicts = dict(
            zip(
                [o.name for o in wanted],
                pool.map(lambda e: judge(folder, sizes.get(e.name), e, offline), expected),
                strict=True,
            )
        )
        self._claimed.setdefault(target.path, set()).update(verdicts)
        wrong = 0
        for each in wanted:
            verdict = verdicts[each.name]
            if verdict.wrong is not None:
                wrong += 1
                self._problem(target, each.name, verdict.wrong)
                continue
            self.result.files += 1
            self.result.bytes += each.size
            unchecked = verdict.unchecked or (UNBACKED if offline and not target.backed else None)
            if unchecked is None:
                self.result.files_by_md5 += 1
            else:
                self._unchecked(target, each.name, unchecked)
        if objects is None and source.entry is not None:
            wrong += self._contradicts(target, source.entry)
        self.result.series += not wrong
        scattered = not alone and (entry is None or entry.scattered) and len(wanted) < len(all_wanted)
        if not wrong and len(wanted) == len(all_wanted):
            self._whole.add((target.item.crdc_series_uuid, target.path))
        self._entries.append(
            entry_of(target, source.entry, objects, verdicts, self._provider, self._version, scattered=scattered,
                     backed=self._is_backed(source.entry))
        )  # fmt: skip

    def _is_backed(self, entry: Entry | None) -> bool:
        return entry is not None and entry.key in self._targets.known.backed

    def _expected(self, item: Object, target: Target, listed: bool) -> Expected:
        entry = target.entry
        if entry is None:
            return Expected(item.name, item.size, item.etag)
        own, right = entry.own.get(item.name, (None, False))
        before = None
        if listed and (old := target.files.get(item.name)) is not None:
            tag, now = old[1] or entry.etags.get(item.name, ""), item.etag.strip('"').lower()
            if old[0] == item.size and old[1] and md5_of(now) is None and self._is_backed(entry):
                own, right = old[1], True  # known here already, whatever the ETag does not tell
            elif old[0] != item.size or (tag and tag != now):
                before = old[0], tag
                own, right = None, False
        return Expected(
            item.name, item.size, item.etag, own, right, before,
            None if listed else target.rivals.get(item.name), entry.found.get(item.name),
        )  # fmt: skip

    def _by_index(self, here: list[Target]) -> None:
        """Check, without a listing and a record, that the number of files and their bytes are what the index says."""
        group = [(target, counts.files_of(target, self._targets.sizes[target.path])) for target in here]
        wrong = counts.problems(self._root, group)
        self.result.problems += wrong
        self.result.series += not wrong
        self._asked.append((here[0].item, here[0].path))
        told = {problem.path for problem in wrong}
        for target, files in group:
            self._claimed.setdefault(target.path, set()).update(files)
            for name in sorted(files):
                if self._root / target.path / name not in told:
                    self.result.files += 1
                    self.result.bytes += files[name]
                    self._unchecked(target, name, OFFLINE)

    def _contradicts(self, target: Target, entry: Entry) -> bool:
        """Tell where a record does not agree with the index; what is said of a whole series stays until it is seen."""
        item, current = target.item, target.current
        if entry is target.entry and (earlier := standing(entry)) is not None:
            self._problem(target, "", earlier)
            return True
        if current is item and (len(entry.files) != item.files or entry.bytes != item.bytes):
            self._problem(
                target, "",
                ("receipt", f"the receipt names {len(entry.files):,} files, {entry.bytes:,} bytes of this series; "
                 f"the index says {item.files:,} files, {item.bytes:,} bytes"),
            )  # fmt: skip
            return True
        return False

    def _problem(self, target: Target, name: str, what: tuple[str, str]) -> None:
        place = self._root / target.path
        kind, reason = what
        self.result.problems.append(Problem(place / name if name else place, target.item.series_uid, reason, kind))

    def _unchecked(self, target: Target, name: str, why: str) -> None:
        self.result.unchecked.append(Problem(self._root / target.path / name, target.item.series_uid, why, "unchecked"))

    # -- what is kept -------------------------------------------------------------------------------------

    def _keep(self) -> None:
        known = self._targets.known
        order = {key: n for n, key in enumerate(known.entries)}  # also in a record that is written anew
        entries = sorted(self._entries, key=lambda entry: order.get(entry.key, len(order)))
        asked = [(item, path, known.askers.get((item.crdc_series_uuid, path)) or {""}) for item, path in self._asked]
        failed = []
        for record, where in ((known.receipt, receipt.receipt_path(self._root)), (known.own, record_path(self._root))):
            try:
                receipt.keep(self._root, record, entries, asked, where, self._provider, self._version)
            except (OSError, TransferError) as error:  # it can be checked all the same
                failed.append(f"{where} ({getattr(error, 'strerror', None) or error})")
        if failed:
            said = f"what was found could not be written down in {' nor in '.join(failed)}"
            self.result.notes.append(Problem(self._root, "", said, "record"))
        with contextlib.suppress(OSError, TransferError):
            receipt.withdraw(self._root, self._mended, None)

    def _rest(self) -> None:
        """Tell what is here beside the series."""
        result, targets = self.result, self._targets
        for path, sizes in sorted(targets.sizes.items()):
            left = sizes.keys() - self._claimed.get(path, set()) - targets.unknown.get(path, {}).keys()
            result.extra += [self._root / path / name for name in sorted(left)]
        for path, names in targets.unknown.items():
            for name in sorted(names.keys() - self._claimed.get(path, set())):
                uid, why = names[name]
                place, size = self._root / path / name, targets.sizes[path][name]
                if size > 0:
                    result.unchecked.append(Problem(place, uid, why, "unchecked"))
                elif size == 0:  # no object of IDC is
                    result.problems.append(Problem(place, uid, "damaged on this disk: the file is empty"))
                else:
                    result.problems.append(Problem(place, uid, contents.why(size), "unreadable"))
        for path, why in targets.unread.items():
            said = f"a folder cannot be read ({why})"
            result.unchecked.append(Problem(self._root / path, "", said, "unchecked"))
        with contextlib.suppress(OSError):
            staging = self._root / OWN_FOLDER / STAGING
            if any(staging.iterdir()):
                result.notes.append(Problem(staging, "", "an unfinished download left files here", "staging"))


def _objects(entry: Entry) -> list[Object]:
    return [Object(name, size, md5 or entry.etags.get(name, "")) for name, size, md5 in entry.files]


def _is_scattered(target: Target) -> bool:
    return target.entry is not None and target.entry.scattered
