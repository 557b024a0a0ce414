"""The one way out to the network for plain requests: proxies and certificates as the environment has them now.

`urllib.request.urlopen` keeps the proxies of its first call for the life of the process, and knows nothing of
AWS_CA_BUNDLE; here both are read at each use.
"""

from __future__ import annotations

import functools
import http.client
import os
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

TIMEOUT = 20  # seconds without a byte
_AGENT = {"User-Agent": "idc_widgets"}


def certificates() -> ssl.SSLContext:
    """Return what to trust: AWS_CA_BUNDLE as s5cmd does, else SSL_CERT_FILE or the system's.

    Raises
    ------
    OSError
        If AWS_CA_BUNDLE names a file that holds no certificates.
    """
    bundle = os.environ.get("AWS_CA_BUNDLE") or ""
    changed = 0.0
    if bundle:
        try:
            changed = Path(bundle).stat().st_mtime
        except OSError as error:
            raise OSError(f"AWS_CA_BUNDLE names {bundle}: {error.strerror or error}") from None
    return _context(bundle, changed, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@functools.lru_cache(4)
def _context(bundle: str, changed: float, file: str, folder: str) -> ssl.SSLContext:
    # Made once for the same settings: reading the system's certificates takes some hundredths of a second.
    try:
        return ssl.create_default_context(cafile=bundle or None)
    except (ssl.SSLError, OSError) as error:
        raise OSError(f"AWS_CA_BUNDLE names {bundle}, which holds no certificates: {error}") from None


def proxy_of(url: str) -> str | None:
    """Return the proxy that the environment sets for a URL; None for none."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    return None if proxy is None or urllib.request.proxy_bypass(parts.hostname or "") else proxy


def open_url(url: str, headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT) -> http.client.HTTPResponse:
    """Return the answer to a GET request.

    Raises
    ------
    OSError
        If there is no answer, or one of an error (`urllib.error.HTTPError`).
    ValueError
        If the URL is none.
    """
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler()]
    if url.lower().startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=certificates()))
    request = urllib.request.Request(url, headers=_AGENT | dict(headers or {}))
    return cast(http.client.HTTPResponse, urllib.request.build_opener(*handlers).open(request, timeout=timeout))
