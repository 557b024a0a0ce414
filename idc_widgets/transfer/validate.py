"""The one set of checks before a plan, a download or a change of one: each refusal is a sentence.

What is accepted is returned as it is used from then on, so that what is shown is what is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import SupportsIndex, TypeVar, cast, get_args

from idc_widgets.lib import arguments
from idc_widgets.lib.arguments import shown

from . import providers, settings
from .destination import folder
from .model import Provider, Reuse, TransferError, Verify
from .paths import DEFAULT_LAYOUT
from .units import parse_bytes, parse_rate

T = TypeVar("T")

MOST_WORKERS = 512
DEFAULT_WORKERS = 64

_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Wish:
    """What was asked for, checked: the destination absolute, the endpoint resolved."""

    root: Path
    provider: Provider
    layout: str
    endpoint: str
    workers: int
    verify: Verify
    title: str | None
    reuse: Reuse
    max_bytes: int | None
    bandwidth: int | None


def wish(
    destination: object,
    *,
    provider: object = "aws",
    layout: object = DEFAULT_LAYOUT,
    endpoint_url: object = None,
    title: object = None,
    workers: object = DEFAULT_WORKERS,
    verify: object = "md5",
    reuse: object = "copy",
    max_bytes: object = None,
    bandwidth: object = None,
) -> Wish:
    """Check all that a plan or a download is asked with.

    Raises
    ------
    TransferError
        With one sentence that names the value and what would be right.
    """
    root = folder(destination)
    cloud = check_provider(provider)
    how = Wish(
        root,
        cloud,
        check_layout(layout),
        providers.endpoint(cloud, cast("str | None", endpoint_url)),
        check_workers(workers),
        check_verify(verify),
        check_title(title),
        check_reuse(reuse),
        None if max_bytes is None else parse_bytes(max_bytes),
        None if bandwidth is None else parse_rate(bandwidth),
    )
    # The worker reads these; here a wrong one can still be refused.
    settings.tries(), settings.stall_seconds(), settings.jobs_at_once()
    return how


def check_provider(value: object) -> Provider:
    """Return a provider, or refuse what is none."""
    return providers.known(value)


def check_verify(value: object) -> Verify:
    """Return a way of verification, or refuse one that there is not."""
    return cast(Verify, _one_of("verify", value, get_args(Verify)))


def check_reuse(value: object) -> Reuse:
    """Return what to do with series that are there under another layout."""
    return None if value is None else cast(Reuse, _one_of("reuse", value, ("copy", "link"), " and None"))


def _one_of(name: str, value: object, valid: tuple[str, ...], more: str = "") -> str:
    if not isinstance(value, str) or value not in valid:
        raise TransferError(f"{name}={shown(value)}: valid are {', '.join(map(repr, valid))}{more}")
    return value


def check_workers(value: object) -> int:
    """Return a number of transfers at once."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex) or not 1 <= index(value) <= MOST_WORKERS:
        raise TransferError(f"workers={shown(value)}: give a whole number from 1 to {MOST_WORKERS}, such as 16")
    return index(value)


def check_title(value: object) -> str | None:
    """Return a job's title on one line; None where there is none."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TransferError(f"title={shown(value)}: give text, or None for one made of collections and modalities")
    checked(arguments.text, value, "title", "a title", True)
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in value).split())[:1000] or None


def checked(check: Callable[..., T], value: object, *more: object) -> T:
    """Return what a check of `idc_widgets.lib.arguments` returns, its refusal as this room's."""
    try:
        return check(value, *more)
    except (TypeError, ValueError) as error:
        raise TransferError(str(error)) from None


def check_layout(value: object) -> str:
    """Return a layout; its keys are checked where the columns are known."""
    if not isinstance(value, str):
        raise TransferError(f"layout={shown(value)}: give a template such as {DEFAULT_LAYOUT!r}, or '' for no folders")
    if value and "%" not in value:
        raise TransferError(
            f"layout={shown(value)} has no key, so all series would get the same folder: write one such as "
            "%SeriesInstanceUID into it, or '' to put all files into the destination itself"
        )
    if value.startswith(("/", "\\", "~")) or _DRIVE.match(value):
        raise TransferError(
            f"layout={shown(value)}: the folders are made below the destination, so a layout begins with no "
            f"{'drive' if _DRIVE.match(value) else repr(value[0])}"
        )
    return value
