"""The two clouds that hold IDC's images, and whether one can be reached."""

from __future__ import annotations

import os
import urllib.error
from collections.abc import Iterable, Iterator, Mapping
from typing import cast
from urllib.parse import quote, urlsplit

from idc_widgets.lib.arguments import shown
from idc_widgets.lib.http import open_url

from .journal import SeriesRow
from .model import Item, Provider, ResourceError, TransferError

_ENDPOINTS: dict[str, str] = {"aws": "https://s3.amazonaws.com", "gcs": "https://storage.googleapis.com"}
_VARIABLES: dict[str, str] = {"aws": "IDC_WIDGETS_AWS_ENDPOINT", "gcs": "IDC_WIDGETS_GCS_ENDPOINT"}
_GCS_BUCKETS = {
    "idc-open-data": "idc-open-data",
    "idc-open-data-two": "idc-open-idc1",
    "idc-open-data-cr": "idc-open-cr",
}
_AWS_BUCKETS = {gcs: aws for aws, gcs in _GCS_BUCKETS.items()}
_NO_OBJECT = "idc_widgets-is-anyone-there"
_TIMEOUT = 5.0


def known(provider: object) -> Provider:
    """Return a provider, or refuse what is none."""
    if not isinstance(provider, str) or provider not in _ENDPOINTS:
        raise TransferError(f"provider={shown(provider)}: valid are {', '.join(map(repr, _ENDPOINTS))}")
    return cast(Provider, provider)


def endpoint(provider: Provider, endpoint_url: str | None = None) -> str:
    """Return where a provider is: the argument, else the environment, else the cloud itself."""
    known(provider)
    if endpoint_url is not None and (not isinstance(endpoint_url, str) or not endpoint_url):
        raise TransferError(
            f"endpoint_url={shown(endpoint_url)}: give an address such as {_ENDPOINTS['aws']!r}, or None"
        )
    url = (endpoint_url or os.environ.get(_VARIABLES[provider]) or _ENDPOINTS[provider]).rstrip("/")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        valid = valid and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        valid = False
    if not valid or any(character.isspace() for character in url):
        raise TransferError(
            f"{shown(url)} is not an endpoint; it should look like {_ENDPOINTS[provider]!r} "
            f"(set by endpoint_url= or {_VARIABLES[provider]})"
        )
    return url


def bucket_at(provider: Provider, bucket: str) -> str:
    """Return the name that a bucket of the index, or of a receipt, has at a provider."""
    aws = _AWS_BUCKETS.get(bucket, bucket)
    return _GCS_BUCKETS.get(aws, aws) if provider == "gcs" else aws


def is_of_idc(bucket: str) -> bool:
    """Whether a bucket that a receipt names is one of IDC's."""
    return bucket in _GCS_BUCKETS or bucket in _AWS_BUCKETS


def rows(
    items: Iterable[Item], paths: Iterable[str], provider: Provider, sources: Mapping[str, str]
) -> Iterator[SeriesRow]:
    """Return items, their folders, and where they are copied from (by crdc_series_uuid), as a journal wants them."""
    for item, path in zip(items, paths, strict=True):
        bucket, uuid = bucket_at(provider, item.bucket), item.crdc_series_uuid
        yield item.series_uid, uuid, bucket, item.files, item.bytes, path, item.study_uid, sources.get(uuid)


def check_reachable(url: str, provider: Provider, bucket: str) -> None:
    """Raise a `TransferError` when no S3 server answers at an endpoint.

    It asks for an object that does not exist: the answer is small, costs no listing, and only an S3 server
    words it as S3 does.
    """
    try:
        with open_url(f"{url}/{quote(bucket)}/{_NO_OBJECT}", timeout=_TIMEOUT) as response:
            headers, body = list(response.headers), response.read(2000)
    except urllib.error.HTTPError as error:
        with error:
            headers, body = list(error.headers), error.read(2000)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ResourceError(f"{url} cannot be reached ({reason}): {_advice(provider)}") from error
    is_s3 = b"<Error>" in body or b"<Code>" in body or any(name.lower().startswith("x-amz-") for name in headers)
    if not is_s3:
        raise ResourceError(f"{url} answers, but not as an S3 server does: {_advice(provider)}")


def _advice(provider: Provider) -> str:
    return f"check the network, the proxy settings and {_VARIABLES[provider]}"
