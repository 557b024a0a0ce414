"""One mirror for all tests of a module, without faults at the start of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mirror import Mirror

from .asking import pick


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror() as running:
        yield running


@pytest.fixture(autouse=True)
def calm(mirror: Mirror) -> Iterator[None]:
    yield
    mirror.faults.clear()
    mirror.set()
    mirror.reset_counts()


@pytest.fixture(scope="module")
def small() -> dict[str, Any]:
    """A CT series of about 40 objects."""
    return pick(
        "Modality = 'CT' AND instanceCount BETWEEN 35 AND 45 AND aws_bucket = 'idc-open-data'", "series_size_MB"
    )
