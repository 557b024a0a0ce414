"""`manifest.csv` and `README.md` in a destination: what it holds, for whoever finds the folder later.

Who starts a job deposits what the catalogue knows; the worker writes it down once it knows what came.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple, TextIO

from .journal import Journal
from .pages import received
from .registry import documents_path, make_private

_OWN = ("path", "files", "bytes", "crdc_series_uuid")
_MARK = "<!-- written by idc_widgets; text outside of its sections is kept -->"
_TITLE = "# Images of the NCI Imaging Data Commons\n\n" + _MARK + "\n"


class Documents(NamedTuple):
    """What the catalogue knows of a job's series: columns, rows that begin with crdc_series_uuid, a section of text."""

    columns: Sequence[str]
    rows: Iterable[Sequence[object]]
    section: str


def deposit(journal: Journal, job_id: str, documents: Documents) -> None:
    """Keep what is known until the job has ended; what is known of series that are added comes after the rest."""
    folder = documents_path(journal.path, job_id)
    more = wanted(journal, job_id)
    make_private(folder)
    with (folder / "rows.csv").open("a", encoding="utf-8", newline="", errors="backslashreplace") as file:
        writer = csv.writer(file)
        if not more:
            writer.writerow(documents.columns)
        writer.writerows(documents.rows)
    with (folder / "section.md").open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(("\n" if more else "") + documents.section)


def wanted(journal: Journal, job_id: str) -> bool:
    """Whether a job is to write documents."""
    return (documents_path(journal.path, job_id) / "rows.csv").exists()


def write(journal: Journal, job_id: str) -> None:
    """Enter a job's verified series in its destination's manifest.csv and README.md, where that was asked for."""
    folder = documents_path(journal.path, job_id)
    if not folder.is_dir():
        return
    rows = journal.all(
        "SELECT path, files, bytes, uuid, EXISTS (SELECT 1 FROM object o WHERE o.job = s.job AND o.n = s.n) AS known"
        " FROM series s WHERE job = ? AND state = 'done' ORDER BY n",
        (job_id,),
    )
    if not rows:
        return
    with (folder / "rows.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        columns = next(lines)[1:]
        known = {line[0]: line[1:] for line in lines}
    _write_manifest(
        _place(journal.destination, "manifest.csv", ",".join(_OWN)),
        columns,
        {(row["uuid"], row["path"]): [row["path"], row["files"], row["bytes"], row["uuid"],
                                      *known.get(row["uuid"], [""] * len(columns))] for row in rows},
    )  # fmt: skip
    files = sum(row["files"] for row in rows)
    by_md5 = 0
    if journal.job(job_id)["verify"] != "size":
        counted = journal.one(
            "SELECT COUNT(*) AS files FROM series JOIN object USING (job, n)"
            " WHERE job = ? AND series.state = 'done' AND length(etag) = 32",
            (job_id,),
        )
        old = received(journal, {row["uuid"] for row in rows if not row["known"]})
        by_md5 = counted["files"] if counted else 0
        by_md5 += sum(md5 is not None for row in rows for *_, md5 in old.get((row["uuid"], row["path"]), ()))
    section = (folder / "section.md").read_text(encoding="utf-8").rstrip()
    section += f"\n- Here of this: {len(rows):,} series, {files:,} files, each of the size that IDC lists"
    section += f", {by_md5:,} also checked by MD5\n"
    _write_section(_place(journal.destination, "README.md", _TITLE), job_id, section)


def _place(destination: Path, name: str, begins: str) -> Path:
    """Return where to write: what is the user's own by this name, a link or no file, is left alone."""
    for n in count():
        path = destination / ((name, f"idc-{name}")[n] if n < 2 else f"idc-{n}-{name}")
        if not os.path.lexists(path) or _is_ours(path, begins):
            return path
    raise AssertionError


def _is_ours(path: Path, begins: str) -> bool:
    with contextlib.suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):  # a pipe would be waited for
            with path.open(encoding="utf-8", errors="replace", newline="") as file:
                return file.read(len(begins)) == begins
    return False


def _write_manifest(path: Path, columns: Sequence[str], new: dict[tuple[str, str], Sequence[object]]) -> None:
    kept: list[list[str]] = []
    with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8", newline="") as file:
        kept = [line for line in csv.reader(file) if len(line) > 3 and (line[3], line[0]) not in new][1:]
    with _draft(path) as file:
        writer = csv.writer(file)
        writer.writerow([*_OWN, *columns])
        writer.writerows(kept)
        writer.writerows(new.values())


def _write_section(path: Path, job_id: str, section: str) -> None:
    text = _TITLE
    with contextlib.suppress(FileNotFoundError):
        text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- download {job_id} -->", f"<!-- end of download {job_id} -->"
    text = re.sub(f"\n{begin}.*?{end}\n", "", text, flags=re.DOTALL)
    with _draft(path) as file:
        file.write(f"{text}\n{begin}\n{section}{end}\n")


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[TextIO]:
    """Write a file under another name first; a name that nobody has, so that nothing of the user's is written to."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.draft")
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
