"""Lines of a shell: copies of addresses, and what idc-index and the like are told to download."""

from __future__ import annotations

import re
import shlex

from idc_widgets.cohort.identifiers.addresses import FIND
from idc_widgets.cohort.identifiers.queries import ARGUMENTS, Condition, of_condition
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import OPEN, bare_doi, field_of, key_of
from idc_widgets.cohort.identifiers.tables import Addresses

_SHELL = re.compile(
    r"^\s*(?:[$>!%]\s*)?(?:s5cmd|aws|gsutil|gcloud|wget|curl|idc|idc-index|idc-widgets|cp|sync|mv|cat|ls|get|rclone)\s",
)
_PROGRAM = re.compile(
    r"^\s*(?:[$>!%]\s*)?(?:python3?\s+-m\s+)?idc(?:[-_](?:index|widgets))?\s+(?P<verb>[a-z][a-z-]*)\s+(?P<rest>\S.*)$"
)
_PICKS = re.compile(r"\s--?(?:include|exclude|filter|accept|reject|newer|max-size|min-size|max-depth)\b", re.IGNORECASE)
_FLAGS = frozenset(("dryrun", "quiet", "q", "verbose", "v", "json", "offline", "progress", "showprogressbar", "y"))
_FOLDERS = frozenset(("d", "o", "loglevel"))

_SAID = "the command takes a part of it, by {}, which is not read"


def rows(line: str, addresses: Addresses) -> list[Row] | None:
    """Return what a command names; None where the line is none."""
    if _SHELL.match(line) and FIND.search(line):
        found = addresses.rows(line)
        if picks := _PICKS.search(line):
            for row in found:
                row.problem = row.problem or _SAID.format(picks[0].strip())
        return found
    return _downloads(program["rest"], program["verb"]) if (program := _PROGRAM.match(line)) else None


def _downloads(rest: str, verb: str) -> list[Row] | None:
    try:
        words = shlex.split(rest)
    except ValueError:
        return None
    options = any(w.startswith("-") for w in words)
    if not options and not verb.startswith("download"):
        return None  # a sentence
    condition: Condition = {}
    others: list[str] = []
    while words:
        word = words.pop(0)
        name, _, value = word.partition("=")
        if not word.startswith("-") and not (value and name.isidentifier()):
            condition.setdefault(OPEN, []).extend(v for v in word.split(",") if v)
            continue
        if word.startswith("-") and not value and key_of(name) not in _FLAGS and words and words[0][:1] != "-":
            value = words.pop(0)
        if field := field_of(name):
            condition.setdefault(field, []).extend(v for v in value.split(",") if v)
        elif key_of(name) not in _FLAGS | _FOLDERS | ARGUMENTS:
            others.append(name)
    if others:
        named = [v for values in condition.values() for v in values] or [rest]
        return [Row(((OPEN, bare_doi(v)),), problem=_SAID.format(", ".join(others))) for v in named]
    if OPEN in condition and len(condition) == 1:  # each on its own
        return [Row(((OPEN, bare_doi(v)),)) for v in condition[OPEN]]
    return of_condition(condition)
