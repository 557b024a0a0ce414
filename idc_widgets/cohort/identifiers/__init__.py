"""Identifiers as people have them: the one reader of lists, tables, manifests, files and addresses."""

from idc_widgets.cohort.identifiers.reader import read, read_frame, read_text
from idc_widgets.cohort.identifiers.reasons import sentence
from idc_widgets.cohort.identifiers.result import Identified, Unknown

#: So many entries travel with every question about the cohort.
MOST = 50_000

__all__ = ["MOST", "Identified", "Unknown", "read", "read_frame", "read_text", "sentence"]
