"""Keys of a text that identify nothing: those that are told, those that ask for a part, those that say nothing."""

from __future__ import annotations

import re

from idc_widgets.cohort.identifiers import exclusions
from idc_widgets.cohort.identifiers.spelling import key_of

#: The problem of a row that asks for a part of what is beside it.
PART = "it asks for a part of what is beside it, which is not read"

_PARTS = re.compile(
    r"only|just|max|maximum|most|min|limit|n|first|last|top|head|tail|sample|random|filters?|filterby|where|query|conditions?"
    r"|having|offset|range|from|to|rows?|subset|select|criteria|inclusioncriteria|exclusioncriteria|restrict\w*|nur|keep"
    r"|(?:max|min|limit|only|first|top|number)(?:of)?(?:patients?|series|studies|subjects?|cases?|images?|scans?|size|rows?)"
)
_SAYS = re.compile(r"only|just|max|min|limit|solely|nur", re.IGNORECASE)
_LINE = re.compile(
    r"(?:only|nur|solely|except|without|excluding|exclude|limited|limit|restricted|max|min)\b|(?:first|last|top)\s+\d",
    re.IGNORECASE,
)
_PARTLY = re.compile(r"\b(?:only|nur|solely)\b|\b(?:first|last|top|up\s+to|at\s+most)\s+\d", re.IGNORECASE)
_COMPARED = re.compile(r"[A-Za-z][\w ]{0,60}?\s*(?:[<>]=?|!=|≤|≥)\s*[\w.'\"]")
_PLAIN = re.compile(
    r"name|title|label|size|total\w*|counts?|number\w*|num\w*|files?|images?|instances?|version|created|updated|modified"
    r"|authors?|by|contact|e?mail|phone|tel|cc|bcc|subject|re|fwd?|sent|sender|notes?|comments?|remarks?|description|about"
    r"|summary|licen[cs]e\w*|url|link|link?s|source|references?|citation|format|type|generated\w*|exported\w*|downloaded\w*"
    r"|disksize|totalsize|hi|hello|dear|hey|ps|dearall|hiall|project\w*|owner|output|out|folder|path|dir\w*|todo|warning|info"
    r"|error|debug|usage|purpose|institution\w*|affiliation|order\w*|priority|status|databasetype|manifestversion|downloadserverurl"
    r"|noofrrequest|includeannotation|numberofseries|patients?|series|studies|collections?|subjects?|uids?|ids?|data\w*"
)
_MAIL = frozenset(("from", "to", "cc", "bcc", "subject", "sent", "date", "replyto"))
_NONE = re.compile(r"(?:none|no|nothing|false|0|-|n/?a|null|\[\]|keine?|off)?\W*", re.IGNORECASE)


def is_nothing(value: str) -> bool:
    """Return whether a value says that there is none."""
    return bool(_NONE.fullmatch(value))


def asks_for_a_part(key: str, value: str) -> bool:
    """Return whether a key says that not all of what is beside it is meant."""
    if is_nothing(value) or "@" in value:
        return False
    first = key.split()[0]
    return bool(_PARTS.fullmatch(key_of(key)) or _SAYS.fullmatch(first)) or any(
        map(exclusions.leaves_out, (key, first))
    )


def is_a_part(line: str) -> bool:
    """Return whether a line that names nothing says which part of what is beside it is meant."""
    return bool(_COMPARED.match(line) or (len(line.split()) < 6 and _LINE.match(line)))


def is_partly(words: str) -> bool:
    """Return whether words beside a name say that only a part of it is meant."""
    return bool(_PARTLY.search(words))


def told(keys: dict[str, str]) -> list[str]:
    """Return the keys that may describe a part, of those that identify nothing, each with its value."""
    mail = len(_MAIL & {key_of(k) for k in keys}) > 1
    out = []
    for key, value in keys.items():
        plain = _PLAIN.fullmatch(key_of(key)) and (not _held(key) or not value or not value[0].isdigit())
        if not plain and not (mail and key_of(key) in _MAIL):
            out.append(key)
    return out


def _held(key: str) -> bool:
    """Return whether a key is of a series or a study, which a number may single out."""
    return key_of(key) in ("series", "studies")
