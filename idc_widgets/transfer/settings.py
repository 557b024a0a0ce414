"""The numbers that the environment may change, read when used."""

from __future__ import annotations

import os

from .model import TransferError


def tries() -> int:
    """Return how often an object is tried: IDC_WIDGETS_TRIES, else 5."""
    return int(_number("IDC_WIDGETS_TRIES", 5))


def stall_seconds() -> float:
    """Return after how many seconds without a byte a connection counts as dead: IDC_WIDGETS_STALL_SECONDS, else 60."""
    return _number("IDC_WIDGETS_STALL_SECONDS", 60)


def jobs_at_once() -> int:
    """Return how many jobs run at once on this machine, the others queue: IDC_WIDGETS_JOBS, else 4."""
    return max(1, int(_number("IDC_WIDGETS_JOBS", 4)))


def _number(name: str, default: float) -> float:
    text = os.environ.get(name)
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0
    if not 0 < value < 1e9:  # "nan" is neither
        raise TransferError(f"{name}={text!r} is not a number above 0, such as {default:g}")
    return value
