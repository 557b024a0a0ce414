"""Whether one file is what it should be, and whether that can be known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import contents
from .etags import digest, md5_of, part_sizes, parts_of

OFFLINE = "it was checked offline, and no receipt has their MD5"
UNUSUAL = "their ETag is of an upload in parts of unusual size"
UNBACKED = "the receipt alone names this version of their series, which the index does not have"
NO_MD5 = "the bucket gives no MD5 of them"


@dataclass(frozen=True)
class Expected:
    """What a file should be.

    Attributes
    ----------
    size
        Its size.
    etag
        As the bucket lists it, or as it was listed when it was received; empty where that is not known.
    own, own_right
        The MD5 that was taken of it on a disk, for want of one in the ETag, and whether it had the ETag then.
    before
        (size, ETag) of what was received, where the bucket lists something else now.
    rival
        (size, MD5) of a second record that contradicts the first.
    earlier
        (kind, reason) of what an earlier check found wrong with it.
    """

    name: str
    size: int
    etag: str
    own: str | None = None
    own_right: bool = False
    before: tuple[int, str] | None = None
    rival: tuple[int, str | None] | None = None
    earlier: tuple[str, str] | None = None


@dataclass(frozen=True)
class Verdict:
    """What a file is: (kind, reason) of what is wrong, else why its content is not known to be right, else right.

    `own` is an MD5 to be remembered of it, and whether its content is known to be right.
    """

    wrong: tuple[str, str] | None = None
    unchecked: str | None = None
    own: tuple[str, bool] | None = None


def judge(folder: Path, size: int | None, expected: Expected, offline: bool) -> Verdict:
    """Return the verdict on a file of `folder` that has `size` on the disk (None: there is none)."""
    if size is None:
        return Verdict(("missing", "the file is missing"))
    if size < 0:
        return Verdict(("unreadable", contents.why(size)))
    if size and size != expected.size and expected.before is not None and expected.before[0] == size:
        return _against(folder, expected, size)
    if size != expected.size:
        what = "the file is empty" if size == 0 else f"the file has {size:,} bytes"
        return Verdict(("damaged", f"damaged on this disk: {what}, it should have {expected.size:,}"))
    try:
        verdict = _content(folder, expected, offline)
    except OSError as error:
        return Verdict(("unreadable", f"the file cannot be read: {error.strerror or error}"))
    if verdict.wrong is None and expected.rival is not None:
        return Verdict(("receipt", "the folder's receipt says another size or MD5 of it than this machine's record"))
    if verdict.wrong is None and expected.earlier is not None and offline:
        kind, reason = expected.earlier
        if kind == "changed":  # which an offline check cannot take back
            return Verdict((kind, reason))
    if verdict.unchecked is not None and _still_damaged(expected, verdict):
        return Verdict(expected.earlier)
    return verdict


def _still_damaged(expected: Expected, verdict: Verdict) -> bool:
    """Whether content that was found wrong cannot be told any more, and is not what was known of it before either."""
    if expected.earlier is None or expected.earlier[0] != "damaged" or not expected.earlier[1].endswith("(MD5)"):
        return False
    before = md5_of(expected.before[1]) if expected.before is not None else None
    return verdict.own is None or verdict.own[0] not in (expected.own, before)


def _content(folder: Path, expected: Expected, offline: bool) -> Verdict:
    md5, parts = md5_of(expected.etag), parts_of(expected.etag)
    if md5 is not None:
        found, _ = digest(folder / expected.name)
        return Verdict() if found == md5 else _against(folder, expected, expected.size, found)
    if expected.own is not None and expected.own_right:
        found, _ = digest(folder / expected.name)
        return Verdict(own=(found, True)) if found == expected.own else Verdict(_damaged("since it was checked"))
    if offline and not expected.etag and expected.own is None:
        return Verdict(unchecked=OFFLINE)
    found, etags = digest(folder / expected.name, part_sizes(expected.size, parts) if parts else ())
    if expected.etag.strip('"').lower() in etags.values():
        return Verdict(own=(found, True))
    if parts == 1:  # of any size, so that nothing else could have this ETag
        return _against(folder, expected, expected.size, found)
    if expected.own not in (None, found):
        return Verdict(_damaged("since it was first seen"))
    why = UNUSUAL if parts else NO_MD5 if expected.etag or not offline else OFFLINE
    return Verdict(unchecked=why, own=(found, False))


def _damaged(since: str) -> tuple[str, str]:
    return "damaged", f"damaged on this disk: its content has changed {since} (MD5)"


def _against(folder: Path, expected: Expected, size: int, found: str | None = None) -> Verdict:
    """Judge a file that is not what the bucket lists: is it what was received?"""
    if expected.before is not None and expected.before[0] == size:
        try:
            received = _had(folder / expected.name, *expected.before, found)
        except OSError as error:
            return Verdict(("unreadable", f"the file cannot be read: {error.strerror or error}"))
        if received:
            return Verdict(("changed", "the bucket has another object now than the one that was received"))
    if size != expected.size:
        return Verdict(
            ("damaged", f"damaged on this disk: the file has {size:,} bytes, it should have {expected.size:,}")
        )
    return Verdict(("damaged", "damaged on this disk: its content differs (MD5)"))


def _had(path: Path, size: int, etag: str, found: str | None) -> bool:
    """Whether a file has the content of an ETag, as far as that tells it."""
    if (md5 := md5_of(etag)) is not None:
        return md5 == (found or digest(path)[0])
    candidates = part_sizes(size, parts_of(etag) or 0)
    return bool(candidates) and etag in digest(path, candidates)[1].values()
