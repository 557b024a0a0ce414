"""The browser of the tests: an environment variable, then the system's, then Playwright's own, else install one.

`python -m tests.chromium` makes sure that there is one and prints its path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VARIABLE = "IDC_WIDGETS_CHROMIUM"

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find() -> str | None:
    """Return the path of a Chromium, or None."""
    named = os.environ.get(VARIABLE)
    if named:
        if not Path(named).is_file():
            sys.exit(f"{VARIABLE} names {named}, which is not there.")
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        own = p.chromium.executable_path
    return own if Path(own).is_file() else None


def install() -> None:
    """Install Playwright's Chromium, or the system's where that cannot be had."""
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False).returncode == 0:
        return
    apt = shutil.which("apt-get")
    if apt and hasattr(os, "geteuid") and os.geteuid() == 0:
        subprocess.run([apt, "update", "-qq"], check=False)
        subprocess.run([apt, "install", "-y", "-qq", "chromium"], check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    """Find a browser or install one; exit with a sentence where neither works."""
    found = find()
    if found is None:
        install()
        found = find()
    if found is None:
        sys.exit(f"No Chromium for the browser tests: install one (Debian: apt install chromium) or set {VARIABLE}.")
    print(f"browser: {found}")


if __name__ == "__main__":
    main()
