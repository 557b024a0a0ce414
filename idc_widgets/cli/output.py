"""What the commands print: lines for people, tables, one JSON document for machines."""

from __future__ import annotations

import errno
import json
import math
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import IO, Any

from idc_widgets.cli.exits import BROKEN_PIPE

_WIDEST = 48  # characters of a cell on a terminal
_PIPE_CLOSED = (errno.EPIPE, errno.EINVAL)  # the latter on Windows

Row = Mapping[str, Any]


class PipeClosed(Exception):
    """Whoever read the output has closed it."""

    code = BROKEN_PIPE


def printable(text: object) -> str:
    """Return a text in which nothing can steer a terminal: control characters are written as escapes."""
    found = "missing" if text is None else str(text)
    if found.isprintable():
        return found
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode("ascii") for c in found)


class Output:
    """Where a command prints to.

    Parameters
    ----------
    as_json
        Whether one JSON document goes to stdout, in place of lines.
    quiet
        Whether progress and notes are left out.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self._shown = ""
        self._shown_at = -math.inf

    def line(self, text: str = "") -> None:
        """Print one line of a result, as it is."""
        write(sys.stdout, text + "\n")

    def log(self, text: str) -> None:
        """Print what happens: with its time where the output is no terminal; to stderr beside a JSON document."""
        if self.quiet or self.as_json:
            return
        self.end_progress()
        write(sys.stdout, f"{_stamp(sys.stdout)}{text}\n")

    def note(self, text: str) -> None:
        """Print a sentence beside the result on stderr."""
        if not self.quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Print what must not be missed on stderr."""
        self.end_progress()
        write(sys.stderr, printable(text) + "\n")

    def error(self, text: str) -> None:
        """Print why a command ended, on one line of stderr."""
        self.warn(f"idc-widgets: {text}")

    def document(self, value: Any) -> None:
        """Print a JSON document on one line."""
        self.line(json.dumps(plain(value), ensure_ascii=False, allow_nan=False))

    def progress(self, text: str, kind: str = "", document: Row | None = None, every: float = 10.0) -> None:
        """Show how far it is: in place on a terminal, else a line every `every` seconds and for each new `kind`."""
        if self.quiet:
            return
        stream = sys.stderr if self.as_json else sys.stdout
        if _is_terminal(stream) and not self.as_json:
            self._shown = text
            write(stream, f"\r\x1b[K{text}")
            return
        if kind == self._shown and time.monotonic() < self._shown_at + every:
            return
        self._shown, self._shown_at = kind, time.monotonic()
        if self.as_json:
            write(stream, json.dumps(plain(document or {"status": text}), ensure_ascii=False) + "\n")
        else:
            write(stream, f"{_stamp(stream)}{text}\n")

    def end_progress(self) -> None:
        """Leave the line that shows progress on a terminal."""
        if self._shown and _is_terminal(sys.stdout) and not self.as_json:
            write(sys.stdout, "\n")
        self._shown = ""

    def table(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Print rows below a head: aligned and cut to fit on a terminal, else whole and between tabs."""
        cells = [list(columns), *([_cell(row.get(c)) for c in columns] for row in rows)]
        if not _is_terminal(sys.stdout):
            for each in cells:
                self.line("\t".join(each))
            return
        cells = [[c if len(c) <= _WIDEST else c[: _WIDEST - 1] + "…" for c in each] for each in cells]
        widths = [max(len(each[i]) for each in cells) for i in range(len(columns))]
        right = [rows and all(isinstance(row.get(c), int | float) for row in rows) for c in columns]
        room = shutil.get_terminal_size().columns
        for each in cells:
            text = "  ".join(
                c.rjust(w) if r else c.ljust(w) for c, w, r in zip(each, widths, right, strict=True)
            ).rstrip()
            self.line(text if len(text) <= room else text[: room - 1] + "…")


def plain(value: Any) -> Any:
    """Return a value as JSON has it: paths and dates as text, what is no number or missing as null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, datetime):
        return value.isoformat() if value == value else None  # not pandas' NaT
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return plain(value.tolist())
    return str(value) if value == value else None


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Return a data frame's rows as JSON values."""
    missing = frame.isna()
    return [
        {c: None if gone[c] is True else plain(v) for c, v in row.items()}
        for row, gone in zip(frame.to_dict("records"), missing.to_dict("records"), strict=True)
    ]


def clock(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return printable(", ".join(map(str, value)) if isinstance(value, list) else value)


def _stamp(stream: IO[str] | None) -> str:
    return "" if _is_terminal(stream) else datetime.now().astimezone().isoformat(timespec="seconds") + "  "


def _is_terminal(stream: IO[str] | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def write(stream: IO[str] | None, text: str) -> None:
    """Write at once.

    Raises
    ------
    PipeClosed
        If the reader has gone.
    OSError
        If the output cannot be written otherwise.
    """
    if stream is None or stream.closed:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if stream is sys.stderr and error.errno not in _PIPE_CLOSED:
            return  # there is no place left to say so; the results go on
        if error.errno not in _PIPE_CLOSED:
            raise OSError(error.errno, f"the output cannot be written ({error.strerror})") from None
        raise PipeClosed from None
