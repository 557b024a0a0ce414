"""Values as programs write them: JSON, JSON lines, JSON with comments and bare keys, Python, one after another."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers import exclusions

# Comments, and the name that a program gives to what follows.
_BEFORE = re.compile(
    r"\A(?:\s*(?://|#)[^\n]*\n)*\s*((?:(?:const|let|var)\s+)?[A-Za-z_]\w*\s*=\s*(?=[\[{(]|(?:\w+\.)?\w*[dD]ict\())?"
)
_ARRAY = re.compile(r"(?:np\.|numpy\.)?array\((\[.*\])(?:,\s*dtype=[^)\s]+)?\)", re.DOTALL)  # as NumPy shows it
_NO_COMMA = re.compile(r"(?<=['\"])\s+(?=['\"])")  # between the strings of an array as NumPy prints it
_MOST = 20_000_000  # characters that are read as anything but JSON
_DEEP = "This JSON is nested too deep to be read."
_DICT = re.compile(r"(?:collections\.)?(?:OrderedDict|defaultdict|dict)\(\s*[\[{(<]")
_SHOWS = re.compile(
    r"export\s+default\s+\w+|(?:print|display|pprint|console\.log)\s*\([^()]*\)|[A-Za-z_]\w*\s*$", re.MULTILINE
)

_TOKEN = re.compile(
    r"\s+|//[^\n]*|\#[^\n]*|/\*(?s:.*?)\*/"
    r"|(?P<text>[rbu]?(?:\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'))"
    r"|(?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"
    r"|(?P<word>[-+]?[A-Za-z_$][\w$.]*|<[^<>\n]*>)"
    r"|(?P<mark>[\[\]{}(),:;=])"
)
_CLOSED = {"[": "]", "{": "}", "(": ")"}
_CONSTANTS = {"true": True, "false": False} | dict.fromkeys(
    ("null", "none", "nan", "nat", "undefined", "inf", "infinity", "np.nan", "numpy.nan", "pd.na", "pd.nat", "<na>")
)


def parse(text: str) -> Any:
    """Return the value that a text writes as JSON, JSON lines or a literal of a program; None where it does not.

    Raises
    ------
    ValueError
        If it is one that is cut or damaged, or that code stands behind.
    """
    begins = _BEFORE.match(text := text.strip())
    name = (begins[1] or "").rstrip("= \t\n").split(" ")[-1] if begins else ""
    found = _parsed(text, begins.end() if begins else 0, name)
    # A list that is said not to be wanted.
    return {name: found} if found is not None and name and exclusions.leaves_out(name) else found


def _parsed(text: str, begins: int, name: str) -> Any:
    bare = text[begins:].removesuffix(";")
    if array := _ARRAY.fullmatch(bare):
        bare = array[1]
    if (bare[:1] not in ("[", "{", "(") and not _DICT.match(bare)) or len(bare) < 2:
        return None
    try:
        return json.loads(bare)
    except RecursionError:
        raise ValueError(_DEEP) from None
    except ValueError:
        pass
    lines = [line for line in bare.splitlines() if line.strip()]
    broken = next(_broken(lines), None) if len(lines) > 1 and bare[0] == "{" else ""
    if broken is None:
        return [json.loads(line) for line in lines]
    if len(bare) > _MOST:
        return None
    if (found := _python(bare)) is not None:
        return found
    if bare[0] != "(":
        reader = _Reader(bare)
        try:
            return reader.all(name)
        except RecursionError:
            raise ValueError(_DEEP) from None
        except _NoLiteral:
            pass
    if broken and broken != lines[0]:
        raise ValueError(f"Each line but this is JSON, so it is cut or damaged: {short(broken)}")
    return None


def is_list(value: Any) -> bool:
    """Return whether a value is a plain list, each entry of which is named on its own."""
    return isinstance(value, list | tuple | set | frozenset) and not any(
        isinstance(v, Mapping | list | tuple | set | frozenset) for v in value
    )


def is_nested(value: Any) -> bool:
    """Return whether a cell holds several values, or values with names."""
    if isinstance(value, str | bytes | int | float) or value is None:
        return False
    listed = isinstance(value, Mapping | list | tuple | set | frozenset) or (
        hasattr(value, "tolist") and hasattr(value, "shape")
    )
    return listed and bool(getattr(value, "shape", True)) and len(value) > 0


def plainly(value: Any, depth: int = 0) -> Any:
    """Return a value of Python with lists in the place of arrays, and mappings in that of labelled columns."""
    if isinstance(value, str | bytes | int | float) or value is None or depth > 50:
        return value
    if isinstance(value, Mapping):
        return {k: plainly(v, depth + 1) for k, v in value.items()}
    if isinstance(value, tuple):
        return tuple(plainly(v, depth + 1) for v in value)
    if isinstance(value, list | set | frozenset):
        return [plainly(v, depth + 1) for v in value]
    if hasattr(value, "iloc") and hasattr(value, "columns"):
        return plainly(value.to_dict("records"), depth + 1)
    if hasattr(value, "iloc") and any(isinstance(label, str) for label in value.index):
        return plainly(value.to_dict(), depth + 1)
    if hasattr(value, "tolist"):
        return plainly(value.tolist(), depth + 1)
    if type(value).__name__ in ("dict_items", "dict_values", "dict_keys"):
        return plainly(list(value), depth + 1)
    return value


def _broken(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            yield line


def _python(bare: str) -> Any:
    try:
        found = ast.literal_eval(_NO_COMMA.sub(", ", bare))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return found if isinstance(found, list | tuple | set | frozenset | dict) else None


class _NoLiteral(Exception):
    """A text that is no value as programs write them."""


class _Reader:
    """Reads values without strictness: bare keys, either quote, commas too many, comments, `nan`, calls."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._kind, self._token = "", ""
        self._next()

    def all(self, name: str) -> Any:
        """Return the one value, a list of all that stand one after another, or all by the names they are given."""
        found = [self._value()]
        named = {name: found[0]} if name else {}
        while self._kind:
            if self._token in (",", ";"):
                self._next()
            elif self._token in ("[", "{"):
                found.append(self._value())
            elif self._kind == "word" and re.match(r"\s*=\s*[\[{]", self._text[self._at :][:99]):
                name = self._token
                self._next()
                self._next()
                found.append(self._value())
                named[name] = found[-1]
            elif shown := _SHOWS.match(self._text, self._at - len(self._token)):
                self._at = shown.end()
                self._next()
            elif named or isinstance(found[0], dict):
                line = self._text[self._at - len(self._token) :].partition("\n")[0]
                raise ValueError(f"Behind the value stands what is not read; give the value alone: {short(line)}")
            else:
                raise _NoLiteral
        if len(found) == 1:
            return found[0]
        return named if len(named) == len(found) else found

    def _next(self) -> None:
        while self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if not found:
                raise _NoLiteral
            self._at = found.end()
            if found.lastgroup:
                self._kind, self._token = found.lastgroup, found[0]
                return
        self._kind = self._token = ""

    def _value(self) -> Any:
        kind, token = self._kind, self._token
        self._next()
        if kind == "text":
            return _unquoted(token)
        if kind == "number":
            return float(token) if re.search(r"[.eE]", token) else int(token)
        if token == "{":
            return self._mapping()
        if token in ("[", "("):
            found = self._items(_CLOSED[token])
            return tuple(found) if token == "(" else found
        if kind == "word" and self._token == "(":
            self._next()
            return _called(token, self._items(")"))
        if kind == "word" and token.lstrip("+-").lower() in _CONSTANTS:
            return _CONSTANTS[token.lstrip("+-").lower()]
        if token.startswith("<"):
            return None
        raise _NoLiteral

    def _items(self, closed: str) -> list[Any]:
        found: list[Any] = []
        while self._token != closed or self._kind != "mark":
            if self._token == ",":
                self._next()
            elif self._kind == "word" and re.match(r"\s*=(?!=)", self._text[self._at :][:9]):  # dtype=object
                self._next()
                self._next()
                if self._kind == "word" and self._token.lower() not in _CONSTANTS:
                    self._next()
                elif closed == ")":
                    self._value()
            else:
                found.append(self._value())
        self._next()
        return found

    def _mapping(self) -> Any:
        found: dict[Any, Any] = {}
        entries: list[Any] = []
        while self._token != "}":
            if self._token == ",":
                self._next()
                continue
            if self._kind == "word" and re.match(r"\s*:", self._text[self._at :][:99]):
                key: Any = self._token
                self._next()
            else:
                key = self._value()
            if self._token != ":":
                entries.append(key)  # of a set
                continue
            self._next()
            if isinstance(key, list | dict):
                raise _NoLiteral
            found[key] = self._value()
        self._next()
        if entries and found:
            raise _NoLiteral
        return entries or found


def _unquoted(token: str) -> str:
    bare = token.lstrip("rbu")
    if "\\" not in bare:
        return bare[1:-1]
    try:
        return str(ast.literal_eval(bare.replace("\\/", "/")))
    except (ValueError, SyntaxError):
        raise _NoLiteral from None


def _called(name: str, values: list[Any]) -> Any:
    """Return what a call is about: the list of an array, the mapping of a dict, the text of a time."""
    if name.lower().endswith("dict"):
        kept = [v for v in values if isinstance(v, list | dict)]
        if kept and isinstance(kept[0], list) and all(isinstance(p, tuple) and len(p) == 2 for p in kept[0]):
            return dict(kept[0])
        return kept[0] if kept else {}
    return values[0] if values and not isinstance(values[0], int) else None if len(values) != 1 else values[0]
