"""JupyterLab as a person has it: a server of its own, a notebook in a real browser, cells run through its commands."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Lab:
    """A JupyterLab server in a folder of its own.

    Parameters
    ----------
    folder
        Empty folder for notebooks, settings and the server's own files.
    environment
        Variables for the server and its kernels, on top of this process's.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.root = folder / "work"
        self.root.mkdir(parents=True)
        self._settings = folder / "settings"
        self._notification_settings()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
                "--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={self.root}",
                "--LabApp.expose_app_in_browser=True", "--ServerApp.ip=127.0.0.1",
            ],
            env={
                **os.environ,
                **environment,
                "JUPYTER_CONFIG_DIR": str(folder / "config"),
                "JUPYTER_DATA_DIR": str(folder / "data"),
                "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
                "JUPYTERLAB_SETTINGS_DIR": str(self._settings),
                "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
                "IPYTHONDIR": str(folder / "ipython"),
            },
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._wait(60)

    def _notification_settings(self) -> None:
        # The news toast asks the network and covers what is looked at.
        path = self._settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))

    def theme(self, dark: bool) -> None:
        """Set the theme of pages that are opened from now on."""
        path = self._settings / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
        path.write_text(json.dumps({"theme": "JupyterLab Dark" if dark else "JupyterLab Light"}))

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api/status", timeout=2).close()
                return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    log = Path(self._log.name).read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"JupyterLab did not start:\n{log}") from None
                time.sleep(0.2)

    def notebook(self, page: Page, name: str, cells: list[str] | None = None) -> Notebook:
        """Open a fresh copy of a notebook of the project, or a new one with these cells."""
        path = self.root / name
        if cells is None:
            shutil.copy(NOTEBOOKS / "getting_started.ipynb", path)
        else:
            path.write_text(json.dumps(_as_notebook(cells)))
        return Notebook(self, page, name)

    def close(self) -> None:
        """End the server and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()


class Notebook:
    """One notebook open in one page."""

    def __init__(self, lab: Lab, page: Page, name: str) -> None:
        self.lab, self.page, self.name = lab, page, name
        self.open()

    def open(self) -> None:
        """Load the page and wait until the kernel answers."""
        self.page.goto(f"{self.lab.url}/lab/tree/{self.name}?reset")
        self.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget?.sessionContext")
        self._in_panel("await panel.revealed; await panel.sessionContext.ready;")
        self._in_panel("await panel.sessionContext.session.kernel.info;")
        # The side bar would leave the notebook half of a narrow window.
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def _in_panel(self, body: str, argument: Any = None) -> Any:
        return self.page.evaluate(
            "async (arg) => { const app = window.jupyterapp; const panel = app.shell.currentWidget; " + body + " }",
            argument,
        )

    def run(self, cell: int, wait: bool = True) -> list[dict[str, Any]]:
        """Run a cell by its number among all cells; return its outputs."""
        self._in_panel("panel.content.activeCellIndex = arg; panel.content.scrollToItem(arg);", cell)
        command = "app.commands.execute('notebook:run-cell')"
        if not wait:
            self._in_panel(f"void {command};")
            return []
        self._in_panel(f"await {command};")
        return self.outputs(cell)

    def outputs(self, cell: int) -> list[dict[str, Any]]:
        """Return the outputs of a cell."""
        found: list[dict[str, Any]] = self._in_panel("return panel.content.widgets[arg].model.outputs.toJSON();", cell)
        return found

    def execute(self, code: str) -> str:
        """Run code in the kernel as a new last cell; return its text output; raise on an error."""
        cell = self._in_panel(
            "panel.content.activeCellIndex = panel.content.widgets.length - 1;"
            "await app.commands.execute('notebook:insert-cell-below');"
            "panel.content.activeCell.model.sharedModel.setSource(arg);"
            "return panel.content.activeCellIndex;",
            code,
        )
        outputs = self.run(cell)
        text = ""
        for out in outputs:
            if out["output_type"] == "error":
                raise AssertionError(f"{out['ename']}: {out['evalue']}")
            if out["output_type"] == "stream":
                text += "".join(out["text"])
            elif "text/plain" in out.get("data", {}):
                text += "".join(out["data"]["text/plain"])
        return text

    def save(self) -> None:
        """Save the notebook."""
        self._in_panel("await panel.context.save();")

    def shut_down_kernel(self) -> None:
        """Shut the kernel down, as the menu does."""
        self._in_panel("await panel.sessionContext.shutdown();")

    def restart_kernel(self) -> None:
        """Restart the kernel, as the menu does, and wait until it answers."""
        self._in_panel(
            "await panel.sessionContext.session.kernel.restart(); await panel.sessionContext.session.kernel.info;"
        )


def _as_notebook(cells: list[str]) -> dict[str, Any]:
    return {
        "cells": [
            {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": {}, "outputs": [], "source": c}
            for i, c in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
