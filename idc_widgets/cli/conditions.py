"""What `--where` says, as conditions: `Modality=CT,PT`, `StudyDate=2010..2015`, `series_size_MB>10`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, cast

from idc_widgets.api import Catalog
from idc_widgets.catalog.bundled import DATE_COLUMNS, NUMBER_COLUMNS
from idc_widgets.catalog.terms import TERM_COLUMNS
from idc_widgets.cli.exits import InputError
from idc_widgets.cohort.conditions import (
    Between,
    Condition,
    Not,
    Or,
    between,
    compare,
    contains,
    isin,
)
from idc_widgets.cohort.scalars import Scalar

Kind: TypeAlias = Literal["text", "number", "boolean", "date", "age"]

_TERM = re.compile(r"\s*([^=!<>~\"',]+?)\s*(!=|!~|>=|<=|==|=|<|>|~)(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DICOM_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_WHOLE_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SAID = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class _Word(NamedTuple):
    text: str
    quoted: bool


def conditions(catalog: Catalog, texts: Sequence[str]) -> list[Condition]:
    """Return the conditions that `--where` states; all of them hold, but `=` on one column means any of its values.

    Raises
    ------
    ValueError
        If one is no condition, or its column or a value is not in the catalogue.
    TableUnavailableError
        If it is about another table, and that could not be fetched.
    """
    any_of: dict[str, list[_Word]] = {}
    others: list[Condition] = []
    for text in texts:
        found = _TERM.fullmatch(text)
        if found is None:
            raise InputError(
                f"--where {text!r}: write COLUMN=VALUE, such as Modality=CT, StudyDate=2010..2015, "
                "series_size_MB>10 or SeriesDescription~t2."
            )
        column, operator, value = found.groups()
        if operator in ("=", "=="):
            any_of.setdefault(column, []).extend(_words(value, text))
        else:
            others.append(_other(catalog, column, operator, value, text))
    return [*(_any_of(catalog, column, words) for column, words in any_of.items()), *others]


def kind_of(catalog: Catalog, column: str) -> Kind:
    """Return what values a column takes, of the index or of "table.column"."""
    if "." in column:
        return catalog.index.joined(column).kind
    catalog.index.require_column(column)
    if column in TERM_COLUMNS:
        return "text"
    if column == "PatientAge":
        return "age"
    return "date" if column in DATE_COLUMNS else "number" if column in NUMBER_COLUMNS else "text"


def _other(catalog: Catalog, column: str, operator: str, value: str, text: str) -> Condition:
    kind = kind_of(catalog, column)
    if operator == "!=":
        return Not(_any_of(catalog, column, _words(value, text)))
    if column in TERM_COLUMNS:
        raise InputError(f'--where {text!r}: "{column}" is a list of terms; use = or != with whole terms.')
    if operator in ("~", "!~"):
        # One text, commas and all: a list would find more than what was written.
        words = _words(value, text) if value.strip()[:1] in ('"', "'") else [_Word(value.strip(), False)]
        if len(words) != 1 or not words[0].text:
            raise InputError(f"--where {text!r}: one text is looked for; write {column}~TEXT.")
        if kind not in ("text", "age"):
            raise InputError(f'--where {text!r}: "{column}" holds no text; use =, !=, <, <=, > or >=.')
        holds: Condition = contains(column, words[0].text)
        return holds if operator == "~" else Not(holds)
    words = _words(value, text)
    if len(words) != 1 or words[0].text == "":
        raise InputError(f"--where {text!r}: one value is compared with; write {column}{operator}VALUE.")
    bound = _bound(column, kind, words[0].text)
    match operator:
        case ">=":
            return between(column, bound, None)
        case "<=":
            return between(column, None, bound)
    return compare(column, cast(Literal["<", ">"], operator), bound)


def _any_of(catalog: Catalog, column: str, words: Sequence[_Word]) -> Condition:
    kind = kind_of(catalog, column)
    values: list[Scalar] = []
    ranges: list[Condition] = []
    for word in words:
        read = _read(column, kind, word)
        if isinstance(read, Between):
            ranges.append(read)
        else:
            values.append(read)
    parts: list[Condition] = [isin(column, values)] if values or not ranges else []
    parts += ranges
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _read(column: str, kind: Kind, word: _Word) -> Scalar | Between:
    text = word.text
    if text == "":
        return None
    if kind == "text":
        return text
    # In a text, dots are dots; in numbers, dates and ages they make a range.
    if not word.quoted and ".." in text:
        low, _, high = text.partition("..")
        if not low.strip() and not high.strip():
            raise InputError(f"{column}={text}: a range needs a bound, such as {column}=10.. or {column}=..20.")
        bounds = (_bound(column, kind, each.strip()) if each.strip() else None for each in (low, high))
        return between(column, *bounds)
    if kind == "boolean":
        if text.lower() not in _SAID:
            raise InputError(f"{column}={text}: this column is true or false.")
        return _SAID[text.lower()]
    if kind == "age":
        return between(column, *[_number(column, text)] * 2) if _NUMBER.fullmatch(text) else text
    if kind == "number":
        return _number(column, text)
    whole = _bound(column, kind, text)
    # A year or a month is all of its days.
    return whole if _WHOLE_DATE.fullmatch(str(whole)) else between(column, whole, whole)


def _bound(column: str, kind: Kind, text: str) -> Scalar:
    if kind in ("number", "age"):
        return _number(column, text)
    if kind == "boolean":
        raise InputError(f"{column}: this column is true or false; write {column}=true.")
    day = _DICOM_DATE.fullmatch(text) if kind == "date" else None
    return "-".join(day.groups()) if day else text


def _number(column: str, text: str) -> int | float:
    of_age = "a number of years" if column == "PatientAge" else "a number"
    if not _NUMBER.fullmatch(text):
        raise InputError(f'"{column}" is compared with {of_age}, and {text!r} is none.')
    if re.fullmatch(r"[+-]?0\d+", text):  # the end of 1,000
        raise InputError(
            f'"{column}" is compared with {of_age}; write {text!r} without zeros before it, 1000 for 1,000.'
        )
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)


def _words(value: str, text: str) -> list[_Word]:
    """Return the values of a list: between commas; in quotes, commas and dots are part of a value."""
    if not value.strip():
        return [_Word("", False)]
    found: list[_Word] = []
    rest = value.strip()
    while True:
        if rest[:1] in ('"', "'"):
            quote = rest[0]
            closed = re.match(rf"{quote}((?:[^{quote}]|{quote}{quote})*){quote}\s*(,|$)", rest, re.DOTALL)
            if closed is None:
                raise InputError(
                    f"--where {text!r}: the quotes are not closed, or more follows them; write "
                    """COLUMN="a, b","c", and "" for a quote within quotes."""
                )
            found.append(_Word(closed[1].replace(quote * 2, quote), True))
            comma, rest = closed[2], rest[closed.end() :].strip()
        else:
            word, comma, rest = rest.partition(",")
            found.append(_Word(word.strip(), False))
            rest = rest.strip()
        if not comma:
            break
    if len(found) > 1 and any(not word.text for word in found):
        raise InputError(
            f"--where {text!r}: an entry of the list is empty; missing values have a condition of their own, COLUMN=."
        )
    return found
