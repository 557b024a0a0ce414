"""Which of it: conditions, their SQL and their code, what they select, lists of identifiers and words read."""

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
from idc_widgets.cohort.summary import Counts, Summary

__all__ = [
    "Condition",
    "Counts",
    "Summary",
    "between",
    "col",
    "contains",
    "everything",
    "implausible",
    "referenced_by",
    "references",
    "search",
    "sql",
    "with_modalities",
]
