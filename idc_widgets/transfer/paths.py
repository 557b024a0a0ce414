"""From a layout template to one safe, distinct folder for each series."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .model import Item, TransferError

DEFAULT_LAYOUT = "%collection_id/%PatientID/%StudyInstanceUID/%Modality_%SeriesInstanceUID"

#: The one folder in a destination that is ours; no series' path may begin with it.
OWN_FOLDER = ".idc_widgets"

_KEY = re.compile(r"%([A-Za-z0-9_]*)")
_UNSAFE = re.compile(r'[<>:"/\\|?*%\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$", re.IGNORECASE)
_MAX_BYTES = 120  # well under the 255 of every file system, and room for a suffix
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


def safe_component(text: str) -> str:
    """Return `text` as one path component that every system takes and that stays where it is put.

    Whatever had to be changed beyond trimming gets a short hash of the original, so that two values that
    differ never become one folder.
    """
    clean = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip(" ").rstrip(". ")
    if clean.startswith("."):  # no "..", nothing hidden, and never our own folder
        clean = "_" + clean[1:]
    if _RESERVED.match(clean):
        clean = "_" + clean
    if len(clean.encode()) > _MAX_BYTES:
        clean = clean.encode()[:_MAX_BYTES].decode(errors="ignore").rstrip(". ")
    if clean != text:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        clean = f"{clean}_{digest}" if clean else f"_{digest}"
    return clean


def path_key(path: str) -> str:
    """Return what two paths have in common when a case-insensitive disk takes them for one."""
    return unicodedata.normalize("NFC", path).casefold()


class Placed(NamedTuple):
    """Where a series goes: its folder below the destination, with ``/`` between components ("" when flat).

    `renamed`: its values could not be folder names as they are; `moved_aside`: another series has the folder.
    """

    path: str
    renamed: bool = False
    moved_aside: bool = False


def place(items: Sequence[Item], layout: str, taken: Mapping[str, str]) -> list[Placed]:
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
    """
    keys = {"SeriesInstanceUID", "crdc_series_uuid"}.union(*(item.fields.keys() for item in items[:1]))
    parsed = parse_layout(layout, keys)
    if not parsed:
        return [Placed("")] * len(items)
    owners = dict(taken)
    result = []
    for item in items:
        filled = [_fill(component, item) for component in parsed]
        safe = [safe_component(text) for text in filled]
        path = "/".join(safe)
        uuid = item.crdc_series_uuid
        for candidate in (path, f"{path}_{uuid[:8]}", f"{path}_{uuid}"):
            if owners.setdefault(path_key(candidate), uuid) == uuid:
                result.append(Placed(candidate, filled != safe, candidate != path))
                break
        else:
            raise TransferError(f"two series with crdc_series_uuid {uuid!r} want the same folder {path!r}")
    return result


def _fill(component: list[tuple[bool, str]], item: Item) -> str:
    return "".join(_value(text, item) if is_key else text for is_key, text in component)


def _value(key: str, item: Item) -> str:
    if key == "SeriesInstanceUID":
        return item.series_uid
    if key == "crdc_series_uuid":
        return item.crdc_series_uuid
    value = item.fields.get(key)
    return _MISSING if value is None or value == "" else str(value)
