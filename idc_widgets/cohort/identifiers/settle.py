"""Rows without a heading: what each value is decides, and what the other rows have in its place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers import lookup
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED
from idc_widgets.cohort.identifiers.lookup import Names
from idc_widgets.cohort.identifiers.result import Row
from idc_widgets.cohort.identifiers.spelling import (
    INSTANCE,
    LEVEL,
    MAYBE,
    OPEN,
    PATIENT,
    SERIES,
    STANDARD_UID,
    STUDY,
    UID_SHAPE,
    UUID,
    UUID_SHAPE,
    cut_off,
    damaged,
    numeric,
    plain,
    shaped,
)

_MANY = 20_000
_AND = frozenset(("and", "&", "und", "et", "y"))
_BEGINS = re.compile(r"(?:1\.[23]|2\.16|2\.25)(?:\.\d+){1,3}")
_CUT_SHORT = "it is what is left of an identifier; write the file anew with its columns as text"

Fields = dict[str, list[tuple[str, str]]]


def settle(rows: Sequence[Row], names: Names, notes: list[str]) -> list[Row]:
    """Return rows all of whose fields are named; what names nothing has a problem, or an open field that is unknown."""
    if len(rows) > _MANY:  # mostly series, and nothing else is asked of them then
        series = names.all_of(SERIES)
        for row in rows:
            if len(row.cells) == 1 and row.cells[0][0] == OPEN and row.cells[0][1] in series:
                row.cells = ((SERIES, row.cells[0][1]),)
    open_values = {v: None for r in rows for f, v in r.cells if f in (OPEN, MAYBE) and v}
    if not open_values and all(r.above is None for r in rows):
        return list(rows)
    known = lookup.fields_of(names, open_values)
    if any(r.above for r in rows):
        rows = _below(rows, known)
    finest = max((LEVEL[known[v][0][0]] for r in rows for f, v in r.cells if f == MAYBE and v in known), default=0)
    rows = [_maybe(r, known, finest) for r in _apart(rows, names, known)]
    both = [v for v, fields in known.items() if {SERIES, STUDY} <= {f for f, _ in fields}]
    by_column = _columns(rows, known)
    out: list[Row] = []
    cells: list[list[Row]] = []
    unread: list[tuple[list[Row], str, str]] = []
    wide = sum(len(r.cells) > 1 and not r.listed and not r.expects for r in rows)
    cut = wide * 2 >= len(rows)  # in a table, a row of one cell has lost the others
    for row in rows:
        if row.problem == EXCLUDED:
            out += [Row((c,), problem=EXCLUDED) for _, v in row.cells for c in known.get(v, [(OPEN, v)] * shaped(v))]
        elif row.problem or all(f != OPEN for f, _ in row.cells):
            out.append(row)
        elif len(row.cells) == 1:
            value = row.cells[0][1]
            made = [Row(((known[value][0] if value in known else (OPEN, value)),), row.expects)]
            if row.beside and value in known and LEVEL[known[value][0][0]] < LEVEL[SERIES]:
                unread.append((made, value, row.beside))
            if wide and (not row.listed or cut):
                cells.append(made)
            out += made
        else:
            made, of, some = _row(row, known, by_column.get(len(row.cells), {}))
            if some:
                unread.append((made, of, some))
            if not row.listed and not row.expects:
                cells.append(made)
            for each in made:
                each.any_of = row.any_of
            out += made
    _as_the_others(cells)
    unread = [u for u in unread if any(not r.problem and not r.expects for r in u[0])]
    if unread:
        more = f", and so beside {len(unread) - 1:,} others" if len(unread) > 1 else ""
        notes.append(f'"{short(unread[0][2])}" beside {short(unread[0][1])} is not read{more}.')
    if both:
        notes.append(f"{both[0]} is a series and a study of that UID; the series is meant.")
    return out


def _below(rows: Sequence[Row], known: Fields) -> list[Row]:
    """Return the rows, those that are indented under something coarser with it beside; that names nothing itself."""
    own = {id(r): r.cells for r in rows}
    levels = {id(r): _level(r, known) for r in rows}
    headings: set[int] = set()
    for row in rows:
        above, level = row.above, levels[id(row)]
        while above is not None and not row.problem:
            # What nobody knows may be a part of it.
            if 0 < levels[id(above)] < (level or LEVEL[SERIES]):
                row.cells = tuple(dict.fromkeys((*own[id(above)], *row.cells)))
                row.listed = False
                headings.add(id(above))
            above = above.above
    return [r for r in rows if id(r) not in headings]


def _level(row: Row, known: Fields) -> int:
    if row.problem:
        return 0
    return max((LEVEL[known[v][0][0] if f == OPEN and v in known else f] for f, v in row.cells), default=0)


def _as_the_others(tables: Sequence[list[Row]]) -> None:
    """Let rows without what the other rows have name nothing: their series is missing, not all of their study meant."""
    levels = [max((LEVEL[f] for r in rows for f, _ in r.cells), default=0) for rows in tables]
    finest = min(max(levels, default=0), LEVEL[SERIES])
    for rows, level in zip(tables, levels, strict=True):
        for row in rows if 0 < level < finest else ():
            row.expects = max(row.expects, finest)


def _maybe(row: Row, known: Fields, expected: int) -> Row:
    """Return a row with what its columns of no known heading turn out to be.

    What is missing, damaged or unknown there may be finer than what is named: the row names nothing then.
    """
    if all(f != MAYBE for f, _ in row.cells):
        return row
    sure = tuple(c for c in row.cells if c[0] != MAYBE)
    level = max(LEVEL[f] for f, _ in sure)
    found = dict.fromkeys(known[v][0] for f, v in row.cells if f == MAYBE and v in known)
    finest = max((LEVEL[f] for f, _ in found), default=0)
    finer = [c for c in found if LEVEL[c[0]] == finest > level]
    if len({f for f, _ in finer}) < len(finer):
        said = f"beside {finer[0][1]} and {finer[1][1]}: head the column that is meant SeriesInstanceUID"
        return Row((max(sure, key=lambda c: LEVEL[c[0]]),), problem=said)
    if not finer:
        lost = [v for f, v in row.cells if f == MAYBE and v and v not in known]
        if cut := next((v for v in lost if damaged(v)), None):
            return Row(((OPEN, cut),), problem=f"{_CUT_SHORT}; what is beside it would be more than was meant")
        if other := next((v for v in lost if UID_SHAPE.fullmatch(v) or expected > level or level == 1), None):
            beside = max(sure, key=lambda c: LEVEL[c[0]])
            return Row((beside,), problem=f"beside {other}, which is unknown and may be finer")
        if expected > level:
            return Row(sure, expected)
    return Row((*sure, *finer), row.expects)


def _apart(rows: Sequence[Row], names: Names, known: Fields) -> list[Row]:
    """Return the rows, those of a list of names between spaces apart: PatientIDs and collections may hold spaces."""
    spaced = {v: None for r in rows if not r.problem for f, v in r.cells if f == OPEN and " " in v}
    lists = {v: [w for w in v.split() if w.lower() not in _AND] for v in spaced if " " in v and v not in known}
    if not lists:
        return list(rows)
    words = lookup.fields_of(names, (w for ws in lists.values() for w in ws))
    known.update(words)
    out: list[Row] = []
    for row in rows:
        apart = {v: ws for f, v in row.cells if f == OPEN and (ws := lists.get(v)) and all(w in words for w in ws)}
        # In a sentence the name of a collection is a word like any other.
        whole = len(row.cells) == 1 or row.listed or all(v in known or v in apart for _, v in row.cells)
        if apart and whole and not row.problem:
            cells = [(f, w) for f, v in row.cells for w in apart.get(v, (v,))]
            out.append(Row(tuple(dict.fromkeys(cells)), listed=True, beside=row.beside))
        else:
            out.append(row)
    return out


def _columns(rows: Sequence[Row], known: Fields) -> dict[int, dict[int, str]]:
    """Return, for tables of each width, the field of each place where most known values are of one."""
    votes: dict[int, dict[int, Counter[str]]] = {}
    for row in rows:
        if len(row.cells) > 1 and not row.listed and not row.problem:
            places = votes.setdefault(len(row.cells), {})
            for at, (field, value) in enumerate(row.cells):
                if field == OPEN and value in known and not numeric(value):
                    places.setdefault(at, Counter())[known[value][0][0]] += 1
    return {
        width: {at: counted.most_common(1)[0][0] for at, counted in places.items()} for width, places in votes.items()
    }


def _kinds(row: Row, known: Fields, columns: dict[int, str]) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Return the cells of a row that are known, what looks like an identifier and is none, and all else."""
    cells: list[tuple[str, str]] = []
    lost: list[str] = []
    others: list[str] = []
    for at, (field, value) in enumerate(row.cells):
        if field != OPEN:
            cells.append((field, value))
            continue
        place = columns.get(at)
        fields = known.get(value, [])
        if fields:
            cells.append(next(((f, v) for f, v in fields if f == place), fields[0]))
        elif STANDARD_UID.fullmatch(value) or _of_the_study(row, at, known):
            continue
        elif damaged(value):
            lost.append(value)
        elif UID_SHAPE.fullmatch(value) or UUID_SHAPE.fullmatch(value) or cut_off(value):
            if place not in (SERIES, STUDY, UUID) and value.count(".") in (2, 3):
                others.append(value)  # rather a version
            elif place in (SERIES, STUDY, UUID):
                cells.append((place, value))
            else:
                lost.append(value)
        elif place == PATIENT and not row.listed:
            cells.append((place, value))
        else:
            others.append(value)
    cells = _without_chance(cells)
    if cells and max(LEVEL[f] for f, _ in cells) < LEVEL[SERIES]:  # "1.3.6" is what is left of a UID
        lost += [o for o in others if _BEGINS.fullmatch(o)]
    return cells, lost, [o for o in others if o not in lost]


