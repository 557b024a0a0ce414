"""From whatever holds identifiers to text or columns: files of any encoding, packed or not, and data frames."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from idc_widgets.catalog import Index
from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers import choices
from idc_widgets.cohort.identifiers.literals import plainly
from idc_widgets.cohort.identifiers.spelling import (
    DOI_SHAPE,
    SERIES,
    STUDY,
    UUID,
    bare_doi,
    field_of,
    inside,
    loose_field_of,
    shaped,
)
from idc_widgets.lib import arguments

_MOST = 1_000_000_000  # bytes, unpacked
_FINE = {SERIES, STUDY, UUID}  # which of them as the label of a value makes the values a row
_CELLS = 20_000_000  # of a parquet file: of a larger one only the columns are read that can matter
_SUFFIX = re.compile(
    r"\.(?:csv|tsv|tab|txt|text|json|jsonl|ndjson|parquet|pq|gz|tcia|s5cmd|manifest|ya?ml|xlsx?|lst|list|md|zip|log)$",
    re.IGNORECASE,
)


class SourceError(ValueError):
    """A source that cannot be read, in a sentence."""


@dataclass
class Content:
    """What a source holds: text, columns with their headings, or a value of lists and mappings; and what to call it."""

    name: str
    text: str | None = None
    headings: list[Any] | None = None
    columns: list[list[Any]] | None = None
    value: Any = None


def load(index: Index, source: Any) -> Content:
    """Return what a source holds.

    Raises
    ------
    ValueError
        If it is a file that cannot be read, is empty, or is of no kind that holds identifiers.
    TypeError
        If it is nothing of the kind.
    """
    if isinstance(source, str):
        arguments.text(source, "source", "a file, its text or a list of identifiers", blank=True)
        path = _as_path(source)
        return Content(repr(short(source.strip())), text=source) if path is None else _file(index, path)
    if isinstance(source, os.PathLike):
        return _file(index, Path(source).expanduser())
    if isinstance(source, bytes | bytearray | memoryview):
        return _bytes(index, bytes(source), "these bytes")
    if callable(getattr(source, "read", None)):
        read = source.read()
        name = str(getattr(source, "name", "") or "this file")
        return Content(name, text=_full(read, name)) if isinstance(read, str) else _bytes(index, bytes(read), name)
    if (found := frame(source)) is not None:
        return found
    if hasattr(source, "tolist"):  # an Index, an array
        values = source.tolist()
        heading = getattr(source, "name", None)
        if heading is not None and field_of(heading):
            return Content("this column", headings=[heading], columns=[values])
        # What else is no plain list may be the row of a table.
        return Content(
            "this list", value=values if hasattr(source, "name") and isinstance(values, list) else tuple(values)
        )
    if isinstance(source, Mapping):
        return Content("this mapping", value=plainly(source))
    if hasattr(source, "__iter__") and not isinstance(source, type):
        return Content("this list", value=plainly(source if isinstance(source, tuple) else list(source)))
    raise TypeError(
        f"{type(source).__name__} holds no identifiers; a file, its text, a list of identifiers or a data frame does."
    )


def frame(table: Any) -> Content | None:
    """Return the columns of a data frame or of one column, those of its index first; None where it is neither."""
    if callable(getattr(table, "collect", None)) and hasattr(table, "columns"):  # a plan of Polars, not run yet
        return frame(table.collect())
    if hasattr(table, "iloc"):
        return _pandas(table) if hasattr(table, "columns") else _labelled(table)
    names = getattr(table, "column_names", None) or getattr(table, "columns", None)
    if names is not None and not callable(names) and hasattr(table, "__getitem__"):  # Arrow, Polars, DuckDB
        if callable(getattr(table, "df", None)):
            return frame(table.df())
        listed = [_listed(table[n]) for n in map(str, names)]
        if all(c is not None for c in listed):
            return Content("this table", headings=list(map(str, names)), columns=[c for c in listed if c is not None])
    if callable(getattr(table, "to_pandas", None)) or callable(getattr(table, "to_pylist", None)):
        if (values := _listed(table)) is not None:
            return Content("this column", headings=[getattr(table, "name", None) or 0], columns=[values])
        return frame(table.to_pandas())
    return None


def _listed(column: Any) -> list[Any] | None:
    """Return the values of a column of Arrow, Polars or pandas."""
    for name in ("to_pylist", "to_list", "tolist"):
        if callable(made := getattr(column, name, None)):
            return list(made())
    return None


def _labelled(series: Any) -> Content:
    """Return what a pandas Series holds: a column, with the labels of its rows, or the row of a frame."""
    labels = series.index
    texts = any(isinstance(v, str) for v in labels[:100])
    if (texts and sum(bool(field_of(v)) for v in labels) * 2 > len(labels) > 0) or {*map(field_of, labels)} & _FINE:
        return Content("this row", value=plainly(dict(zip(labels, series.tolist(), strict=True))))
    if any(field_of(n) or choices.wants(n) for n in (series.name, *labels.names)):
        return _pandas(series.to_frame())
    if texts and labels.is_unique:
        return Content("this column", value=plainly(dict(zip(labels, series.tolist(), strict=True))))
    return Content("this list", value=plainly(series.tolist()))


def _pandas(table: Any) -> Content:
    headings: list[Any] = []
    columns = []
    labels = table.index
    for at, name in enumerate(labels.names):
        values = labels.get_level_values(at).tolist()
        texts = any(isinstance(v, str | bytes) for v in values[:100])
        if texts or (name is not None and (field_of(name) or loose_field_of(name))):
            headings.append("id" if name is None else name)
            columns.append(values)
    for at, name in enumerate(table.columns):
        parts = [p for p in (name if isinstance(name, tuple) else (name,)) if str(p)]
        headings.append(parts[-1] if parts else "")
        columns.append(table.iloc[:, at].tolist())
    return Content("this data frame", headings=headings, columns=columns)


def _as_path(source: str) -> Path | None:
    """Return the file that a text names, or None where the text is the content.

    Raises
    ------
    ValueError
        If it is written like a path, and there is no such file.
    """
    bare = source.strip()
    if not bare or "\n" in bare or "\r" in bare or "\0" in bare or len(bare) > 4_000:
        return None
    path = Path(bare.strip("\"'")).expanduser()
    there = folder = False
    with contextlib.suppress(OSError, ValueError):
        there, folder = path.exists(), path.is_dir()
    if there and not folder:
        return path
    written = "/" in bare or "\\" in bare or bare in (".", "..", "~")
    if folder and written:
        raise SourceError(f"{short(path)} is a folder; name a manifest or a list in it.")
    named = _SUFFIX.search(bare) and " " not in bare and not bare.startswith(("{", "[", "("))
    like_path = written and " " not in bare and not bare.startswith(("{", "[", "<")) and not inside(bare)
    if (named or like_path) and "://" not in bare and not DOI_SHAPE.fullmatch(bare_doi(bare)) and not shaped(bare):
        raise SourceError(f"there is no such file: {short(bare)}")
    return None


def _file(index: Index, path: Path) -> Content:
    try:
        if path.is_dir():
            raise SourceError(f"{short(path)} is a folder; name a manifest or a list in it.")
        size = path.stat().st_size
        if size > _MOST:
            raise SourceError(f"{short(path)} has {size:,} bytes; {_MOST:,} are the most that are read.")
        with path.open("rb") as file:
            if file.read(4) == b"PAR1":
                return _parquet(index, path, str(path))
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"There is no such file: {short(path)}.") from None
    except OSError as error:
        raise SourceError(f"{short(path)} cannot be read: {error.strerror or error}.") from None
    return _bytes(index, data, str(path))


def _bytes(index: Index, data: bytes, name: str) -> Content:
    if data[:2] == b"\x1f\x8b":
        data = _unpacked(data, name)
    if not data.strip():
        raise SourceError(f"{short(name)} is empty.")
    if data[:4] == b"PAR1":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.parquet"
            path.write_bytes(data)
            return _parquet(index, path, name)
    if data[:4] == b"PK\x03\x04":
        raise SourceError(f"{short(name)} is a zip archive or an Excel file; save the sheet as CSV, or unpack it.")
    if data[128:132] == b"DICM":
        raise SourceError(f"{short(name)} is a DICOM file and no list.")
    return Content(name, text=_full(_decoded(data, name), name))


def _full(text: str, name: str) -> str:
    if not text.strip("\ufeff\0 \t\r\n"):
        raise SourceError(f"{short(name)} is empty.")
    return text


def _unpacked(data: bytes, name: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            out = file.read(_MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{short(name)} cannot be unpacked: {error}.") from None
    if len(out) > _MOST:
        raise SourceError(f"{short(name)} unpacks to more than {_MOST:,} bytes, the most that are read.")
    return _unpacked(out, name) if out[:2] == b"\x1f\x8b" else out


def _decoded(data: bytes, name: str) -> str:
    head = data[:2000]
    if data[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return data.decode("utf-32", "replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if head.count(0) * 3 > len(head):  # ASCII in two bytes each, without a mark
        return data.decode("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be", "replace")
    if 0 in head or sum(b < 9 or 13 < b < 27 for b in head) * 20 > len(head):
        raise SourceError(f"{short(name)} is a binary file and no list of identifiers.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _parquet(index: Index, path: Path, name: str) -> Content:
    cursor = index.database.cursor()
    try:
        found = cursor.execute("SELECT * FROM read_parquet($1) LIMIT 0", [str(path)])
        headings = [(d[0], str(d[1])) for d in found.description or ()]
        counted = cursor.execute("SELECT count(*) FROM read_parquet($1)", [str(path)]).fetchone()
        large = counted is not None and counted[0] * len(headings) > _CELLS
        names = ", ".join(
            "NULL" if large and not _matters(h, kind) else '"' + h.replace('"', '""') + '"' for h, kind in headings
        )
        rows = cursor.execute(f"SELECT {names} FROM read_parquet($1)", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{short(name)} is no parquet file that can be read: {str(error).splitlines()[0]}") from None
    finally:
        cursor.close()
    columns = [list(c) for c in zip(*rows, strict=True)] if rows else [[] for _ in headings]
    return Content(name, headings=[h for h, _ in headings], columns=columns)


def _matters(heading: str, kind: str) -> bool:
    """Return whether a column may identify or leave rows out: a heading may say nothing of what is below it."""
    numbers = re.fullmatch(r"U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL.*|DATE|TIME.*", kind)
    return not numbers or bool(field_of(heading) or loose_field_of(heading)) or bool(choices.wants(heading))
