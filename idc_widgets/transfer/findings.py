"""What the check of a folder found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from idc_widgets.lib.format import human_bytes


@dataclass(frozen=True)
class Problem:
    """A file or folder that is not as it should be, or that could not be checked.

    Attributes
    ----------
    path, series_uid, reason
        Where, of which series, and a sentence.
    kind
        Of what is wrong: "absent" (a whole series), "missing" (a file), "damaged" (on this disk), "unreadable",
        "changed" (the bucket or the index has something else now), "unlisted" (the bucket could not be listed),
        "receipt" (the receipt contradicts the index or this machine's own record). Of what is only not known to be
        right: "unchecked". Of notes: "duplicate", "revised", "staging", "unknown", "record".
    """

    path: Path
    series_uid: str
    reason: str
    kind: str = "damaged"


@dataclass(repr=False)
class Audit:
    """What the check of a folder found.

    Attributes
    ----------
    path
        The folder.
    series, files, bytes
        What is here and has nothing wrong with it; of the files in `unchecked` that is their size alone.
    files_by_md5
        How many of the files have the content that the bucket's ETag, or an MD5 in the receipt, says.
    problems
        What is wrong.
    unchecked
        Files whose content could not be checked, and why.
    extra
        DICOM files that belong to no series of IDC that is here.
    notes
        What is worth knowing and not wrong: copies, series revised since, unfinished downloads.
    """

    path: Path
    series: int = 0
    files: int = 0
    bytes: int = 0
    files_by_md5: int = 0
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[Problem] = field(default_factory=list)
    extra: list[Path] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool | None:
        """False: something is wrong. None: nothing wrong was found, but not all content was checked. True: all was."""
        return False if self.problems else None if self.unchecked else True

    def lines(self) -> list[str]:
        """Return the outcome as lines of text: what is right, what is not checked and why, how much is wrong."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (
            f"{self.path}: {self.series:,} series, {self.files:,} files, {human_bytes(self.bytes)} without a problem "
            f"({self.files_by_md5:,} files checked by MD5)"
        )
        for reason, count in Counter(each.reason for each in self.unchecked).most_common():
            yield f"content not checked: {_files(count)}, because {reason}"
        for kind, count in Counter(each.kind for each in self.problems).most_common():
            yield f"{count:,} {'problem' if count == 1 else 'problems'}: {_KINDS.get(kind, kind)}"
        if self.extra:
            yield f"{_files(len(self.extra))} of no series of IDC that is here"
        for note in self.notes[:_SHOWN]:
            yield f"{note.path}: {note.reason}"
        if len(self.notes) > _SHOWN:
            yield f"and {len(self.notes) - _SHOWN:,} notes more"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__


_SHOWN = 10
_KINDS = {
    "absent": "series that are not here",
    "missing": "missing files",
    "damaged": "damaged on this disk",
    "unreadable": "not readable",
    "changed": "other than in the bucket or the index now",
    "unlisted": "could not be listed",
    "receipt": "contradictory records",
}


def _files(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"
