"""`Cohort`: which series, as a value."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from idc_widgets import transfer
from idc_widgets.catalog import Catalog
from idc_widgets.catalog.catalog import default_catalog
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.export import Progress
from idc_widgets.cohort import check, citations, dialects, exchange, frames, summary
from idc_widgets.cohort.clinical import clinical
from idc_widgets.cohort.code import to_code, to_program
from idc_widgets.cohort.compile import Compiler
from idc_widgets.cohort.conditions import And, Condition, In, Not, Or, ReferredBy, RefersTo, canonical, simplify
from idc_widgets.cohort.getting import Gettable
from idc_widgets.cohort.instances import instances
from idc_widgets.cohort.summary import Counts

if TYPE_CHECKING:
    import pandas as pd


class Cohort(Gettable):
    """A set of series: one release of the catalogue plus conditions. Immutable; comparable; prints as its code.

    Made by `catalog.cohort(...)` and by narrowing (`where`, `exclude`) and combining (`&`, `|`, `-`) others.
    """

    __slots__ = ("_catalog", "_conditions", "_counts", "_unknown")

    def __init__(self, catalog: Catalog, conditions: Sequence[Condition] = (), unknown: Sequence[str] = ()) -> None:
        self._catalog = catalog
        self._conditions = simplify(conditions)
        self._unknown = tuple(dict.fromkeys(unknown))
        self._counts: Counts | None = None

    @property
    def catalog(self) -> Catalog:
        """The catalogue it is of."""
        return self._catalog

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions; all of them hold for each of its series."""
        return self._conditions

    @property
    def unknown(self) -> tuple[str, ...]:
        """Values that came in with a list, file or cohort of elsewhere, and that no series of this release has.

        They say nothing of which series it holds, so cohorts that differ in them alone are equal.
        """
        return self._unknown

    # -- narrowing and combining

    def where(self, *conditions: Condition, **columns: Any) -> Cohort:
        """Return the series of this cohort that also satisfy these conditions.

        Raises
        ------
        UnknownNameError
            If a column or value is not in the catalogue; the message suggests near ones.
        """
        return Cohort(self._catalog, [*self._conditions, *self._checked(conditions, columns)], self._unknown)

    def exclude(self, *conditions: Condition, **columns: Any) -> Cohort:
        """Return the series of this cohort that satisfy none of these conditions; missing values stay."""
        without = [Not(c) for c in self._checked(conditions, columns)]
        return Cohort(self._catalog, [*self._conditions, *without], self._unknown)

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
        return self._with([*self._conditions, *other._conditions], other)

    def __or__(self, other: Cohort) -> Cohort:
        self._same_release(other)
        return self._with([Or((self._as_one(), other._as_one()))], other)

    def __sub__(self, other: Cohort) -> Cohort:
        self._same_release(other)
        return self._with([*self._conditions, Not(other._as_one())], other)

    def _with(self, conditions: Sequence[Condition], other: Cohort) -> Cohort:
        return Cohort(self._catalog, conditions, (*self._unknown, *other._unknown))

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
        return frozenset(json.dumps(canonical(c.to_json()), sort_keys=True) for c in self._conditions)

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
            self._counts = summary.count(self._catalog, *self.compiled())
        return self._counts

    def __len__(self) -> int:
        return self.counts.series

    def __bool__(self) -> bool:
        return True  # a cohort that matches nothing is still a cohort

    def describe(self) -> summary.Summary:
        """Return what it holds, to be read: counts, modalities, collections, licences, dates."""
        where, parameters = self.compiled()
        return summary.describe(self._catalog, repr(self), where, parameters, self.counts, self._unknown)

    def tally(self, column: str) -> list[tuple[Any, int]]:
        """Return each value of a column in this cohort with its number of series, most first."""
        where, parameters = self.compiled()
        return self._catalog.database.rows(
            f'SELECT "{column}", count(*) AS n FROM {SERIES} WHERE {where} GROUP BY 1 ORDER BY n DESC, 1', parameters
        )

    def facets(self, column: str, limit: int | None = None) -> pd.DataFrame:
        """Return how the cohort divides by a column: value, series, bytes; most series first, `limit` values at most.

        Values that differ in letter case alone (Phantom, PHANTOM) follow the most frequent of them. A missing value is
        a row of its own. The cohort's own condition on this column is left out, so the frame says what choosing
        another value would give. Of a list of terms (cancer_types, tumor_locations, species) each series counts under
        every term of its collection.
        """
        self._catalog.require_column(column)
        return frames.facets(self._catalog, column, *self.compiled(without=column), limit)

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
            Names of columns of the index (by default all), or of the series' collection: collection_name,
            cancer_types, tumor_locations, species.
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

    def citations(self) -> pd.DataFrame:
        """Return what to cite: a row for each data set that series come from, the one with most series first, then IDC.

        The columns are `source_DOI`, `citation` (text, of `collections_index` and `analysis_results_index`),
        `licences`, `collections`, `series` and `bytes`. No network is needed.
        """
        return citations.frame(self._catalog, *self.compiled())

    def clinical(self, table: str) -> pd.DataFrame:
        """Return the rows of a clinical table about its patients, with their collection_id and PatientID.

        Raises
        ------
        UnknownNameError
            If there is no such table; `catalog.clinical()` lists them.
        TableUnavailableError
            If it is not on this machine and could not be fetched.
        """
        return clinical(self._catalog, table, *self.compiled())

    def instances(
        self, columns: Sequence[str] | None = None, limit: int | None = None, progress: Progress | None = None
    ) -> pd.DataFrame:
        """Return its instances, a row each, from `dicom_all` of IDC's metadata export; see `Catalog.remote`.

        Parameters
        ----------
        columns
            Columns of `dicom_all`; by default those that identify an instance, its size and its addresses.
        limit
            How many rows at most, in no order; by default all, by series.
        progress
            Called with what is going on, how far it is and of how much.
        """
        return instances(self._catalog, *self.compiled(), columns, limit, progress)

    def companions(self) -> Cohort:
        """Return the series outside it that its series refer to, or that refer to them.

        Its counts are the change that adding them makes: `cohort | cohort.companions()`. See `idc.refers_to` for
        which series refer to others.
        """
        one = self._as_one()
        return Cohort(self._catalog, [Or((ReferredBy(one), RefersTo(one))), Not(one)])

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
        return exchange.dump(self._catalog, self._conditions, self._unknown)

    @staticmethod
    def from_json(text: str, catalog: Catalog | None = None) -> Cohort:
        """Return the cohort that `to_json` wrote, also under another IDC version.

        Values that this release lacks are in its `unknown`; a warning says that the version is another.

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
        catalog = catalog or default_catalog()
        conditions, unknown, version = exchange.load(catalog, text)
        if version is not None and version != catalog.version:
            warnings.warn(
                f"This cohort was made with IDC v{version} and is read with v{catalog.version}: its counts may differ "
                f"since version {version}.",
                UserWarning,
                stacklevel=2,
            )
        return Cohort(catalog, conditions, unknown)

    @staticmethod
    def from_frame(frame: pd.DataFrame, catalog: Catalog | None = None) -> Cohort:
        """Return the series that a data frame names, such as one of idc-index.

        The finest identifier that it has decides: SeriesInstanceUID, crdc_series_uuid, StudyInstanceUID, collection_id
        and PatientID together, PatientID (in any collection), collection_id. What this release does not know is in
        `unknown`.

        Raises
        ------
        ValueError
            If it has none of these columns.
        """
        catalog = catalog or default_catalog()
        return Cohort(catalog, *exchange.of_frame(catalog, frame))

    @staticmethod
    def from_manifest(source: str | os.PathLike[str], catalog: Catalog | None = None) -> Cohort:
        """Return the series that a manifest or a list of identifiers names.

        Parameters
        ----------
        source
            A file, or its text: lines `cp s3://bucket/uuid/* …` as of IDC's portal; UIDs of series or studies, one a
            line or separated by commas; or CSV with such a column, as a download's `manifest.csv` and a saved table
            are. What this release does not know is in `unknown`.
        catalog
            The catalogue to look in; by default the shared one.

        Raises
        ------
        ValueError
            If there is no identifier in it.
        """
        catalog = catalog or default_catalog()
        return Cohort(catalog, *exchange.of_manifest(catalog, source))

    def to_manifest(self, path: str | os.PathLike[str] | None = None, *, provider: transfer.Provider = "aws") -> str:
        """Return its manifest, for s5cmd or idc-index, and write it to `path` where one is given."""
        text = exchange.manifest(self._catalog, *self.compiled(), provider)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8", newline="\n")
        return text


def _own_column(condition: Condition) -> str | None:
    """Return the column that a condition restricts, also when it excludes."""
    if isinstance(condition, Not):
        return _own_column(condition.arg)
    return condition.column if isinstance(condition, In) else None
