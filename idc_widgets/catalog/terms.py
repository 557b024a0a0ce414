"""Terms of collections: cancer types, tumour locations, species and programmes, which each of its series inherits."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from idc_widgets.catalog import bundled, cube
from idc_widgets.catalog.database import Database

# Columns of collections_index that hold comma-separated terms: a cohort can ask for them like columns of the index.
TERM_COLUMNS = ("cancer_types", "tumor_locations", "species")

# A condition on this column, too, follows from the collection alone.
PROGRAM = "collections_index.program_id"


class Terms:
    """The terms of each collection, read once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @functools.cached_property
    def by_column(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Term column → collection id → its terms."""
        columns = ", ".join(f'"{c}"' for c in TERM_COLUMNS)
        rows = self._database.rows(f"SELECT collection_id, {columns} FROM collections_index")
        return {c: {r[0]: bundled.split_terms(r[i + 1]) for r in rows} for i, c in enumerate(TERM_COLUMNS)}

    def collections_with(self, column: str, values: Sequence[str | None]) -> list[str]:
        """Return the collections that have any of these terms; None stands for those without a term."""
        wanted = set(values)
        return sorted(
            collection
            for collection, terms in self.by_column[column].items()
            if wanted.intersection(terms) or (not terms and None in wanted)
        )

    def derived(self, vocabulary: cube.Vocabulary) -> list[dict[str, Any]]:
        """Return the facets that follow from the collection, for the browser."""
        rows = self._database.rows("SELECT collection_id, program_id FROM collections_index")
        programs = {collection: (program,) if program else () for collection, program in rows}
        terms = dict(self.by_column) | {PROGRAM: programs}
        return [cube.derived(c, terms[c], vocabulary) for c in (*TERM_COLUMNS, PROGRAM)]
