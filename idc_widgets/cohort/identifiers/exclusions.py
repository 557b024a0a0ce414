"""What a list, table or text says is not wanted: in words, by marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from idc_widgets.cohort.identifiers.spelling import bare_doi, field_of, inside, key_of, shaped

#: The problem of a row that is named only to be left out.
EXCLUDED = "it is written as an exception; name what is wanted"

#: Whether one of these words is a patient, a collection or another name of the catalogue.
Known = Callable[[Iterable[str]], bool]

_WORD = (
    r"(?:not|never|discard\w*|withdr[ae]w\w*|don.?t|doesn.?t|avoid\w*|exclud\w*|exclusions?|except\w*|without|w/o|skip\w*|omit\w*|ignor\w*|drop|dropped|remov\w*|delet\w*|"
    r"reject\w*|unwanted|minus|less|bar|barring|other\s+than|apart\s+from|save\s+for|leav(?:e|ing)\s+out|all\s+but|-v|"
    r"ohne|nicht|kein\w*|au(?:ß|ss)er|sauf|sans|excepto|rm)"
)
_FILLER = (
    r"(?:(?:in|the|this|these|those|any|all|of|for|from|series|study|studies|patients?|collections?|subjects?|uids?|ids?|"
    r"download|include|use|fetch|take|want|need|get|s5cmd)\b\W*)*"
)
_BEFORE = re.compile(rf"(?<![\w-]){_WORD}(?![\w-])\W*?{_FILLER}([\w.][^\s,;()'\"`~]*)", re.IGNORECASE)
_AFTER = re.compile(
    r"\W(?:excluded?|skip(?:ped)?|omit(?:ted)?|ignored?|reject(?:ed)?|dropped|removed?|deleted?|unwanted"
    r"|corrupt(?:ed)?|damaged|broken|unusable|unreadable|ineligible|bad|discarded"
    r"|(?:do\s+)?not\s+(?:wanted|needed|used?|ok|this|included?|downloade?d?))\W*$",
    re.IGNORECASE,
)
#: Right behind what it is said of, whatever follows.
_SAID = re.compile(
    r"(?:(?:has|have|had|was|were|is|are|to|be|been|could|can|should|must|did|do|does)\s+)*"
    r"(?:excluded|rejected|withdrawn|discarded|removed|dropped|omitted|ausgeschlossen|unusable|corrupt\w*"
    r"|fail(?:ed|s)?\s+(?:qc|quality)|not\s+(?:be\s+)?(?:used|included|part|analy[sz]ed|available|eligible|wanted))\b",
    re.IGNORECASE,
)
_BEHIND = re.compile(rf"\W*{_SAID.pattern}", re.IGNORECASE)
_LEAVE = re.compile(r"\bleave\b.*\bout\b", re.IGNORECASE)
#: A line of a log, which says what a program did.
_LOG = re.compile(r"\balready\b|\bup[- ]to[- ]date\b", re.IGNORECASE)
#: A title that speaks of exceptions, above what is wanted.
_STILL_WANTED = re.compile(
    r"\bnot\s+(?:yet\s+)?downloaded\b|\bfail\w*\s+(?:to\s+)?download\w*|\bafter\s+(?:all\s+)?exclusions?\b|\d+\s+excluded\b"
    r"|\bto\s+be\s+(?:down|re)\w*load|\bwithout\s+(?:contrast|seg\w*|annot\w*|labels?|masks?|images?)",
    re.IGNORECASE,
)
_BLOCK = re.compile(rf"(?<![\w-]){_WORD}(?![\w-])[^:]{{0,60}}:$", re.IGNORECASE)
_SECTION = re.compile(
    r"\b(?:not?\s+(?:used|wanted|needed|included|for)|exclu\w+|reject\w+|removed?|drop(?:ped)?|skip(?:ped)?|withdrawn|failed|failures?|bad|corrupt\w*"
    r"|unused|unusable|ignored?|discarded)\b",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"\(\s*(?:n\s*=\s*)?\d+[^()=]{0,20}\)|\bn\s*=\s*\d+|\b\d{1,6}\s+(?:cases|patients|subjects|series|stud|scans|items|rows)\w*"
    r"|^\W*\d{1,2}[.)]\s",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\b(?:no(?:ne|thing)?|without|nor)\s+(?:\w+\s+){0,2}(?:exclu|reject|remov|drop|fail|skip)", re.IGNORECASE
)
_CONTRAST = re.compile(
    r"\b(?:instead\s+of|rather\s+than|in\s+place\s+of|in\s+lieu\s+of|(?:an)?statt)\b|\s(?:#|//)\s", re.IGNORECASE
)
_WANTED_SECTION = re.compile(
    r"\b(?:keep|kept|used?|included?|wanted|selected|final|accepted|passed|good)\b", re.IGNORECASE
)
_CROSS = r"(?:[\u2610\u274c\u2717\u2718\u2716]\ufe0f?|\U0001f6ab|\u26d4|\U0001f44e)"
_MARKED = re.compile(rf"^\s*(?:!|\\?~~|(?:[-*•]\s+)?(?:\[\s?\]\s|{_CROSS}))|(?:~~|{_CROSS})\s*,?\s*$")
_REM = re.compile(r"^[ \t]*REM\s.*$", re.MULTILINE)
_SQL = re.compile(r"\bNOT\s+IN\s*\(|(?:!=|<>)\s*['\"]", re.IGNORECASE)

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|/\*.*?\*/", re.DOTALL)
_STRUCK = re.compile(r"<(s|del|strike)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)

_LEFT_OUT = re.compile(
    "exclud(?:e|ed|ing)|exclusions?|except(?:ions?)?|not|notin|skip(?:ped)?|omit(?:ted)?|ignored?|without|reject(?:ed)?"
    "|unwanted|bad|discard(?:ed)?|withdrawn|removed?|drop(?:ped)?|blacklist|blocklist|denylist"
)
_NOUNS = re.compile("patients?|subjects?|cases?|series|stud(?:y|ies)|collections?|uids?|ids?|list|to")


def without_comments(text: str) -> str:
    """Return a text without its comments, and with struck text marked as in Markdown."""
    text = _REM.sub("", text) if "REM" in text else text
    if "<" not in text and "*/" not in text:  # without an end, "/*" is of the address of a series
        return text
    around = "" if "<tr" in text.lower() else "\n"
    text = _STRUCK.sub(lambda m: f"{around}~~{m[2].strip()}~~{around}", text)
    # The address of a series ends in "/*".
    return _COMMENT.sub(lambda m: m[0] if m[0].startswith("/*") and not re.match(r"/\*\s", m[0]) else " ", text)


def is_block(line: str) -> bool:
    """Return whether a line says that those below it are not wanted."""
    return bool(_BLOCK.search(line)) and not _STILL_WANTED.search(line)


def section(line: str) -> bool | None:
    """Return whether a heading says that what is below it is not wanted, or is; None where it says neither."""
    bare = _COUNT.sub("", line).rstrip(" :=#*-").lstrip(" #/=*-%")
    named = map(field_of, [*bare.split(","), bare.partition(" ")[0]])  # the heading of a table
    if len(bare) > 40 or re.search(r"[\d:|\t;]|\s\s|,.*,", bare) or _NONE.search(bare) or any(named):
        return None
    ends = line.rstrip(" *#=-").endswith(":")
    if "," in bare and not ends and not _COUNT.search(line):
        return None
    if _STILL_WANTED.search(line):
        return None
    if _SECTION.search(bare.replace("_", " ")) or (ends and is_block(f"{bare}:")):
        return True
    return False if _WANTED_SECTION.search(bare) else None


def contrast(line: str) -> tuple[str, str]:
    """Return a line in two where what stands behind "instead of" or in a comment is another; else all, and nothing."""
    found = _CONTRAST.search(line) if len(line) < 2_000 else None
    if not found or not inside(line[: found.start()]) or not inside(line[found.end() :]):
        return line, ""
    return line[: found.start()], line[found.end() :]


def leaves_out(name: object) -> bool:
    """Return whether a key or a heading is of what is not wanted."""
    key = key_of(name)
    return bool(_LEFT_OUT.fullmatch(key) or _LEFT_OUT.fullmatch(_NOUNS.sub("", key)))


def is_excluded(line: str, known: Known) -> bool:
    """Return whether a line names what is not wanted, among others or alone."""
    told = bool(_MARKED.search(line) or _SQL.search(line))
    if not told and _LOG.search(line):
        return False
    # Names are looked up only where something of the kind is said at all.
    if _SAID.search(line) and (end := _end(line, known)) and _BEHIND.match(line, end):
        return True
    if _LEAVE.search(line) and inside(line):
        return True
    if (told or _AFTER.search(line)) and (inside(line) or known(_words(line))):
        return True
    if told:
        return False
    return any(
        shaped(w) or "://" in m[0] or known([w]) for m in _BEFORE.finditer(line) for w in [bare_doi(m[1].strip(".:"))]
    )


def _end(line: str, known: Known) -> int:
    """Return where the last identifier of a line ends; 0 where it has none."""
    if held := inside(line):
        return line.rindex(held[-1]) + len(held[-1])
    at = 0
    for m in list(re.finditer(r"[^\s,;()]+", line))[:20]:
        at = m.end() if any(c.isdigit() for c in m[0]) and known([m[0].strip(":.")]) else at
    return at


def _words(line: str) -> list[str]:
    return [w for word in re.split(r"[\s,;]+", line) if (w := word.strip("!~[]()'\"`.:"))]
