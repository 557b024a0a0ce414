"""`Cohort`: which series, as a value."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from idc_widgets.api.download import Downloadable
from idc_widgets.api.shared import catalog_or_default, is_catalog
from idc_widgets.catalog.export import Progress
from idc_widgets.cohort import citations, dialects, frames, identifiers, serialize, summary, validate, values
from idc_widgets.cohort.clinical import clinical
from idc_widgets.cohort.code import to_code, to_program
from idc_widgets.cohort.compile import Compiler, own_column
from idc_widgets.cohort.conditions import And, Condition, In, Not, Or, ReferencedBy, References, simplify
from idc_widgets.cohort.instances import instances
from idc_widgets.cohort.scalars import canonical
from idc_widgets.cohort.summary import Counts
from idc_widgets.lib import arguments

if TYPE_CHECKING:
    import pandas as pd

    from idc_widgets.api.catalog import Catalog


class Cohort(Downloadable):
    """A set of series: one release of the catalogue plus conditions. Immutable; comparable; prints as its code.

    Made by `catalog.cohort(...)` and by narrowing (`where`, `exclude`) and combining (`&`, `|`, `-`) others.
    """

    __slots__ = ("_catalog", "_conditions", "_counts", "_unknown")

    def __init__(self, catalog: Catalog, conditions: Sequence[Condition] = (), unknown: Sequence[str] = ()) -> None:
        if not is_catalog(catalog):
            raise TypeError(f"catalog={arguments.shown(catalog)}: an idc.Catalog is wanted; see catalog.cohort(…).")
        self._catalog = catalog
        self._conditions = simplify(validate.require_conditions(conditions))
        self._unknown = tuple(dict.fromkeys(validate.require_texts(unknown)))
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
        found = [*validate.require_conditions(conditions), *validate.from_keywords(columns)]
        for c in found:
            validate.check(self._catalog.index, c)
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
        compiler = Compiler(self._catalog.index)
        kept = [c for c in self._conditions if without is None or own_column(c) != without]
        return compiler.where(kept), compiler.parameters

    @property
    def counts(self) -> Counts:
        """Series, studies, patients, collections, instances and bytes; exact."""
        if self._counts is None:
            self._counts = summary.count(self._catalog.index, *self.compiled())
        return self._counts

    def __len__(self) -> int:
        return self.counts.series

    def __bool__(self) -> bool:
        return True  # a cohort that matches nothing is still a cohort

    def describe(self) -> summary.Summary:
        """Return what it holds, to be read: counts, modalities, collections, licences, dates."""
        where, parameters = self.compiled()
        return summary.describe(self._catalog.index, repr(self), where, parameters, self.counts, self._unknown)

    def value_counts(self, column: str) -> list[tuple[Any, int]]:
        """Return each value of a column in this cohort with its number of series, most first; see `facets`."""
        rows = values.tally(self._catalog.index, column, *self.compiled())
        return sorted(((v, n) for v, n, _ in rows), key=lambda r: (-r[1], r[0] is None, str(r[0])))

    def facets(self, column: str, limit: int | None = None) -> pd.DataFrame:
        """Return how the cohort divides by a column: value, series, bytes; most series first, `limit` values at most.

        Values that differ in letter case alone (Phantom, PHANTOM) follow the most frequent of them. A missing value is
        a row of its own. The cohort's own condition on this column is left out, so the frame says what choosing
        another value would give. Of a list of terms (cancer_types, tumor_locations, species) each series counts under
        every term of its collection; of "table.column" (see `idc.col`) under every value of the rows that belong to it.

        Raises
        ------
        UnknownNameError
            If there is no such column; the message says which tables have it, or suggests near names.
        """
        arguments.text(column, "column", 'the name of a column, such as "Modality",')
        return frames.facets(self._catalog.index, column, *self.compiled(without=column), limit)

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
            Names of columns of the index (by default all), of the series' collection (collection_name, cancer_types,
            tumor_locations, species), or "table.column" of a table that joins with the index, see `idc.col`: its
            value, or the list of values where several rows of that table belong to a series.
        order_by
            A column or several; "-" before a name sorts descending. Missing values come last, ties keep the order of
            the index.
        limit, offset
            How many rows, and from which on.
        """
        where, parameters = self.compiled()
        return frames.series(self._catalog.index, where, parameters, columns, order_by, limit, offset)

    def studies(self) -> pd.DataFrame:
        """Return its studies, a row each.

        Columns: collection_id, PatientID, StudyInstanceUID, StudyDate, StudyDescription, PatientAge, PatientSex,
        modalities, body_parts, series, instances, bytes. Where the series of a study differ, all of their values are
        there in order, dates and descriptions with "; " between them, the others with ", ".
        """
        return frames.grouped(self._catalog.index, "study", *self.compiled())

    def patients(self) -> pd.DataFrame:
        """Return its patients, a row each.

        Columns: collection_id, PatientID, PatientAge (at each of the studies) and PatientSex, studies, modalities,
        body_parts, series, instances, bytes.
        """
        return frames.grouped(self._catalog.index, "patient", *self.compiled())

    def collections(self) -> pd.DataFrame:
        """Return its collections: id, patients, studies, modalities, body_parts, series, instances, bytes."""
        return frames.grouped(self._catalog.index, "collection", *self.compiled())

    def citations(self) -> pd.DataFrame:
        """Return what to cite: a row for each data set that series come from, the one with most series first, then IDC.

        The columns are `source_DOI`, `citation` (text, of `collections_index` and `analysis_results_index`),
        `licences`, `collections`, `series` and `bytes`. No network is needed.
        """
        return citations.frame(self._catalog.index, *self.compiled())

    def clinical(self, table: str) -> pd.DataFrame:
        """Return the rows of a clinical table about its patients, with their collection_id and PatientID.

        Raises
        ------
        UnknownNameError
            If there is no such table; `catalog.clinical()` lists them.
        TableUnavailableError
            If it is not on this machine and could not be fetched.
        """
        table = arguments.text(table, "table", "the name of a clinical table; catalog.clinical() lists them: it")
        return clinical(self._catalog.index, table, *self.compiled())

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
        return instances(self._catalog.index, *self.compiled(), columns, limit, progress)

    def companions(self) -> Cohort:
        """Return the series outside it that its series refer to, or that refer to them.

        Its counts are the change that adding them makes: `cohort | cohort.companions()`. See `idc.references` for
        which series refer to others.
        """
        one = self._as_one()
        return Cohort(self._catalog, [Or((ReferencedBy(one), References(one))), Not(one)])

    # -- as text

    def to_sql(self, dialect: Literal["duckdb", "bigquery"] = "duckdb") -> str:
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
        return dialects.to_sql(self._catalog.index, self._conditions, dialect)

    def to_code(self, flavour: Literal["idc_widgets", "idc-index"] = "idc_widgets") -> str:
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
        return to_program(self._catalog.index, self._conditions, flavour)

    def to_json(self) -> str:
        """Return the cohort as JSON text, with the release it was made with; `Cohort.from_json` reads it."""
        return serialize.dump(self._catalog.index, self._conditions, self._unknown)

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
        catalog = catalog_or_default(catalog)
        conditions, unknown, version = serialize.load(catalog.index, text)
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

        The finest identifier of each row counts: SeriesInstanceUID, crdc_series_uuid or an address, StudyInstanceUID,
        collection_id and PatientID together, PatientID (in any collection), collection_id, in any usual spelling, as a
        column or in the index. Coarser ones beside it only narrow it. What this release does not know is in `unknown`,
        each with its `reason`.

        Raises
        ------
        ValueError
            If it has none of these columns.
        """
        catalog = catalog_or_default(catalog)
        return _of(catalog, identifiers.read_frame(catalog.index, frame))

    @staticmethod
    def from_manifest(source: Any, catalog: Catalog | None = None) -> Cohort:
        """Return the series that a manifest, a table or a list of identifiers names, of any usual kind.

        The finest identifier of a row counts; coarser ones beside it only narrow it, and nothing widens: a row whose
        finest identifier is unknown names nothing.

        Parameters
        ----------
        source
            A file, or its text: a manifest of IDC, idc-index or NBIA; a table (CSV, TSV, JSON, parquet, packed by gzip
            or not) with a heading or without one; identifiers of any kind, one a line or separated by commas;
            addresses of viewers, buckets or DICOMweb; a cohort as `to_json` writes it. Or a list, an array or a data
            frame. What this release does not know is in `unknown`, each with its `reason`.
        catalog
            The catalogue to look in; by default the shared one.

        Raises
        ------
        ValueError
            If the file cannot be read or is empty, or if there is no identifier in it.
        TypeError
            If it is nothing of the kind.
        """
        catalog = catalog_or_default(catalog)
        try:
            found = identifiers.read(catalog.index, source)
        except ValueError as error:
            raise ValueError(f"from_manifest({serialize.name_of(source)}): {error}") from None
        if found.names_nothing:
            beside = f" {found.unknown[0].sentence}" if found.unknown else ""
            raise ValueError(
                f"from_manifest({serialize.name_of(source)}): it names no series; a line is "
                f"`cp s3://bucket/uuid/* …` or a UID.{beside}"
            )
        return _of(catalog, found)


def _of(catalog: Catalog, found: identifiers.Identified) -> Cohort:
    """Return the cohort that a source names, with a warning of what there is to say of how it was read."""
    if found.saved is not None:
        return Cohort.from_json(found.saved, catalog)
    withdrawn = [u for u in found.unknown if u.reason.startswith(("withdrawn", "revised"))]
    if withdrawn:
        more = f", and {len(withdrawn) - 1:,} more" if len(withdrawn) > 1 else ""
        warnings.warn(f"Not in IDC v{catalog.version} as asked for: {withdrawn[0].sentence}{more}.", stacklevel=3)
    for note in found.notes:
        warnings.warn(note, stacklevel=3)
    nothing = In("SeriesInstanceUID", ())
    return Cohort(catalog, [nothing if found.condition is None else found.condition], found.unknown)
