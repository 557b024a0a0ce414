"""What a list was read as, in series."""

from __future__ import annotations

import idc_widgets as idc
from idc_widgets.cohort.identifiers import Identified


def series(catalog: idc.Catalog, found: Identified) -> set[str]:
    """Return the SeriesInstanceUIDs that a list names."""
    if found.condition is None:
        return set()
    return set(idc.Cohort(catalog, [found.condition]).series(columns=["SeriesInstanceUID"]).SeriesInstanceUID)
