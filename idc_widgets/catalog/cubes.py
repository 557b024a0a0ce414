"""The cubes of one catalogue: the whole one as it lies packed in the cache, others made when they are asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

from idc_widgets.catalog import cube
from idc_widgets.catalog.bins import Extra
from idc_widgets.catalog.database import SERIES, Database


class Cubes:
    """Makes packed cubes, without what is derived from the collections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @functools.cached_property
    def whole(self) -> dict[str, Any]:
        """The cube of all series, by the usual edges."""
        if self._database.cached:
            message: dict[str, Any] = json.loads(self._database.rows("SELECT message FROM cache.cube")[0][0])
            return message
        cells = self._cells("TRUE", (), {})
        return cube.encode(cells, cube.Vocabulary.of(cells), {})

    @functools.cached_property
    def vocabulary(self) -> cube.Vocabulary:
        """Values of the dimensions over the whole catalogue."""
        return cube.Vocabulary.told(self.whole)

    def of(self, where: str, parameters: Sequence[Any], extra: Extra) -> dict[str, Any]:
        """Return the cube of the rows that satisfy a condition, with further edges."""
        return cube.encode(self._cells(where, parameters, extra), self.vocabulary, extra)

    @functools.cached_property
    def _groups(self) -> dict[int, tuple[Any, ...]]:
        # A cache that is made anew from the same index has the same keys.
        return {row[-1]: row[:-1] for row in self._database.rows("FROM cache.groups")}

    def _cells(self, where: str, parameters: Sequence[Any], extra: Extra) -> cube.Cells:
        if self._database.cached:
            sql, first = cube.query("cache.series s", where, extra, "group_key")
            return cube.Cells.of(self._database.rows(sql, [*first, *parameters]), self._groups)
        sql, first = cube.query(f"{SERIES} s", where, extra)
        return cube.Cells.of(self._database.rows(sql, [*first, *parameters]))
