"""Which rows of another table belong to a series: "table.column" resolved to a column and the keys that join it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from idc_widgets.catalog.suggest import unknown_column

Kind: TypeAlias = Literal["text", "number", "boolean", "date"]

# What identifies a row's series, study, patient or collection: columns of the index, and of the table; finest first.
_KEYS = (
    (("SeriesInstanceUID",), ("SeriesInstanceUID",)),
    (("crdc_series_uuid",), ("crdc_series_uuid",)),
    (("StudyInstanceUID",), ("StudyInstanceUID",)),
    (("collection_id", "PatientID"), ("collection_id", "PatientID")),
    (("collection_id", "PatientID"), ("collection_id", "dicom_patient_id")),
    (("PatientID",), ("PatientID",)),
    (("PatientID",), ("dicom_patient_id",)),
    (("collection_id",), ("collection_id",)),
    (("analysis_result_id",), ("analysis_result_id",)),
)

# Table → the column that names the series which the row's series was made on.
REFERENCES: Mapping[str, str] = {
    "seg_index": "segmented_SeriesInstanceUID",
    "rtstruct_index": "referenced_SeriesInstanceUID",
    "ann_index": "referenced_SeriesInstanceUID",
}
# The only series that these tables have rows of.
REFERRING: Mapping[str, str] = {"SEG": "seg_index", "RTSTRUCT": "rtstruct_index", "ANN": "ann_index"}


@dataclass(frozen=True)
class Joined:
    """A column of a table that joins with the index.

    Parameters
    ----------
    table, column
        Names, as the table has them.
    kind
        What its values are; of a list, the values in it.
    many
        Whether each row holds a list of values.
    keys
        Pairs of a column of the index and the column of the table that it equals.
    collections
        The only collections that the table is about; None where it says so itself, or is of all.
    """

    table: str
    column: str
    kind: Kind
    many: bool
    keys: tuple[tuple[str, str], ...]
    collections: tuple[str, ...] | None = None


def resolve(table: str, column: str, types: Mapping[str, str], collections: tuple[str, ...] | None = None) -> Joined:
    """Return how a table's column joins with the index.

    Parameters
    ----------
    types
        The table's columns with DuckDB's names of their types.

    Raises
    ------
    UnknownNameError
        If there is no such column; the message suggests near ones.
    ValueError
        If the table has no column that says which series, study, patient or collection a row is of.
    """
    if column not in types:
        raise unknown_column(column, types, f'the table "{table}"')
    names = {n.casefold(): n for n in types}
    for ours, theirs in _KEYS:
        if all(t.casefold() in names for t in theirs):
            keys = tuple((o, names[t.casefold()]) for o, t in zip(ours, theirs, strict=True))
            one = types[column].removesuffix("[]")
            return Joined(table, column, _kind(one), one != types[column], keys, collections)
    raise ValueError(
        f'The table "{table}" says of no row which series it is of: a column SeriesInstanceUID, StudyInstanceUID, '
        "PatientID (with collection_id) or collection_id is wanted."
    )


def _kind(duckdb_type: str) -> Kind:
    name = duckdb_type.split("(")[0].upper()
    if name == "BOOLEAN":
        return "boolean"
    if name.startswith(("DATE", "TIME")):
        return "date"
    numbers = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "REAL", "DECIMAL")
    return "number" if name.removeprefix("U") in numbers or name in numbers else "text"
