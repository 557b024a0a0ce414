"""Which of it: conditions, the cohort value, its SQL, its code, its summaries."""

from idc_widgets.cohort.cohort import Cohort
from idc_widgets.cohort.columns import col
from idc_widgets.cohort.conditions import (
    Condition,
    between,
    contains,
    everything,
    implausible,
    one_of,
    referred_by,
    refers_to,
    search,
    sql,
    with_modalities,
)
from idc_widgets.cohort.getting import verify
from idc_widgets.cohort.summary import Counts, Summary
from idc_widgets.cohort.viewer import viewer_url

__all__ = [
    "Cohort",
    "Condition",
    "Counts",
    "Summary",
    "between",
    "col",
    "contains",
    "everything",
    "implausible",
    "one_of",
    "referred_by",
    "refers_to",
    "search",
    "sql",
    "verify",
    "viewer_url",
    "with_modalities",
]
