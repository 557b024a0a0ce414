"""Columns that say which rows are wanted: by a word in their heading or by words in their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers.described import level_of
from idc_widgets.cohort.identifiers.exclusions import leaves_out
from idc_widgets.cohort.identifiers.spelling import field_of, key_of, shaped, text_of

_FEW = 8  # so many different values may be choices under a heading that says nothing

# Words of headings. Of those that say it plainly every value counts; the others are used for much else, too.
_OUT = re.compile(
    r"exclu(?:d(?:e|ed|ing)|sions?)|reject(?:ed|ion)?|drop(?:ped)?|discard(?:ed)?|skip(?:ped)?|omit(?:ted)?|ignored?"
    r"|remov(?:ed?|al)|deleted?|unwanted|ineligible|withdrawn|ausgeschlossen|ausschluss|exclu[es]?"
)
_OUT_TOO = re.compile(r"fail(?:ed|s|ure)?|bad|invalid|unusable|unused")
_IN = re.compile(
    r"inclu(?:ded?|sion)|keep|kept|usable|accept(?:ed|able)?|select(?:ed)?|want(?:ed)?|eligible|retain(?:ed)?|incohort|eingeschlossen|einschluss|inclus"
)
_IN_TOO = re.compile(r"used?|valid|good|ok(?:ay)?|pass(?:ed|es)?|approved?|checked|qc|qa|qcpass")
_FILLERS = re.compile(
    r"because|consent|is|are|was|were|be|been|has|to|for|from|in|on|by|at|of|or|and|the|an?|this|my|our|we|it|should|not?|non|do|reason|why"
    r"|flag|status|decision|comments?|notes?|code|date|type|study|cohort|analysis|series|scan|images?|patients?|subject"
    r"|case|data|dataset|training|final|qc|qa|quality|control|check|manual|review|list|uids?|ids?"
)
_PROSE = re.compile(r"comments?|notes?|remarks?")
_TO_DO = frozenset(("download", "take", "inclure", "to", "should", "must", "do", "we", "please", "be", "it"))
_REASON = re.compile(r"reason|why|because|comments?|notes?|by|on|at|date|type|code")

# Words of values.
_YES = r"true|t|yes|y|1(?:\.0)?|x|ja|oui|si|on|\[x\]|[\u2611\u2705\u2713\u2714]\ufe0f?|\U0001f44d"
_NO = r"false|f|no|n|0(?:\.0)?|nein|non|off|\[\s?\]|[\u2610\u274c\u2717\u2718\u2716]\ufe0f?|\U0001f6ab|\U0001f44e"
_MARK = re.compile(r"\[[x\s]?\]|[\u2610\u2611\u2705\u274c\u2713\u2714\u2716\u2717\u2718]\ufe0f?")
_NOT = r"(?:(?:(?:(?:do|does|should|must|can)\s*)?(?:not|n.?t)|never|cannot)[\s-]+(?:to\s+)?(?:be\s+)?|un|in|non-?)"
_TAKE = (
    r"includ\w*|inclusion|keep|kept|accept\w*|pass(?:ed|es)?|ok(?:ay)?|good|valid|usable|used?|wanted|select(?:ed)?"
    r"|eligible|approved?|retain(?:ed)?|active|enrolled"
)
_LEAVE = (
    r"exclu(?:d\w+|sion)|reject\w*|drop(?:ped)?|discard\w*|fail(?:ed|s|ure)?|bad|skip\w*|omit\w*|ignored?|unwanted"
    r"|withdrawn"
)
_BEHIND = r"(?=$|\s*[(\[,;:.!\u2013\u2014]|\s+-)"
_IS_YES = re.compile(rf"(?:{_YES})(?=$|[\s(:;,])")
_IS_NO = re.compile(rf"(?:{_NO})(?=$|[\s(:;,])")
_JUST_NO = re.compile(rf"(?:{_NO}){_BEHIND}")
_IS_OUT = re.compile(rf"(?:to\s+be\s+)?(?:{_LEAVE}|{_NOT}(?:{_TAKE}|suitable|downloade?d?))\b")
_IS_IN = re.compile(rf"(?:to\s+be\s+)?(?:{_TAKE}|(?:not|never)\s+(?:{_LEAVE}))\b")
_JUST_IN = re.compile(rf"(?:{_IS_IN.pattern}){_BEHIND}")
#: Says plainly that a row is not wanted, in whatever column it stands.
_PLAINLY_IN = re.compile(r"included?|keep|kept|accept(?:ed)?|selected|wanted")
_PLAIN = re.compile(
    rf"^(?:exclu(?:ded?|sion)|reject(?:ed)?|discard(?:ed)?|unusable|ineligible)(?:{_BEHIND}"
    r"|\s+(?:due|because|from|by|for|as|since|this|at|after|before)\b)"
    r"|\b(?:do\s*(?:not|n.?t)|must\s+not\s+be|should\s+not\s+be|not\s+to\s+be)\s+(?:used?|includ\w+|downloade?d?)\b"
    r"|\b(?:please|should\s+be|to\s+be|must\s+be)\s+exclude?d?\b|^not\s+(?:used|included|usable|eligible)\b"
)

_HINT = re.compile(r"exclu|reject|discard|unusable|inelig|not\s|n.t\s")


def holds_identifiers(column: Sequence[str]) -> bool:
    """Return whether the first values of a column are identifiers by their looks."""
    return any(map(shaped, islice(filter(None, column), 3)))


def wants(heading: object) -> int:
    """Return +1 for a heading of what is wanted, -1 for one of what is not, 0 for any other."""
    return _direction(heading)[0]


def kept(headings: Sequence[object], columns: Sequence[Sequence[str]]) -> tuple[list[bool], list[str]] | None:
    """Return which rows of a table its columns of choice leave in, and how that is said; None where all are."""
    width = len(columns[0]) if columns else 0
    stay = [True] * width
    notes: list[str] = []
    for heading, column in zip(headings, columns, strict=True):
        says = _says(heading, column)
        if not says:
            continue
        # What is neither yes nor no is left out too, and told.
        verdict = [says.get(v.lower(), True) for v in column]
        out, unclear = verdict.count(False), verdict.count(None)
        if out:
            notes.append(f"{out:,} of {width:,} rows are left out, as {short(heading)} says.")
        if unclear:
            some = next(v for v, s in zip(column, verdict, strict=True) if s is None)
            what = f'"{short(some)}"' if some else "an empty cell"
            notes.append(f"{unclear:,} of {width:,} rows are left out: {what} of {short(heading)} is no answer.")
        stay = [s and bool(v) for s, v in zip(stay, verdict, strict=True)]
    return (stay, notes) if not all(stay) else None


def decided(key: str, value: str) -> bool | None:
    """Return whether a key and its value, such as "keep: false", say that what they are of is wanted; None: neither."""
    direction, plainly = _direction(key)
    text = value.strip("\"', ").lower()
    if not direction or not plainly or not text or len(text) > 40:
        return None
    if not any(p.fullmatch(text) for p in (_IS_YES, _IS_NO, _IS_OUT, _IS_IN)):
        return None
    return _verdict(text, direction > 0, False)


def denies(key: object, value: object) -> bool:
    """Return whether a key says of its record that it is not wanted: `keep: false`, or "excluded" under any key."""
    text = text_of(value)
    if wants(key) < 0 and any(map(_REASON.fullmatch, _words(key))):  # why it is not
        return bool(text) and _verdict(text.lower(), False, True) is False
    return decided(str(key), text) is False or bool(_IS_OUT.fullmatch(text.lower()))


def answers(value: object) -> bool | None:
    """Return whether a value beside an identifier says that it is wanted, as in "1.2.3: false"; None: neither."""
    text = text_of(value).strip("\"', ").lower()
    if len(text) > 60 or _IS_NO.fullmatch(text) or _IS_OUT.match(text):
        return False if len(text) <= 60 else None
    return True if _IS_YES.fullmatch(text) or _JUST_IN.match(text) else None


def _says(heading: object, column: Sequence[str]) -> dict[str, bool | None]:
    """Return what the values of a column say of their rows; nothing where it is no column of choice."""
    direction, plainly = _direction(heading)
    if field_of(heading) or (direction >= 0 and holds_identifiers(column)):
        return {}
    values = {v.lower() for v in column}
    given = values - {""}
    if not direction:
        return _by_values(values) if not level_of(heading) else {}
    reason = any(map(_REASON.fullmatch, _words(heading)))
    found = {v: _verdict(v, direction > 0, reason) for v in given}
    understood = sum(s is not None for s in found.values())
    if direction > 0 and not plainly and understood * 2 < len(given):
        return {}
    if given and not understood and reason:  # why it is wanted
        return {}
    if given:
        found[""] = direction < 0
    return found


def _by_values(values: set[str]) -> dict[str, bool | None]:
    given = values - {""}
    plain: dict[str, bool | None] = {}
    if _HINT.search("\n".join(given)):
        plain = {v: False for v in given if _PLAIN.search(v)}
    if len(given) > _FEW or any(len(re.sub(r"\(.*", "", v).split()) > 3 or len(v) > 60 for v in given):
        return plain
    if given and all(map(_MARK.fullmatch, given)):
        found: dict[str, bool | None] = {v: not _IS_NO.match(v) for v in given}
    else:
        found = {v: False if _IS_OUT.match(v) else True if _JUST_IN.match(v) else None for v in given}
    out, taken = False in found.values(), True in found.values()
    said = (out and None not in found.values()) or (plain and taken) or any(map(_PLAINLY_IN.fullmatch, given))
    if said and (out or None in found.values()):
        return {**found, "": None if taken and out else True}
    return plain


def _verdict(value: str, wanted: bool, reason: bool) -> bool | None:
    """Return whether a row stays by its value under a heading of what is wanted, or of what is not."""
    if not wanted:  # anything but a plain no is a reason
        if reason:
            return bool(re.fullmatch(rf"{_NO}|{_IS_IN.pattern}", value))
        return bool(_JUST_NO.match(value) or (_JUST_IN.match(value) and not _IS_OUT.match(value)))
    if _IS_OUT.match(value) or _IS_NO.match(value):
        return False
    return True if _IS_IN.match(value) or _IS_YES.match(value) else None


def _direction(heading: object) -> tuple[int, bool]:
    """Return +1 for a heading of what is wanted, -1 for what is not, 0 for others; and whether it says so plainly."""
    key = key_of(heading)
    if leaves_out(heading):
        return -1, not _OUT_TOO.fullmatch(key)
    words = _words(heading)
    if {"download", "take", "inclure"} & set(words) and set(words) <= _TO_DO:
        return 1, False
    if key in ("incohort", "instudy", "inanalysis", "insubset"):
        return 1, True
    told = [w for w in words if any(p.fullmatch(w) for p in (_OUT, _OUT_TOO, _IN, _IN_TOO))]
    told = [w for w in told if w not in ("qc", "qa")] or told
    if not told or not all(w in told or _FILLERS.fullmatch(w) for w in words):
        return 0, False
    first = told[0]
    if any(map(_PROSE.fullmatch, words)) and not (_IN.fullmatch(first) or _OUT.fullmatch(first)):
        return 0, False
    wanted = bool(_IN.fullmatch(first) or _IN_TOO.fullmatch(first))
    negated = any(w in ("not", "non", "dont", "never", "no") for w in words[: words.index(first)])
    return (1 if wanted != negated else -1), bool(_IN.fullmatch(first) or _OUT.fullmatch(first))


def _words(heading: object) -> list[str]:
    text = re.sub(r"\([^()]*\)|\b[Yy](?:es)?\s*/\s*[Nn]o?\b", " ", str(heading))
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower().replace("n't", " not"))
