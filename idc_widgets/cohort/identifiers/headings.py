"""The heading of a table in a text, and the rows below it, whatever separates the columns."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers.addresses import FIND
from idc_widgets.cohort.identifiers.choices import wants
from idc_widgets.cohort.identifiers.roles import looks_like_a_heading
from idc_widgets.cohort.identifiers.spelling import (
    FILE,
    INSTANCE,
    OPEN,
    SERIES,
    STANDARD_UID,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    field_of,
    inside,
    key_of,
    loose_field_of,
    plain,
    shaped,
)
from idc_widgets.cohort.identifiers.tables import OTHER_UIDS

_SEARCHED = 100  # lines in which a heading is looked for
_RULE = re.compile(r"[\s|:+=-]+")  # under a heading in Markdown, around one in a terminal
_QUOTED = 5  # lines that a heading in quotes may go on over
_BRACKETS = re.compile(r"\([^()]*\)")
_SHOWN = re.compile(r"\[\d+ rows x \d+ columns\]")
_CUT_TABLE = "The table is cut where it has '...'; write all of it, with to_csv()."


def find(lines: Sequence[str]) -> tuple[list[str], Iterator[list[str]]] | None:
    """Return the heading and the rows of the table in a text; None where it has none."""
    if any(_SHOWN.fullmatch(line.strip()) for line in lines[-3:]) and any("..." in line for line in lines[:3]):
        raise ValueError(_CUT_TABLE)
    seen = 0
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        seen += 1
        if seen > _SEARCHED:
            return None
        bare = line.strip().lstrip("#").strip()
        if FIND.search(bare) or any(shaped(w) for w in re.split(r"[\s,;|\"]+", bare)[:50]):
            if not line.lstrip().startswith("#"):
                return None  # what identifies has begun
            continue
        if (found := _heading(*_whole(bare, lines[at + 1 :]))) is not None:
            return found
    return None


def _whole(line: str, rest: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return a line with those that a quote, which it opens, goes on over; and the lines below."""
    for more in range(_QUOTED if line.count('"') % 2 else 0):
        joined = " ".join([line, *(part.strip() for part in rest[: more + 1])])
        if joined.count('"') % 2 == 0:
            return joined, rest[more + 1 :]
    return line, rest


def _heading(line: str, rest: Sequence[str]) -> tuple[list[str], Iterator[list[str]]] | None:
    if re.search(r"(?:^|\s)(?:\.\.\.|…)(?:\s|$)", line) and any(field_of(w) for w in line.split()):
        raise ValueError(_CUT_TABLE)
    for separator in ("\t", "|", ";", ","):
        if separator not in line.strip("|" if separator == "|" else ""):
            continue
        cells = _cells(line, separator)
        if len(cells) > 1 and _is_heading(cells):
            return cells, _separated(cells, rest, separator, framed=separator == line[:1] == "|")
    if ":" in line or "=" in line:
        return None  # a key and its value
    cells = re.split(r"\s{2,}", line)
    if len(cells) > 1 and _is_heading(cells):
        return cells, _aligned(line, cells, rest)
    cells = line.split()
    if (
        len(cells) > 1
        and not field_of(line)
        and _is_heading(cells)
        and all(field_of(c) or loose_field_of(c) or c.isidentifier() for c in cells)
    ):
        return cells, _aligned(line, cells, rest)
    single = line.strip("\"'|,;:[] ")
    if field_of(single) or loose_field_of(single) == OPEN:
        framed = line.startswith("|")
        return [single], _separated([single], rest, "|" if framed else ",", framed)
    return None


def _is_heading(cells: Sequence[str]) -> bool:
    strict = sum(field_of(c) is not None for c in cells)
    loose = sum(field_of(c) is None and looks_like_a_heading(c) for c in cells)
    chosen = loose > 0 and any(map(wants, cells))  # a column of choice beside it is a heading, too
    return (strict > 0 and (strict + loose > 1 or any(not plain(c) or c for c in cells))) or loose + chosen > 1


