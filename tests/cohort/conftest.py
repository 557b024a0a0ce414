"""A catalogue that has none of the tables that are fetched, with a mirror to fetch them from and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import idc_widgets as idc
from idc_widgets.catalog import fetch
from tests.mirror import Mirror


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror() as running:
        yield running


@pytest.fixture
def online(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, fresh: Callable[[], idc.Catalog]) -> idc.Catalog:
    """A catalogue that can fetch tables and has none yet."""
    monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", f"{mirror.endpoint}/releases/download")
    monkeypatch.setenv("IDC_WIDGETS_METADATA_ENDPOINT", mirror.endpoint)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return fresh()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, fresh: Callable[[], idc.Catalog]) -> idc.Catalog:
    """A catalogue that can fetch none."""
    monkeypatch.setenv("IDC_WIDGETS_RELEASE_URL", "http://127.0.0.1:9/nobody")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch, "_WAIT", 0.01)
    return fresh()
