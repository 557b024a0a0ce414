"""A bucket as fast as this machine can serve one, so that what is measured is the client.

The mirror of the tests makes valid DICOM in Python; here objects are windows of one file, sent by the kernel
(`sendfile`) from several processes. Needs a system with `fork`.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import signal
import socket
import struct
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PATTERN = 64 << 20
_WINDOWS = 251  # different contents that objects of one size have
_MD5_UP_TO = 64_000_000
_PAGE = 1000
_PIECE = 1 << 17
_COUNTS = ("GET", "LIST", "HEAD", "bytes")


@dataclass(frozen=True)
class Shape:
    """A series: its folder, its bucket, how many files, how many bytes in all."""

    uuid: str
    bucket: str
    files: int
    bytes: int

    def key(self, number: int) -> str:
        """Return the key of an object."""
        return f"{self.uuid}/{number:08x}-0000-4000-8000-000000000000.dcm"

    def size(self, number: int) -> int:
        """Return the size of an object: all the same but the last."""
        each = self.bytes // self.files
        return each if number < self.files - 1 else self.bytes - each * (self.files - 1)


class Bucket:
    """Serves series on loopback from processes of its own until closed.

    Parameters
    ----------
    shapes
        The series.
    delay_ms
        What every request waits.
    rate_mb
        Megabytes a second for all clients together, as a network line has them; one process serves then.
    md5_up_to
        Objects above this have an ETag that is no MD5, as uploads in parts have (to make theirs takes 2 s a gigabyte).
    """

    def __init__(
        self,
        shapes: Sequence[Shape],
        delay_ms: float = 0,
        rate_mb: float | None = None,
        md5_up_to: int = _MD5_UP_TO,
    ) -> None:
        processes = 1 if rate_mb else 2
        self._rate = rate_mb * 1e6 if rate_mb else None
        self._free_at = 0.0  # when the line has sent what it was given
        self._line = threading.Lock()
        self._series = {shape.uuid: shape for shape in shapes}
        self._delay = delay_ms / 1000
        memory = Path("/dev/shm")
        self._pattern = tempfile.TemporaryFile(dir=memory if memory.is_dir() else None)  # noqa: SIM115
        block = hashlib.shake_128(b"bucket").digest(1 << 20)
        for number in range(_PATTERN >> 20):
            self._pattern.write(block[number * 4099 :] + block[: number * 4099])
        self._pattern.flush()
        self._etags = self._digests(md5_up_to)
        self._counts = [mmap.mmap(-1, 8 * len(_COUNTS)) for _ in range(processes)]
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._pids = []
        for number in range(processes):
            pid = os.fork()
            if pid == 0:
                try:
                    self._serve(self._counts[number])
                finally:
                    os._exit(0)
            self._pids.append(pid)

    def counts(self) -> dict[str, int]:
        """Return the requests so far by operation, and the bytes of objects that were sent."""
        rows = [struct.unpack(f"{len(_COUNTS)}q", shared[:]) for shared in self._counts]
        return dict(zip(_COUNTS, (sum(column) for column in zip(*rows, strict=True)), strict=True))

    @property
    def pids(self) -> list[int]:
        """Return its processes."""
        return list(self._pids)

    def reset(self) -> None:
        """Count anew."""
        for shared in self._counts:
            shared[:] = bytes(len(shared))

    def close(self) -> None:
        """End the processes."""
        for pid in self._pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self._listener.close()
        self._pattern.close()

    def __enter__(self) -> Bucket:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- contents

    def _window(self, number: int) -> int:
        return (number % _WINDOWS) * 262_139

    def _digests(self, md5_up_to: int) -> dict[tuple[int, int], str]:
        found: dict[tuple[int, int], str] = {}
        with mmap.mmap(self._pattern.fileno(), _PATTERN) as whole, memoryview(whole) as pattern:
            for shape in self._series.values():
                for number in range(shape.files):
                    size, start = shape.size(number), self._window(number)
                    if size > md5_up_to or (size, start) in found:
                        continue
                    digest, at, left = hashlib.md5(usedforsecurity=False), start, size
                    while left:
                        some = min(left, _PATTERN - at)
                        digest.update(pattern[at : at + some])
                        at, left = 0, left - some
                    found[size, start] = digest.hexdigest()
        return found

    def _etag(self, shape: Shape, number: int) -> str:
        size = shape.size(number)
        made_up = f"{hashlib.md5(shape.key(number).encode()).hexdigest()}-{-(-size // (16 << 20))}"
        return self._etags.get((size, self._window(number)), made_up)

    # -- one of the processes

    def _serve(self, shared: mmap.mmap) -> None:
        lock = threading.Lock()
        totals = [0] * len(_COUNTS)

        def count(what: str, amount: int = 1) -> None:
            with lock:
                totals[_COUNTS.index(what)] += amount
                shared[:] = struct.pack(f"{len(_COUNTS)}q", *totals)

        while True:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._client, args=(sock, count), daemon=True).start()

    def _client(self, sock: socket.socket, count: object) -> None:
        buffer = b""
        try:
            with sock:
                while True:
                    while b"\r\n\r\n" not in buffer:
                        more = sock.recv(1 << 16)
                        if not more:
                            return
                        buffer += more
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    if self._delay:
                        time.sleep(self._delay)
                    self._answer(sock, head.decode("latin-1"), count)
        except OSError:
            return

    def _answer(self, sock: socket.socket, head: str, count: object) -> None:
        assert callable(count)
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        path, _, query = target.partition("?")
        bucket, _, key = path.lstrip("/").partition("/")
        uuid, _, name = key.partition("/")
        shape = self._series.get(uuid)
        if method == "GET" and not key:
            count("LIST")
            body = self._listing(bucket, dict(urllib.parse.parse_qsl(query)))
            sock.sendall(_head("200 OK", {"Content-Length": len(body), "Content-Type": "application/xml"}) + body)
        elif shape is None or not name:
            body = b"<Error><Code>NoSuchKey</Code></Error>"
            extra = {"x-amz-bucket-region": "us-east-1", "Content-Length": len(body) if method == "GET" else 0}
            sock.sendall(_head("404 Not Found", extra) + (body if method == "GET" else b""))
        else:
            self._object(sock, method, shape, int(name[:8], 16), headers, count)

    def _object(
        self, sock: socket.socket, method: str, shape: Shape, number: int, headers: dict[str, str], count: object
    ) -> None:
        assert callable(count)
        count(method)
        size = shape.size(number)
        start, stop, status = 0, size, "200 OK"
        extra: dict[str, object] = {
            "ETag": f'"{self._etag(shape, number)}"', "Last-Modified": "Tue, 02 Jan 2024 03:04:05 GMT",
        }  # fmt: skip
        if wanted := headers.get("range", "").removeprefix("bytes="):
            low, _, high = wanted.partition("-")
            start, stop, status = int(low), min(size, int(high) + 1 if high else size), "206 Partial Content"
            extra["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        extra["Content-Length"] = stop - start
        sock.sendall(_head(status, extra), socket.MSG_MORE if hasattr(socket, "MSG_MORE") else 0)
        if method == "GET":
            while start < stop:
                place = (self._window(number) + start) % _PATTERN
                some = min(stop - start, _PATTERN - place)
                if self._rate:
                    some = self._wait(some)
                sent = os.sendfile(sock.fileno(), self._pattern.fileno(), place, some)
                start += sent
                count("bytes", sent)

    def _wait(self, size: int) -> int:
        """Wait until the line is free for some more bytes; return how many."""
        size = min(size, _PIECE)
        assert self._rate
        with self._line:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._rate
            at = self._free_at
        time.sleep(max(0.0, at - time.monotonic()))
        return size

    def _listing(self, bucket: str, query: dict[str, str]) -> bytes:
        prefix = query.get("prefix", "")
        shape = self._series.get(prefix[:36])
        if shape is None:
            return b"<ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>"
        numbers: Sequence[int] = range(shape.files)
        if len(prefix) > len(f"{shape.uuid}/"):
            numbers = [n for n in numbers if shape.key(n).startswith(prefix)]
        begin = int(query.get("continuation-token", "0"))
        end = min(begin + _PAGE, len(numbers))
        rows = "".join(
            f"<Contents><Key>{shape.key(n)}</Key><LastModified>2024-01-02T03:04:05.000Z</LastModified>"
            f"<ETag>&quot;{self._etag(shape, n)}&quot;</ETag><Size>{shape.size(n)}</Size></Contents>"
            for n in numbers[begin:end]
        )
        more = end < len(numbers)
        token = f"<NextContinuationToken>{end}</NextContinuationToken>" if more else ""
        return (
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>'
            f"<KeyCount>{end - begin}</KeyCount><IsTruncated>{json.dumps(more)}</IsTruncated>{token}{rows}"
            "</ListBucketResult>"
        ).encode()


def _head(status: str, headers: dict[str, object]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1")
