"""ListObjects, version 1 and version 2."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from urllib.parse import quote
from xml.sax.saxutils import escape

from .index import BUCKETS
from .objects import Listed, Store
from .series import Series

LAST_MODIFIED = "2024-01-02T03:04:05.000Z"
PAGE = 1000


class BadArgument(ValueError):
    """A parameter that S3 would refuse."""


def list_objects(store: Store, bucket: str, query: Mapping[str, str]) -> bytes:
    """Return the XML that answers a ListObjects request on an existing bucket."""
    version_2 = query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    encoding = query.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise BadArgument("Invalid Encoding Method specified in Request")
    try:
        wanted = int(query.get("max-keys", PAGE))
    except ValueError:
        wanted = -1
    if wanted < 0:
        raise BadArgument("Provided max-keys not an integer or within integer range")
    limit = min(wanted, PAGE)
    if version_2:
        token = query.get("continuation-token")
        after = query.get("start-after", "") if token is None else _after(token)
    else:
        token, after = None, query.get("marker", "")

    def text(value: str) -> str:
        return quote(value, safe="/") if encoding else escape(value)

    entries: list[str | tuple[Series, str]] = []
    truncated = False
    for entry in _entries(store, bucket, prefix, delimiter, after):
        if len(entries) >= limit:
            truncated = limit > 0
            break
        entries.append(entry)
    last = "" if not entries else entries[-1] if isinstance(entries[-1], str) else entries[-1][1]

    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
        f"<Name>{bucket}</Name><Prefix>{text(prefix)}</Prefix><MaxKeys>{wanted}</MaxKeys>",
        f"<Delimiter>{text(delimiter)}</Delimiter>" if delimiter else "",
        f"<EncodingType>{encoding}</EncodingType>" if encoding else "",
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>",
    ]
    if version_2:
        lines.append(f"<KeyCount>{len(entries)}</KeyCount>")
        if token is not None:
            lines.append(f"<ContinuationToken>{escape(token)}</ContinuationToken>")
        if query.get("start-after"):
            lines.append(f"<StartAfter>{text(query['start-after'])}</StartAfter>")
        if truncated:
            lines.append(f"<NextContinuationToken>{_token(last)}</NextContinuationToken>")
    else:
        lines.append(f"<Marker>{text(after)}</Marker>")
        # As in S3: without a delimiter the last key is the next marker, and goes without saying.
        if truncated and delimiter:
            lines.append(f"<NextMarker>{text(last)}</NextMarker>")
    for item in _listed(store, entries):
        lines.append(
            f"<Contents><Key>{text(item.key)}</Key><LastModified>{LAST_MODIFIED}</LastModified>"
            f"<ETag>&quot;{item.etag}&quot;</ETag><Size>{item.size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    for common in entries:
        if isinstance(common, str):
            lines.append(f"<CommonPrefixes><Prefix>{text(common)}</Prefix></CommonPrefixes>")
    lines.append("</ListBucketResult>")
    return "".join(lines).encode()


def _entries(store: Store, bucket: str, prefix: str, delimiter: str, after: str) -> Iterator[str | tuple[Series, str]]:
    """Yield common prefixes and (series, key), in order, that come after `after`."""
    for series in store.index.walk(BUCKETS[bucket], prefix, after[:36]):
        folder = f"{series.uuid}/"
        if not folder.startswith(prefix[: len(folder)]):
            continue
        common = _common(folder, prefix, delimiter)
        if common:
            # All keys of the series share it, so they need not be made; other series may share it too.
            if common > after:
                yield (after := common)
            continue
        for key in series.keys[bisect_right(series.keys, after) :]:
            if not key.startswith(prefix):
                continue
            common = _common(key, prefix, delimiter)
            if not common:
                yield series, key
            elif common > after:
                yield (after := common)


def _common(key: str, prefix: str, delimiter: str) -> str:
    """Return the common prefix that a key falls under, empty if none."""
    if not delimiter or len(key) < len(prefix):
        return ""
    end = key.find(delimiter, len(prefix))
    return "" if end < 0 else key[: end + len(delimiter)]


def _listed(store: Store, entries: list[str | tuple[Series, str]]) -> Iterator[Listed]:
    by_series: dict[Series, list[str]] = {}
    for entry in entries:
        if not isinstance(entry, str):
            by_series.setdefault(entry[0], []).append(entry[1])
    for series, keys in by_series.items():
        yield from store.listed(series, keys)


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _after(token: str) -> str:
    try:
        return base64.b64decode(token, b"-_", validate=True).decode()
    except ValueError:
        raise BadArgument("The continuation token provided is incorrect") from None
