"""A browser, a JupyterLab and a small IDC for the tests that drive the real thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from idc_widgets import Catalog
from tests import chromium
from tests.browser.lab import Lab
from tests.mirror import Mirror

ARTIFACTS = Path(__file__).parents[1] / "artifacts"  # screenshots, kept to be looked at


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a browser test that failed once more, since a machine busy with else can be too slow for it.

    The summary lists such tests as RERUN: one that is there often has a fault of its own.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.fail("No Chromium: `python -m tests.chromium` installs one.")
    expect.set_options(timeout=15_000)  # what waits for the kernel waits on a loaded machine, too
    with sync_playwright() as p:
        found = p.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def mirror() -> Iterator[Mirror]:
    with Mirror.spawn() as m:
        yield m


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, mirror: Mirror) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    found = Lab(
        folder,
        {
            "IDC_WIDGETS_CACHE_DIR": str(catalog.index.database.cache_path.parent),
            "IDC_WIDGETS_STATE_DIR": str(folder / "state"),
            "IDC_WIDGETS_AWS_ENDPOINT": mirror.endpoint,
            "IDC_WIDGETS_GCS_ENDPOINT": mirror.endpoint,
        },
    )
    yield found
    found.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1320, "height": 1100})
    found = context.new_page()
    found.set_default_timeout(30_000)
    errors: list[str] = []
    found.on("pageerror", lambda e: errors.append(str(e)))
    yield found
    ARTIFACTS.mkdir(exist_ok=True)
    found.screenshot(path=ARTIFACTS / f"{request.node.name}-end.png")
    context.close()
    mine = [e for e in errors if "idc" in e.lower() or "widget" in e.lower()]
    assert not mine, mine