def _row(row: Row, known: Fields, columns: dict[int, str]) -> tuple[list[Row], str, str]:
    """Return what one row of several values means, as rows whose fields are named, and what of it is not read.

    The latter as a value and a word beside it, where the row is of more than a series; else as two empty texts.
    """
    cells, lost, others = _kinds(row, known, columns)
    made = _made(row, cells, lost, others)
    words = [*(o for o in others if not numeric(o)), *filter(None, [row.beside]), *filter(numeric, others)]
    finest = max((LEVEL[f] for f, _ in cells), default=0)
    if not words or finest in (0, LEVEL[SERIES], LEVEL[INSTANCE]) or (finest == 1 and all(map(numeric, words))):
        return made, "", ""
    return made, cells[-1][1], words[0]


def _made(row: Row, cells: list[tuple[str, str]], lost: list[str], others: list[str]) -> list[Row]:
    levels = Counter(LEVEL[f] for f, _ in cells)
    finest = max(levels, default=0)
    if row.listed and len(levels) < 2 and not (lost and len(cells) == 1 and finest < LEVEL[SERIES]):
        return [Row((c,)) for c in cells] + [Row(((OPEN, v),)) for v in lost + [o for o in others if shaped(o)]]
    if (
        len(levels) == 1 and levels[finest] > 1 and finest > 1
    ):  # several of one kind are a list, whatever separates them
        return [Row((c,)) for c in cells] + [Row(((OPEN, v),)) for v in lost]
    if not cells:
        return [Row(((OPEN, v),)) for v in lost] or [
            Row(((OPEN, v),)) for v in others if row.listed or (not plain(v) and not numeric(v))
        ]
    if lost:
        # It may be the finest of the row: a study beside it would be wider than what was asked for.
        field, value = next(c for c in cells if LEVEL[c[0]] == finest)
        if finest >= 5:
            return [Row(tuple(cells))]
        if finest == 4:
            said = f"beside {lost[0]}, which may be a single file of it; one a line if both are meant"
        else:
            said = f"beside {lost[0]}, which is unknown and may be finer; one a line if both are meant"
        return [Row(((field, value),), problem=said), *(Row(((OPEN, v),)) for v in lost)]
    if finest == 1 and not row.listed and not _of_a_collection(others):
        field, value = cells[0]
        beside = next((o for o in others if not plain(o)), others[0])
        return [Row(((field, value),), problem=f'beside "{beside}", which may be a patient that is unknown'),
                *([Row(((OPEN, beside),))] if not plain(beside) else [])]  # fmt: skip
    fine = [c for c in cells if LEVEL[c[0]] == finest]
    rest = tuple(c for c in cells if LEVEL[c[0]] < finest)
    if len(fine) > 1 and finest in (2, 3, 4) and not {f for f, _ in fine} > {SERIES}:
        return [Row((*rest, c)) for c in fine]
    if len(fine) > 1 and finest == 1 and len({f for f, _ in fine}) == 1:
        return [Row((c,)) for c in fine]
    return [Row((*rest, *fine))]


def _of_the_study(row: Row, at: int, known: Fields) -> bool:
    """Return whether a uuid is that of a study, as IDC's portal has it before that of the series."""
    if not UUID_SHAPE.fullmatch(row.cells[at][1]) or at + 1 >= len(row.cells):
        return False
    fields = [f for _, v in row.cells for f, _ in known.get(v, ())]
    return known.get(row.cells[at + 1][1], [("", "")])[0][0] == UUID and STUDY in fields and SERIES in fields


def _without_chance(cells: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the cells without numbers that happen to be somebody's PatientID, beside what is no mere number."""
    if any(not (f == PATIENT and numeric(v)) and LEVEL[f] >= LEVEL[PATIENT] for f, v in cells):
        return [c for c in cells if not (c[0] == PATIENT and numeric(c[1]))]
    return cells


def _of_a_collection(others: Sequence[str]) -> bool:
    """Return whether what is beside a collection shows that the row is of a collection: its counts, no identifier."""
    if not others:
        return True
    if any(any(c.isdigit() for c in o) and " " not in o and not plain(o) for o in others):
        return False
    return sum(numeric(o) for o in others) >= 3
