"""HTTP/1.1 on a socket: reading a request, sending a response, and doing either badly when a fault says so."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import Fault

REASONS = {
    200: "OK", 204: "No Content", 206: "Partial Content", 304: "Not Modified", 400: "Bad Request", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 412: "Precondition Failed", 416: "Requested Range Not Satisfiable",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
CHUNK = 1 << 18


class Gone(Exception):
    """The connection is of no more use."""


@dataclass
class Request:
    """What a client asks for."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


@dataclass
class Response:
    """What it gets: the chunks amount to `length` bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterator[memoryview] = field(default_factory=lambda: iter(()))
    length: int = 0

    @classmethod
    def of(cls, status: int, body: bytes, kind: str = "application/xml") -> Response:
        """Return a response with a body at hand."""
        return cls(status, {"Content-Type": kind}, iter((memoryview(body),)), len(body))


class Throttle:
    """A limit in bytes a second that all connections share; None: no limit."""

    def __init__(self, rate: float | None) -> None:
        self.rate = rate
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, size: int, stop: threading.Event) -> None:
        """Wait until `size` more bytes may go."""
        rate = self.rate
        if rate:
            with self._lock:
                start = max(self._next, time.monotonic())
                self._next = start + size / rate
            stop.wait(max(0.0, start - time.monotonic()))


class Connection:
    """One client's connection."""

    def __init__(self, sock: socket.socket, stop: threading.Event, throttle: Throttle) -> None:
        self.sock = sock
        self._stop = stop
        self._throttle = throttle
        self._buffer = b""

    def request(self) -> Request | None:
        """Return the next request, None if the client has no more."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive() or len(self._buffer) > 1 << 16:
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = (*first.split(" "), "", "")[:3]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        parts = urlsplit(target)
        wish = headers.get("connection", "").lower()
        return Request(
            method,
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers,
            body,
            wish != "close" if version == "HTTP/1.1" else wish == "keep-alive",
        )

    def _receive(self) -> bool:
        data = self.sock.recv(1 << 16)
        self._buffer += data
        return bool(data)

    def send(self, response: Response, method: str, faults: list[Fault], sent: Callable[[int], None]) -> None:
        """Send a response, with what befalls it; raise `Gone` if the connection cannot go on.

        `sent` is told of the body's bytes as they leave.
        """
        fault = None
        for each in faults:
            if each.kind == "delay":
                self._idle(each.seconds)
            else:
                fault = each
        kind = fault.kind if fault else ""
        if fault and fault.at is None and kind in ("reset", "hang"):
            self._break(fault)
        length = response.length if method != "HEAD" else 0
        place = 0.5 if fault is None or fault.at is None else fault.at
        place = min(int(length * place), max(0, length - 1))
        promised = place if kind == "short" and length else response.length
        head = [f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}"]
        headers = {**response.headers, "Content-Length": str(promised), "Server": "mirror"}
        head += [
            f"{name}: {value}"
            for name, value in headers.items()
            if response.status not in (204, 304) or name != "Content-Length"
        ]
        waiting = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        position = 0
        stop_at = place if kind in ("truncate", "short", "reset", "hang") else length
        throttled = kind == "slow" or self._throttle.rate
        for chunk in response.chunks if length else ():
            chunk = chunk[: stop_at - position]
            if kind == "flip" and position <= place < position + len(chunk):
                changed = bytearray(chunk)
                changed[place - position] ^= 0xFF
                chunk = memoryview(changed)
            step = len(chunk)
            if throttled:
                step = CHUNK if kind != "slow" or fault is None else max(1, min(CHUNK, int(fault.rate / 10)))
            for start in range(0, len(chunk), step or 1):
                piece = chunk[start : start + step]
                self._throttle.wait(len(piece), self._stop)
                if kind == "slow" and fault:
                    self._idle(len(piece) / fault.rate)
                if waiting:
                    # Headers and the first bytes in one packet.
                    self.sock.sendall(waiting + piece[:CHUNK])
                    waiting, rest = b"", piece[CHUNK:]
                else:
                    rest = piece
                self.sock.sendall(rest)
                sent(len(piece))
            position += len(chunk)
            if position >= stop_at:
                break
        if waiting:
            self.sock.sendall(waiting)
        if fault and kind in ("truncate", "reset", "hang"):
            self._break(fault)

    def _break(self, fault: Fault) -> None:
        if fault.kind == "hang":
            self._idle(fault.seconds)
        elif fault.kind == "reset":
            # Closing with a linger of zero sends RST.
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def _idle(self, seconds: float | None) -> None:
        """Do nothing for that long (None: for ever), unless the client hangs up or the server stops."""
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            left = 0.2 if until is None else min(0.2, until - time.monotonic())
            if self._stop.wait(max(0.0, left)):
                raise Gone
            if select.select([self.sock], [], [], 0)[0] and not self.sock.recv(1, socket.MSG_PEEK):
                raise Gone
