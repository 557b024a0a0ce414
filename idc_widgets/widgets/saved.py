"""What stays of a view when no kernel answers: self-contained HTML, kept in the notebook beside the widget.

Where scripts may run, the same frontend draws the same view from the saved counts and the first page of rows. Where
they may not (a notebook that is not trusted, a preview), a plain table and the figures stand in its place.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from idc_widgets.transfer import human_bytes
from idc_widgets.widgets import link

if TYPE_CHECKING:
    from idc_widgets.widgets.part import Part

VARIABLE = "IDC_WIDGETS_SAVED_VIEW"
ROWS = 100  # a page of the table
PLAIN_ROWS = 20
_LIMIT = 2_500_000  # characters; hosts refuse outputs that are too large, so the plain part goes alone then
_TRAITS = ("_catalog", "_cube", "_where", "_sort", "_ticks", "_destination")


def wanted() -> bool:
    """Whether views are saved; `IDC_WIDGETS_SAVED_VIEW=0` keeps notebooks small."""
    return os.environ.get(VARIABLE, "1").strip().lower() not in ("0", "no", "false", "off", "none")


def as_html(part: Part) -> str:
    """Return a view as it is now, as one piece of HTML that needs nothing else."""
    source = part._source
    columns = _series_columns(source)
    request = {"where": source._where, "level": "series", "sort": source._sort, "columns": [c["name"] for c in columns]}
    page = source.answers["page"]({**request, "offset": 0, "limit": ROWS})
    totals = source.answers["totals"]({"where": source._where})
    state = {
        **{name: getattr(source, name) for name in _TRAITS},
        "_catalog": {**source._catalog, "status": ""},
        "_table": {**source._table, "level": "series", "scope": []},
        "_view": part._view,
        "height": part.height,
    }
    saved = {
        "state": state,
        "replies": {"page": {"request": request, "result": page}, "totals": totals},
        "css": link.asset("widget.css"),
    }
    plain = _plain(part, columns, page["rows"], totals)
    script = (
        f'<script type="application/json">{_inert(json.dumps(saved, separators=(",", ":"), default=str))}</script>'
        f"<script>{_closed(link.asset('saved.js'))}</script>"
    )
    if len(script) > _LIMIT:
        script = ""
    return f'<div data-idc-saved="{html.escape(part._token)}">{plain}{script}</div>'


def _series_columns(source: Part) -> list[Mapping[str, Any]]:
    """Return the columns that the table of series shows."""
    usual = next(level["columns"] for level in source._catalog["levels"] if level["name"] == "series")
    known = {c["name"]: c for c in source._catalog["columns"]}
    return [known[name] for name in source._table.get("columns", {}).get("series") or usual if name in known]


def _plain(
    part: Part, columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[Any]], totals: Mapping[str, Any]
) -> str:
    catalog = part._source._catalog
    figures = [f"{totals[name]:,} {name}" for name in ("series", "studies", "patients", "collections")]
    figures.append(human_bytes(totals["bytes"]))
    head = "".join(f"<th{_aligned(c)}>{html.escape(c['label'])}</th>" for c in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td{_aligned(c)}>{html.escape(_cell(c, v))}</td>" for c, v in zip(columns, row[1:], strict=False))
        + "</tr>"
        for row in rows[:PLAIN_ROWS]
    )
    shown = f"The first {min(len(rows), PLAIN_ROWS)} of {totals['series']:,} series. " if rows else "No series. "
    return (
        f'<div class="idc-plain"><p><b>Imaging Data Commons v{html.escape(str(catalog["version"]))}</b>: '
        f"{html.escape(', '.join(figures))}</p>"
        f"<pre>{html.escape(str(part.cohort))}</pre>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{shown}Run the cell to filter, to see more and to download.</p></div>"
    )


def _aligned(column: Mapping[str, Any]) -> str:
    return f' style="text-align:{"right" if column["type"] in ("bytes", "integer", "number") else "left"}"'


def _cell(column: Mapping[str, Any], value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, int):
        return str(value)
    if column["type"] == "bytes":
        return human_bytes(value)
    return f"{value:,}" if column["type"] == "integer" else str(value)


def _inert(text: str) -> str:
    """Return JSON that no HTML parser takes for markup, whatever its strings hold."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _closed(script: str) -> str:
    """Return our own script so that nothing in its strings ends the element that holds it."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