def _cells(line: str, separator: str) -> list[str]:
    # The comma of "Patient ID (0010,0020)" separates nothing.
    text = _BRACKETS.sub(lambda m: m[0].replace(separator, " "), line.strip())
    if separator == "|" and text.startswith("|"):
        text = text[1:].removesuffix("|")
    return [c.strip() for c in next(csv.reader(io.StringIO(text), delimiter=separator), [])]


def _separated(heading: list[str], lines: Sequence[str], separator: str, framed: bool) -> Iterator[list[str]]:
    """Yield the rows below a heading; one that is framed by bars has rows that are."""
    width = len(heading)

    def kept() -> Iterator[str]:
        for line in lines:
            if not line.strip() or line.lstrip().startswith("#") or _RULE.fullmatch(line):
                continue
            yield (
                line.strip()[1:].rstrip().removesuffix("|") if framed and line.lstrip().startswith("|") else line + "\n"
            )

    csv.field_size_limit(10_000_000)
    for row in _read(kept, separator):
        cells = [c.strip() for c in row]
        if cells == heading or not any(cells):
            continue
        if field_of(cells[0]) and _is_heading(cells):
            raise ValueError(
                f"There are two tables, one below the other ({short(', '.join(cells))}); give one of them."
            )
        if width == 1 and len(cells) > 1:
            yield from ([c] for c in cells if c)  # a list under one heading
            continue
        if separator == "|" and len(cells) == width + 2 and not cells[0] and not cells[-1]:
            cells = cells[1:-1]  # framed, below a heading that is not
        if len(cells) == width + 1 and not cells[-1]:
            cells.pop()  # a separator at the end of the line
        # The row's number, which has no heading.
        if len(cells) == width + 1 and re.fullmatch(r"\d+", cells[0]) and not heading[0].isdigit():
            cells = cells[1:]
        yield (cells + [""] * width)[:width]


def _read(lines: Callable[[], Iterator[str]], separator: str) -> list[list[str]]:
    """Return the cells of rows; a quote that is not closed takes none in, one around a list of lines does."""
    with contextlib.suppress(csv.Error):
        rows = list(csv.reader(lines(), delimiter=separator, strict=True))
        if not any("\n" in c and separator in c and inside(c) for row in rows for c in row):
            return rows
    rows = list(csv.reader(lines(), delimiter=separator))
    if any("\n" in c and inside(c) for row in rows for c in row):
        rows = list(csv.reader(lines(), delimiter=separator, quoting=csv.QUOTE_NONE))
    return rows


def _aligned(head: str, heading: list[str], lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the rows of a table that spaces align, as a terminal shows it."""
    width = len(heading)
    for line in lines:
        if not line.strip() or _RULE.fullmatch(line) or line.split() == head.split() or line.lstrip().startswith("#"):
            continue
        for cells in (re.split(r"\s{2,}", line.strip()), line.split()):
            if len(cells) == width + 1:
                cells = cells[1:]
            if len(cells) == width:
                yield cells
                break
        else:
            yield _by_looks(heading, line)


def _by_looks(heading: Sequence[str], line: str) -> list[str]:
    """Return the cells of a row whose texts hold spaces: identifiers, in their order, are those of the headings."""
    words = [w for w in line.split() if not STANDARD_UID.fullmatch(w)]
    out = [""] * len(heading)
    for at, name in enumerate(heading):
        field = field_of(name)
        if field in (SERIES, STUDY, INSTANCE, UUID, FILE):
            like = UUID_SHAPE if field in (UUID, FILE) else UID_SHAPE
            place = next((i for i, w in enumerate(words) if like.fullmatch(w)), None)
            if place is not None:
                out[at] = words.pop(place)
        elif key_of(name).endswith("uid"):  # of no field, but it takes its place
            place = next((i for i, w in enumerate(words) if UID_SHAPE.fullmatch(w)), None)
            if place is not None and not OTHER_UIDS.search(key_of(name).replace("frameofreference", "")):
                words.pop(place)
    return out
