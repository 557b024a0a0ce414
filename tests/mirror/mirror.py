"""The mirror as tests use it: in this process, or in one of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from .objects import Listed, Store
from .server import Server

Self = TypeVar("Self", bound="_Mirror")


class _Mirror:
    """What both have in common. Truth and bodies are computed in the test's own process."""

    endpoint: str

    @cached_property
    def _store(self) -> Store:
        return Store()

    def truth(self, crdc_series_uuid: str) -> list[Listed]:
        """Return (key, size, etag) of all objects of a series, in the order of keys."""
        return self._store.truth(crdc_series_uuid)

    def body(self, key: str) -> bytes:
        """Return all bytes of an object."""
        return self._store.body(key)

    def close(self) -> None:
        """End it."""
        raise NotImplementedError

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Mirror(_Mirror):
    """A mirror in threads of this process.

    Parameters
    ----------
    port
        0 takes a free one; `endpoint` has it.
    delay_ms
        What every request waits.
    rate_mb
        Megabytes a second that all clients get together.
    """

    def __init__(
        self, port: int = 0, host: str = "127.0.0.1", delay_ms: float = 0, rate_mb: float | None = None
    ) -> None:
        self.server = Server(self._store, host, port, delay_ms, rate_mb)
        self.endpoint = self.server.endpoint
        self.faults = self.server.faults
        self.reset_counts = self.server.meter.reset
        self.requests = self.server.meter.read
        self.set = self.server.set

    def close(self) -> None:
        """End it."""
        self.server.stop()

    @staticmethod
    def spawn(
        port: int = 0, host: str = "127.0.0.1", delay_ms: float = 0, rate_mb: float | None = None
    ) -> SpawnedMirror:
        """Return a mirror in a process of its own, with the same methods; it ends with this process at the latest."""
        return SpawnedMirror(port, host, delay_ms, rate_mb)


class SpawnedMirror(_Mirror):
    """A mirror in a process of its own, so that the code under test does not share an interpreter with it."""

    def __init__(self, port: int, host: str, delay_ms: float, rate_mb: float | None) -> None:
        command = [sys.executable, "-m", "tests.mirror", "--until-stdin-closes", "--host", host, "--port", str(port)]
        command += ["--delay-ms", str(delay_ms)]
        if rate_mb:
            command += ["--rate-mb", str(rate_mb)]
        self.process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line.startswith("mirror on "):
            self.close()
            raise RuntimeError(f"the mirror did not start; it said {line!r}")
        self.endpoint = line.removeprefix("mirror on ").strip()
        self.faults = _RemoteFaults(self)

    def ask(self, what: str, **values: object) -> Any:
        """Ask the mirror's control path."""
        request = urllib.request.Request(f"{self.endpoint}/_control/{what}", json.dumps(values).encode())
        # Not through a proxy that the environment may name.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            with problem:
                raise ValueError(json.load(problem)["error"]) from None

    def requests(self) -> dict[str, Any]:
        """Return the counts of requests; see `Meter.read`."""
        counts: dict[str, Any] = self.ask("requests")
        return counts

    def reset_counts(self) -> None:
        """Start counting anew."""
        self.ask("reset")

    def set(self, *, delay_ms: float = 0, rate_mb: float | None = None, etags: str = "md5") -> None:
        """Set what every request waits, the rate that all get together, and the kind of ETags."""
        self.ask("set", delay_ms=delay_ms, rate_mb=rate_mb, etags=etags)

    def close(self) -> None:
        """End it."""
        if "_store" in vars(self):
            self._store.close()
        self.process.terminate()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class _RemoteFaults:
    """The rules of a mirror in another process."""

    def __init__(self, mirror: SpawnedMirror) -> None:
        self._mirror = mirror

    def add(self, kind: str, **values: object) -> None:
        """Add a rule; see `Fault` for its values."""
        self._mirror.ask("faults", kind=kind, **values)

    def clear(self) -> None:
        """Let everything go well again."""
        self._mirror.ask("faults/clear")
