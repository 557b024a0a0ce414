"""Identifiers as people have them: the one reader of lists, tables, manifests, files and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idc_widgets.cohort.identifiers.reasons import sentence
from idc_widgets.cohort.identifiers.result import Identified, Unknown

if TYPE_CHECKING:
    from idc_widgets.cohort.identifiers.reader import read, read_frame, read_text

#: So many entries travel with every question about the cohort.
MOST = 50_000

__all__ = ["MOST", "Identified", "Unknown", "read", "read_frame", "read_text", "sentence"]


def __getattr__(name: str) -> Any:
    # Only when something is read: its patterns take a tenth of a second, as long as a third of the start.
    if name in ("read", "read_frame", "read_text"):
        from idc_widgets.cohort.identifiers import reader

        return getattr(reader, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
