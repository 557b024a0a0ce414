"""Find and fetch cancer images of the NCI Imaging Data Commons from a notebook.

>>> import idc_widgets as idc
>>> idc.Explorer()  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from idc_widgets.api import Catalog, Cohort, dicomweb_url, files, verify, viewer_url
from idc_widgets.catalog import QueryError, TableUnavailableError, UnknownNameError
from idc_widgets.cohort import (
    Condition,
    Counts,
    between,
    col,
    contains,
    everything,
    implausible,
    referenced_by,
    references,
    search,
    sql,
    with_modalities,
)
from idc_widgets.transfer import Job, Plan, TransferError, display, jobs

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
    "QueryError",
    "ResultTable",
    "TableUnavailableError",
    "TransferError",
    "UnknownNameError",
    "between",
    "col",
    "contains",
    "dicomweb_url",
    "everything",
    "files",
    "implausible",
    "jobs",
    "referenced_by",
    "references",
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


def _show_job(job: Job) -> None:
    try:
        from idc_widgets.widgets import DownloadPanel

        panel = DownloadPanel(job=job)
    except (ImportError, FileNotFoundError):  # no anywidget, or the frontend was not built
        raise NotImplementedError from None
    panel._ipython_display_()


display.live = _show_job


def __dir__() -> list[str]:
    return __all__
