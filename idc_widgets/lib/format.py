"""Sizes and durations as people read them."""

from __future__ import annotations


def human_seconds(n: float) -> str:
    """Return a duration as people say it: "40 s", "3 min", "2 h 10 min", "3 days"."""
    if n < 90:
        return f"{n:.0f} s"
    minutes = round(n / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes / 60 / 24:.0f} days"


def human_bytes(n: float) -> str:
    """Return a size in units of 1,000: "15.5 MB", "1.20 TB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(n) < 999.5:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 100 else f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.2f} TB"
