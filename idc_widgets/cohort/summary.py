"""What a cohort is, on a few readable lines: `cohort.describe()`."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from idc_widgets.catalog import Index
from idc_widgets.catalog.bins import years_of_age
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.licences import forbids_commercial_use
from idc_widgets.lib.format import human_bytes

_SHOWN = 8
_CODE = 300  # characters; a pasted list of thousands of identifiers is no summary

Part = tuple[str, int, int]


@dataclass(frozen=True)
class Counts:
    """How much a cohort holds; exact. A patient is a (collection, PatientID) pair."""

    series: int
    studies: int
    patients: int
    collections: int
    instances: int
    bytes: int


@dataclass(frozen=True)
class Summary:
    """What a cohort holds, to be read; shown as text or, in a notebook, as a small table.

    Each of `modalities`, `body_parts`, `sexes`, `collections` and `licences` is a tuple of (value, series, bytes), most
    series first; "missing" stands where there is no value.
    """

    code: str
    idc_version: int
    counts: Counts
    modalities: tuple[Part, ...]
    collections: tuple[Part, ...]
    licences: tuple[Part, ...]
    first_date: str | None
    last_date: str | None
    undated: int
    unknown: tuple[str, ...] = ()
    body_parts: tuple[Part, ...] = ()
    sexes: tuple[Part, ...] = ()
    youngest: float | None = None
    oldest: float | None = None
    ageless: int = 0

    @property
    def noncommercial(self) -> int:
        """How many of its bytes must not be used commercially."""
        return sum(size for licence, _, size in self.licences if forbids_commercial_use(licence))

    def lines(self) -> list[tuple[str, str]]:
        """Return the summary as pairs of a heading and what there is to say."""
        c = self.counts
        out = [
            ("Cohort", self.code if len(self.code) <= _CODE else self.code[: _CODE - 1] + "…"),
            ("Release", f"IDC v{self.idc_version}"),
            ("Holds", f"{_number(c.series, 'series', 'series')} in {_number(c.studies, 'study', 'studies')} of "
                      f"{_number(c.patients, 'patient')} in {_number(c.collections, 'collection')}"),
            ("Size", f"{human_bytes(c.bytes)} in {_number(c.instances, 'file')}"),
        ]  # fmt: skip
        if c.series:
            out += [("Modalities", _some(self.modalities)), ("Body parts", _some(self.body_parts))]
            out += [("Sex", _some(self.sexes)), ("Age", self._ages()), ("Collections", _some(self.collections))]
            out.append(("Licences", _some(self.licences, mark=True)))
            out.append(("Study dates", self._dates()))
        if self.unknown:
            more = f" and {len(self.unknown) - 5:,} more" if len(self.unknown) > 5 else ""
            named = ", ".join(_named(u) for u in self.unknown[:5])
            out.append(("Unknown here", f"{_number(len(self.unknown), 'value')}: {named}{more}"))
        return out

    def _ages(self) -> str:
        if self.youngest is None or self.oldest is None:
            return "not known"
        span = f"{self.youngest:.3g}" + (f" to {self.oldest:.3g}" if self.oldest != self.youngest else "") + " years"
        return span + (f" ({self.ageless:,} series without)" if self.ageless else "")

    def _dates(self) -> str:
        if self.first_date is None:
            return "none"
        span = self.first_date if self.first_date == self.last_date else f"{self.first_date} to {self.last_date}"
        return span + (f" ({self.undated:,} series without)" if self.undated else "")

    def __repr__(self) -> str:
        return "\n".join(f"{heading:<13} {_printable(text)}" for heading, text in self.lines())

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th style="text-align:left;vertical-align:top">{heading}</th>'
            f'<td style="text-align:left">{html.escape(_printable(text))}</td></tr>'
            for heading, text in self.lines()
        )
        return f"<table>{rows}</table>"


def count(index: Index, where: str, parameters: Sequence[Any]) -> Counts:
    """Return how much a condition holds."""
    return Counts(
        *index.database.rows(
            "SELECT count(*), count(DISTINCT study_key), count(DISTINCT patient_key), count(DISTINCT collection_id), "
            "coalesce(sum(instanceCount), 0)::BIGINT, coalesce(sum(series_bytes), 0)::BIGINT "
            f"FROM {SERIES} WHERE {where}",
            parameters,
        )[0]
    )


def describe(
    index: Index, code: str, where: str, parameters: Sequence[Any], counts: Counts, unknown: tuple[str, ...]
) -> Summary:
    """Return the summary of a cohort whose counts are known."""

    def parts(column: str) -> tuple[Part, ...]:
        rows = index.database.rows(
            f"SELECT coalesce(\"{column}\"::VARCHAR, 'missing') AS v, count(*) AS n, sum(series_bytes)::BIGINT "
            f"FROM {SERIES} WHERE {where} GROUP BY v ORDER BY n DESC, v",
            parameters,
        )
        return tuple((str(v), n, size) for v, n, size in rows)

    age = years_of_age('"PatientAge"')
    first, last, undated, youngest, oldest, ageless = index.database.rows(
        f'SELECT min("StudyDate"::VARCHAR), max("StudyDate"::VARCHAR), count(*) - count("StudyDate"), '
        f"min({age})::DOUBLE, max({age})::DOUBLE, count(*) - count({age}) "
        f"FROM {SERIES} WHERE {where}",
        parameters,
    )[0]
    return Summary(
        code,
        index.version,
        counts,
        parts("Modality"),
        parts("collection_id"),
        parts("license_short_name"),
        first,
        last,
        undated,
        unknown,
        parts("BodyPartExamined"),
        parts("PatientSex"),
        youngest,
        oldest,
        ageless,
    )


def _named(unknown: str) -> str:
    short = unknown if len(unknown) <= 70 else unknown[:69] + "…"
    reason = getattr(unknown, "reason", "")
    return f"{short} ({reason})" if reason else short


def _number(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _some(parts: Sequence[Part], mark: bool = False) -> str:
    shown = [
        f"{value} {series:,}"
        + (f" (non-commercial, {human_bytes(size)})" if mark and forbids_commercial_use(value) else "")
        for value, series, size in parts[:_SHOWN]
    ]
    more = [f"and {len(parts) - _SHOWN:,} more"] if len(parts) > _SHOWN else []
    return " · ".join(shown + more)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
