"""The parts of a text that are said not to be wanted: below headings, in records of keys, behind "instead of"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.cohort.identifiers import choices, exclusions
from idc_widgets.cohort.identifiers.exclusions import Known
from idc_widgets.cohort.identifiers.lines import KEY
from idc_widgets.cohort.identifiers.spelling import inside

_MARK = re.compile(r"\s*(#+|//|--+|==+|%%|\*\*)\s*\S")
_SENTENCE = re.compile(r"(?<=[.;])\s+(?=[A-Z])")
_PAIR = re.compile(r"(\s*(?:[-*]\s+)?)[\"']?([A-Za-z][\w .-]{0,60}?)[\"']?\s*[:=]\s*(?!//)(.*)$")
_ANSWER = re.compile(r"\s*(?:[-*]\s+)?[\"']?([\w.-]+)[\"']?\s*[:=]\s*(.*)$")  # an identifier, and yes or no
_MORE = re.compile(
    r"exclu|reject|discard|ausgeschl|blocklist|blacklist|denylist|bad|corrupt|analy[sz]ed|part of|remov|drop|skip|omit"
    r"|ignor|withdraw|fail|unus|\bnot?\b|_not_|not_|n't|keep|kept|use|inclu|select|want|eligib|accept|retain|instead|rather"
    r"|place|statt|\s(?:#|//)\s|:\s*(?:false|true|off|0|1|yes)\b",
    re.IGNORECASE,
)


def parted(lines: Sequence[str], known: Known) -> tuple[list[str], list[str]]:
    """Return the lines of a text that may be wanted, and those that are said not to be."""
    if not _MORE.search("\n".join(lines)):
        return list(lines), []
    wanted, unwanted = _below_headings([part for line in lines for part in _sentences(line)])
    wanted, refused = _records(wanted)
    kept: list[str] = []
    for line in wanted:
        answer = _ANSWER.match(line)
        if answer and choices.answers(answer[2]) is not None and (inside(answer[1]) or known([answer[1]])):
            (kept if choices.answers(answer[2]) else unwanted).append(answer[1])
            continue
        before, after = exclusions.contrast(line)
        kept.append(before)
        unwanted += [after] if after else []
    return kept, unwanted + refused


def _sentences(line: str) -> list[str]:
    """Return the sentences of a line, where more than one names something."""
    parts = _SENTENCE.split(line) if len(line) < 5_000 else [line]
    return parts if sum(bool(inside(p)) for p in parts) > 1 else [line]


def _below_headings(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    wanted: list[str] = []
    unwanted: list[str] = []
    depth = 0  # of the heading of what is not wanted: its level in Markdown, 1 of any other
    marked = below = blank = inset = False  # whether it is marked as one, and what was seen below it
    for line in lines:
        bare = line.strip()
        if not bare:
            blank = True
            if depth and below and not marked:
                depth = 0
            wanted.append(line)
            continue
        mark = _MARK.match(line)
        said = exclusions.section(bare)
        level = len(mark[1]) if mark and mark[1][0] == "#" else 1
        another = said is None and bool(mark) and blank and below and level <= depth and not inside(bare)
        if said is None and KEY.match(line) and not inside(line) and _denies(bare):
            said = True
        key = bool(KEY.match(line)) and not inside(line)
        key = key or (below and inset and line[0].isalpha() and bool(_PAIR.match(line)))  # the next one of YAML
        if said:
            depth, marked, below = level, mark is not None, False
        elif depth and not (said is False or another or key):
            inset = inset if below else line[0] in " \t-"
            unwanted.append(line)
            below = True
        else:
            depth = 0
            wanted.append(line)
        blank = False
    return wanted, unwanted


def _denies(key: str) -> bool:
    """Return whether a key with nothing behind it is of what is not wanted."""
    return choices.wants(key.rstrip(": ")) < 0


def _records(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines without those of records that say of themselves that they are not wanted."""
    parts: list[list[str]] = [[]]
    keys: set[str] = set()
    inner = -1  # how far the lines of a list's item are set in
    for line in lines:
        pair = _PAIR.match(line)
        indent = len(line) - len(line.lstrip())
        item = line.lstrip().startswith(("- ", "* "))
        if not line.strip() or line.strip() == "---" or (item and pair) or (pair and pair[2] in keys) or indent < inner:
            parts.append([])
            keys, inner = set(), indent + 1 if item and pair else -1
        if pair:
            keys.add(pair[2])
        parts[-1].append(line)
    wanted: list[str] = []
    unwanted: list[str] = []
    for part in parts:
        pairs = [m for line in part if (m := _PAIR.match(line))]
        answers = [choices.decided(m[2], m[3]) for m in pairs]
        (unwanted if False in answers else wanted).extend(part)
    return wanted, unwanted
