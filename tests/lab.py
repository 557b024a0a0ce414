"""`make lab`: JupyterLab on the first notebook, against IDC's buckets or against a small IDC on this machine."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "notebooks" / "getting_started.ipynb"


def main() -> int:
    """Run JupyterLab until it ends; arguments after `--` go to it."""
    parser = argparse.ArgumentParser(prog="make lab")
    parser.add_argument("--mirror", action="store_true", help="serve the images from this machine, without internet")
    parser.add_argument("rest", nargs="*", help="arguments for JupyterLab")
    options = parser.parse_args()

    environment = dict(os.environ)
    with ExitStack() as stack:
        if options.mirror:
            from idc_widgets.catalog import fetch
            from tests.mirror import Mirror

            mirror = stack.enter_context(Mirror.spawn())
            print(f"small IDC on {mirror.endpoint}: valid DICOM made up from the index, under IDC's bucket names")
            environment["IDC_WIDGETS_AWS_ENDPOINT"] = environment["IDC_WIDGETS_GCS_ENDPOINT"] = mirror.endpoint
            os.environ["IDC_WIDGETS_RELEASE_URL"] = f"{mirror.endpoint}/releases/download"
            environment["IDC_WIDGETS_RELEASE_URL"] = os.environ["IDC_WIDGETS_RELEASE_URL"]
            # The next mirror has another port, so nobody would use this one's tables again.
            stack.callback(shutil.rmtree, fetch.path(None, "any").parent, ignore_errors=True)
        # As the default page, so that the address that is printed leads to the notebook too.
        page = f"--LabApp.default_url=/lab/tree/{NOTEBOOK.name}"
        command = [sys.executable, "-m", "jupyterlab", page, *options.rest]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")  # JupyterLab refuses root otherwise; containers run as root
        try:
            return subprocess.call(command, env=environment, cwd=NOTEBOOK.parent)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
