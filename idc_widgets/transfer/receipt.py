"""The portable record in a destination: one JSON line for each series that was verified there."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .paths import OWN_FOLDER

_VERSION = 1
STRENGTH = ("size", "md5", "dicom")


@dataclass(frozen=True)
class Entry:
    """A verified series.

    `path` is relative to the destination, with ``/``; `files` holds (name, size, md5) and the md5 is that of
    the bucket's ETag, or None where the bucket gives none and only the size could be verified. `by` is what was
    asked for: "size", "md5" or "dicom". An entry without files takes back what an earlier one says of the folder.
    """

    series_uid: str
    crdc_series_uuid: str
    bucket: str
    provider: str
    idc_version: int
    path: str
    files: tuple[tuple[str, int, str | None], ...]
    by: str = "md5"

    @property
    def bytes(self) -> int:
        """Return the size of the series."""
        return sum(size for _, size, _ in self.files)

    def intact(self, destination: Path) -> bool:
        """Whether every file is still there with the size it had (no content is read)."""
        folder = destination / self.path
        try:
            return bool(self.files) and all((folder / name).stat().st_size == size for name, size, _ in self.files)
        except OSError:
            return False


def receipt_path(destination: Path) -> Path:
    """Return where a destination's receipt is."""
    return destination / OWN_FOLDER / "receipt.jsonl"


def append(destination: Path, entry: Entry) -> None:
    """Add one series, in one write, so that a crash can at most lose this line."""
    line = json.dumps(
        {
            "receipt": _VERSION,
            "series": entry.series_uid,
            "uuid": entry.crdc_series_uuid,
            "bucket": entry.bucket,
            "provider": entry.provider,
            "idc_version": entry.idc_version,
            "path": entry.path,
            "verified": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "by": entry.by,
            "files": entry.files,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    path = receipt_path(destination)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A leading newline too: a line torn by a crash then spoils itself alone. Readers skip empty lines.
    data = f"\n{line}\n".encode("utf-8", "surrogatepass")
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)


def entries(destination: Path, wanted: Collection[str] | None = None) -> Iterator[Entry]:
    """Yield the receipt's entries, oldest first; with `wanted`, only those of these crdc_series_uuids."""
    try:
        file = receipt_path(destination).open(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    with file:
        for line in file:
            try:
                record = json.loads(line)
                if wanted is not None and record["uuid"] not in wanted:
                    continue
                yield Entry(
                    series_uid=record["series"],
                    crdc_series_uuid=record["uuid"],
                    bucket=record["bucket"],
                    provider=record["provider"],
                    idc_version=record["idc_version"],
                    path=record["path"],
                    by=record.get("by", "md5"),
                    files=tuple((str(name), int(size), md5) for name, size, md5 in record["files"]),
                )
            except (ValueError, KeyError, TypeError):
                continue  # an empty or torn line, or one of a later format: as if it had not been verified


def present(destination: Path, wanted: Collection[str], by: str = "md5") -> dict[tuple[str, str], Entry]:
    """Return the entries of `wanted` whose files are all there, by (crdc_series_uuid, path).

    Those that were verified by less than `by` do not count.
    """
    latest = {(entry.crdc_series_uuid, entry.path): entry for entry in entries(destination, wanted)}
    enough = STRENGTH.index(by)
    return {key: entry for key, entry in latest.items() if entry.by in STRENGTH[enough:] and entry.intact(destination)}
