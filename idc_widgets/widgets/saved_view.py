"""What stays of a view when no kernel answers: self-contained HTML, kept in the notebook beside the widget.

Where scripts may run, the same frontend draws the same view from the saved counts and the first page of rows. Where
they may not (a notebook that is not trusted, a preview), a plain table and the figures stand in its place.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from idc_widgets.lib.format import human_bytes
from idc_widgets.widgets import kernel
from idc_widgets.widgets.columns import IDENTIFYING

if TYPE_CHECKING:
    from idc_widgets.widgets.base import Part

VARIABLE = "IDC_WIDGETS_SAVED_VIEW"
ROWS = 100  # a page of the table
PLAIN_ROWS = 20
_LIMIT = 2_500_000  # characters; hosts refuse outputs that are too large, so the plain part goes alone then
_MANY = {"series": "series", "study": "studies", "patient": "patients", "collection": "collections"}


def wanted() -> bool:
    """Whether views are saved; `IDC_WIDGETS_SAVED_VIEW=0` keeps notebooks small."""
    return os.environ.get(VARIABLE, "1").strip().lower() not in ("0", "no", "false", "off", "none")


def as_html(part: Part, traits: Iterable[str]) -> str:
    """Return a view as it is now, as one piece of HTML that needs nothing else; `traits` names what it is told."""
    source = part._source
    table = {k: v for k, v in source._table.items() if k != "scope"}
    level = table.get("level") or "series"
    columns = _columns(source._catalog, level, table)
    request = {
        "where": source._where,
        "level": level,
        "sort": source._sort,
        "columns": list(dict.fromkeys([*(c["name"] for c in columns), *IDENTIFYING[level]])),
    }
    page = source.answers["page"]({**request, "offset": 0, "limit": ROWS})
    totals = source.answers["totals"]({"where": source._where})
    state = {
        **{name: getattr(source, name) for name in traits},
        "_catalog": {**source._catalog, "status": ""},
        "_table": table,
        "_view": part._view,
        "height": part.height,
    }
    saved = {
        "state": state,
        "replies": {"page": {"request": request, "result": page}, "totals": totals},
        "css": kernel.asset("widget.css"),
    }
    plain = _plain(part, level, columns, page, totals)
    script = (
        f'<script type="application/json">{_inert(json.dumps(saved, separators=(",", ":"), default=str))}</script>'
        f"<script>{_closed(kernel.asset('saved.js'))}</script>"
    )
    if len(script) > _LIMIT:
        script = ""
    return f'<div data-idc-saved="{html.escape(part._token)}">{plain}{script}</div>'


def _columns(catalog: Mapping[str, Any], level: str, table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns that the table shows, as the browser picks them."""
    known = {c["name"]: c for c in catalog["columns"] if level in (c.get("levels") or (level,))}
    usual = next(each["columns"] for each in catalog["levels"] if each["name"] == level)
    names = (table.get("columns") or {}).get(level) or usual
    return [known[n] for n in names if n in known] or [known[n] for n in usual if n in known]


def _plain(
    part: Part, level: str, columns: Sequence[Mapping[str, Any]], page: Mapping[str, Any], totals: Mapping[str, Any]
) -> str:
    rows = page["rows"]
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
    many = _MANY[level]
    shown = f"The first {min(len(rows), PLAIN_ROWS)} of {page['total']:,} {many}. " if rows else f"No {many}. "
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
