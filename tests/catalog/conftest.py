"""What the tests of the catalogue share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import idc_widgets as idc


@pytest.fixture
def fresh(catalog: idc.Catalog, tmp_path: Path) -> Callable[[], idc.Catalog]:
    """Makes catalogues with one folder, in which the index's cache stands and no table yet."""
    os.link(catalog.database.cache_path, tmp_path / catalog.database.cache_path.name)
    return lambda: idc.Catalog(cache_dir=tmp_path)
