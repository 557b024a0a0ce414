"""From conditions to SQL.

Values reach DuckDB as bound parameters. Where SQL is shown to people (`cohort.to_sql()`), the same walk writes them as
quoted literals instead; nothing else pastes a value into SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from idc_widgets.catalog import Index
from idc_widgets.catalog.bins import years_of_age
from idc_widgets.catalog.bundled import DATE_COLUMNS, NUMBER_COLUMNS
from idc_widgets.catalog.fulltext import HAYSTACK, pattern, words_of
from idc_widgets.catalog.joins import REFERENCES, REFERRING, Joined
from idc_widgets.catalog.terms import TERM_COLUMNS
from idc_widgets.cohort.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Contains,
    Implausible,
    In,
    Not,
    Or,
    ReferencedBy,
    References,
    Search,
    Sql,
    WithModalities,
)
from idc_widgets.cohort.fence import require_inside
from idc_widgets.cohort.scalars import Scalar
from idc_widgets.lib.sql import identifier
from idc_widgets.lib.sql import literal as text_literal

# Identifiers, and what a word must consist of to be the start of one; nothing else is compared with a million of them.
_IDENTIFIERS = (
    (("StudyInstanceUID", "SeriesInstanceUID"), re.compile(r"[0-9.]+")),
    (("crdc_series_uuid",), re.compile(r"[0-9a-f-]+")),
)

_MANY = 64  # longer lists of values travel as one list


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
    return text_literal(value)


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

    Attributes
    ----------
    parameters
        The values bound, in their order.
    tables
        The tables beside the index that the SQL reads.
    """

    index: Index
    table: str = "series"
    study: str = "study_key"
    patient: str = "patient_key"
    bind: Callable[[Scalar], str] | None = None
    unnest: bool = True
    parameters: list[Any] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)

    def where(self, conditions: Sequence[Condition]) -> str:
        """Return the conjunction of the conditions as SQL; "TRUE" for none."""
        return " AND ".join(self.condition(c) for c in conditions) or "TRUE"

    def condition(self, c: Condition) -> str:
        """Return one condition as a SQL expression that is true or false, never NULL."""
        match c:
            case In() | Between() | Compare() | Contains() if "." in c.column:
                return self._joined(c, self.index.joined(c.column))
            case In():
                return self._in(c)
            case Between():
                return self._between(c)
            case Compare():
                value = self._end(c) if c.column in DATE_COLUMNS else c.value
                return f"coalesce({self._ordered(c.column)} {c.than} {self._value(value)}, FALSE)"
            case Implausible():
                name = identifier(c.column)
                return f"({name} IS NOT NULL AND {years_of_age(name)} IS NULL)"
            case Contains():
                return f"coalesce(strpos(lower({self._text(c.column)}), {self._value(c.text.lower())}) > 0, FALSE)"
            case References():
                return self._refers(c.arg, "source", "target")
            case ReferencedBy():
                return self._refers(c.arg, "target", "source")
            case Sql():
                require_inside(self.index, c.text)
                self.tables |= self.index.tables_in(c.text)
                # Read where it means what it would mean in `catalog.sql`; the line break ends a comment.
                return f'("SeriesInstanceUID" IN (SELECT "SeriesInstanceUID" FROM "index" WHERE ({c.text}\n)))'
            case Search():
                return "(" + " AND ".join(self._word(w) for w in words_of(c.text)) + ")"
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

    def _text(self, column: str) -> str:
        return f"{identifier(column)}::VARCHAR"

    def _in(self, c: In) -> str:
        if c.column in TERM_COLUMNS:
            values = [None if v is None else str(v) for v in c.values]
            return self._in(In("collection_id", tuple(self.index.collections_with(c.column, values))))
        column = identifier(c.column)
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
        low, high = c.low, c.high
        if c.column in DATE_COLUMNS:
            # A year or month as upper bound means to its end: "2015" < "2015-06-01" < "2015~".
            low = None if low is None else str(low)
            high = None if high is None else str(high) + "~"
        return self._bounded(self._ordered(c.column), low, high)

    @staticmethod
    def _end(c: Compare) -> str:
        # After a year or month is after its end, before one is before its start; see `_between`.
        return f"{c.value}~" if c.than == ">" else str(c.value)

    def _bounded(self, column: str, low: Scalar, high: Scalar) -> str:
        parts = []
        if low is not None:
            parts.append(f"{column} >= {self._value(low)}")
        if high is not None:
            parts.append(f"{column} <= {self._value(high)}")
        return f"coalesce({' AND '.join(parts)}, FALSE)"

    def _ordered(self, column: str) -> str:
        """Return what a bound on the column is compared with."""
        name = identifier(column)
        if column == "PatientAge":
            return years_of_age(name)
        return name if column in NUMBER_COLUMNS else f"{name}::VARCHAR"

    # -- other tables

    def _joined(self, c: In | Between | Compare | Contains, j: Joined) -> str:
        """Return that some row of the table which belongs to the series satisfies the condition."""
        if not isinstance(c, In) or None not in c.values:
            return self._some_row(j, self._of_row(c, j)) if not isinstance(c, In) or c.values else "FALSE"
        missing = f"(NOT {self._some_row(j, identifier(j.column) + ' IS NOT NULL')})"
        present = replace(c, values=tuple(v for v in c.values if v is not None))
        return f"({self._some_row(j, self._of_row(present, j))} OR {missing})" if present.values else missing

    def _some_row(self, j: Joined, where: str) -> str:
        self.tables.add(j.table)
        theirs = ", ".join(f"{identifier(t)}::VARCHAR" for _, t in j.keys)
        ours = ", ".join(f"{identifier(o)}::VARCHAR" for o, _ in j.keys)
        source = identifier(j.table)
        if j.many:
            keys = ", ".join(identifier(t) for _, t in j.keys)
            column = identifier(j.column)
            source = f"(SELECT {keys}, unnest({column}) AS {column} FROM {source})"
        ours = f"({ours})" if len(j.keys) > 1 else ours
        there = " AND ".join(f"{identifier(t)} IS NOT NULL" for _, t in j.keys)
        sql = f"coalesce({ours} IN (SELECT {theirs} FROM {source} WHERE {there} AND {where}), FALSE)"
        if j.collections is not None:
            sql = f"({sql} AND {self._in(In('collection_id', j.collections))})"
        return sql

    def _of_row(self, c: In | Between | Compare | Contains, j: Joined) -> str:
        name, text = identifier(j.column), self._text(j.column)
        value = name if j.kind in ("number", "boolean") else text
        match c:
            case In():
                return f"coalesce({value} IN ({', '.join(self._value(v) for v in c.values)}), FALSE)"
            case Between():
                high = str(c.high) + "~" if j.kind == "date" and c.high is not None else c.high
                low = str(c.low) if j.kind == "date" and c.low is not None else c.low
                return self._bounded(value, low, high)
            case Compare():
                than = self._end(c) if j.kind == "date" else c.value
                return f"coalesce({value} {c.than} {self._value(than)}, FALSE)"
        return f"coalesce(strpos(lower({text}), {self._value(c.text.lower())}) > 0, FALSE)"

    def _refers(self, arg: Condition, ours: str, theirs: str) -> str:
        """Return that a reference joins the series (`ours` of it) with one for which `arg` holds."""
        # Rows about segmentations alone can answer for segmentations: the other tables need not be fetched for it.
        modalities = _modalities(arg) if theirs == "source" else None
        tables = [t for m, t in REFERRING.items() if modalities is None or m in modalities]
        if not tables:
            return "FALSE"
        self.tables.update(tables)
        references = " UNION ALL ".join(
            f'SELECT "SeriesInstanceUID" AS source, "{REFERENCES[t]}" AS target FROM "{t}"' for t in tables
        )
        return (
            f'coalesce("SeriesInstanceUID" IN (SELECT {ours} FROM ({references}) WHERE {ours} IS NOT NULL AND '
            f'{theirs} IN (SELECT "SeriesInstanceUID" FROM {self.table} WHERE {self.condition(arg)})), FALSE)'
        )

    def _word(self, word: str) -> str:
        """Return that a word occurs: it matches words and their starts; identifiers match whole or from their start."""
        if self.bind is None and self.index.database.cached:
            bits = self.index.database.words.bits(word)
            parts = [f"patient_key IN (SELECT key FROM cache.patients WHERE starts_with(id, {self._value(word)}))"]
            if bits:
                parts.append(f"get_bit({self._value(bits)}::BIT, text_key) = 1")
        else:
            parts = [
                f"regexp_matches({HAYSTACK}, {self._value(pattern(word))})",
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


def _modalities(condition: Condition) -> set[Scalar] | None:
    """Return the only modalities that a condition leaves, None where it does not say."""
    if isinstance(condition, And):
        found = [m for m in map(_modalities, condition.args) if m is not None]
        return set.intersection(*found) if found else None
    return set(condition.values) if isinstance(condition, In) and condition.column == "Modality" else None


def own_column(condition: Condition) -> str | None:
    """Return the column that a condition restricts, also when it excludes."""
    if isinstance(condition, Not):
        return own_column(condition.arg)
    return condition.column if isinstance(condition, In) else None
