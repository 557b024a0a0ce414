"""What a download would do, worked out before anything is written."""

from __future__ import annotations

import contextlib
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from idc_widgets.lib.format import human_bytes, human_seconds

from . import disk, obstacles
from .journal import Journal
from .model import Item, Provider, Reuse, TransferError, Verify
from .paths import DEFAULT_LAYOUT, Placed, path_key, place
from .registry import journal_path, journal_paths
from .reuse import can_clone
from .space import describe_folder, long_paths_work, longest_name, longest_path
from .validate import DEFAULT_WORKERS, Wish, wish

_LONGEST_WINDOWS_PATH = 259
_FILE_NAME = 41  # "/" and <uuid>.dcm
_STAGED = 12 + 9 + 37 + 40 + 10  # below the destination: our folder, staging, the uuid, a file's name, s5cmd's digits
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
    series_unverified, files_unverified, bytes_unverified
        What is in its folder or staged, but not verified: it is verified first, and fetched only where it turns out
        to be damaged. The series are those of which all files are there.
    series_elsewhere, files_elsewhere, bytes_elsewhere
        What is in another folder of the destination, as under another layout. The series are those that need nothing
        else.
    reuse
        What is done with those: "copy" or "link", then verified; None: they are fetched again.
    to_fetch
        Bytes to be fetched from the cloud, as long as nothing that is there is damaged.
    need, free
        Bytes still to be written, and the room there is (None when the system does not say).
    seconds
        About how long the fetching takes, going by this machine's last downloads; None without any.
    licences
        (licence, series, bytes), most series first; empty where nothing is known of them.
    folders
        (SeriesInstanceUID, folder below the destination) of every series.
    elsewhere
        (SeriesInstanceUID, other folder below the destination) of those that are there under another layout.
    renamed
        Those whose values could not be folder names as they are.
    shortened
        Those of them whose names were cut, being longer than the file system takes.
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
    series_unverified: int
    files_unverified: int
    bytes_unverified: int
    series_elsewhere: int
    files_elsewhere: int
    bytes_elsewhere: int
    reuse: Reuse
    to_fetch: int
    need: int
    free: int | None
    seconds: float | None
    folders: tuple[tuple[str, str], ...]
    elsewhere: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    shortened: tuple[tuple[str, str], ...]
    moved_aside: tuple[tuple[str, str], ...]
    too_long: tuple[tuple[str, str], ...]
    problem: str | None
    licences: tuple[tuple[str, int, int], ...] = ()
    #: What fails one series alone: a download begins all the same.
    conflict: str | None = None
    #: The folder of `elsewhere` by crdc_series_uuid, where it is to be used.
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.free is None or self.need <= self.free

    def lines(self) -> list[tuple[str, str]]:
        """Return the plan as pairs of a heading and what there is to say."""
        out = [
            ("Destination", f"{self.path}" + (f": {self.problem}" if self.problem else "")),
            ("Holds", f"{self.series:,} series, {self.files:,} files, {human_bytes(self.bytes)} from {self.provider}"),
            *self.there(),
            (
                "To fetch",
                human_bytes(self.to_fetch) + (f", about {human_seconds(self.seconds)}" if self.seconds else ""),
            ),
        ]
        if self.need != self.to_fetch:
            out.append(("To write", human_bytes(self.need)))
        if self.free is not None:
            short = "" if self.fits else f": {human_bytes(self.need - self.free)} too little"
            out.append(("Free space", human_bytes(self.free) + short))
        if self.licences:
            out.append(("Licences", "; ".join(f"{name} ({series:,} series)" for name, series, _ in self.licences)))
        out += [(heading, f"{len(found):,} series, such as {found[0][1]}") for heading, found in self.names() if found]
        return out

    def there(self) -> list[tuple[str, str]]:
        """Return the lines on what is in the destination already."""

        def figures(series: int, files: int, size: int) -> str:
            return f"{series:,} series, {files:,} files, {human_bytes(size)}"

        present = figures(self.series_present, self.files_present, self.bytes_present)
        out = [("Already downloaded", f"{present}, verified" if self.series_present else "nothing")]
        if self.files_unverified or self.bytes_unverified:
            found = figures(self.series_unverified, self.files_unverified, self.bytes_unverified)
            out.append(("Present, not verified", f"{found}: will be verified, not fetched"))
        if self.files_elsewhere:
            found = figures(self.series_elsewhere, self.files_elsewhere, self.bytes_elsewhere)
            verb = {"copy": "copied and verified, not fetched", "link": "linked and verified, not fetched"}
            out.append(("Under another layout", f"{found}: will be {verb.get(self.reuse or '', 'fetched again')}"))
        return out

    def names(self) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
        """Return the headings for folder names that need a word, with the series they are about."""
        return [
            ("Sanitized names", self.renamed),
            ("Shortened names", self.shortened),
            ("Name conflicts", self.moved_aside),
            ("Too long for Windows", self.too_long),
        ]

    def __str__(self) -> str:
        return "\n".join(f"{heading + ':':24}{text}" for heading, text in self.lines())

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
    endpoint_url: str | None = None,
    workers: int = DEFAULT_WORKERS,
    verify: Verify = "md5",
    title: str | None = None,
    reuse: Reuse = "copy",
) -> Plan:
    """Work out what a download of `items` to `destination` would do.

    It takes what `start` takes, and refuses what `start` refuses.

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
    endpoint_url, workers, title
        Checked, and otherwise not looked at.
    verify
        How files are to be verified; what was verified by less is not there already.
    reuse
        What to do with series that are there under another layout: ``"copy"``, ``"link"`` or None.

    Raises
    ------
    TransferError
        With one sentence, for anything that a download would refuse, too, but a destination that cannot be written
        and a disk that is too small: `problem` and `fits` say those.
    """
    how = wish(
        destination,
        provider=provider,
        layout=layout,
        endpoint_url=endpoint_url,
        title=title,
        workers=workers,
        verify=verify,
        reuse=reuse,
    )
    return make(distinct(items), how)


