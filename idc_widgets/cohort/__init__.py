"""Which of it: conditions, the cohort value, its SQL, its code, its summaries."""

from idc_widgets.cohort.cohort import Cohort
from idc_widgets.cohort.columns import col
from idc_widgets.cohort.conditions import (
    Condition,
    between,
    contains,
    everything,
    implausible,
    referenced_by,
    references,
    search,
    sql,
    with_modalities,
)
from idc_widgets.cohort.files import files
from idc_widgets.cohort.getting import verify
from idc_widgets.cohort.summary import Counts, Summary
from idc_widgets.cohort.viewer import dicomweb_url, viewer_url

__all__ = [
    "Cohort",
    "Condition",
    "Counts",
    "Summary",
    "between",
    "col",
    "contains",
    "dicomweb_url",
    "everything",
    "files",
    "implausible",
    "referenced_by",
    "references",
    "search",
    "sql",
    "verify",
    "viewer_url",
    "with_modalities",
]
