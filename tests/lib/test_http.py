"""Requests go by the proxies and certificates that the environment names at that moment."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from idc_widgets.catalog import fetch
from idc_widgets.lib import http as web
from tests import certificates


class _Named(http.server.BaseHTTPRequestHandler):
    """Answers with its server's name."""

    def do_GET(self) -> None:
        body = str(self.server.name).encode()  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def _serve(name: str, context: ssl.SSLContext | None = None) -> http.server.ThreadingHTTPServer:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Named)
    server.name = name  # type: ignore[attr-defined]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def proxies() -> Iterator[tuple[str, str]]:
    servers = [_serve("one"), _serve("two")]
    yield tuple(f"http://127.0.0.1:{s.server_port}" for s in servers)  # type: ignore[misc]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server over TLS and the certificate that makes it trusted."""
    context, certificate = certificates.make(tmp_path)
    server = _serve("secure", context)
    yield f"https://127.0.0.1:{server.server_port}/", certificate
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY",
                 "all_proxy", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


def _read(url: str) -> str:
    with web.open_url(url) as response:
        return response.read().decode()


def test_the_proxy_of_now(proxies: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy, name in zip(proxies, ("one", "two"), strict=True):
        monkeypatch.setenv("http_proxy", proxy)
        assert _read("http://data.invalid/table.parquet") == name
        assert fetch.open_url is web.open_url
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert _read(f"{proxies[0]}/x") == "one"
    assert web.proxy_of("http://127.0.0.1:9/") is None
    assert web.proxy_of("http://data.invalid/") == proxies[1]


def test_the_certificates_of_now(secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url, certificate = secure
    with pytest.raises(OSError, match=r"(?i)certificate.verify.failed"):
        _read(url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    assert _read(url) == "secure"
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with pytest.raises(OSError, match=r"(?i)certificate.verify.failed"):
        _read(url)

    (tmp_path / "junk.pem").write_text("nothing")
    for name, reason in (("gone.pem", "No such file"), ("junk.pem", "holds no certificates")):
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / name))
        with pytest.raises(OSError, match=f"AWS_CA_BUNDLE names .*{name}.*{reason}"):
            _read(url)
