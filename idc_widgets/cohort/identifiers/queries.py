"""Queries and code as a source: read where they say nothing but identifiers, else refused."""

from __future__ import annotations

import re

from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import OPEN, field_of, inside

_QUERY = re.compile(
    r"\bSELECT\b.*\bFROM\b.*(?:=|\bIN\b\s*\(|;|\bLIMIT\b|\bWHERE\b)|\bWHERE\b[^\n]*(?:=|\bIN\b|\bLIKE\b)\s*[('\"]"
    r"|\.query\s*\(|\.isin\s*\(|\.exclude\s*\(|\.cohort\s*\(|\bCohort\s*\(|\b(?:AND|OR)\b[^\n]*=[^\n]*['\"]",
    re.IGNORECASE | re.DOTALL,
)
_MORE = re.compile(
    r"\bNOT\b|!=|<|>|~|\b(?:LIMIT|OFFSET|TOP|SAMPLE|TABLESAMPLE|EXCEPT|MINUS|INTERSECT|OR|HAVING|I?LIKE|BETWEEN|JOIN|IS)\b"
    r"|--|/\*|\|\||\.(?:exclude|head|tail|sample|iloc|companions|referenced_by|references|sql)\b|\bregexp",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"'[^'\s=<>]*'|\"[^\"\s=<>]*\"|`[^`\s]*`")
_COMPARED = re.compile(r"([A-Za-z_]\w*)[\"'`\]\s)]*(?:={1,2}(?!=)|\bIN\b|\.\s*isin\s*\()", re.IGNORECASE)

REASON = "it stands in a query or in code that asks for more than identifiers; run that, or name what it finds"


def is_query(text: str) -> bool:
    """Return whether a text is a query or code with conditions."""
    return len(text) < 5_000_000 and bool(_QUERY.search(text))


def refused(text: str) -> list[Row] | None:
    """Return what a query names as unknown where it has other conditions; None where it has identifiers alone."""
    bare = _LITERAL.sub("''", text)
    others = [n for n in _COMPARED.findall(text) if field_of(n) is None]
    if not _MORE.search(bare) and not others:
        return None
    said = f"{REASON} ({', '.join(dict.fromkeys(others[:3]))})" if others else REASON
    named = inside(text) or [v for m in _LITERAL.findall(text) if (v := m.strip("'\"`"))]
    return [Row(((OPEN, v),), problem=said) for v in dict.fromkeys(named)] or [Row(((OPEN, text[:60]),), problem=said)]
