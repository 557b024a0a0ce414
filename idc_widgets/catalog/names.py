"""Misspelt names: one error that says what was wrong and what is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class UnknownNameError(ValueError):
    """A table, column or value that the catalogue does not have; the message suggests near ones."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` known names that look like `name`, best first; letter case does not matter."""
    by_fold: dict[str, list[str]] = {}
    for each in known:
        by_fold.setdefault(each.casefold(), []).append(each)
    folded = name.casefold()
    hits = difflib.get_close_matches(folded, by_fold, n=count, cutoff=0.5)
    # A part of a longer name is a near one too: "sex" is meant for "PatientSex".
    if len(folded) >= 3:
        hits += [f for f in sorted(by_fold, key=len) if folded in f and f not in hits]
    return [original for f in hits for original in by_fold[f]][:count]


def did_you_mean(suggestions: Sequence[str]) -> str:
    """Return ' Did you mean "a", "b"?', or nothing when there is nothing near."""
    if not suggestions:
        return ""
    return " Did you mean " + ", ".join(f'"{s}"' for s in suggestions) + "?"
