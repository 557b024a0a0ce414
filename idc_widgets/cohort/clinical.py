"""The clinical rows of a cohort's patients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.lib.sql import identifier

if TYPE_CHECKING:
    import pandas as pd


def clinical(index: Index, table: str, where: str, parameters: Sequence[Any]) -> pd.DataFrame:
    """Return the rows of a clinical table about the patients of the series that satisfy a condition."""
    collections = index.bring_clinical(table)
    # (collection, patient): the same PatientID in another collection is another patient. The columns of the table
    # are as published, in every type.
    alone = len(collections) == 1
    frame: pd.DataFrame = index.database.frame(
        f"WITH patients AS (SELECT DISTINCT collection_id::VARCHAR AS collection_id, PatientID FROM {SERIES} "
        f"WHERE {where} AND collection_id::VARCHAR IN (SELECT unnest(?::VARCHAR[]))) "
        f"SELECT p.collection_id, p.PatientID, c.* FROM patients p JOIN {identifier(table)} c "
        f"ON c.dicom_patient_id::VARCHAR = p.PatientID ORDER BY {'' if alone else 'p.collection_id, '}p.PatientID",
        [*parameters, list(collections)],
    )
    return frame
