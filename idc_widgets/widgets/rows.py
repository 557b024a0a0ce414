"""The table's questions: pages of series, studies, patients and collections, what of them is ticked, and ticking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from idc_widgets.api import Catalog
from idc_widgets.catalog.levels import COUNT_COLUMNS, Level
from idc_widgets.catalog.pages import COLLECTION_COLUMNS
from idc_widgets.transfer import Provider
from idc_widgets.widgets import detail, kernel, ticks
from idc_widgets.widgets.table_export import Saving

_MOST_IN_A_RANGE = 100_000
_MOST_IN_A_PAGE = 1_000
_LEVELS: tuple[Level, ...] = get_args(Level)


def handlers(catalog: Catalog, provider: Callable[[], Provider]) -> dict[str, kernel.Handler]:
    """Return the answers to the table's requests, by the name of the request; `provider` is asked for manifests."""
    table = _Rows(catalog)
    saving = Saving(catalog, provider)
    return {
        "page": table.page,
        "marks": table.marks,
        "tick": table.tick,
        "hidden": table.hidden,
        "detail": lambda m: detail.of(catalog, level_of(m), int(m["row"])),
        "save": lambda m: saving.start(
            *scope(catalog, m), level_of(m), sort_of(catalog, m), published(catalog, m), str(m["path"]),
            str(m["format"]), bool(m.get("confirmed")),
        ),
        "saved": saving.progress,
        "stop_saving": saving.stop,
    }  # fmt: skip


def scope(catalog: Catalog, message: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return which series a request is about, as SQL and bound values: its conditions, and only what is ticked."""
    where, parameters = ticks.from_json_list(catalog, message["where"]).compiled()
    if message.get("only") is not None:
        ticked, bound = ticks.to_sql(catalog, message["only"])
        where, parameters = f"({where}) AND {ticked}", [*parameters, *bound]
    return where, parameters


def level_of(message: Mapping[str, Any]) -> Level | None:
    """Return what a row of the request is; None is a series."""
    level = str(message.get("level") or "series")
    if level == "series":
        return None
    for known in _LEVELS:
        if level == known:
            return known
    raise ValueError(f'"{level}" is no level: series, study, patient or collection.')


def column_of(catalog: Catalog, name: str) -> str:
    """Return the column of the catalogue that the table's column is read from."""
    if name == "series_size_MB":
        return "series_bytes"  # the browser shows sizes in human units from exact bytes, not from rounded megabytes
    if name in (*COUNT_COLUMNS, *COLLECTION_COLUMNS) or name in catalog.index.columns:
        return name
    catalog.index.require_column(name)
    raise ValueError(f'"{name}" is no column of the series.')


def columns_of(catalog: Catalog, message: Mapping[str, Any]) -> list[str]:
    """Return the columns that a request asks for."""
    return [column_of(catalog, str(c)) for c in message["columns"]]


def published(catalog: Catalog, message: Mapping[str, Any]) -> list[str]:
    """Return the columns that a file is to have: those asked for, as published; of none, all."""
    asked = [str(c) for c in message["columns"] or catalog.index.columns]
    for c in asked:
        column_of(catalog, c)
    return asked


def sort_of(catalog: Catalog, message: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Return the columns that a request sorts by, and whether descending."""
    found = [(column_of(catalog, str(s["column"])), bool(s.get("descending"))) for s in message.get("sort") or []]
    return [s for s in found if level_of(message) is not None or s[0] not in COUNT_COLUMNS]


class _Rows:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def page(self, message: Mapping[str, Any]) -> dict[str, Any]:
        where, parameters = scope(self._catalog, message)
        columns, sort, level = columns_of(self._catalog, message), sort_of(self._catalog, message), level_of(message)
        offset, limit = max(0, int(message["offset"])), min(int(message["limit"]), _MOST_IN_A_PAGE)
        if level is not None:
            rows, total = self._catalog.index.levels.page(level, where, parameters, sort, columns, offset, limit)
            return {"rows": [list(r) for r in rows], "total": total}
        # A series has no counts of series: their cells stay empty.
        own = [c for c in columns if c not in COUNT_COLUMNS]
        rows, total = self._catalog.index.pages.page(where, parameters, sort, own, offset, limit)
        if own == columns:
            return {"rows": [list(r) for r in rows], "total": total}
        places = [own.index(c) + 1 if c in own else None for c in columns]
        return {"rows": [[r[0], *(None if p is None else r[p] for p in places)] for r in rows], "total": total}

    def marks(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Tell how many series of each row in view are ticked, or of all that match."""
        where, parameters = scope(self._catalog, message)
        part, bound = ticks.to_sql(self._catalog, message["ticks"])
        if message.get("all"):
            ticked, of = self._catalog.index.database.rows(
                f"SELECT count(*) FILTER (WHERE {part}), count(*) FROM series WHERE {where}", [*bound, *parameters]
            )[0]
            return {"ticked": [ticked], "of": of}
        rows, level = _rows_of(message), level_of(message)
        if level is not None:
            found = self._catalog.index.levels.count_in(level, where, parameters, part, bound, rows)
            return {"ticked": [found.get(r, (0, 0))[0] for r in rows]}
        ticked = self._catalog.index.database.rows(
            f"SELECT row_id FROM series WHERE place IN (SELECT unnest(?::BIGINT[])) AND {part}", [rows, *bound]
        )
        among = {r[0] for r in ticked}
        return {"ticked": [int(r in among) for r in rows]}

    def tick(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Tick or untick rows, named, as a range of the order, or all; return the ticks that come of it."""
        level = level_of(message)
        chosen = []
        if not message.get("all"):
            rows = self._range(message, level) if "from" in message else _rows_of(message)
            chosen = [ticks.groups(self._catalog, level or "series", rows).to_json()]
        if level is None and chosen:
            cohort = ticks.from_json_list(self._catalog, chosen)
        else:
            cohort = ticks.from_json_list(self._catalog, [*message["where"], *chosen])
            if message.get("only") is not None:
                cohort = cohort & ticks.cohort_of(self._catalog, message["only"])
        return ticks.changed(self._catalog, message["ticks"], cohort, bool(message["on"]))

    def _range(self, message: Mapping[str, Any], level: Level | None) -> list[int]:
        start, stop = sorted((int(message["from"]), int(message["to"])))
        if stop - start + 1 > _MOST_IN_A_RANGE:
            raise ValueError(
                f"A range of {stop - start + 1:,} rows is too long to tick; filter, then tick all that match."
            )
        where, parameters = scope(self._catalog, message)
        sort = sort_of(self._catalog, message)
        if level is None:
            return self._catalog.index.pages.row_ids(where, parameters, sort, start, stop + 1)
        return self._catalog.index.levels.groups(level, where, parameters, sort, start, stop + 1)

    def hidden(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Tell how many ticked series the filters leave out."""
        where, parameters = ticks.from_json_list(self._catalog, message["where"]).compiled()
        part, bound = ticks.to_sql(self._catalog, message["ticks"])
        found = self._catalog.index.database.rows(
            f"SELECT count(*) FROM series WHERE {part} AND NOT ({where})", [*bound, *parameters]
        )
        return {"series": found[0][0]}


def _rows_of(message: Mapping[str, Any]) -> list[int]:
    rows: Sequence[Any] = message["rows"]
    if len(rows) > _MOST_IN_A_PAGE:
        raise ValueError(f"{len(rows):,} rows are too many to name; {_MOST_IN_A_PAGE:,} at most.")
    return [int(r) for r in rows]
