"""From nothing to the first counts, and what the kernel's memory is then, beside `IDCClient()`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.measure import Run, line, median, run
from idc_widgets import Catalog
from idc_widgets.catalog import cache

OURS = "import idc_widgets as idc; c = idc.Catalog(); c.cube(); c.cohort().counts"
EXPLORER = "import idc_widgets as idc; e = idc.Explorer(); e.cohort = e.catalog.cohort(Modality='CT'); e.cohort.counts"
THEIRS = "from idc_index import IDCClient; c = IDCClient()"


def main() -> None:
    """Measure and print."""
    Catalog().index.database.wait_for_cache()
    theirs = median(lambda: run(THEIRS))
    warm = median(lambda: run(OURS))

    def cold_run() -> Run:
        folder = tempfile.mkdtemp()
        try:
            return run(OURS, {"IDC_WIDGETS_CACHE_DIR": folder})
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    cold = median(cold_run)
    explorer = median(lambda: run(EXPLORER))

    them = f"IDCClient() {theirs.seconds:.2f} s"
    for name, ours, target in (("warm", warm, "≤ 1/7"), ("cold", cold, "≤ 1/2")):
        ratio = f"1/{theirs.seconds / ours.seconds:.1f}"
        line(f"first counts, cache {name} (whole process)", f"{ours.seconds:.2f} s", them, ratio, target)
    line(
        "kernel memory with an Explorer",
        f"{explorer.megabytes:.0f} MB",
        f"IDCClient() {theirs.megabytes:.0f} MB",
        f"1/{theirs.megabytes / explorer.megabytes:.1f}",
        "≤ 1/5",
    )
    size = cache.path(None, Catalog().release).stat().st_size
    line("cache on disk", f"{size / 1e6:.0f} MB", f"parquet {_parquet() / 1e6:.0f} MB", "", "")


def _parquet() -> int:
    from idc_widgets.catalog import bundled

    return Path(bundled.table("index").path).stat().st_size
