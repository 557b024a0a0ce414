"""Find and fetch cancer images of the NCI Imaging Data Commons from a notebook.

>>> import idc_widgets as idc
>>> idc.Explorer()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from idc_widgets.catalog import Catalog, TableUnavailableError, UnknownNameError
from idc_widgets.cohort import (
    Cohort,
    Condition,
    Counts,
    between,
    col,
    contains,
    everything,
    implausible,
    one_of,
    referred_by,
    refers_to,
    search,
    sql,
    verify,
    viewer_url,
    with_modalities,
)
from idc_widgets.transfer import Job, Plan, TransferError, jobs

if TYPE_CHECKING:
    from idc_widgets.widgets import DownloadPanel, Explorer, FilterPanel, ResultTable

__version__ = metadata.version("idc-widgets")

__all__ = [
    "Catalog",
    "Cohort",
    "Condition",
    "Counts",
    "DownloadPanel",
    "Explorer",
    "FilterPanel",
    "Job",
    "Plan",
    "ResultTable",
    "TableUnavailableError",
    "TransferError",
    "UnknownNameError",
    "between",
    "col",
    "contains",
    "everything",
    "implausible",
    "jobs",
    "one_of",
    "referred_by",
    "refers_to",
    "search",
    "sql",
    "verify",
    "viewer_url",
    "with_modalities",
]


def __getattr__(name: str) -> Any:
    # Widgets only when asked for: a script that downloads need not import the notebook's machinery.
    if name in ("DownloadPanel", "Explorer", "FilterPanel", "ResultTable"):
        from idc_widgets import widgets

        return getattr(widgets, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
