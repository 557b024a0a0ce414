"""Queries and code as a source: read where nothing is left of them but identifiers, else refused.

A query is reduced step by step: a comparison of a column that identifies is a condition; conditions that all hold are
one; what is known to restrict nothing goes. What does not go is not understood, and may ask for less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from idc_widgets.cohort.identifiers import exclusions
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    LEVEL,
    OPEN,
    SERIES,
    UUID,
    UUID_SHAPE,
    as_written,
    field_of,
    inside,
    key_of,
    loose_field_of,
    shaped,
)

REASON = "it stands in a query or in code that asks for more than identifiers; run that, or name what it finds"

_LONGEST = 5_000_000
_MAYBE = re.compile(r"\b(?:SELECT|WHERE|IN)\b|=|%in%|\.is_?in\b", re.IGNORECASE)
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`\n]*`")
# A query within a string: df.query("PatientID == 'x'").
_QUOTED = re.compile(
    r"\(\s*(\"\"\"|'''|\"|')((?:(?!\1).)*?(?:[=<>]|\bIN\b|\bLIKE\b)(?:(?!\1).)*)\1\s*(?=[,)])",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)

_S = "\x02\\d+\x03"  # a string, by its number
_ONE = rf"(?:{_S}|\d+(?![\w.]))"
_LIST = rf"(?:\b(?:c|list|tuple|set|(?:np\.)?array)\s*)?[\[({{]\s*{_ONE}(?:\s*,\s*{_ONE})*\s*,?\s*[\])}}]"
_VALUE = rf"(?:{_LIST}|{_ONE})"
_OF = r"[A-Za-z_]\w*(?:\(\s*\))?(?:\.|::|\$)"  # what an attribute or a method is of
_COLUMN = (
    rf"(?:\b(?:pl\.|F\.|fn\.)?col\(\s*(?P<col>{_S})\s*\)|\b(?:{_OF})*[A-Za-z_]\w*\[\[?\s*(?P<item>{_S})\s*\]\]?"
    rf"|(?P<quoted>{_S})|(?<![\w.$])(?:{_OF})*(?P<name>[A-Za-z_]\w*))"
)
_COMPARED = re.compile(
    rf"{_COLUMN}\s*(?:(?:={{1,3}}|%in%|\bIN\b|:(?!:))\s*(?P<value>{_VALUE}|[A-Za-z_]\w*(?=\s*[,)\]&;\n]|\s*\Z))"
    rf"|\.\s*is_?in\s*\(\s*(?P<among>{_VALUE}|[A-Za-z_]\w*)\s*\))",
    re.IGNORECASE,
)
_SQL = re.compile(r"(?:^|[;(])\s*(?:SELECT|FROM|WITH|DECLARE)\b", re.IGNORECASE | re.MULTILINE)
_CONDITION = re.compile(
    r"\bWHERE\b.*(?:[=<>]|\bIN\b|\bLIKE\b|\()|\bLIMIT\s+\d|\bIN\s*\(|[\w`\"]\s*=|\bGROUP\s+BY\b",
    re.IGNORECASE | re.DOTALL,
)
_JOINED = re.compile(
    rf"(?P<first>[A-Za-z_]\w*)[\x03\])]*\s*(?:={{1,3}}|%in%|\bIN\b)\s*{_VALUE}\s*\)?"
    r"\s*(?:,|&&?|\|\|?|\b(?:AND|OR)\b)\s*\(?\s*(?:[A-Za-z_]\w*[.$])*(?P<second>[A-Za-z_]\w*)"
    r"\s*(?:={1,3}|[<>!]=?|%in%|\bIN\b|\bLIKE\b)",
    re.IGNORECASE,
)

#: Arguments and options that restrict nothing.
ARGUMENTS = frozenset(
    ("downloaddir", "download", "output", "out", "outdir", "outputdir", "outputfolder", "folder", "path", "dest", "to",
     "destination", "dir", "directory", "dryrun", "quiet", "verbose", "progress", "showprogressbar", "progressbar",
     "uses5cmdsync", "format", "dirtemplate", "layout", "overwrite", "threads", "workers", "njobs", "maxworkers",
     "columns", "aszip", "inputtype", "validatemanifest", "sourcebucketlocation", "bucket", "provider", "wait",
     "sortby", "inplace", "index", "header", "inherit", "target", "root")
)  # fmt: skip
_PART = re.compile(
    r"(?:head|tail|first|last|limit|sample|top|slice|max|min|nth|one|any|some|random|take|mask|anti|missing|count|iloc"
    r"|references|companions|referenced)"
)
_AFTER = (
    r"tolist|to_list|unique|copy|to_csv|reset_index|collect|show|df|fetchdf|fetchall|to_df|to_pandas|download|series"
)
_ITEM = rf"(?:\w+\.)?(?:\*|{_S}|[A-Za-z_]\w*)(?:\s+AS\s+(?:\w+|{_S}))?"
_ITEMS = rf"{_ITEM}(?:\s*,\s*{_ITEM})*"
_TABLE = rf"(?:{_S}|[\w.-]+)(?:\s+(?:AS\s+)?(?!WHERE\b)\w+)?"
_C = "(@\\d+@)"

#: What goes: all of it but the condition in it.
_STEPS = [
    re.compile(p, re.IGNORECASE)
    for p in (
        rf"(?<![\w.])\(\s*{_C}\s*,?\s*\)",
        rf"(?:(?:SELECT\s+(?:DISTINCT\s+|ALL\s+)?{_ITEMS}\s+)?FROM\s+{_TABLE}\s+)?WHERE\s+{_C}"
        rf"(?:\s+ORDER\s+BY\s+(?:{_ITEMS}|\d+)(?:\s+(?:ASC|DESC))?)?(?=\s*(?:[;)]|\Z))",
        rf"(?P<of>(?:{_OF})*(?:filter|subset|where))\(\s*[A-Za-z_]\w*\s*,\s*{_C}\s*,?\s*\)",
        rf"(?<![\w.)])(?P<call>(?:{_OF})*[A-Za-z_]\w*)\(\s*{_C}\s*,?\s*\)",
        rf"\b(?:{_OF})*[A-Za-z_]\w*\[\s*{_C}\s*(?:,\s*(?:{_S}|{_LIST}|:)?\s*)?\]",
        rf"{_C}\s*\[\[?\s*{_S}(?:\s*,\s*{_S})*\s*\]\]?",
        rf"{_C}\s*[.$](?:(?:{_AFTER})\(\s*(?:{_S})?\s*\)|(?:SeriesInstanceUID|crdc_series_uuid)\b(?!\())",
        rf"\b[A-Za-z_]\w*\s*(?:%>%|\|>)\s*{_C}",
        rf"{_C}\s*(?:%>%|\|>)\s*(?:dplyr::)?(?:select|pull|collect|arrange)\((?:[\w\s,]|{_S})*\)",
        rf"(?<![^\n;])[ \t]*(?P<name>[A-Za-z_]\w*)[ \t]*(?:=|<-)\s*{_C}",
    )
]
_AND = re.compile(rf"{_C}\s*(?:,|&&?|\bAND\b)\s*{_C}", re.IGNORECASE)
_ARGUMENT = r"([A-Za-z_]\w*)\s*=\s*(?:[\w.]*\([^()@]*\)|\[[^\[\]@]*\]|[^,()\[\]@]*)"
_LEADING, _FURTHER = re.compile(rf"\(\s*{_ARGUMENT}(?:,|(?=\)))"), re.compile(rf",\s*{_ARGUMENT}(?=[,)])")
_IDLE = re.compile(
    r"^[ \t]*(?:(?:import|from)\s+[\w., *]+|library\(\w+\)"
    r"|[A-Za-z_]\w*[ \t]*(?:=|<-)[ \t]*(?P<call>[\w.]+)\([ \t]*\))[ \t;]*$",
    re.MULTILINE,
)
_VARIABLE = re.compile(rf"^[ \t]*([A-Za-z_]\w*)[ \t]*(?:=|<-)[ \t]*({_VALUE})[ \t]*;?[ \t]*$", re.MULTILINE)

Condition = dict[str, list[str]]


def is_query(text: str) -> bool:
    """Return whether a text is a query of SQL."""
    return len(text) < _LONGEST and bool(_SQL.search(text) and re.search(r"\bSELECT\b|\bWHERE\b", text, re.IGNORECASE)
                                         and _CONDITION.search(text))  # fmt: skip


def read(text: str) -> list[Row] | None:
    """Return what a query or code names, as unknown where it may ask for less; None where the text is neither."""
    if len(text) > _LONGEST or not _MAYBE.search(text):
        return None
    query = _Query(text)
    if not is_query(text) and not query.is_code():
        return None
    return query.rows()


class _Query:
    """A query while it is reduced: its text without strings, the strings, the conditions that were found."""

    def __init__(self, text: str) -> None:
        self._source = text
        self._strings: list[str] = []
        bare = _QUOTED.sub(lambda m: f"(({m[2]})", _COMMENT.sub("", text))
        self._bare = _STRING.sub(self._string, bare)
        self._conditions: list[Condition] = []
        self._variables: Mapping[str, str] = {}
        self._others: list[str] = []

    def is_code(self) -> bool:
        """Return whether columns that identify are compared in a call, in brackets, or among other comparisons."""
        if re.search(r"\bWHERE\b[^\n]*(?:=|\bIN\b|\bLIKE\b)\s*[('\"\x02\d]", self._bare, re.IGNORECASE):
            return True
        for joined in _JOINED.finditer(self._bare):
            if any(field_of(n) or loose_field_of(n) for n in (joined["first"], joined["second"])):
                return True
        for at, compared in enumerate(_COMPARED.finditer(self._bare)):
            if at > 1000:
                break
            name = self._name(compared)
            if (field_of(name) or loose_field_of(name)) and self._in_brackets(compared):
                return True
        return False

    def rows(self) -> list[Row]:
        """Return a row for each value of the finest column of each statement."""
        while (left := self._reduced()) != self._bare:
            self._bare = left
        found = re.findall(r"@(\d+)@", self._bare)
        if not re.fullmatch(r"(?:[\s;]*@\d+@)+[\s;]*", self._bare):
            return self._refused()
        return [r for n in found for r in of_condition(self._conditions[int(n)])]

    def _reduced(self) -> str:
        text = _IDLE.sub(lambda m: m[0] if m["call"] and not _harmless(m["call"]) else "", self._bare)
        held = {m[1]: m[2] for m in _VARIABLE.finditer(text)}
        self._variables = {**self._variables, **{n: v for n, v in held.items() if _uses(text, n) > 1}}
        if self._variables:
            text = _VARIABLE.sub(lambda m: "" if m[1] in self._variables else m[0], text)
        text = _COMPARED.sub(self._condition, text)
        text = _LEADING.sub(lambda m: "(" if key_of(m[1]) in ARGUMENTS else m[0], text)
        text = _FURTHER.sub(lambda m: "" if key_of(m[1]) in ARGUMENTS else m[0], text)
        text = _AND.sub(self._both, text)
        for step in _STEPS:
            text = step.sub(_without, text)
        return text

    def _string(self, match: re.Match[str]) -> str:
        self._strings.append(match[0][1:-1])
        return f"\x02{len(self._strings) - 1}\x03"

    def _values(self, text: str) -> list[str]:
        return [self._strings[int(s)] if s else n for s, n in re.findall("\x02(\\d+)\x03|(\\d+)", text)]

    def _name(self, match: re.Match[str]) -> str:
        if match["name"]:
            return match["name"]
        return self._values(match["col"] or match["item"] or match["quoted"])[0]

    def _condition(self, match: re.Match[str]) -> str:
        name, value = self._name(match), match["value"] or match["among"]
        value = self._variables.get(value, value)
        if key_of(name) in ARGUMENTS:
            return match[0]
        values = self._values(value) if re.fullmatch(_VALUE, value) else []
        field = field_of(name)
        if field is None and (loose := loose_field_of(name)) and (LEVEL[loose] in (1, 2) or all(map(shaped, values))):
            field = loose
        if field is None or not all(values) or not values:
            self._others.append(name)
            return match[0]
        self._conditions.append({field: values})
        return f"@{len(self._conditions) - 1}@"

    def _both(self, match: re.Match[str]) -> str:
        """Return one condition for two that both hold; a column that is compared twice is another matter."""
        one, other = (self._conditions[int(n.strip("@"))] for n in match.groups())
        if one.keys() & other.keys():
            return match[0]
        self._conditions.append({**one, **other})
        return f"@{len(self._conditions) - 1}@"

    def _in_brackets(self, match: re.Match[str]) -> bool:
        """Return whether a comparison stands within the brackets of a name."""
        depth = 0
        for at in range(match.start() - 1, max(match.start() - 2000, 0), -1):
            char = self._bare[at]
            depth += (char in ")]") - (char in "([")
            if depth < 0:
                if re.match(r"[\w)]", self._bare[at - 1]):
                    return True
                depth = 0
        return False

    def _refused(self) -> list[Row]:
        others = [n for n in dict.fromkeys(self._others) if not n.isspace()]
        said = f"{REASON} ({', '.join(others[:3])})" if others else REASON
        named = inside(self._source) or [s for s in self._strings if s.strip() and not re.search(r"[\s=<>]", s)]
        return [Row(((OPEN, v),), problem=said) for v in dict.fromkeys(named or [self._source.strip()[:60]])]


def _uses(text: str, name: str) -> int:
    return len(re.findall(rf"\b{name}\b", text))


def _harmless(names: str) -> bool:
    """Return whether the names of a call say nothing of a part or of the contrary."""
    words = [w.lower() for w in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", names)]
    return not any(_PART.fullmatch(w) or exclusions.leaves_out(w) for w in words)


def _without(match: re.Match[str]) -> str:
    named = match.groupdict()
    names = named.get("call") or named.get("of") or named.get("name") or ""
    if not _harmless(names):
        return match[0]
    return next(g for g in match.groups() if g and g.startswith("@"))


def of_condition(condition: Condition) -> list[Row]:
    """Return a row for each value of the finest column; of each coarser one, one of its values has to hold."""
    if not condition:
        return []
    finest = max(condition, key=lambda f: 9 if f == OPEN else LEVEL[f])
    beside = tuple((f, as_written(f, v)) for f, vs in condition.items() if f != finest for v in vs)
    rows = []
    for value in condition[finest]:
        field = UUID if finest == SERIES and UUID_SHAPE.fullmatch(value) else finest  # both are written so
        rows.append(Row((*beside, (field, as_written(field, value))), any_of=True))
    return rows
