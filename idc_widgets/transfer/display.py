"""Jobs as notebooks and terminals show them: a small table without scripts, and a way to a live view."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from idc_widgets.lib.format import human_bytes

from .waiting import percent

if TYPE_CHECKING:
    from .job import Job

_MOST = 20
_HEAD = ("id", "title", "state", "done", "size", "files", "folder")
_NUMBERS = {"done", "size", "files"}

#: Shows a job live in a notebook. The package sets it: nothing here knows of widgets.
live: Callable[[Job], None] | None = None


class Jobs(list["Job"]):
    """A list of jobs that shows itself as a table."""

    def __repr__(self) -> str:
        rows = [_HEAD, *_rows(self)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
        lines = [
            "  ".join(
                cell.rjust(width) if name in _NUMBERS else cell.ljust(width)
                for name, cell, width in zip(_HEAD, row, widths, strict=True)
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, *_more(self)]) if self else "[]"

    def _repr_html_(self) -> str:
        return as_html(self)


def as_html(jobs: Sequence[Job]) -> str:
    """Return a table of jobs as they are now."""
    head = "".join(f"<th{_aligned(name)}>{name}</th>" for name in _HEAD)
    body = "".join(
        "<tr>"
        + "".join(f"<td{_aligned(name)}>{html.escape(cell)}</td>" for name, cell in zip(_HEAD, row, strict=True))
        + "</tr>"
        for row in _rows(jobs)
    )
    more = "".join(f"<p>{html.escape(text)}</p>" for text in _more(jobs))
    at = f"<p>as of {time.strftime('%Y-%m-%d %H:%M:%S')}</p>" if jobs else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}{at}"


def _rows(jobs: Sequence[Job]) -> list[tuple[str, ...]]:
    rows = []
    for job in jobs[:_MOST]:
        said = job.snapshot()
        p = said.progress
        files = f"{p.files_done:,} of {p.files_total:,}"
        rows.append(
            (job.id, job.title, str(said.status), percent(said), human_bytes(p.bytes_total), files, str(job.path))
        )
    return [tuple(" ".join(cell.split()) for cell in row) for row in rows]


def _more(jobs: Sequence[Job]) -> list[str]:
    return [f"and {len(jobs) - _MOST:,} earlier ones"] if len(jobs) > _MOST else []


def _aligned(name: str) -> str:
    return f' style="text-align:{"right" if name in _NUMBERS else "left"}"'
