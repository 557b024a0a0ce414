"""Tables of HTML as rows of cells between tabs."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from idc_widgets.cohort.identifiers.spelling import inside

_TABLE = re.compile(r"<(?:table|thead|tbody|tr)\b.*(?:</(?:table|tbody|tr)\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>:]*(?:\s[^<>]*)?>")  # addresses stand between such marks, too
_LINE = re.compile(r"</?(?:p|div|li|ul|ol|h\d)(?:\s[^>]*)?>|<br\s*/?>", re.IGNORECASE)


def without_tables(text: str) -> str:
    """Return a text with its tables as rows of cells between tabs, and without other tags."""
    around = [_TAG.sub("", _LINE.sub("\n", part)) for part in _TABLE.split(text)]
    tables = [_read(m[0]) for m in _TABLE.finditer(text)]
    parts = [around[0], *(p for pair in zip(tables, around[1:], strict=True) for p in pair)]
    return "\n".join(line.strip(" ") for line in "\n".join(parts).split("\n"))


def _read(text: str) -> str:
    parser = _Table()
    parser.feed(text)
    parser.close()
    parser.end_row()
    return "\n".join(parser.lines)


class _Table(HTMLParser):
    """Collects the cells of rows; one that spans several rows or columns stands in each."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._row: list[str] = []
        self._cell: list[str] | None = None
        self._link = ""
        self._span = (1, 1)  # of the cell that is read, in rows and columns
        self._below: dict[int, tuple[int, str]] = {}  # column → how many rows more have this text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell; tags that close are often left out."""
        given = {k: v or "" for k, v in attrs}
        if tag in ("tr", "table", "thead", "tbody", "tfoot"):
            self.end_row()
            if tag == "table":
                self._below.clear()
        elif tag in ("td", "th"):
            self._end_cell()
            self._cell, self._link = [], ""
            self._span = (_number(given.get("rowspan")), _number(given.get("colspan")))
        elif tag == "a" and self._cell is not None and inside(given.get("href", "")):
            self._link = given["href"]
        elif self._cell is not None and tag in ("br", "p", "div", "li"):
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a row."""
        if tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table", "thead", "tbody", "tfoot"):
            self.end_row()

    def handle_data(self, data: str) -> None:
        """Take text; what stands in no cell is a line."""
        if self._cell is not None:
            self._cell.append(data)
        elif data.strip():
            self.lines.append(data.strip())

    def end_row(self) -> None:
        """Write the row that was read, if there is one."""
        self._end_cell()
        if self._row:
            self._repeat()
            self.lines.append("\t".join(self._row))
        self._row = []

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        text = " ".join("".join(self._cell).split())
        if self._link and not any(c.isdigit() for c in text):  # "view", and the link says what
            text = self._link if "://" in self._link else inside(self._link)[-1]
        self._repeat()
        rows, columns = self._span
        for _ in range(columns):
            if rows > 1:
                self._below[len(self._row)] = (rows - 1, text)
            self._row.append(text)
        self._cell = None

    def _repeat(self) -> None:
        """Put cells of rows above, which span this one, where they stand."""
        while len(self._row) in self._below:
            rows, text = self._below.pop(len(self._row))
            if rows > 1:
                self._below[len(self._row)] = (rows - 1, text)
            self._row.append(text)


def _number(text: str | None) -> int:
    return min(int(text), 10_000) if text and text.strip().isdigit() else 1
