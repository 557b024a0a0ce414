"""The table's questions: pages of rows, ranges of them, and all that is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idc_widgets.catalog import Catalog
from idc_widgets.widgets import link, ticks

_MOST_IN_A_RANGE = 100_000
_MOST_IN_A_PAGE = 1_000


def handlers(catalog: Catalog) -> dict[str, link.Handler]:
    """Return the answers to the table's requests, by the name of the request."""
    table = _Rows(catalog)
    return {"page": table._page, "range": table._range, "row": table._row}


class _Rows:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def _page(self, message: Mapping[str, Any]) -> dict[str, Any]:
        where, parameters = ticks.from_json_list(self._catalog, message["where"]).compiled()
        # The browser shows sizes in human units from exact bytes, not from rounded megabytes.
        columns = ["series_bytes" if c == "series_size_MB" else self._column(c) for c in message["columns"]]
        offset, limit = max(0, int(message["offset"])), min(int(message["limit"]), _MOST_IN_A_PAGE)
        rows, total = self._catalog.pages.page(where, parameters, self._sort_of(message), columns, offset, limit)
        lists = [list(r) for r in rows]
        base = message.get("ticks_base")
        if base is not None:
            ticked = self._rows_in(base, [r[0] for r in rows])
            for r in lists:
                r.append(r[0] in ticked)
        return {"rows": lists, "total": total}

    def _rows_in(self, base: list[dict[str, Any]], rows: list[int]) -> set[int]:
        where, parameters = ticks.from_json_list(self._catalog, base).compiled()
        found = self._catalog.database.rows(
            f"SELECT row_id FROM series WHERE row_id IN (SELECT unnest(?::INTEGER[])) AND ({where})",
            [rows, *parameters],
        )
        return {r[0] for r in found}

    def _column(self, name: str) -> str:
        if name not in self._catalog.index_columns:
            self._catalog.require_column(name)
            raise ValueError(f'"{name}" is no column of the series.')
        return name

    def _sort_of(self, message: Mapping[str, Any]) -> list[tuple[str, bool]]:
        return [(self._column(s["column"]), bool(s.get("descending"))) for s in message.get("sort") or []]

    def _range(self, message: Mapping[str, Any]) -> dict[str, Any]:
        start, stop = sorted((int(message["from"]), int(message["to"])))
        if stop - start + 1 > _MOST_IN_A_RANGE:
            raise ValueError(
                f"A range of {stop - start + 1:,} rows is too long to tick; filter, then tick all that match."
            )
        where, parameters = ticks.from_json_list(self._catalog, message["where"]).compiled()
        return {"rows": self._catalog.pages.row_ids(where, parameters, self._sort_of(message), start, stop + 1)}

    def _row(self, message: Mapping[str, Any]) -> dict[str, Any]:
        names = list(self._catalog.index_columns)
        select = ", ".join(f'"{n}"' for n in names)
        found = self._catalog.database.rows(f"SELECT {select} FROM series WHERE row_id = ?", [int(message["row"])])
        if not found:
            raise ValueError(f"There is no row {message['row']}.")
        return {"fields": dict(zip(names, found[0], strict=True))}
