"""The S3 server: anonymous, read-only, path style, a thread for each connection."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from xml.sax.saxutils import escape

from . import export
from .faults import Fault, Faults
from .index import BUCKETS
from .listing import BadArgument, list_objects
from .objects import Listed, Store
from .tables import Tables
from .wire import Connection, Gone, Request, Response, Throttle

OPERATIONS = ("GET", "HEAD", "LIST", "BUCKET")
LAST_MODIFIED = "Tue, 02 Jan 2024 03:04:05 GMT"
ERRORS = {
    400: ("InvalidArgument", "Invalid Argument"),
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
    405: ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    412: ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"),
    416: ("InvalidRange", "The requested range is not satisfiable"),
    500: ("InternalError", "We encountered an internal error. Please try again."),
    503: ("SlowDown", "Please reduce your request rate."),
}


def error(status: int, resource: str, code: str = "", message: str = "") -> Response:
    """Return an S3 error."""
    usual_code, usual_message = ERRORS.get(status, (f"Status{status}", f"Status {status}"))
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code or usual_code}</Code><Message>{escape(message or usual_message)}</Message>"
        f"<Resource>{escape(resource)}</Resource><RequestId>MIRROR</RequestId></Error>"
    )
    return Response.of(status, body.encode())


class Meter:
    """What was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._operations: Counter[str] = Counter()
            self._keys: dict[str, Counter[str]] = {operation: Counter() for operation in OPERATIONS}
            self._bytes = 0

    def begin(self, operation: str, key: str) -> None:
        """Count a request; it is active until `end`."""
        with self._lock:
            self._operations[operation] += 1
            self._keys[operation][key] += 1
            self._active += 1

    def sent(self, size: int) -> None:
        """Count bytes of bodies."""
        with self._lock:
            self._bytes += size

    def end(self) -> None:
        """Say that a request is over."""
        with self._lock:
            self._active -= 1

    def read(self) -> dict[str, object]:
        """Return the counts so far.

        By operation (BUCKET is a HEAD of a bucket, with which s5cmd looks for its region), ``keys``: the same for each
        key (of a LIST: prefix), ``bytes`` of bodies sent, and ``active``: requests being answered right now.
        """
        with self._lock:
            return {
                **{operation: self._operations[operation] for operation in OPERATIONS},
                "keys": {operation: dict(keys) for operation, keys in self._keys.items()},
                "bytes": self._bytes,
                "active": self._active,
            }


