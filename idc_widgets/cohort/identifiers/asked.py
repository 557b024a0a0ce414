"""What keys beside an identifier ask for: a part of what it names, nothing at all, or something that is not read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers import exclusions
from idc_widgets.cohort.identifiers.spelling import WHOLE, field_of, key_of

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\$[a-z]+|\d+")
_EXCEPT = re.compile(r"exclu[ds]\w*|except\w*|without|omit\w*|skip\w*|ignor\w*|reject\w*|drop\w*|not")
_PART = re.compile(
    r"\$.+|only|max|maximum|min|minimum|at(?:most|least)"
    r"|limit|top|first|head|where|filters?|quer(?:y|ies)|conditions?|criteria|constraints?|having|sql|predicates?"
)
#: What programs are told of their runs.
_OF_RUNS = re.compile(
    r"epochs?|iter(?:ation)?s?|steps?|workers?|batch(?:es)?|lr|rate|retries|threads?|tokens?|memory|jobs?"
)
_LAST = re.compile(r"limit|filters?|query|criteria|conditions?|where")
#: These label a row as well, in a table of several.
_PORTION = re.compile(r"n|subset|split|fold|sample|sampl(?:ed|ing)|fraction|frac|portion|percent|every|random")
_SIZE = re.compile(r"(?:n|num|number|count|max|min)?(?:of)?(?:samples?|subsets?)(?:size|count|n)?")
_PLAIN = re.compile(
    r"(?:\w*(?:cohort|list|file|project|dataset|manifest|collection|patient|subject|site))?(?:names?|titles?|labels?|aliases)"
    r"|desc(?:ription)?|summary|comments?|notes?|remarks?|authors?|creators?|owner|users?|emails?|contact|citations?|license\w*"
    r"|(?:(?:created?|updated?|modified|generated|exported|saved|download(?:ed)?)(?:at|on|by|date|time|with)?)|date|time(?:stamp)?"
    r"|(?:idc|schema|data|api|format)?version|release|format|schema|source|tool|software|generator"
    r"|(?:index|row|rank|order|page|position|offset|next|previous|url|link|color|ok|success|error|message|keys?|slug)"
    r"|\w*(?:counts?|sizes?|sizemb|sizegb|sizetb|inmb|ingb|bytes|totals?|length)"
    r"|(?:n|num|number|total|count)?(?:of)?(?:images?|instances?|files?|slices|patients|subjects|cases|studies|series|collections)"
)
_SAME = frozenset(("in", "eq", "is", "equals", "anyof", "oneof", "term", "terms", "value", "values", "="))
_OTHER = frozenset(
    ("ne", "nin", "not", "notin", "neq", "gt", "lt", "gte", "lte", "like", "ilike", "regex", "exists", "between", "btw",
     "contains", "startswith", "prefix", "wildcard", "match", "all", "elemmatch", "type", "mod", "size")
)  # fmt: skip
_JOINED = {"and": "and", "all": "and", "allof": "and", "must": "and", "or": "or", "anyof": "or", "should": "or"}


class Refused(str):
    """A condition that is not read, in the words of its source."""


def asks(name: object) -> bool:
    """Return whether a key asks for a part of what is named beside it."""
    if field_of(name):
        return False
    words = [w.lower() for w in _WORDS.findall(str(name))]
    if not words or is_plain(name) or any(map(_OF_RUNS.fullmatch, words[1:])):
        return False
    return bool(_PART.fullmatch(words[0]) or _PART.fullmatch("".join(words)) or _LAST.fullmatch(words[-1]))


def excepts(name: object) -> bool:
    """Return whether a key is of what is not wanted of what is named beside it."""
    words = [w.lower() for w in _WORDS.findall(str(name))]
    return bool(words) and bool(_EXCEPT.fullmatch(words[0]) or "not" in words) and not is_plain(name)


def is_odd(name: object) -> bool:
    """Return whether a key asks for a part or for an exception that no column of yes and no is."""
    return asks(name) or (excepts(name) and not exclusions.leaves_out(name))


def portions(name: object) -> bool:
    """Return whether a key asks for a portion of a whole; in a table of several rows it may label one."""
    words = [w.lower() for w in _WORDS.findall(str(name))]
    if _SIZE.fullmatch("".join(words)):
        return True
    return bool(words) and bool(_PORTION.fullmatch(words[0])) and not is_plain(name)


def is_plain(name: object) -> bool:
    """Return whether a key holds a name, a count, a size or the like: nothing that could narrow."""
    return bool(_PLAIN.fullmatch(key_of(name)))


def problem(names: Iterable[object]) -> str:
    """Return why a record names nothing beside keys that ask for a part of it."""
    return (
        f"beside {short(', '.join(map(str, names)))}, which asks for a part of it and is not read; name what is wanted"
    )


def told(names: Iterable[object], level: int) -> str:
    """Return what is to be said of keys that are not read, beside what is no series."""
    listed = [short(n) for n in names]
    more = f" and {len(listed) - 12:,} more" if len(listed) > 12 else ""
    return f"Each record without series is a whole {WHOLE[level]}; {', '.join(listed[:12])}{more} is not read."


def compared(value: Mapping[Any, Any]) -> Any:
    """Return the values that `{"$in": […]}` and the like ask for; the value itself where it compares nothing."""
    operators = {str(k).lstrip("$").lower().replace("_", "").replace("-", ""): k for k in value}
    if not value or not set(operators) <= _SAME | _OTHER | {"!=", "<", ">", "<=", ">=", "<>", "=="}:
        return value
    if set(operators) <= _SAME | {"=="} and len(value) == 1:
        return next(iter(value.values()))
    return Refused(", ".join(map(str, value)))


def meant(value: Mapping[Any, Any]) -> Any:
    """Return the record that an expression of operators means: a mapping, a list of them, or that it is refused."""
    if len(value) == 1:
        ((name, inner),) = value.items()
        joined = _JOINED.get(str(name).lstrip("$").lower()) if str(name).startswith("$") else None
        if str(name).lower() in ("and", "or") or joined:
            return _joined(joined or str(name).lower(), inner)
        if str(name).lower() in ("$not", "$nor", "must_not", "not"):
            return Refused(str(name))
        return value
    by = {key_of(k): v for k, v in value.items()}
    operator = next((by[k] for k in ("op", "operator", "comparison", "comparator") if isinstance(by.get(k), str)), None)
    if operator is None:
        return value
    told = key_of(operator) or operator
    inner = next((by[k] for k in ("content", "args", "filters", "conditions", "rules", "children") if k in by), None)
    if told in ("and", "or"):
        return _joined(told, inner)
    if isinstance(inner, Mapping):
        return meant({"op": operator, **inner})
    column = next((by[k] for k in ("field", "column", "key", "attribute", "name", "property") if k in by), None)
    wanted = next((by[k] for k in ("values", "value") if k in by), None)
    if column is None or wanted is None:
        return value
    if told in _SAME | {"=="}:
        return {column: wanted}
    return Refused(f"{operator} {column or ''}".strip())


def _joined(how: str, parts: Any) -> Any:
    if not isinstance(parts, list) or not all(isinstance(p, Mapping) for p in parts):
        return parts if isinstance(parts, Mapping) else Refused(how)
    read = [meant(p) for p in parts]
    if how == "or":
        return read
    merged: dict[Any, Any] = {}
    for each in read:
        if isinstance(each, Refused):
            return each
        if not isinstance(each, Mapping) or merged.keys() & each.keys():
            return Refused(how)
        merged |= each
    return merged
