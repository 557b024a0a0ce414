"""Running the command line as tests do: in this process, or as a person does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from idc_widgets.cli import main

NOWHERE = "http://127.0.0.1:9"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Run:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Done:
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *self._capsys.readouterr())


def start(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    environment = {"IDC_WIDGETS_AWS_ENDPOINT": NOWHERE, **os.environ, **more.pop("env", {})}
    return subprocess.Popen(
        [sys.executable, "-m", "idc_widgets", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )
