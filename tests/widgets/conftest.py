"""An Explorer without a page, and what stands where the browser is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import idc_widgets as idc
from idc_widgets.widgets import kernel


class Browser:
    """Stands where the browser is: sends requests, collects replies."""

    def __init__(self, widget: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        self.replies: list[dict[str, Any]] = []
        monkeypatch.setattr(widget, "send", self.replies.append)

    def ask(self, **message: Any) -> dict[str, Any]:
        number = len(self.replies) + 1
        self.widget._handle_custom_msg({"id": number, **message}, [])
        deadline = time.monotonic() + 20
        while len(self.replies) < number:  # what takes its time is answered from a thread of its own
            assert time.monotonic() < deadline, message
            time.sleep(0.005)
        assert self.replies[-1]["id"] == number
        return self.replies[-1]

    def get(self, **message: Any) -> Any:
        reply = self.ask(**message)
        assert reply["ok"], reply
        return reply["result"]


@pytest.fixture
def explorer(catalog: idc.Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> idc.Explorer:
    monkeypatch.setattr(kernel, "asset", lambda name: "export default {}")
    return idc.Explorer(catalog=catalog, destination=tmp_path / "data")


@pytest.fixture
def browser(explorer: idc.Explorer, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(explorer, monkeypatch)