def make(items: Sequence[Item], how: Wish) -> Plan:
    """Return the plan for items that are distinct, of a wish that was checked."""
    if not items:
        raise TransferError("nothing to download: the cohort matches no series")
    root = how.root
    described = describe_folder(root)
    recorded = disk.read(root, items)
    taken: dict[str, str] = {}
    for path, uuid in _owned(root, recorded):
        taken.setdefault(path_key(path), uuid)
    placed = place(items, how.layout, taken, longest_name(root))
    found = disk.look(root, items, placed, how.verify, recorded)
    present = [item for item, its in zip(items, found, strict=True) if its.verified]
    total, bytes_present = sum(item.bytes for item in items), sum(item.bytes for item in present)
    here = sum(sum(its.here.values()) + its.blocks for its in found)
    elsewhere = sum(sum(its.elsewhere.values()) for its in found)
    to_fetch = max(0, total - bytes_present - here - (elsewhere if how.reuse else 0))
    rate = _usual_rate(how.provider)
    needed = [not its.verified and len(its.here) < item.files for item, its in zip(items, found, strict=True)]
    conflict = obstacles.of_files(root, (at.path for at, need in zip(placed, needed, strict=True) if need))
    too_long = _chosen(items, placed, [_too_long(root, at.path) for at in placed])
    return Plan(
        path=root,
        provider=how.provider,
        layout=how.layout,
        series=len(items),
        files=sum(item.files for item in items),
        bytes=total,
        series_present=len(present),
        files_present=sum(item.files for item in present),
        bytes_present=bytes_present,
        series_unverified=sum(len(its.here) == item.files for item, its in zip(items, found, strict=True)),
        files_unverified=sum(len(its.here) for its in found),
        bytes_unverified=here,
        series_elsewhere=sum(
            bool(its.elsewhere) and len(its.here) + len(its.elsewhere) == item.files
            for item, its in zip(items, found, strict=True)
        ),
        files_elsewhere=sum(len(its.elsewhere) for its in found),
        bytes_elsewhere=elsewhere,
        reuse=how.reuse,
        to_fetch=to_fetch,
        need=to_fetch + (elsewhere if how.reuse == "copy" and elsewhere and not can_clone(root) else 0),
        free=described.free,
        seconds=to_fetch / rate if rate else None,
        folders=_chosen(items, placed, [True] * len(items)),
        elsewhere=tuple(
            (item.series_uid, its.source) for item, its in zip(items, found, strict=True) if its.source is not None
        ),
        renamed=_chosen(items, placed, [at.renamed for at in placed]),
        shortened=_chosen(items, placed, [at.shortened for at in placed]),
        moved_aside=_chosen(items, placed, [at.moved_aside for at in placed]),
        too_long=too_long,
        problem=described.problem
        or _too_long_here(root, placed, too_long)
        or obstacles.of_folders(root, (at.path for at in placed))
        or obstacles.of_staging(root, {item.crdc_series_uuid for item in items})
        or obstacles.of_permission(root, (at.path for at, need in zip(placed, needed, strict=True) if need))
        or conflict,
        conflict=conflict,
        sources={
            item.crdc_series_uuid: its.source
            for item, its in zip(items, found, strict=True)
            if how.reuse and its.source is not None
        },
    )


def _too_long_here(root: Path, placed: Sequence[Placed], too_long: Sequence[tuple[str, str]]) -> str | None:
    """Return the sentence for paths that this system does not take."""
    if too_long and not long_paths_work():
        return (
            f"{len(too_long):,} series would get paths longer than this Windows takes, such as {too_long[0][1]}: "
            "choose a shorter destination or layout, or enable long paths in Windows"
        )
    longest = max((at.path for at in placed), key=lambda path: len(path.encode()))
    if len(os.fsencode(root)) + 1 + len(longest.encode()) + _FILE_NAME >= longest_path(root):
        return f"{longest[:60]}… would be longer than a path may be here: choose a shorter destination or layout"
    return None


def too_little(plan: Plan) -> str:
    """Return the sentence for a plan that does not fit."""
    said = no_room(str(plan.path), plan.free or 0, plan.need)
    if plan.reuse == "copy" and plan.need - plan.bytes_elsewhere <= (plan.free or 0):
        said += f", or reuse='link': {human_bytes(plan.bytes_elsewhere)} of it are there under another layout"
    return said


def no_room(path: str, free: int, need: int) -> str:
    """Return the sentence for a disk that is too small."""
    return (
        f"{path} has {human_bytes(free)} free, the download needs {human_bytes(need)}, "
        f"{human_bytes(need - free)} more: choose another destination or fewer series"
    )


def _chosen(items: Sequence[Item], placed: Sequence[Placed], which: Sequence[bool]) -> tuple[tuple[str, str], ...]:
    return tuple((i.series_uid, at.path) for i, at, yes in zip(items, placed, which, strict=True) if yes)


def _too_long(root: Path, path: str) -> bool:
    below = max(_utf16(path) + _FILE_NAME, _STAGED)
    return _utf16(str(root)) + 1 + below > _LONGEST_WINDOWS_PATH


def _utf16(text: str) -> int:
    """Return the characters as Windows counts them."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def _usual_rate(provider: str) -> float | None:
    """Return the bytes a second that the last downloads here had."""
    rates: list[tuple[float, float]] = []
    for path in journal_paths():
        with contextlib.suppress(TransferError):
            found = Journal.of(path).all(
                "SELECT created, rate FROM job WHERE rate IS NOT NULL AND provider = ? ORDER BY created DESC LIMIT ?",
                (provider, _PAST_JOBS),
            )
            rates += [(row["created"], row["rate"]) for row in found]
    latest = sorted(rates)[-_PAST_JOBS:]
    return statistics.median(rate for _, rate in latest) if latest else None


def _owned(root: Path, recorded: disk.Recorded) -> Iterable[tuple[str, str]]:
    yield from (each for each in recorded.owned if each[0])
    journal = journal_path(root)
    if journal.exists():
        with contextlib.suppress(TransferError):  # damaged: `start` puts it aside
            yield from Journal.of(journal).owned_paths()
