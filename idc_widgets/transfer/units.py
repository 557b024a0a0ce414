"""Sizes as people read them."""

from __future__ import annotations


def human_bytes(n: float) -> str:
    """Return a size in units of 1,000: "15.5 MB", "1.20 TB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(n) < 999.5:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 100 else f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.2f} TB"
