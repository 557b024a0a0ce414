"""Catalogues that have none of the tables that are fetched, with a mirror and without; readings without warnings."""

from __future__ import annotations

import warnings
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


@pytest.fixture
def quiet() -> Iterator[None]:
    """Notes on how a list was read come as warnings; tests look at them where they matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
