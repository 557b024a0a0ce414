"""What goes wrong, by rule."""

from __future__ import annotations

import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase

KINDS = ("status", "reset", "truncate", "short", "flip", "slow", "hang", "delay")
OPERATIONS = ("GET", "HEAD", "LIST", "BUCKET", "*")


@dataclass
class Fault:
    """One rule.

    Parameters
    ----------
    kind
        ``status`` answers with an error; ``reset`` resets the connection; ``truncate`` promises the whole length
        and closes midway; ``short`` leaves the end away and says so in Content-Length; ``flip`` inverts one byte;
        ``slow`` sends `rate` bytes a second; ``hang`` falls silent; ``delay`` waits `seconds` before it answers.
    match
        A pattern for the key or for ``bucket/key`` (of a LIST: its prefix).
    operation
        ``GET``, ``HEAD``, ``LIST``, ``BUCKET`` (a HEAD of a bucket) or ``*``.
    times
        How often it happens, None for always; with `per_key`, how often for each key.
    after
        How many matching requests go well first.
    probability
        The share of matching requests it happens to; always the same ones.
    status
        For ``status``: 403, 404, 500, 503 or any other.
    at
        Where in the body it happens, from 0 to 1. Unless given: halfway for ``truncate``, ``short`` and ``flip``;
        before the headers for ``reset`` and ``hang``.
    rate, seconds
        For ``slow`` and ``delay``; a ``hang`` ends after `seconds` if they are given.
    """

    kind: str
    match: str = "*"
    operation: str = "GET"
    times: int | None = None
    per_key: bool = False
    after: int = 0
    probability: float = 1.0
    status: int = 503
    at: float | None = None
    rate: float = 100_000
    seconds: float | None = None
    _seen: Counter[str] = field(default_factory=Counter, repr=False)
    _done: Counter[str] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}: it is one of {', '.join(KINDS)}")
        if self.operation not in OPERATIONS:
            raise ValueError(f"there is no operation {self.operation!r}: it is one of {', '.join(OPERATIONS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability of {self.probability} makes no sense: give a number from 0 to 1")
        if self.at is not None and not 0 <= self.at <= 1:
            raise ValueError(f"at={self.at} is not in the body: give a number from 0 to 1")
        if self.rate <= 0:
            raise ValueError(f"a rate of {self.rate} bytes a second never ends: give a number above 0, or a hang")
        if self.kind == "delay" and self.seconds is None:
            raise ValueError("a delay needs seconds")

    def happens(self, operation: str, bucket: str, key: str) -> bool:
        """Tell whether it happens to this request, and count it."""
        if self.operation not in ("*", operation):
            return False
        if not (fnmatchcase(key, self.match) or fnmatchcase(f"{bucket}/{key}", self.match)):
            return False
        whose = key if self.per_key else ""
        self._seen[whose] += 1
        if self._seen[whose] <= self.after or (self.times is not None and self._done[whose] >= self.times):
            return False
        if self.probability < 1:
            # Not by chance, and not by the order of requests, which differs from run to run.
            self._seen[f"/{key}"] += 1
            drawn = zlib.crc32(f"{key}/{self._seen[f'/{key}']}".encode()) / 2**32
            if drawn >= self.probability:
                return False
        self._done[whose] += 1
        return True

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read a rule as the command line gives it: ``kind=status,status=503,match=*.dcm,times=2``."""
        values: dict[str, object] = {}
        convert: dict[str, type] = {"times": int, "after": int, "status": int}
        convert |= dict.fromkeys(("probability", "at", "rate", "seconds"), float)
        names = [each.name for each in fields(cls) if not each.name.startswith("_")]
        for part in text.split(","):
            name, equals, value = part.partition("=")
            if not equals or name not in names:
                raise ValueError(f"{part!r} is not name=value with a name of {', '.join(names)}")
            if name == "per_key":
                values[name] = value.lower() in ("1", "true", "yes")
                continue
            try:
                values[name] = convert.get(name, str)(value)
            except ValueError:
                raise ValueError(f"{name}={value!r}: a number is wanted") from None
        if "kind" not in values:
            raise ValueError(f"{text!r} says no kind: kind= one of {', '.join(KINDS)}")
        return cls(**values)  # type: ignore[arg-type]


class Faults:
    """The rules in force, oldest first."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, kind: str, **values: object) -> None:
        """Add a rule; see `Fault` for its values."""
        with self._lock:
            self._rules.append(Fault(kind, **values))  # type: ignore[arg-type]

    def append(self, rule: Fault) -> None:
        """Add a rule ready made."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._rules.clear()

    def of(self, operation: str, bucket: str, key: str) -> Iterator[Fault]:
        """Yield the delays that befall a request, then at most one other fault."""
        if not self._rules:
            return
        with self._lock:
            found: list[Fault] = []
            for rule in self._rules:
                other = any(fault.kind != "delay" for fault in found)
                if (rule.kind == "delay" or not other) and rule.happens(operation, bucket, key):
                    found.append(rule)
        yield from sorted(found, key=lambda fault: fault.kind != "delay")
