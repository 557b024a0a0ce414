"""From a layout template to one safe, distinct folder for each series."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from .model import Item, TransferError

DEFAULT_LAYOUT = "%collection_id/%PatientID/%StudyInstanceUID/%Modality_%SeriesInstanceUID"

#: The one folder in a destination that is ours; no series' path may begin with it.
OWN_FOLDER = ".idc_widgets"
RECEIPT = "receipt.jsonl"
STAGING = "staging"

_KEY = re.compile(r"%([A-Za-z0-9_]*)")
_UNSAFE = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)
#: Bytes of a file's or folder's name on every common file system.
LONGEST_NAME = 255
_EARLIER = 120  # what names were cut at before; folders that have them are still found
_DIGEST = 9  # "_" and eight digits
_MISSING = "unknown"

#: A layout as parsed: each component is a list of (is_key, text).
Layout = list[list[tuple[bool, str]]]


def parse_layout(layout: str, keys: Iterable[str]) -> Layout:
    """Split a template into path components of literal text and keys.

    Parameters
    ----------
    layout
        As `idc-index` writes it, e.g. ``"%collection_id/%Modality_%SeriesInstanceUID"``; empty for a flat folder.
    keys
        The names that may follow a ``%``. The longest one that fits is meant; an underscore after it separates.
    """
    if not isinstance(layout, str):
        raise TransferError(f"layout={layout!r}: give a template such as {DEFAULT_LAYOUT!r}, or '' for no folders")
    known = sorted(keys, key=len, reverse=True)
    components: Layout = []
    for component in layout.replace("\\", "/").split("/"):
        if not component:
            continue
        if component in (".", ".."):
            raise TransferError(
                f"layout {layout!r}: {component!r} is not allowed, a series stays inside the destination"
            )
        parts: list[tuple[bool, str]] = []
        position = 0
        for found in _KEY.finditer(component):
            key = _longest_key(found.group(1), known)
            if key is None:
                name = found.group(1).rstrip("_")
                raise TransferError(f"layout {layout!r}: unknown key %{name}; valid keys: {', '.join(sorted(known))}")
            parts.append((False, component[position : found.start()]))
            parts.append((True, key))
            position = found.start() + 1 + len(key)
        parts.append((False, component[position:]))
        components.append([part for part in parts if part[1]])
    return components


def layout_keys(layout: str, columns: Iterable[str]) -> list[str]:
    """Return the columns that a layout names, in order, each once."""
    keys = (text for component in parse_layout(layout, columns) for is_key, text in component if is_key)
    return list(dict.fromkeys(keys))


def _longest_key(text: str, known: Sequence[str]) -> str | None:
    for key in known:  # longest first
        if text.startswith(key) and not text[len(key) : len(key) + 1].isalnum():
            return key
    return None


@lru_cache(maxsize=10_000)  # most of a series' components are those of the one before
def safe_component(text: str, longest: int = LONGEST_NAME) -> str:
    """Return `text` as one path component that every system takes and that stays where it is put.

    Whatever had to be changed beyond trimming gets a short hash of the original, so that two values that
    differ never become one folder.

    Parameters
    ----------
    text
        What the component is to say.
    longest
        Bytes that it may have, the hash included.
    """
    clean = _clean(text)
    if clean == text and len(clean.encode()) <= longest:
        return clean
    return _marked(_cut(clean, longest - _DIGEST), text)


def _clean(text: str) -> str:
    clean = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(" ").rstrip(". ")
    if clean.startswith("."):  # no "..", nothing hidden, and never our own folder
        clean = "_" + clean[1:]
    if _RESERVED.match(clean):
        clean = "_" + clean
    return clean


def _cut(text: str, size: int) -> str:
    whole = text.encode()
    return text if len(whole) <= size else whole[:size].decode(errors="ignore").rstrip(". ")


def _marked(clean: str, text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{clean}_{digest}" if clean else f"_{digest}"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _as_before(text: str) -> str:
    """Return the component that earlier versions made, which cut at 120 bytes."""
    clean = _cut(_clean(text), _EARLIER)
    return clean if clean == text else _marked(clean, text)


def path_key(path: str) -> str:
    """Return what two paths have in common when a case-insensitive disk takes them for one."""
    return unicodedata.normalize("NFC", path).casefold()


class Placed(NamedTuple):
    """Where a series goes: its folder below the destination, with ``/`` between components ("" when flat).

    `renamed`: its values could not be folder names as they are; `moved_aside`: another series has the folder;
    `shortened`: they were cut, being longer than a folder's name may be.
    """

    path: str
    renamed: bool = False
    moved_aside: bool = False
    shortened: bool = False


def place(items: Sequence[Item], layout: str, taken: Mapping[str, str], longest: int = LONGEST_NAME) -> list[Placed]:
    """Return each item's place.

    Parameters
    ----------
    items
        The series.
    layout
        The template.
    taken
        Folders in use: `path_key` of the folder → crdc_series_uuid. A series keeps a folder it already owns;
        one that would land in another's folder gets the head of its uuid as a suffix.
    longest
        Bytes that a folder's name may have.
    """
    keys = {"SeriesInstanceUID", "crdc_series_uuid"}.union(*(item.fields.keys() for item in items[:1]))
    parsed = parse_layout(layout, keys)
    if not parsed:
        return [Placed("")] * len(items)
    owners = dict(taken)
    result = []
    for item in items:
        filled = [_fill(component, item) for component in parsed]
        safe = [safe_component(text, longest) for text in filled]
        path = "/".join(safe)
        uuid = item.crdc_series_uuid
        long = any(len(text) * 4 > _EARLIER and _size(text) > _EARLIER for text in filled)
        shortened = long and any(
            len(clean.encode()) > longest - (_DIGEST if clean != text else 0)
            for clean, text in ((_clean(text), text) for text in filled)
        )
        earlier = _owned(taken, "/".join(map(_as_before, filled)), uuid, longest) if long else None
        candidates = [] if earlier is None or _owned(taken, path, uuid, longest) else [earlier]
        for candidate in chain(candidates, _candidates(path, uuid, longest)):
            if owners.setdefault(path_key(candidate), uuid) == uuid:
                aside = candidate != path and candidate != earlier
                result.append(Placed(candidate, filled != safe, aside, shortened))
                break
        else:
            raise TransferError(f"two series with crdc_series_uuid {uuid!r} want the same folder {path!r}")
    return result


def _candidates(path: str, uuid: str, longest: int) -> Iterator[str]:
    yield path
    for suffix in (f"_{uuid[:8]}", f"_{uuid}"):
        parents, slash, name = path.rpartition("/")
        yield parents + slash + _cut(name, longest - len(suffix)) + suffix


def _owned(taken: Mapping[str, str], path: str, uuid: str, longest: int) -> str | None:
    """Return the folder of these that the series has already."""
    return next((each for each in _candidates(path, uuid, longest) if taken.get(path_key(each)) == uuid), None)


def _fill(component: list[tuple[bool, str]], item: Item) -> str:
    return "".join(_value(text, item) if is_key else text for is_key, text in component)


def _value(key: str, item: Item) -> str:
    if key == "SeriesInstanceUID":
        return item.series_uid
    if key == "crdc_series_uuid":
        return item.crdc_series_uuid
    value = item.fields.get(key)
    return _MISSING if value is None or value == "" else str(value)
