"""Which of it: conditions, the cohort value, its SQL, its code, its summaries."""

from idc_widgets.cohort.cohort import Cohort, Counts
from idc_widgets.cohort.conditions import Condition, between, contains, everything, one_of, search, with_modalities

__all__ = ["Cohort", "Condition", "Counts", "between", "contains", "everything", "one_of", "search", "with_modalities"]
