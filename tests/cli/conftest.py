from __future__ import annotations

from collections.abc import Iterator

import pytest

from idc_widgets import Catalog
from tests.cli.run import NOWHERE, Run
from tests.mirror import Mirror, SpawnedMirror


@pytest.fixture(scope="session")
def served() -> Iterator[SpawnedMirror]:
    with Mirror.spawn() as m:
        yield m


@pytest.fixture
def mirror(served: SpawnedMirror) -> Iterator[SpawnedMirror]:
    served.faults.clear()
    served.set()
    yield served
    served.faults.clear()
    served.set()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, catalog: Catalog) -> Run:
    """Runs commands in this process, with the cache of the index, and nowhere to download from."""
    monkeypatch.setenv("IDC_WIDGETS_AWS_ENDPOINT", NOWHERE)
    monkeypatch.setenv("IDC_WIDGETS_GCS_ENDPOINT", NOWHERE)
    return Run(capsys)
