"""`make bench`: all figures, one table."""

from __future__ import annotations

import sys

from benchmarks import bundle, catalog, click, limits, page, remote, scroll, startup, transfer
from benchmarks.measure import line


def main() -> None:
    """Run the benchmarks named on the command line, or all."""
    every = {
        "startup": startup.main,
        "catalog": catalog.main,
        "remote": remote.main,
        "transfer": transfer.main,
        "limits": limits.main,
        "bundle": bundle.main,
        "click": click.main,
        "page": page.main,
        "scroll": scroll.main,
    }
    names = sys.argv[1:] or list(every)
    unknown = [n for n in names if n not in every]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(every)}.")
    line("what", "ours", "beside", "ratio", "target")
    for name in names:
        every[name]()


if __name__ == "__main__":
    main()
