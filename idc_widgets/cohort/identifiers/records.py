"""JSON and its like: lists, records, columns, nested documents, DICOM's own JSON."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from idc_widgets.catalog.names import short
from idc_widgets.cohort.identifiers import exclusions
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    ADDRESS,
    LEVEL,
    MAYBE,
    OPEN,
    SERIES,
    UID_SHAPE,
    as_written,
    bare_doi,
    field_of,
    key_of,
    loose_field_of,
    shaped,
    text_of,
)
from idc_widgets.cohort.identifiers.tables import OTHER_UIDS, Addresses, rows_of

_DEEPEST = 50
# Comments, and the name that a program gives to what follows.
_BEFORE = re.compile(r"\A(?:\s*(?://|#)[^\n]*\n)*\s*(?:(?:(?:const|let|var)\s+)?[A-Za-z_]\w*\s*=\s*(?=[\[{(]))?")
_ARRAY = re.compile(r"(?:np\.|numpy\.)?array\((\[.*\])(?:,\s*dtype=[^)\s]+)?\)", re.DOTALL)  # as NumPy shows it
_REFERENCES = re.compile(r"ref|source|related|prior", re.IGNORECASE)
_NO_COMMA = re.compile(r"(?<=['\"])\s+(?=['\"])")  # between the strings of an array as NumPy prints it
_LITERAL = 20_000_000  # characters of Python that are read as such


def parse(text: str) -> Any:
    """Return the value that a text writes as JSON, JSON lines or a Python literal; None where it does not."""
    bare = _BEFORE.sub("", text.strip()).removesuffix(";")
    if array := _ARRAY.fullmatch(bare):
        bare = array[1]
    if bare[:1] not in ("[", "{", "(") or len(bare) < 2:
        return None
    try:
        return json.loads(bare)
    except RecursionError:
        raise ValueError("This JSON is nested too deep to be read.") from None
    except ValueError:
        pass
    lines = [line for line in bare.splitlines() if line.strip()]
    if len(lines) > 1 and bare.startswith("{"):
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            if (broken := _broken(lines)) != lines[0]:
                raise ValueError(f"Each line but this is JSON, so it is cut or damaged: {short(broken)}") from None
    if len(bare) <= _LITERAL:
        try:
            found = ast.literal_eval(_NO_COMMA.sub(", ", bare))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return None
        return found if isinstance(found, list | tuple | set | frozenset | dict) else None
    return None


def _broken(lines: Sequence[str]) -> str:
    for line in lines:
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            return line
    return ""


def is_list(value: Any) -> bool:
    """Return whether a value is a plain list, each entry of which is named on its own."""
    return isinstance(value, list | tuple | set | frozenset) and not any(
        isinstance(v, Mapping | list | tuple | set | frozenset) for v in value
    )


def rows_in(value: Any, addresses: Addresses) -> tuple[list[Row], list[str]]:
    """Return the rows of a JSON value."""
    if isinstance(value, list) and value and all(_flat(v) for v in value):
        headings = list(dict.fromkeys(k for v in value for k in v))
        if (found := rows_of(headings, [[v.get(k) for v in value] for k in headings], addresses)) is not None:
            return found
    if isinstance(value, list | tuple) and (matrix := _matrix(value)) is not None:
        if (found := rows_of(*matrix, addresses)) is not None:
            return found
        value = value[1:]
    if isinstance(value, Mapping):
        if value and all(_flat(v) and str(k).isdigit() for k, v in value.items()):  # by the rows' numbers
            return rows_in(list(value.values()), addresses)
        if (table := _columns(value)) is not None and (found := rows_of(*table, addresses)) is not None:
            return found
        for key in ("data", "rows", "result", "results", "records", "items"):
            inner = value.get(key)
            names = value.get("columns")
            if isinstance(inner, list) and inner and names is None and all(_flat(v) for v in inner):
                return rows_in(inner, addresses)
            if not isinstance(inner, list) or not isinstance(names, list) or not inner:
                continue
            if all(isinstance(r, list) and len(r) == len(names) for r in inner):  # pandas' "split"
                found = rows_of(names, list(zip(*inner, strict=True)), addresses)
                if found is not None:
                    return found
    return list(_walk(value, (), addresses, 0)), []


def _flat(value: Any) -> bool:
    return isinstance(value, Mapping) and not any(isinstance(v, dict | list) for v in value.values())


def _matrix(value: Sequence[Any]) -> tuple[list[str], list[tuple[Any, ...]]] | None:
    """Return the columns of a list of lists whose first is a heading."""
    if not value or not isinstance(value[0], list | tuple) or len(value[0]) < 2 or not is_list(value[0]):
        return None
    names = value[0]
    if not all(isinstance(n, str) for n in names) or not any(field_of(n) or loose_field_of(n) for n in names):
        return None
    if not all(isinstance(r, list | tuple) and len(r) == len(names) for r in value):
        return None
    return list(names), list(zip(*value[1:], strict=True)) or [()] * len(names)


def _columns(value: Mapping[Any, Any]) -> tuple[list[str], list[list[Any]]] | None:
    """Return a mapping of columns: lists of one length, or, as pandas writes them, mappings by row."""
    as_lists: dict[str, list[Any]] = {}
    for name, column in value.items():
        if (
            isinstance(column, Mapping)
            and "Value" not in column
            and not any(isinstance(v, list | dict) for v in column.values())
        ):
            as_lists[str(name)] = list(column.values())
        elif isinstance(column, list | tuple) and not any(isinstance(v, list | dict) for v in column):
            as_lists[str(name)] = list(column)
        else:
            return None
    if not as_lists or len({len(c) for c in as_lists.values()}) != 1:
        return None
    return list(as_lists), list(as_lists.values())


def _walk(value: Any, above: tuple[tuple[str, str], ...], addresses: Addresses, depth: int) -> Iterator[Row]:
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        own: list[tuple[str, str]] = []
        lists: list[tuple[str, list[str]]] = []
        inner: list[tuple[Any, Any]] = []
        expects = 0
        maybe: list[tuple[str, str]] = []  # of keys that say nothing: they may be finer
        for name, each in value.items():
            if isinstance(each, Mapping) and isinstance(each.get("Value"), list):  # DICOM JSON
                each = each["Value"]
            elif isinstance(each, Mapping) and "vr" in each:  # an empty element
                expects = max(expects, LEVEL[field_of(name) or OPEN])
                continue
            if exclusions.leaves_out(name) and not isinstance(each, bool | int | float | None):
                yield from (Row(((OPEN, v),), problem=exclusions.EXCLUDED) for v in _leaves(each))
                continue
            if isinstance(each, list) and _is_dicom(value) and any(isinstance(e, Mapping) for e in each):
                continue  # a sequence: what the object refers to
            field = field_of(name) or _loose(name, each)
            if field is None and shaped(str(name)):  # the key is an identifier, of all that is below it
                if each is None or isinstance(each, bool | int | float):
                    yield from _rows(above, OPEN, str(name), addresses)
                else:
                    beside = (*above, (OPEN, str(name)))
                    yield from _walk(
                        each if isinstance(each, Mapping | list | tuple) else [each], beside, addresses, depth + 1
                    )
                continue
            if field:
                expects = max(expects, LEVEL[field])
            if isinstance(each, list | tuple | set | frozenset) and not any(isinstance(e, dict | list) for e in each):
                if field and (texts := [t for e in each if (t := text_of(e))]):
                    lists.append((field, texts))
            elif isinstance(each, Mapping | list | tuple):
                inner.append((name, each))
            elif field and (text := text_of(each)):
                own.append((field, text))
            elif isinstance(each, str) and UID_SHAPE.fullmatch(each.strip()) and not OTHER_UIDS.search(key_of(name)):
                maybe.append((MAYBE, each.strip()))
        if expects > max((LEVEL[f] for f, _ in [*own, *lists]), default=0) and not inner:
            yield Row((), expects)  # its finest key is there, and empty
            return
        if any(LEVEL[f] >= LEVEL[SERIES] for f, _ in own):  # what a series refers to is another
            inner = [e for e in inner if not _REFERENCES.search(str(e[0]))]
        own += maybe if own and not lists and not inner else []
        yield from _record((*above, *own), lists, [e for _, e in inner], addresses, depth)
    elif isinstance(value, list | tuple | set | frozenset):
        if depth and not above and len(value) > 1 and is_list(value):  # a row of a table
            words = [t for e in value if (t := text_of(e))]
            named = [r for w in words if "://" in w for r in addresses.rows(w)]
            cells = [c for r in named for c in r.cells] + [(OPEN, bare_doi(w)) for w in words if "://" not in w]
            if wrong := [r for r in named if r.problem]:
                yield from wrong
            else:
                yield Row(tuple(dict.fromkeys(cells)))
            return
        for each in value:
            if isinstance(each, Mapping | list | tuple | set | frozenset):
                yield from _walk(each, above, addresses, depth + 1)
            elif text := text_of(each):
                yield from _rows(above, OPEN, text, addresses)


def keys_of(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the keys of a JSON value, at every level."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        yield from map(str, value)
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        if isinstance(each, Mapping | list | tuple):
            yield from keys_of(each, depth + 1)


def _leaves(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [t for v in value.values() for t in _leaves(v)]
    if isinstance(value, list | tuple | set | frozenset):
        return [t for v in value for t in _leaves(v)]
    return [text] if (text := text_of(value)) else []


def _is_dicom(value: Mapping[Any, Any]) -> bool:
    return all(re.fullmatch(r"[0-9A-Fa-f]{8}", str(k)) for k in value)


def _loose(name: object, value: Any) -> str | None:
    """Return the field of a key that has other meanings too, where its values are UIDs or names and no counts."""
    field = loose_field_of(name)
    values = value if isinstance(value, list | tuple) else [value]
    if field and not any(values):  # it is there, and empty
        return field
    return field if field and values and all(isinstance(v, str) for v in values) else None


def _record(
    own: tuple[tuple[str, str], ...],
    lists: list[tuple[str, list[str]]],
    inner: list[Any],
    addresses: Addresses,
    depth: int,
) -> Iterator[Row]:
    below = [r for each in inner for r in _walk(each, own, addresses, depth + 1)]
    if below:
        yield from below
        if not lists:
            return
    if not own and not lists:
        return
    finest = max((LEVEL[f] for f, _ in own), default=0)
    fine = [(f, vs) for f, vs in lists if LEVEL[f] >= finest or f == OPEN]
    if fine:
        field, values = max(fine, key=lambda e: LEVEL[e[0]])
        for value in values:
            yield from _rows(own, field, value, addresses)
        return
    if own:
        coarser = tuple((f, v) for f, vs in lists for v in vs)
        field, value = max(own, key=lambda c: LEVEL[c[0]])
        yield from _rows((*coarser, *(c for c in own if c != (field, value))), field, value, addresses)


def _rows(above: tuple[tuple[str, str], ...], field: str, value: str, addresses: Addresses) -> Iterator[Row]:
    plain = tuple(c for c in above if c[0] != ADDRESS and "://" not in c[1])
    addressed = [r for _, v in above if "://" in v for r in addresses.rows(v)]
    if "://" in value and bare_doi(value) == value:
        for row in addresses.rows(value):
            yield Row((*plain, *row.cells), problem=row.problem) if not row.problem else row
        return
    if any(r.problem for r in addressed):
        yield from (r for r in addressed if r.problem)
        return
    beside = tuple(c for r in addressed for c in r.cells)
    yield Row(tuple(dict.fromkeys((*plain, *beside, (field, as_written(field, value))))))
