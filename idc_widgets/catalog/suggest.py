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
    folded = name[:200].casefold()
    hits = difflib.get_close_matches(folded, by_fold, n=count, cutoff=0.5)
    # A part of a longer name is a near one too: "sex" is meant for "PatientSex".
    if len(folded) >= 3:
        hits += [f for f in sorted(by_fold, key=len) if folded in f and f not in hits]
    return [original for f in hits for original in by_fold[f]][:count]


def short(name: object) -> str:
    """Return a name as an error shows it: whole, unless somebody gave a book for a name."""
    text = str(name)
    return text if len(text) <= 80 else text[:77] + "…"


def unknown_column(name: str, known: Iterable[str], where: str = "the index") -> UnknownNameError:
    """Return the error for a column that the index, or another table, does not have."""
    return UnknownNameError(f'There is no column "{short(name)}" in {where}.{did_you_mean(nearest(name, known))}')


def held_by(holding: Sequence[str], name: str) -> str:
    """Return which tables have a column, of their columns written "table.column", and how to ask for it."""
    if not holding:
        return ""
    tables = list(dict.fromkeys(h.partition(".")[0] for h in holding))
    who = tables[0] if len(tables) == 1 else f"{', '.join(tables[:-1])} and {tables[-1]}"
    return f'{who} {"has" if len(tables) == 1 else "have"} it: idc.col("{holding[0]}").'


def did_you_mean(suggestions: Sequence[str]) -> str:
    """Return ' Did you mean "a", "b"?', or nothing when there is nothing near."""
    if not suggestions:
        return ""
    return " Did you mean " + ", ".join(f'"{s}"' for s in suggestions) + "?"


def require_unicode(text: str, what: str = "The text") -> str:
    """Return a text that can be written as UTF-8; half of a surrogate pair cannot.

    Raises
    ------
    ValueError
        If it cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{what} {short(text)!a} holds half a character (a lone surrogate) at {error.start}: it was decoded "
            "wrongly somewhere."
        ) from None
    return text
