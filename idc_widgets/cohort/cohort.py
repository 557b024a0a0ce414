"""`Cohort`: which series, as a value."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.catalog.catalog import default_catalog
from idc_widgets.catalog.database import SERIES
from idc_widgets.cohort import check, dialects, frames
from idc_widgets.cohort.code import to_code, to_program
from idc_widgets.cohort.compile import Compiler
from idc_widgets.cohort.conditions import And, Condition, In, Not, Or, from_json, simplify

if TYPE_CHECKING:
    import pandas as pd

_FORMAT = "idc_widgets.cohort"


@dataclass(frozen=True)
class Counts:
    """How much a cohort holds; exact. A patient is a (collection, PatientID) pair."""

    series: int
    studies: int
    patients: int
    collections: int
    instances: int
    bytes: int


class Cohort:
    """A set of series: one release of the catalogue plus conditions. Immutable; comparable; prints as its code.

    Made by `catalog.cohort(...)` and by narrowing (`where`, `exclude`) and combining (`&`, `|`, `-`) others.
    """

    __slots__ = ("_catalog", "_conditions", "_counts")

    def __init__(self, catalog: Catalog, conditions: Sequence[Condition] = ()) -> None:
        self._catalog = catalog
        self._conditions = simplify(conditions)
        self._counts: Counts | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalogue it is of."""
        return self._catalog

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions; all of them hold for each of its series."""
        return self._conditions

    # -- narrowing and combining

    def where(self, *conditions: Condition, **columns: Any) -> Cohort:
        """Return the series of this cohort that also satisfy these conditions.

        Raises
        ------
        UnknownNameError
            If a column or value is not in the catalogue; the message suggests near ones.
        """
        return Cohort(self._catalog, [*self._conditions, *self._checked(conditions, columns)])

    def exclude(self, *conditions: Condition, **columns: Any) -> Cohort:
        """Return the series of this cohort that satisfy none of these conditions; missing values stay."""
        return Cohort(self._catalog, [*self._conditions, *(Not(c) for c in self._checked(conditions, columns))])

    def _checked(self, conditions: Sequence[Condition], columns: Mapping[str, Any]) -> list[Condition]:
        for c in conditions:
            if not isinstance(c, Condition):
                raise TypeError(f"{c!r} is no condition; write column=value, or idc.between(…), idc.contains(…) ….")
        found = [*conditions, *check.from_keywords(columns)]
        for c in found:
            check.check(self._catalog, c)
        return found

    def __and__(self, other: Cohort) -> Cohort:
        self._same_release(other)
        return Cohort(self._catalog, [*self._conditions, *other._conditions])

    def __or__(self, other: Cohort) -> Cohort:
        self._same_release(other)
        return Cohort(self._catalog, [Or((self._as_one(), other._as_one()))])

    def __sub__(self, other: Cohort) -> Cohort:
        self._same_release(other)
        return Cohort(self._catalog, [*self._conditions, Not(other._as_one())])

    def _as_one(self) -> Condition:
        return self._conditions[0] if len(self._conditions) == 1 else And(self._conditions)

    def _same_release(self, other: Cohort) -> None:
        if not isinstance(other, Cohort):
            raise TypeError(f"A cohort combines with a cohort, not with {type(other).__name__}.")
        if other._catalog.release != self._catalog.release:
            raise ValueError(
                f"These cohorts are of different releases ({self._catalog.release}, {other._catalog.release})."
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cohort):
            return NotImplemented
        return self._catalog.release == other._catalog.release and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self._catalog.release, self._key()))

    def _key(self) -> frozenset[str]:
        # The order of conditions, and of values within one, says nothing.
        return frozenset(json.dumps(_canonical(c.to_json()), sort_keys=True) for c in self._conditions)

    def __repr__(self) -> str:
        return to_code(self._conditions)

    # -- what it holds

    def compiled(self, *, without: str | None = None) -> tuple[str, list[Any]]:
        """Return its condition as SQL and the values bound in it; `without` leaves out the conditions on a column."""
        compiler = Compiler(self._catalog)
        kept = [c for c in self._conditions if without is None or _own_column(c) != without]
        return compiler.where(kept), compiler.parameters

    @property
    def counts(self) -> Counts:
        """Series, studies, patients, collections, instances and bytes; exact."""
        if self._counts is None:
            where, parameters = self.compiled()
            row = self._catalog.database.rows(
                "SELECT count(*), count(DISTINCT study_key), count(DISTINCT patient_key), "
                "count(DISTINCT collection_id), coalesce(sum(instanceCount), 0)::BIGINT, "
                f"coalesce(sum(series_bytes), 0)::BIGINT FROM {SERIES} WHERE {where}",
                parameters,
            )[0]
            self._counts = Counts(*row)
        return self._counts

    def __len__(self) -> int:
        return self.counts.series

    def __bool__(self) -> bool:
        return True  # a cohort that matches nothing is still a cohort

    def tally(self, column: str) -> list[tuple[Any, int]]:
        """Return each value of a column in this cohort with its number of series, most first."""
        where, parameters = self.compiled()
        return self._catalog.database.rows(
            f'SELECT "{column}", count(*) AS n FROM {SERIES} WHERE {where} GROUP BY 1 ORDER BY n DESC, 1', parameters
        )

    def facets(self, column: str) -> pd.DataFrame:
        """Return how the cohort divides by a column: value, series, bytes; most series first.

        A missing value is a row of its own. The cohort's own condition on this column is left out, so the frame says
        what choosing another value would give. Of a list of terms (cancer_types, tumor_locations, species) each
        series counts under every term of its collection.
        """
        self._catalog.require_column(column)
        return frames.facets(self._catalog, column, *self.compiled(without=column))

    def series(
        self,
        columns: Sequence[str] | None = None,
        order_by: str | Sequence[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Return its series, a row each.

        Parameters
        ----------
        columns
            Names of columns of the index; by default all.
        order_by
            A column or several; "-" before a name sorts descending. Missing values come last, ties keep the order of
            the index.
        limit, offset
            How many rows, and from which on.
        """
        where, parameters = self.compiled()
        return frames.series(self._catalog, where, parameters, columns, order_by, limit, offset)

    def studies(self) -> pd.DataFrame:
        """Return its studies: collection, patient, study, date, description, modalities, series, instances, bytes."""
        return frames.grouped(self._catalog, "study", *self.compiled())

    def patients(self) -> pd.DataFrame:
        """Return its patients: collection, patient, studies, modalities, series, instances, bytes."""
        return frames.grouped(self._catalog, "patient", *self.compiled())

    def collections(self) -> pd.DataFrame:
        """Return its collections: id, patients, studies, modalities, series, instances, bytes."""
        return frames.grouped(self._catalog, "collection", *self.compiled())

    # -- as text

    def sql(self, dialect: Literal["duckdb", "bigquery"] = "duckdb") -> str:
        """Return a query that selects the same series, and runs as it stands.

        Parameters
        ----------
        dialect
            "duckdb" reads the published parquet file; "bigquery" is GoogleSQL for IDC's public dataset of this
            version, where the index is made first by the query that IDC makes it with.

        Raises
        ------
        ValueError
            If the dialect is neither.
        """
        return dialects.to_sql(self._catalog, self._conditions, dialect)

    def code(self, flavour: Literal["idc_widgets", "idc-index"] = "idc_widgets") -> str:
        """Return Python that makes this cohort in a fresh interpreter.

        Parameters
        ----------
        flavour
            "idc_widgets" makes `cohort`; "idc-index" needs only IDC's own client, and makes the data frame `df` of
            the same series.

        Raises
        ------
        ValueError
            If the flavour is neither.
        """
        return to_program(self._catalog, self._conditions, flavour)

    def to_json(self) -> str:
        """Return the cohort as JSON text, with the release it was made with; `Cohort.from_json` reads it."""
        return json.dumps(
            {
                "format": _FORMAT,
                "idc_version": self._catalog.version,
                "release": self._catalog.release,
                "where": [c.to_json() for c in self._conditions],
            }
        )

    @staticmethod
    def from_json(text: str, catalog: Catalog | None = None) -> Cohort:
        """Return the cohort that `to_json` wrote.

        Parameters
        ----------
        text
            JSON text.
        catalog
            The catalogue to read it with; by default the shared one.

        Raises
        ------
        ValueError
            If the text is no cohort, or names a column that this release does not have.
        """
        try:
            loaded = json.loads(text)
            where = loaded["where"]
            if loaded["format"] != _FORMAT:
                raise KeyError("format")
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"This is not a cohort as JSON (it lacks {error}): {text[:80]!r}") from error
        return Cohort(catalog or default_catalog(), [from_json(c) for c in where])

    # -- getting it

    def items(self, layout: str = transfer.DEFAULT_LAYOUT) -> list[transfer.Item]:
        """Return what a download needs to know of each series.

        Parameters
        ----------
        layout
            Template of the folders; the columns it names are read.
        """
        keys = transfer.layout_keys(layout, self._catalog.index_columns)
        where, parameters = self.compiled()
        extra = "".join(f', "{k}"::VARCHAR' for k in keys)
        rows = self._catalog.database.rows(
            f"SELECT SeriesInstanceUID, crdc_series_uuid, aws_bucket::VARCHAR, instanceCount, series_bytes{extra} "
            f"FROM {SERIES} WHERE {where} ORDER BY row_id",
            parameters,
        )
        return [
            transfer.Item(uid, uuid, bucket, files, size, dict(zip(keys, fields, strict=True)))
            for uid, uuid, bucket, files, size, *fields in rows
        ]

    def _title(self) -> str:
        collections = [v for v, _ in self.tally("collection_id")]
        return f"{_some(collections, 2)} · {_some([v for v, _ in self.tally('Modality')], 3)}"

    def download(
        self,
        destination: str | os.PathLike[str],
        *,
        provider: Literal["aws", "gcs"] = "aws",
        layout: str = transfer.DEFAULT_LAYOUT,
        endpoint_url: str | None = None,
        title: str | None = None,
    ) -> transfer.Job:
        """Start downloading its series in the background and return the job at once.

        The download is a process of its own: it goes on when this one ends. What is there already is not fetched
        again. A series' folder appears under its name only when every file of it was checked.

        Parameters
        ----------
        destination
            Folder to download into; made if missing.
        provider
            "aws" or "gcs": the cloud to download from.
        layout
            Folders below the destination: `%column` of the index, joined by "/", "_" or "-".
        endpoint_url
            S3 endpoint in place of the provider's.
        title
            Name of the job in the download panel; by default its collections and modalities.

        Raises
        ------
        TransferError
            If the cohort is empty, the destination cannot be written, the disk is too small, or the endpoint does
            not answer; one sentence says which.
        """
        return transfer.start(
            self.items(layout),
            Path(destination),
            provider=provider,
            layout=layout,
            endpoint_url=endpoint_url,
            title=title or self._title(),
            idc_version=self._catalog.version,
        )


def _some(values: Sequence[object], shown: int) -> str:
    more = f" +{len(values) - shown}" if len(values) > shown else ""
    return ", ".join(str(v) for v in values[:shown]) + more


def _own_column(condition: Condition) -> str | None:
    """Return the column that a condition restricts, also when it excludes."""
    if isinstance(condition, Not):
        return _own_column(condition.arg)
    return condition.column if isinstance(condition, In) else None


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        out = {k: _canonical(v) for k, v in value.items()}
        for key in ("values", "modalities"):
            if isinstance(out.get(key), list):
                out[key] = sorted(out[key], key=lambda v: (v is None, str(v)))
        if isinstance(out.get("args"), list):
            out["args"] = sorted(out["args"], key=lambda v: json.dumps(v, sort_keys=True))
        return out
    return [_canonical(v) for v in value] if isinstance(value, list) else value
