"""What the tests of `verify` share: a folder as if copied from another machine, and ways to ask of it."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idc_widgets import Catalog, verify
from idc_widgets.transfer import Audit, Item, Job
from idc_widgets.transfer.registry import record_path
from idc_widgets.transfer.series import Object
from tests.mirror import SpawnedMirror

from .conftest import STUDY, default_folder, pick
from .test_present import put, write_receipt

Fetch = Callable[..., Job]
Check = Callable[..., Audit]
audits = importlib.import_module("idc_widgets.transfer.audit")
RIDER = "collection_id = 'rider_pilot' AND instanceCount BETWEEN 2 AND 40 AND series_size_MB < 6"
links = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")


@pytest.fixture(name="check")
def make_check(mirror: SpawnedMirror, catalog: Catalog) -> Check:
    def run(folder: Path, **more: Any) -> Audit:
        return verify(folder, endpoint_url=mirror.endpoint, catalog=catalog, **more)

    return run


@pytest.fixture(name="data")
def make_data(mirror: SpawnedMirror, tmp_path: Path) -> Path:
    """Three series and a receipt of them, as if copied from another machine."""
    for item in pick(STUDY):
        put(mirror, item, tmp_path / "data" / default_folder(item))
        write_receipt(mirror, item, tmp_path / "data", default_folder(item))
    return tmp_path / "data"


def kinds(audit: Audit) -> list[tuple[str, str]]:
    return sorted((problem.kind, problem.series_uid) for problem in audit.problems)


def files(root: Path, item: Item) -> list[Path]:
    return sorted((root / default_folder(item)).iterdir())


def forget(root: Path) -> None:
    """Delete every record of a folder."""
    shutil.rmtree(root / ".idc_widgets", ignore_errors=True)
    record_path(root).unlink(missing_ok=True)


def relist(monkeypatch: pytest.MonkeyPatch, changed: Callable[[Object], Object]) -> None:
    """Have the bucket list its objects otherwise."""
    real = audits.listings

    def listings(*arguments: Any) -> Iterator[tuple[int, list[Object], str | None]]:
        for n, objects, problem in real(*arguments):
            yield n, [changed(each) for each in objects], problem

    monkeypatch.setattr(audits, "listings", listings)
