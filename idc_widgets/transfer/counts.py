"""A series without a listing and a record: whether its files are as many, with as many bytes, as the index says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .contents import is_object_name, why
from .findings import Problem
from .targets import Target


def files_of(target: Target, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes of a folder's files that are of a series: without others that have its UID, where that shows."""
    item = target.item
    found = {name: sizes[name] for name in target.names}
    if len(found) > item.files:
        named = {name: size for name, size in found.items() if is_object_name(name)}
        if len(named) == item.files:
            return named
    return found


def problems(root: Path, group: Sequence[tuple[Target, Mapping[str, int]]]) -> list[Problem]:
    """Return what can be seen to be wrong with a series, in one folder or in several."""
    item, out = group[0][0].item, list[Problem]()
    union: dict[str, tuple[int, Path]] = {}

    def tell(place: Path, kind: str, reason: str) -> None:
        out.append(Problem(place, item.series_uid, reason, kind))

    for target, files in group:
        folder = root / target.path
        for name, size in sorted(files.items()):
            place = folder / name
            if size == 0:
                tell(place, "damaged", "damaged on this disk: the file is empty")
            elif size < 0:
                tell(place, "unreadable", why(size))
            elif union.setdefault(name, (size, place))[0] != size:
                other, where = union[name]
                what = f"{place.name} has {size:,} bytes here and {other:,} in {where.parent}: one of them is damaged"
                tell(place, "damaged", what)
        total = sum(files.values())
        if not out and len(group) > 1 and len(files) == item.files and total != item.bytes:
            tell(folder, "damaged", _bytes(total, item.bytes))
    names = {name for _, files in group for name in files}
    first = root / group[0][0].path
    if len(names) < item.files:
        tell(first, "missing", f"{item.files - len(names):,} of {item.files:,} files are missing")
    elif len(names) > item.files:
        many = f"{len(names):,} files say that they are of this series, which has {item.files:,}"
        tell(first, "damaged", many)
    elif not out and (total := sum(size for size, _ in union.values())) != item.bytes:
        tell(first, "damaged", _bytes(total, item.bytes))
    return out


def _bytes(found: int, expected: int) -> str:
    return f"damaged on this disk: the files have {found:,} bytes, the index says {expected:,}"
