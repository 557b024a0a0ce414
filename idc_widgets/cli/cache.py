"""`idc-widgets cache`."""

from __future__ import annotations

import argparse

from idc_widgets.api import Catalog
from idc_widgets.catalog import bundled, cache
from idc_widgets.cli.output import Output, printable
from idc_widgets.lib.format import human_bytes
from idc_widgets.transfer import ResourceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--prune", action="store_true", help="delete what this release does not use")
    what.add_argument("--rebuild", action="store_true", help="delete everything and make the index anew")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, out: Output) -> int:
    """Show what is kept of the catalogue on this machine."""
    top = cache.folder()
    if top.exists() and not top.is_dir():
        raise ResourceError(f"{top} is a file, the cache needs a folder: IDC_WIDGETS_CACHE_DIR names another.")
    gone = cache.prune(everything=options.rebuild) if options.prune or options.rebuild else []
    if options.rebuild:
        database = Catalog().index.database
        if not database.wait_for_cache():
            raise ResourceError(f"{database.note} (IDC_WIDGETS_CACHE_DIR names another folder)")
    found = cache.files()
    kept = cache.path(None, bundled.release())
    wrong = cache.fault(kept, bundled.table("index").path) if kept.is_file() else None
    if options.json:
        out.document(
            {
                "path": top,
                "release": bundled.release(),
                "index": kept,
                "usable": wrong == "",
                "fault": wrong or None,
                "files": [{"path": path, "bytes": size, "used": used} for path, size, used in found],
                "deleted": [{"path": path, "bytes": size} for path, size, _ in gone],
            }
        )
        return 0
    out.line(printable(top))
    if options.prune or options.rebuild:
        out.line(f"deleted {len(gone)} files, {human_bytes(sum(size for _, size, _ in gone))}")
    for path, size, used in found:
        name = printable(path.relative_to(top))
        out.line(f"{human_bytes(size):>9}  {name}{'' if used else '  (not used any more)'}")
    if wrong is None:
        out.line("There is no cache of the index yet; it is built when a catalogue is first opened.")
    elif wrong:
        out.line(f"{kept.name} cannot be used and is built anew when a catalogue is next opened: {wrong}")
    return 0
