"""The size of the frontend."""

from __future__ import annotations

import gzip
from pathlib import Path

from benchmarks.measure import line

LIMIT = 120_000
BUNDLE = Path(__file__).parents[1] / "idc_widgets" / "static" / "widget.js"


def main() -> None:
    """Measure and print."""
    raw = BUNDLE.read_bytes()
    zipped = len(gzip.compress(raw))
    line("bundle, minified", f"{len(raw) / 1000:.1f} kB", f"gzip {zipped / 1000:.1f} kB", "", f"≤ {LIMIT // 1000} kB")
