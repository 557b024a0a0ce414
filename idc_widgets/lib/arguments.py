"""Checks of what a person gives a function: each refusal names the value and says what would be right."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

_LONGEST = 80


def shown(value: object) -> str:
    """Return a value as an error shows it: as code, cut where somebody gave a book."""
    try:
        written = " ".join(ascii(value).split()) if isinstance(value, str) and not is_utf8(value) else repr(value)
    except Exception:  # whose __repr__ fails; 10**400 has too many digits for some Pythons
        written = f"a {type(value).__name__}"
    if "\n" in written:  # a table's
        written = f"a {type(value).__name__}"
    return written if len(written) <= _LONGEST else written[: _LONGEST - 1] + "…"


def is_utf8(text: str) -> bool:
    """Whether a text can be written: one with a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text(value: object, name: str, right: str, blank: bool = False) -> str:
    """Return a text.

    Parameters
    ----------
    value
        What was given.
    name
        What it was given as.
    right
        What is wanted, such as 'the name of a column, such as "Modality"'.
    blank
        Whether an empty one is one.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name}={shown(value)}: {right} is wanted, as text.")
    if not blank and not value.strip():
        raise ValueError(f"{name}={shown(value)} is empty: {right} is wanted.")
    if not is_utf8(value):
        raise ValueError(
            f"{name}={shown(value)} holds half a character (a lone surrogate), so it was decoded wrongly somewhere: "
            f"{right} is wanted."
        )
    return str(value)


def texts(value: object, name: str, right: str) -> list[str]:
    """Return several texts; see `text`."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name}={shown(value)}: a list is wanted, of {right}.")
    return [text(each, name, right) for each in value]


def flag(value: object, name: str) -> bool:
    """Return True or False; 1 and "no" are neither."""
    if isinstance(value, bool):
        return value
    if type(value).__name__ in ("bool_", "bool"):  # numpy's
        return bool(value)
    raise TypeError(f"{name}={shown(value)}: True or False is wanted.")


def whole(value: object, name: str, right: str, least: int = 0, most: int = 2**62) -> int:
    """Return a whole number between two bounds, both included."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={shown(value)}: {right} is wanted.")
    if not least <= int(value) <= most:
        raise ValueError(f"{name}={shown(value)}: {right} is wanted.")
    return int(value)


def seconds(value: object, name: str) -> float:
    """Return a number of seconds, 0 or more."""
    right = "a number of seconds from 0 on, or None for as long as it takes,"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={shown(value)}: {right} is wanted.")
    if not 0 <= value < 1e9:  # NaN is neither
        raise ValueError(f"{name}={shown(value)}: {right} is wanted.")
    return float(value)


def path(value: object, name: str, right: str) -> Path:
    """Return a path, `~` expanded; whether anything is there is not looked at."""
    given: Any = value
    if isinstance(value, os.PathLike):
        given = os.fspath(value)
    if not isinstance(given, str):
        raise TypeError(f"{name}={shown(value)}: {right} is wanted, as text or a Path.")
    if "\0" in given:
        raise ValueError(f"{name}={shown(value)} holds a NUL character, which no path has: {right} is wanted.")
    try:
        os.fsencode(text(given, name, right))
        return Path(given).expanduser()
    except RuntimeError:
        raise ValueError(f"{name}={shown(value)}: there is no such home folder on this machine.") from None


def function(value: object, name: str, takes: str) -> Callable[..., Any]:
    """Return something that can be called."""
    if not callable(value):
        raise TypeError(f"{name}={shown(value)}: a function is wanted that takes {takes}.")
    return value
