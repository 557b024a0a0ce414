"""Build hook of the wheel: the frontend is built into `idc_widgets/static`, so that a wheel needs no Node.

Skipped where the built files are there and nothing in `js/` is newer (an sdist carries them), and for editable
installs, where `make build` does it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = ("widget.js", "saved.js", "widget.css")


class FrontendBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling is not typed
    """Runs `npm run build` in `js/` when the built files are missing or old."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the frontend.

        Raises
        ------
        RuntimeError
            If it has to be built and Node is not there, or the build fails.
        """
        root = Path(self.root)
        js, static = root / "js", root / "idc_widgets" / "static"
        if version == "editable" or _fresh(js, static):
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("The frontend has to be built, and npm was not found: install Node 20 or newer.")
        for command in ([npm, "ci", "--no-audit", "--no-fund"], [npm, "run", "build"]):
            done = subprocess.run(command, cwd=js, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"`{' '.join(command[1:])}` in js/ failed with exit code {done.returncode}.")


def _fresh(js: Path, static: Path) -> bool:
    built = [static / name for name in BUILT]
    if not all(b.is_file() for b in built):
        return False
    sources = [p for p in (js / "src").rglob("*") if p.is_file()]
    newest = max((p.stat().st_mtime for p in sources), default=0.0)
    return min(b.stat().st_mtime for b in built) >= newest
