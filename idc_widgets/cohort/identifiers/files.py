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
from idc_widgets.catalog.names import short
from idc_widgets.cohort.identifiers.spelling import DOI_SHAPE, bare_doi, field_of, inside, loose_field_of, shaped
from idc_widgets.lib import arguments

_MOST = 1_000_000_000  # bytes, unpacked
_SUFFIX = re.compile(
    r"\.(?:csv|tsv|tab|txt|text|json|jsonl|ndjson|parquet|pq|gz|tcia|s5cmd|manifest|ya?ml|xlsx?|lst|list|md|zip|log)$",
    re.IGNORECASE,
)


class SourceError(ValueError):
    """A source that cannot be read, in a sentence."""


@dataclass
class Content:
    """What a source holds: text, columns with their headings, or single values; and what to call it."""

    name: str
    text: str | None = None
    headings: list[Any] | None = None
    columns: list[list[Any]] | None = None
    values: list[Any] | None = None


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
    if hasattr(source, "columns") or hasattr(source, "to_pandas"):
        return frame(source)
    if hasattr(source, "tolist"):  # a Series, an Index, an array
        values = source.tolist()
        values = values if isinstance(values, list) else [values]
        heading = getattr(source, "name", None)
        labels = getattr(source, "index", None)
        if (
            hasattr(source, "to_frame")
            and _texts(labels)
            and (field_of(heading) or field_of(getattr(labels, "name", "")))
        ):
            return frame(source.to_frame())
        if heading is not None and field_of(heading):
            return Content("this column", headings=[heading], columns=[values])
        return Content("this list", values=values)
    if isinstance(source, Mapping):
        return Content("this mapping", values=[dict(source)])
    if hasattr(source, "__iter__") and not isinstance(source, type):
        return Content("this list", values=list(source))
    raise TypeError(
        f"{type(source).__name__} holds no identifiers; a file, its text, a list of identifiers or a data frame does."
    )


def frame(table: Any) -> Content:
    """Return the columns of a data frame, those of its index first."""
    if hasattr(table, "to_pandas") and not hasattr(table, "iloc"):  # Arrow, Polars
        names = [str(n) for n in getattr(table, "column_names", None) or table.columns]
        columns = [(table[n].to_pylist if hasattr(table[n], "to_pylist") else table[n].to_list)() for n in names]
        return Content("this table", headings=list(names), columns=columns)
    headings: list[Any] = []
    columns = []
    labels = getattr(table, "index", None)
    levels = list(getattr(labels, "names", ()) or ())
    for at, name in enumerate(levels):
        values = labels.get_level_values(at).tolist() if labels is not None else []
        texts = any(isinstance(v, str | bytes) for v in values[:100])
        if texts or (name is not None and (field_of(name) or loose_field_of(name))):
            headings.append("id" if name is None else name)
            columns.append(values)
    for at, name in enumerate(table.columns):
        parts = [p for p in (name if isinstance(name, tuple) else (name,)) if str(p)]
        headings.append(parts[-1] if parts else "")
        columns.append(table.iloc[:, at].tolist())
    return Content("this data frame", headings=headings, columns=columns)


def _texts(labels: Any) -> bool:
    return labels is not None and not callable(labels) and any(isinstance(v, str) for v in labels[:100])


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
        headings = [d[0] for d in found.description or ()]
        kinds = [str(d[1]) for d in found.description or ()]
        # Texts too: a heading may say nothing of the identifiers below it.
        kept = [
            h
            for h, k in zip(headings, kinds, strict=True)
            if k in ("VARCHAR", "BLOB") or field_of(h) or loose_field_of(h)
        ] or headings
        names = ", ".join('"' + h.replace('"', '""') + '"' for h in kept)
        rows = cursor.execute(f"SELECT {names} FROM read_parquet($1)", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{short(name)} is no parquet file that can be read: {str(error).splitlines()[0]}") from None
    finally:
        cursor.close()
    columns = [list(c) for c in zip(*rows, strict=True)] if rows else [[] for _ in kept]
    return Content(name, headings=list(kept), columns=columns)
