"""What a list, table or text says is not wanted: in words, by marks, in columns of yes and no."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from idc_widgets.cohort.identifiers.spelling import bare_doi, inside, key_of, shaped, text_of

#: The problem of a row that is named only to be left out.
EXCLUDED = "it is written as an exception; name what is wanted"

#: Whether one of these words is a patient, a collection or another name of the catalogue.
Known = Callable[[Iterable[str]], bool]

_WORD = (
    r"(?:not|never|exclud\w*|exclusions?|except\w*|without|w/o|skip\w*|omit\w*|ignor\w*|drop|dropped|remov\w*|delet\w*|"
    r"reject\w*|unwanted|minus|less|bar|barring|other\s+than|apart\s+from|save\s+for|leav(?:e|ing)\s+out|all\s+but|-v|"
    r"ohne|nicht|kein\w*|au(?:ß|ss)er|sauf|sans|excepto|rm)"
)
_FILLER = (
    r"(?:(?:in|the|this|these|those|any|all|of|for|from|series|study|studies|patients?|collections?|subjects?|uids?|ids?|"
    r"download|include|use|fetch|s5cmd)\b\W*)*"
)
_BEFORE = re.compile(rf"(?<![\w-]){_WORD}(?![\w-])\W*?{_FILLER}([\w.][^\s,;()'\"`~]*)", re.IGNORECASE)
_AFTER = re.compile(
    r"\W(?:excluded?|skip(?:ped)?|omit(?:ted)?|ignored?|reject(?:ed)?|dropped|removed?|deleted?|unwanted"
    r"|(?:do\s+)?not\s+(?:wanted|needed|used?|ok|this|included?|downloade?d?))\W*$",
    re.IGNORECASE,
)
_BLOCK = re.compile(rf"(?<![\w-]){_WORD}(?![\w-])[^:]{{0,60}}:$", re.IGNORECASE)
_SECTION = re.compile(
    r"\b(?:not?\s+(?:used|wanted|needed|included|for)|exclu\w+|reject\w+|removed|dropped|skipped|withdrawn|failed|failures?"
    r"|unused|unusable|ignored?|discarded)\b",
    re.IGNORECASE,
)
_WANTED_SECTION = re.compile(
    r"\b(?:keep|kept|used?|included?|wanted|selected|final|accepted|passed|good)\b", re.IGNORECASE
)
_MARKED = re.compile(r"^\s*(?:!|\\?~~|(?:[-*•]\s+)?\[\s?\]\s)|~~\s*,?\s*$")
_SQL = re.compile(r"\bNOT\s+IN\s*\(|(?:!=|<>)\s*['\"]", re.IGNORECASE)

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|/\*.*?\*/", re.DOTALL)
_STRUCK = re.compile(r"<(s|del|strike)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)

_LEFT_OUT = re.compile(
    "exclud(?:e|ed|ing)|exclusions?|except(?:ions?)?|not|notin|skip(?:ped)?|omit(?:ted)?|ignored?|without|reject(?:ed)?"
    "|unwanted|bad|discard(?:ed)?|withdrawn|removed?|drop(?:ped)?|blacklist|blocklist|denylist"
)
_NOUNS = re.compile("patients?|subjects?|cases?|series|stud(?:y|ies)|collections?|uids?|ids?|list|to")
_TAKEN = re.compile(
    "includ(?:e|ed)|inclusion|incohort|keep|kept|usable|retained|download|select(?:ed)?|want(?:ed)?|use|eligible"
    "|accept(?:ed)?|approved|pass(?:ed)?|qcpass|checked"
)
#: Said by itself, whatever the heading.
_WANTED = frozenset(("included", "include", "accepted", "accept", "pass", "passed", "keep", "kept", "\u2713"))
_UNWANTED = frozenset(("excluded", "exclude", "rejected", "reject", "fail", "failed", "drop", "dropped", "\u2717"))
_YES = frozenset(("true", "t", "yes", "y", "1", "x", "ja", "oui", "si", "on"))
_NO = frozenset(("false", "f", "no", "n", "0", "nein", "non", "off"))


def without_comments(text: str) -> str:
    """Return a text without its comments, and with struck text marked as in Markdown."""
    if "<" not in text and "/*" not in text:
        return text
    around = "" if "<tr" in text.lower() else "\n"
    text = _STRUCK.sub(lambda m: f"{around}~~{m[2].strip()}~~{around}", text)
    # The address of a series ends in "/*".
    return _COMMENT.sub(lambda m: m[0] if m[0].startswith("/*") and not re.match(r"/\*\s", m[0]) else " ", text)


def is_block(line: str) -> bool:
    """Return whether a line says that those below it are not wanted."""
    return bool(_BLOCK.search(line))


def section(line: str) -> bool | None:
    """Return whether a heading says that what is below it is not wanted, or is; None where it says neither."""
    if len(line) > 40 or any(c.isdigit() for c in line) or ":" in line:
        return None
    return True if _SECTION.search(line) else False if _WANTED_SECTION.search(line) else None


def leaves_out(name: object) -> bool:
    """Return whether a key or a heading is of what is not wanted."""
    key = key_of(name)
    return bool(_LEFT_OUT.fullmatch(key) or _LEFT_OUT.fullmatch(_NOUNS.sub("", key)))


def is_excluded(line: str, known: Known) -> bool:
    """Return whether a line names what is not wanted, among others or alone."""
    told = bool(_MARKED.search(line) or _SQL.search(line))
    if (told or _AFTER.search(line)) and (inside(line) or known(_words(line))):
        return True
    if told:
        return False
    return any(
        shaped(w) or "://" in m[0] or known([w]) for m in _BEFORE.finditer(line) for w in [bare_doi(m[1].strip(".:"))]
    )


def _words(line: str) -> list[str]:
    return [w for word in re.split(r"[\s,;]+", line) if (w := word.strip("!~[]()'\"`.:"))]


def kept(headings: Sequence[object], columns: Sequence[Sequence[Any]]) -> tuple[list[bool], list[str]] | None:
    """Return which rows of a table its columns of yes and no leave in, and how that is said; None where all are."""
    width = len(columns[0]) if columns else 0
    stay = [True] * width
    notes: list[str] = []
    for heading, column in zip(headings, columns, strict=True):
        out_of, taken = leaves_out(heading), bool(_TAKEN.fullmatch(key_of(heading)))
        if not out_of and not taken and (not column or text_of(column[0]).lower() not in _WANTED | _UNWANTED | {""}):
            continue
        values = [text_of(v).lower() for v in column]
        if (said := set(values) - {""}) and said <= _WANTED | _UNWANTED:
            values, out_of, taken = ["no" if v in _UNWANTED else "yes" for v in values], False, True
        elif not out_of and not taken:
            continue
        if not all(v in _YES or v in _NO or not v for v in values):
            if out_of:  # what stands there is an exception to the row
                stay = [s and (not v or v in _NO) for s, v in zip(stay, values, strict=True)]
                notes.append(f"Rows with something in {heading} are left out: exceptions are not read.")
            continue
        out = [v in _YES if out_of else v not in _YES for v in values]
        if any(out):
            notes.append(f"{sum(out):,} of {width:,} rows are left out, as {heading} says.")
            stay = [s and not o for s, o in zip(stay, out, strict=True)]
    return (stay, notes) if not all(stay) else None
