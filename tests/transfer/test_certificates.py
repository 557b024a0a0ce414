"""An endpoint behind a certificate that only the environment's CA settings make trusted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from idc_widgets.transfer import Job, TransferError
from tests import certificates
from tests.mirror import SpawnedMirror

from .conftest import STUDY, pick, tree, whole_truth
from .test_large import LARGE

Fetch = Callable[..., Job]


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for sock in (source, target):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@pytest.fixture
def secure(mirror: SpawnedMirror, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve the mirror over TLS; give the address and the certificate."""
    context, certificate = certificates.make(tmp_path)
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    at = urlsplit(mirror.endpoint)

    def serve(raw: socket.socket) -> None:
        try:
            client = context.wrap_socket(raw, server_side=True)
            server = socket.create_connection((at.hostname, at.port))
        except OSError:
            raw.close()
            return
        with client, server:
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join()

    def accept() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(raw,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}", certificate
    listener.close()


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_of_the_environment(
    fetch: Fetch,
    mirror: SpawnedMirror,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    secure: tuple[str, Path],
    name: str,
) -> None:
    url, certificate = secure
    items = (*pick(STUDY)[:1], *pick(LARGE)[:1])  # by s5cmd, and in blocks
    for other in ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(other, raising=False)
    with pytest.raises(TransferError, match=r"cannot be reached .*certificate"):
        fetch(items, endpoint_url=url)
    monkeypatch.setenv(name, str(certificate))
    job = fetch(items, endpoint_url=url)
    assert job.wait(60), job.failures()
    assert tree(tmp_path / "data") == whole_truth(mirror, items)
