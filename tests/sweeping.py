"""What is public, found by itself; values that make no sense; and what a refusal has to be."""

from __future__ import annotations

import datetime
import inspect
import linecache
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import traitlets

import idc_widgets as idc

PACKAGE = Path(idc.__file__).parent
SLOW = 10.0  # seconds

VALUES: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "huge": lambda: 10**400,
    "empty": lambda: "",
    "blank": lambda: " ",
    "word": lambda: "nonsense",
    "nul": lambda: "a\x00b",
    "long": lambda: "nonsense " * 20_000,
    "surrogate": lambda: "half \ud800",
    "quotes": lambda: "'; DROP TABLE index; --",
    "markup": lambda: '"><script>',
    "bytes": lambda: b"x",
    "list": list,
    "[None]": lambda: [None],
    "['x']": lambda: ["nonsense"],
    "nested": lambda: [[1], {"a": object()}],
    "dict": dict,
    "{'a': 1}": lambda: {"a": 1},
    "object": lambda: object(),
    "set": lambda: {1, "x"},
    "generator": lambda: (each for each in (1, None)),
    "frame": lambda: pd.DataFrame({"a": [1]}),
    "path": lambda: Path("/proc/self/nonsense"),
    "date": lambda: datetime.datetime(2020, 1, 2, 3, 4),
    "class": lambda: dict,
    "function": lambda: lambda *a, **k: 1,
    "complex": lambda: 1j,
    "module": lambda: duckdb,
}

#: What is made by the package alone, so that calling the class says nothing.
MADE_HERE = ("Condition", "Counts", "Job", "Plan")


def functions() -> dict[str, Any]:
    """Return the functions and classes that are public, errors apart."""
    found = {name: getattr(idc, name) for name in idc.__all__}
    return {n: f for n, f in found.items() if not (isinstance(f, type) and issubclass(f, BaseException))}


def members(owner: type, operators: tuple[str, ...] = ()) -> Iterator[tuple[str, bool]]:
    """Yield the public attributes that this package gives a class, and whether each is called."""
    for name in dir(owner):
        value = inspect.getattr_static(owner, name)
        plain = (
            getattr(value, "__func__", None) or getattr(value, "fget", None) or getattr(value, "func", None) or value
        )
        ours = (getattr(plain, "__module__", None) or "").startswith("idc_widgets")
        if ours and callable(plain) and (name[0] != "_" or name in operators):
            yield name, isinstance(value, staticmethod | classmethod) or inspect.isfunction(value)


def parameters(call: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return what a function takes; of a class, what its constructor takes."""
    return [p for p in inspect.signature(call).parameters.values() if p.name[0] != "_"]


class Outcome(NamedTuple):
    """How a call ended: None in `said` where it was accepted, else the message; `wrong` says what is wrong with it."""

    said: str | None
    wrong: str | None


def attempt(call: Callable[[], Any], parameter: str, value: Any) -> Outcome:
    """Call, and judge an error: raised on purpose by a line of the package, in a sentence that names the value."""
    begun = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call()
            if inspect.isgenerator(result):
                list(result)
    except (ValueError, TypeError, OSError, traitlets.TraitError) as error:
        return Outcome(str(error), _slow(begun) or problem_of(error, parameter, value))
    except Exception as error:
        return Outcome(str(error), f"raw {type(error).__name__}: {str(error)[:200]}")
    return Outcome(None, _slow(begun))


def _slow(begun: float) -> str | None:
    took = time.monotonic() - begun
    busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > 2 * (os.cpu_count() or 1)  # with the work of others
    return f"took {took:.1f} s" if took > SLOW and not busy else None


def problem_of(error: BaseException, parameter: str = "", value: Any = None) -> str | None:
    """Return what is wrong with an error as an answer to a person."""
    said = str(error)
    shown = f"{type(error).__name__}: {said[:200]}"
    if isinstance(error, UnicodeError | RecursionError) or not (_on_purpose(error) or _of_traitlets(error)):
        return f"raw {shown}"
    if len(said.split()) < 4 or "Traceback" in said:
        return f"no sentence: {shown}"
    if len(said) > 1_500 and _on_purpose(error):
        return f"a sentence of {len(said):,} characters: {shown}"
    if parameter and not any(name in said for name in _names(parameter, value)):
        return f"does not name the value: {shown}"
    return None


def _of_traitlets(error: BaseException) -> bool:
    return isinstance(error, traitlets.TraitError)


def _on_purpose(error: BaseException) -> bool:
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename
    return Path(file).is_relative_to(PACKAGE) and linecache.getline(file, trace.tb_lineno).strip().startswith("raise")


def _names(parameter: str, value: Any) -> Iterator[str]:
    yield from (parameter, type(value).__name__)
    for text in (str(value), repr(value), ascii(value)):
        yield text.strip()[:12] or "empty"
    if isinstance(value, list | dict | set):
        yield from (str(each) for each in value if each is not None)
    if value is None or (isinstance(value, str | list | dict) and not str(value).strip(" []{}")):
        yield from ("empty", "None", "no ", "name ", "needs")


def sentence(error: BaseException) -> None:
    """Fail unless an error is an answer to a person."""
    wrong = problem_of(error)
    assert wrong is None, wrong


RAW = re.compile(r"\b(KeyError|AttributeError|IndexError|Traceback|object has no attribute)\b")
