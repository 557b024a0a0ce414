"""From conditions to SQL.

Values reach DuckDB as bound parameters. Where SQL is shown to people (`cohort.sql()`), the same walk writes them as
quoted literals instead; nothing else pastes a value into SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from idc_widgets.catalog import Catalog
from idc_widgets.catalog.cache import HAYSTACK
from idc_widgets.catalog.catalog import TERM_COLUMNS
from idc_widgets.cohort.conditions import (
    And,
    Between,
    Condition,
    Contains,
    In,
    Not,
    Or,
    Scalar,
    Search,
    WithModalities,
)

# Identifiers, and what a word must consist of to be the start of one; nothing else is compared with a million of them.
_IDENTIFIERS = (
    (("StudyInstanceUID", "SeriesInstanceUID"), re.compile(r"[0-9.]+")),
    (("crdc_series_uuid",), re.compile(r"[0-9a-f-]+")),
)

_MANY = 64  # longer lists of values travel as one list

# Years from DICOM's age strings (066Y, 007M, 003W, 003D); what is no age, or above 120, is kept apart as unknown.
_AGE = (
    "(CASE WHEN regexp_matches({c}::VARCHAR, '^[0-9]{{1,3}}[YyMmWwDd]?$') THEN nullif(least("
    "regexp_extract({c}::VARCHAR, '[0-9]+')::DOUBLE / CASE upper(right({c}::VARCHAR, 1)) "
    "WHEN 'M' THEN 12 WHEN 'W' THEN 52.1775 WHEN 'D' THEN 365.25 ELSE 1 END, 121), 121) END)"
)


def quoted(value: Scalar) -> str:
    """Return a value as a SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and not math.isfinite(value):
        return f"CAST('{value}' AS DOUBLE)"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


def literal(value: Scalar) -> str:
    """Return a value as a literal for DuckDB, whose SQL cannot hold a NUL character."""
    text = quoted(value)
    return "(" + text.replace("\0", "' || chr(0) || '") + ")" if "\0" in text else text


@dataclass
class Compiler:
    """Writes one cohort's conditions as SQL.

    Parameters
    ----------
    catalog
        Whose terms and columns they mean.
    table, study, patient
        The table that a sub-query reads, and what identifies a study and a patient in it.
    bind
        How a value is written; by default as `?`, collected in `parameters`.
    unnest
        Whether a long list is written as DuckDB's sub-query `SELECT unnest([…])`.
    """

    catalog: Catalog
    table: str = "series"
    study: str = "study_key"
    patient: str = "patient_key"
    bind: Callable[[Scalar], str] | None = None
    unnest: bool = True
    parameters: list[Any] = field(default_factory=list)

    def where(self, conditions: Sequence[Condition]) -> str:
        """Return the conjunction of the conditions as SQL; "TRUE" for none."""
        return " AND ".join(self.condition(c) for c in conditions) or "TRUE"

    def condition(self, c: Condition) -> str:
        """Return one condition as a SQL expression that is true or false, never NULL."""
        match c:
            case In():
                return self._in(c)
            case Between():
                return self._between(c)
            case Contains():
                return f"coalesce(strpos(lower({self._text(c.column)}), {self._value(c.text.lower())}) > 0, FALSE)"
            case Search():
                return "(" + " AND ".join(self._word(w) for w in dict.fromkeys(c.text.lower().split())) + ")"
            case WithModalities():
                return self._with_modalities(c)
            case Not():
                return f"(NOT {self.condition(c.arg)})"
            case And():
                return "(" + (" AND ".join(self.condition(a) for a in c.args) or "TRUE") + ")"
            case Or():
                return "(" + (" OR ".join(self.condition(a) for a in c.args) or "FALSE") + ")"
        raise TypeError(f"Not a condition: {c!r}")

    def _value(self, value: Scalar | list[Scalar]) -> str:
        if self.bind is not None and not isinstance(value, list):
            return self.bind(value)
        self.parameters.append(value)
        return "?"

    @staticmethod
    def _name(column: str) -> str:
        return '"' + column.replace('"', '""') + '"'

    def _text(self, column: str) -> str:
        return f"{self._name(column)}::VARCHAR"

    def _in(self, c: In) -> str:
        if c.column in TERM_COLUMNS:
            values = [None if v is None else str(v) for v in c.values]
            return self._in(In("collection_id", tuple(self.catalog.collections_with(c.column, values))))
        column = self._name(c.column)
        present: list[Scalar] = [v for v in c.values if v is not None]
        parts = []
        if present:
            if self.unnest and len(present) > _MANY:
                # DuckDB joins with such a list; thousands of single values it would compare one by one.
                many = self._value(present) if self.bind is None else f"[{', '.join(map(self.bind, present))}]"
                listed = f"SELECT unnest({many})"
            else:
                listed = ", ".join(self._value(v) for v in present)
            parts.append(f"coalesce({column} IN ({listed}), FALSE)")
        if len(present) < len(c.values):
            parts.append(f"{column} IS NULL")
        return f"({' OR '.join(parts)})" if parts else "FALSE"

    def _between(self, c: Between) -> str:
        column, low, high = self._name(c.column), c.low, c.high
        if c.column == "PatientAge":
            column = _AGE.format(c=column)
        elif c.column in ("StudyDate", "SeriesDate"):
            column = f"{column}::VARCHAR"
            low = None if low is None else str(low)
            # A year or month as upper bound means to its end: "2015" < "2015-06-01" < "2015~".
            high = None if high is None else str(high) + "~"
        parts = []
        if low is not None:
            parts.append(f"{column} >= {self._value(low)}")
        if high is not None:
            parts.append(f"{column} <= {self._value(high)}")
        return f"coalesce({' AND '.join(parts)}, FALSE)"

    def _word(self, word: str) -> str:
        """Return that a word occurs: it matches words and their starts; identifiers match whole or from their start."""
        # Punctuation is escaped for the pattern, which then travels as a value.
        pattern = "(^|[^a-z0-9])" + re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", word)
        if self.bind is None and self.catalog.database.cached:
            # The cache keeps the distinct texts and patients apart: a tenth of the rows.
            parts = [
                f"text_key IN (SELECT key FROM cache.texts WHERE contains(haystack, {self._value(word)}) "
                f"AND regexp_matches(haystack, {self._value(pattern)}))",
                f"patient_key IN (SELECT key FROM cache.patients WHERE starts_with(id, {self._value(word)}))",
            ]
        else:
            parts = [
                f"regexp_matches({HAYSTACK}, {self._value(pattern)})",
                f'starts_with(lower("PatientID"), {self._value(word)})',
            ]
        for columns, characters in _IDENTIFIERS:
            if characters.fullmatch(word):
                parts += [f'starts_with("{c}", {self._value(word)})' for c in columns]
        return "(" + " OR ".join(parts) + ")"

    def _with_modalities(self, c: WithModalities) -> str:
        key = self.study if c.per == "study" else self.patient
        listed = ", ".join(self._value(m) for m in c.modalities)
        sql = (
            f'{key} IN (SELECT {key} FROM {self.table} WHERE "Modality" IN ({listed}) '
            f'GROUP BY {key} HAVING count(DISTINCT "Modality") = {len(c.modalities)})'
        )
        if c.keep == "named":
            sql += f' AND "Modality" IN ({", ".join(self._value(m) for m in c.modalities)})'
        return f"({sql})"