class Server:
    """Serve a store on a port of `host` (0: a free one) until `stop`."""

    def __init__(
        self, store: Store, host: str = "127.0.0.1", port: int = 0, delay_ms: float = 0, rate_mb: float | None = None
    ) -> None:
        self.store = store
        self.tables = Tables()
        self.export = export.Export(self.tables)
        self.faults = Faults()
        self.meter = Meter()
        self._throttle = Throttle(None)
        self.set(delay_ms=delay_ms, rate_mb=rate_mb)
        self._stop = threading.Event()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port), backlog=512)
        self.endpoint = f"http://{host}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="mirror-accept", daemon=True).start()

    def set(self, *, delay_ms: float = 0, rate_mb: float | None = None, etags: str = "md5") -> None:
        """Set what every request waits, how many megabytes a second all of them get together, and the kind of ETags.

        `etags`: "md5"; "parts", as of one part of a usual size; "odd", as of parts that no tool makes; "none".
        """
        self.store.etags = etags
        self._delay = [Fault("delay", seconds=delay_ms / 1000)] if delay_ms else []
        self._throttle.rate = rate_mb * 1e6 if rate_mb else None

    def stop(self) -> None:
        """End all connections and free the port."""
        self._stop.set()
        # A thread that waits in accept() wakes up at shutdown on Linux only; elsewhere close() has to do.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = dict(self._connections)
        for sock in connections:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.store.close()
        deadline = time.monotonic() + 5
        for thread in connections.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), name="mirror-client", daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with self._lock:
            self._connections[sock] = threading.current_thread()
        connection = Connection(sock, self._stop, self._throttle)
        # A client that goes away, or asks for something that is not HTTP, ends its connection and nothing else.
        with sock, contextlib.suppress(OSError, Gone, ValueError, struct.error):
            while not self._stop.is_set():
                request = connection.request()
                if request is None:
                    break
                self._answer(connection, request)
                if not request.keep_alive:
                    break
        with self._lock:
            self._connections.pop(sock, None)

    def _answer(self, connection: Connection, request: Request) -> None:
        if request.path.startswith("/_control/"):
            connection.send(self._control(request), request.method, [], lambda _: None)
            return
        bucket, _, key = request.path.lstrip("/").partition("/")
        operation = request.method
        if request.method == "GET" and not key:
            operation, key = "LIST", request.query.get("prefix", "")
        elif request.method == "HEAD" and not key:
            operation = "BUCKET"
        if operation not in OPERATIONS:
            connection.send(error(403, request.path), request.method, [], lambda _: None)
            return
        self.meter.begin(operation, key)
        try:
            faults = [*self._delay, *self.faults.of(operation, bucket, key)]
            status = next((fault.status for fault in faults if fault.kind == "status"), None)
            if status is not None:
                response = error(status, request.path)
            else:
                try:
                    response = self._respond(operation, bucket, key, request)
                except Exception as problem:
                    if self._stop.is_set():
                        raise Gone from problem
                    print(f"mirror: {request.method} {request.path}: {problem!r}", file=sys.stderr, flush=True)
                    response = error(500, request.path, message=repr(problem))
            response.headers.setdefault("Access-Control-Allow-Origin", "*")
            connection.send(response, request.method, faults, self.meter.sent)
        finally:
            self.meter.end()

    def _respond(self, operation: str, bucket: str, key: str, request: Request) -> Response:
        if not bucket:
            return error(403, "/")
        if bucket == "releases" and operation in ("GET", "HEAD"):
            body = self.tables.body(key)
            return error(404, request.path) if body is None else Response.of(200, body, "application/octet-stream")
        if bucket == export.BUCKET:
            return self._metadata(operation, key, request)
        if bucket not in BUCKETS:
            return error(404, request.path, "NoSuchBucket", "The specified bucket does not exist")
        if operation == "LIST":
            if "location" in request.query:
                return Response.of(200, b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>')
            try:
                return Response.of(200, list_objects(self.store, bucket, request.query))
            except BadArgument as problem:
                return error(400, request.path, message=str(problem))
        if operation == "BUCKET":
            return Response(200, {"x-amz-bucket-region": "us-east-1"})
        return self._object(bucket, key, request)

    def _object(self, bucket: str, key: str, request: Request) -> Response:
        found = self.store.find(bucket, key)
        if found is None:
            return error(404, request.path)
        series, instance = found
        return self._ranged(
            request,
            f'"{self.store.etag(series, instance)}"',
            series.instance_size(instance),
            "application/dicom",
            lambda start, stop: self.store.content(series, instance).chunks(start, stop),
        )

    def _metadata(self, operation: str, key: str, request: Request) -> Response:
        if operation == "LIST":
            return Response.of(200, self.export.listing(request.query))
        file = self.export.objects.get(key)
        if file is None:
            return error(404, request.path)
        body = memoryview(file.path.read_bytes())
        kind = "application/octet-stream"
        return self._ranged(request, f'"{file.etag}"', file.size, kind, lambda start, stop: iter((body[start:stop],)))

    @staticmethod
    def _ranged(
        request: Request, etag: str, size: int, kind: str, chunks: Callable[[int, int], Iterator[memoryview]]
    ) -> Response:
        headers = {"ETag": etag, "Last-Modified": LAST_MODIFIED, "Accept-Ranges": "bytes", "Content-Type": kind}
        if not _matches(request.headers.get("if-match", "*"), etag):
            return error(412, request.path)
        if _matches(request.headers.get("if-none-match", ""), etag):
            return Response(304, headers)
        start, stop, status = 0, size, 200
        wanted = _range(request.headers.get("range", ""), size)
        if wanted:
            start, stop = wanted
            status = 206
            if start >= stop:
                refused = error(416, request.path)
                refused.headers["Content-Range"] = f"bytes */{size}"
                return refused
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        if request.method == "HEAD":
            return Response(status, headers, length=stop - start)
        return Response(status, headers, chunks(start, stop), stop - start)

    def _control(self, request: Request) -> Response:
        """Answer what a `Mirror` in another process asks."""
        values = json.loads(request.body or b"{}")
        what = request.path.removeprefix("/_control/")
        try:
            answer: object = {}
            if what == "requests":
                answer = self.meter.read()
            elif what == "reset":
                self.meter.reset()
            elif what == "faults":
                self.faults.add(**values)
            elif what == "faults/clear":
                self.faults.clear()
            elif what == "set":
                self.set(**values)
            elif what == "truth":
                answer = [Listed(*each) for each in self.store.truth(values["series"])]
            else:
                return error(404, request.path)
        except (KeyError, TypeError, ValueError) as problem:
            return Response.of(400, json.dumps({"error": str(problem.args[0])}).encode(), "application/json")
        return Response.of(200, json.dumps(answer).encode(), "application/json")


def _matches(condition: str, etag: str) -> bool:
    return any(each.strip() in ("*", etag, etag.strip('"')) for each in condition.split(","))


def _range(text: str, size: int) -> tuple[int, int] | None:
    """Return start and stop of the one range asked for, None if the whole is; start >= stop: there is no such range."""
    unit, _, span = text.partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not (first + last).isdecimal():
        return None
    if not first:
        return max(0, size - int(last)), size if int(last) else 0
    return int(first), min(size, int(last) + 1) if last else size
