"""Columns that name several series in one row: ct_series_uid and seg_series_uid, or _x and _y of a merge."""

from __future__ import annotations

import re
from collections.abc import Sequence

from idc_widgets.cohort.identifiers.choices import wants
from idc_widgets.cohort.identifiers.spelling import LEVEL, OPEN, SERIES, STUDY, field_of, loose_field_of, shaped

_ROLE = re.compile(
    r"ct|cbct|mri?|pt|pet|us|mg|sm|sr|seg(?:mentation)?|mask|label(?:map)?|images?|img|rt(?:struct|ss|dose|plan)|struct"
    r"|dose|plan|annot(?:ation)?s?|slide|scan|t[12](?:w|c|ce)?|flair|adc|dwi|dce|arterial|venous|portal|delayed|pre|post"
    r"|baseline|followup|fixed|moving"
)
_MERGED = re.compile(r"(.+)_([xy]|left|right)$")

Table = tuple[list[object], list[Sequence[str]]]


def loose_field(heading: object) -> str | None:
    """Return the loose field of a heading, or of one that also says "keep" or "drop" of its UIDs."""
    if (found := loose_field_of(heading)) is not None or not wants(heading):
        return found
    words = [w for w in _words(heading) if not wants(w)]
    found = (field_of(" ".join(words)) or loose_field_of(" ".join(words))) if words else None
    return found if found in (SERIES, STUDY, OPEN) else None


def looks_like_a_heading(heading: object) -> bool:
    """Return whether a text is the heading of a column of UIDs that have a role."""
    role, rest = _parted(heading)
    return loose_field(heading) is not None or bool(role and rest and (field_of(rest) or loose_field_of(rest)))


def parts(headings: Sequence[object], columns: Sequence[Sequence[str]]) -> dict[str, Table]:
    """Return a table for each role that the columns of series have, with what they share; none where they have none."""
    by: dict[str, list[tuple[object, Sequence[str]]]] = {}
    shared: list[tuple[object, Sequence[str]]] = []
    for heading, column in zip(headings, columns, strict=True):
        role, rest = _parted(heading)
        field = field_of(rest) or loose_field_of(rest) if rest else OPEN
        if not role or field is None or (field in (OPEN, SERIES) and not _are_uids(column)):
            shared.append((heading, column))
        else:
            by.setdefault(role, []).append((rest or "uid", column))
    fine = {r for r, of in by.items() if any(_of_series(h) for h, _ in of)}
    if len(fine) < 2 or len(fine) < len(by) or any(LEVEL.get(field_of(h) or "", 0) >= LEVEL[SERIES] for h, _ in shared):
        return {}
    return {r: ([h for h, _ in [*shared, *of]], [c for _, c in [*shared, *of]]) for r, of in by.items()}


def _of_series(heading: object) -> bool:
    field = field_of(heading) or loose_field_of(heading) or OPEN
    return field == OPEN or LEVEL[field] == LEVEL[SERIES]


def _are_uids(column: Sequence[str]) -> bool:
    given = [v for v in column if v]
    return bool(given) and sum(map(shaped, given)) * 2 > len(given)


def _parted(heading: object) -> tuple[str, str]:
    """Return the role that a heading begins with or ends in, and the rest of it."""
    if merged := _MERGED.fullmatch(str(heading)):
        return merged[2], merged[1]
    words = _words(heading)
    roles = [w for w in words if _ROLE.fullmatch(w)]
    return " ".join(roles), " ".join(w for w in words if w not in roles)


def _words(heading: object) -> list[str]:
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(heading)).lower())
