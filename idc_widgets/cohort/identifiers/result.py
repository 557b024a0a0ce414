"""What a list, table or file of identifiers turned out to name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.conditions import Condition
from idc_widgets.cohort.identifiers.spelling import shaped

#: The problem of a row of a title: it names nothing, but may say which collection is meant.
TITLE = "a title"
_NO_NAME = "no patient, collection or analysis result"  # of a word that may be none

#: The format of a saved cohort, as `Cohort.to_json` writes it.
SAVED = "idc_widgets.cohort"


class Unknown(str):
    """An identifier that names nothing here; a text like any other, with the reason in words."""

    reason: str
    near: tuple[str, ...]

    def __new__(cls, value: str, reason: str = "", near: tuple[str, ...] = ()) -> Unknown:
        """Return the text with its reason, and names that look like it."""
        made = super().__new__(cls, value)
        made.reason, made.near = reason, near
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Unknown, (str(self), self.reason, self.near)

    @property
    def sentence(self) -> str:
        """The identifier and why it names nothing."""
        return f"{short(self)} ({self.reason})" if self.reason else short(self)


@dataclass(frozen=True)
class Identified:
    """What was named.

    Attributes
    ----------
    condition
        What selects it; None where nothing of it is known.
    counts
        How many values of which column.
    unknown
        What looks like an identifier and names nothing here, each with its `reason`.
    notes
        What else there is to say: how a table was read, rows left out.
    saved
        The text of a saved cohort, where the file is one; `Cohort.from_json` reads it.
    """

    condition: Condition | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[Unknown, ...] = ()
    notes: tuple[str, ...] = ()
    saved: str | None = None

    @property
    def names_nothing(self) -> bool:
        """Whether nothing in it is an identifier, by what is known or by the looks; junk, then."""
        if self.saved is not None or self.condition is not None or self.notes:
            return False
        return not any(shaped(u) or "://" in u or not u.reason.startswith(_NO_NAME) for u in self.unknown)


@dataclass(slots=True)
class Row:
    """One row of a table, one line, or one entry of a list.

    Attributes
    ----------
    cells
        Pairs of the field and the value. The field "?" is open: what the value is decides.
    expects
        The level that each row of its table should name; a row without a value of it names nothing.
    problem
        Why it names nothing whatever the catalogue says, such as another bucket; its first cell is what is unknown.
    listed
        Whether several open values are a list rather than the cells of one row.
    any_of
        Whether coarser values of one field are a list, one of which has to hold; else all of them have to.
    beside
        Words beside the identifiers that are not read.
    above
        The row that this one is indented under, of which it may be a part.
    """

    cells: tuple[tuple[str, str], ...]
    expects: int = 0
    problem: str = ""
    listed: bool = False
    any_of: bool = False
    beside: str = ""
    above: Row | None = None
