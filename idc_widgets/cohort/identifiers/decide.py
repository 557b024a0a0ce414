"""From rows to what they name: the finest identifier of a row counts, coarser ones beside it only narrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES as TABLE
from idc_widgets.cohort.conditions import And, Condition, In, Or
from idc_widgets.cohort.identifiers import lookup, reasons
from idc_widgets.cohort.identifiers.exclusions import EXCLUDED
from idc_widgets.cohort.identifiers.keys import PART
from idc_widgets.cohort.identifiers.lookup import Names
from idc_widgets.cohort.identifiers.result import TITLE, Identified, Row, Unknown
from idc_widgets.cohort.identifiers.spelling import (
    COARSE,
    COLLECTION,
    DOI,
    FILE,
    INSTANCE,
    LEVEL,
    LEVEL_NAMES,
    PATIENT,
    RESULT,
    SERIES,
    STUDY,
    UUID,
)
from idc_widgets.cohort.identifiers.together import Named


def decide(
    index: Index,
    rows: Sequence[Row],
    names: Names,
    notes: Iterable[str] = (),
    mentioned: Callable[[], list[str]] | None = None,
) -> Identified:
    """Return what typed rows name; see `Row`. Fields that are open must have been settled before.

    Parameters
    ----------
    mentioned
        Gives all UIDs and uuids of the source, wherever they stand. What is coarser than one of them counts only on
        its own; None where each row was named on its own.
    """
    verdict = _Verdict(index, names, rows)
    verdict.mentioned = mentioned
    for row in rows:
        verdict.add(row)
    return verdict.result(notes)


class _Verdict:
    """Collects what rows name, and why some name nothing."""

    def __init__(self, index: Index, names: Names, rows: Sequence[Row]) -> None:
        self._index, self._names = index, names
        self._named = named = Named(index)
        self._known, self._pairs, self._narrow, self._unknown = named.known, named.pairs, named.narrow, named.unknown
        self._asked: dict[str, str] = {}  # unknown value → field, to be explained at the end
        self._files: dict[tuple[str, str], dict[str, None]] = {}  # (field, series) → instances given
        self.mentioned: Callable[[], list[str]] | None = None
        self._without: Counter[int] = Counter()
        self._any_of = False  # whether one of several coarser values has to hold, or all
        self._beside: dict[str, None] = {}
        self._parts: list[str] = []  # what asks for a part of all that is coarser than a series
        self._excluded: dict[str, list[str]] = {}
        #: Collections that are named anywhere, where what stands together belongs together.
        self._collections = {v: None for r in rows if r.problem in ("", TITLE) for f, v in r.cells if f == COLLECTION}
        self._together = any(len(r.cells) > 1 for r in rows)
        self._look_up(rows)

    def _look_up(self, rows: Sequence[Row]) -> None:
        values: dict[str, dict[str, None]] = {}
        wide: dict[str, dict[str, None]] = {}
        for row in rows:
            if row.problem:
                continue
            for field, value in row.cells:
                (values if len(row.cells) == 1 else wide).setdefault(field, {})[value] = None
        c = self._index
        self._has = {f: lookup.present(self._names, f, values.get(f, {})) for f in (SERIES, UUID, STUDY)}
        self._series = lookup.series(c, SERIES, wide.get(SERIES, {})) | lookup.series(c, UUID, wide.get(UUID, {}))
        self._studies = lookup.owners(c, STUDY, wide.get(STUDY, {}))
        spelt = lookup.spellings({**values.get(PATIENT, {}), **wide.get(PATIENT, {})})
        owners = lookup.owners(c, PATIENT, spelt)
        self._patient_as: dict[str, str] = {}
        for right, written in spelt.items():
            if right in owners:
                self._patient_as.setdefault(written, right)
        alike = lookup.in_any_case(c, (v for v in spelt.values() if v not in self._patient_as))
        self._patients = owners | lookup.owners(c, PATIENT, alike.values())
        self._patient_as |= alike
        for written, right in list(alike.items())[:3]:
            self._named.notes[f"{written} is read as the patient {right}."] = None

    # -- one row

    def add(self, row: Row) -> None:
        """Take one row in."""
        if row.problem == TITLE:
            return
        if row.problem:
            self._lost(row.cells[0][1], row.problem)
            if row.problem == PART:
                self._parts.append(row.cells[0][1])
            if row.problem == EXCLUDED:
                self._excluded.setdefault(row.cells[0][0], []).append(row.cells[0][1])
            return
        if len(row.cells) == 1 and LEVEL[row.cells[0][0]] >= row.expects:
            self._single(*row.cells[0])
            return
        by: dict[str, dict[str, None]] = {}
        self._any_of = row.any_of
        for field, value in row.cells:
            by.setdefault(field, {})[value] = None
        finest = max((LEVEL[f] for f in by), default=0)
        if finest < row.expects:
            self._without[row.expects] += 1
        elif finest == 5:
            self._instances(by)
        elif finest == 4:
            self._one_series(by)
        elif finest == 3:
            self._one_study(by)
        elif finest == 2:
            self._one_patient(by)
        elif finest == 1:
            self._coarse(by, "")

    def _single(self, field: str, value: str) -> None:
        if field in (SERIES, UUID, STUDY):
            if value in self._has[field]:
                self._known[field][value] = None
            else:
                self._ask(field, value)
        elif field == PATIENT:
            right = self._patient_as.get(value)
            if right is None:
                self._ask(field, value)
                return
            self._known[PATIENT][right] = None
        elif field in COARSE:
            known = self._names.get(field, value)
            if known is None:
                self._ask(field, value)
            else:
                self._known[field][known] = None
        else:
            self._ask(field, value)

    def _instances(self, by: dict[str, dict[str, None]]) -> None:
        """Instances name their series only where all of it is listed; that shows at the end."""
        files = [v for f in (INSTANCE, FILE) for v in by.get(f, ())]
        keys = [(f, v) for f in (SERIES, UUID) for v in by.get(f, ())]
        found = {self._series[v].uid for _, v in keys if v in self._series}
        if not keys or not found:
            for file in files:
                if keys:
                    self._ask(*keys[0])
                else:
                    self._ask(INSTANCE, file)
            return
        rest = {f: v for f, v in by.items() if f not in (INSTANCE, FILE)}
        said = self._contradiction(self._series[keys[0][1]], rest) if len(found) == 1 else "contradicts: several series"
        if said:
            self._lost(files[0], said)
            return
        self._files.setdefault(keys[0], {}).update(dict.fromkeys(files[:1]))

    def _one_series(self, by: dict[str, dict[str, None]]) -> None:
        keys = [(f, v) for f in (SERIES, UUID) for v in by.get(f, ())]
        for field, value in keys:
            if value not in self._series:
                self._ask(field, value)
                return
        field, value = keys[0]
        if said := self._contradiction(self._series[value], by):
            self._lost(value, said)
        else:
            self._known[field][value] = None

    def _contradiction(self, series: lookup.Series, by: dict[str, dict[str, None]]) -> str:
        """Return how what is beside a series says that another is meant, or ""."""
        for field, own in ((SERIES, series.uid), (UUID, series.uuid), (STUDY, series.study)):
            for v in () if self._any_of and own in by.get(field, ()) else by.get(field, ()):
                if v != own:
                    what = {SERIES: "the series", UUID: "the uuid", STUDY: "the study"}[field]
                    return f"contradicts {v} beside it: {what} is {own}"
        return self._beside_is_wrong(by, {(series.collection, series.patient)}, series)

    def _beside_is_wrong(
        self, by: dict[str, dict[str, None]], owners: set[tuple[str, str]], series: lookup.Series | None
    ) -> str:
        patients = {v: self._patient_as.get(v) for v in by.get(PATIENT, ())}
        known = self._any_of and any(p == right for right in patients.values() for _, p in owners)
        for value, right in patients.items():
            if right is None:
                self._beside[value] = None
            elif not known and all(p != right for _, p in owners):
                return f"contradicts {value} beside it: the patient is {min(owners)[1]}"
        wanted = [self._names.get(COLLECTION, v) for v in by.get(COLLECTION, ())]
        self._beside.update((v, None) for v in by.get(COLLECTION, ()) if self._names.get(COLLECTION, v) is None)
        named = {w for w in wanted if w}
        if named and all(c not in named for c, _ in owners):
            return f"contradicts {min(named)} beside it: the collection is {min(owners)[0]}"
        if series is None:
            return ""
        for field, own in ((DOI, series.doi), (RESULT, series.result)):
            others = {k for v in by.get(field, ()) if (k := self._names.get(field, v))}
            self._beside.update((v, None) for v in by.get(field, ()) if self._names.get(field, v) is None)
            if others and own not in others:
                return f"contradicts {min(others)} beside it: the {field} is {own or 'missing'}"
        return ""

    def _one_study(self, by: dict[str, dict[str, None]]) -> None:
        for value in by.get(STUDY, ()):
            owners = self._studies.get(value)
            if STUDY not in by or owners is None:
                self._ask(STUDY, value)
                continue
            if said := self._beside_is_wrong(by, owners, None):
                self._lost(value, said)
                continue
            # A study may be of several patients, by a slip of its publisher: then what is beside it narrows.
            parts: list[tuple[str, tuple[str, ...]]] = [(STUDY, (value,))]
            if len(owners) > 1:
                parts += self._names_of(by, (COLLECTION,))
                parts += [(PATIENT, (p,)) for v in by.get(PATIENT, ()) if (p := self._patient_as.get(v))]
            parts += self._names_of(by, (DOI, RESULT))
            if len(parts) == 1:
                self._known[STUDY][value] = None
            else:
                self._narrow.setdefault(tuple(parts), value)
        for field, values in by.items():
            if LEVEL[field] == 3 and field != STUDY and STUDY not in by:
                for value in values:
                    self._ask(field, value)

    def _one_patient(self, by: dict[str, dict[str, None]]) -> None:
        for value in by[PATIENT]:
            right = self._patient_as.get(value)
            given = list(by.get(COLLECTION, ()))
            collections = [k for v in given if (k := self._names.get(COLLECTION, v))]
            if right is None:
                # A patient is a pair with the collection, and so it is shown.
                self._ask(PATIENT, value, f"{given[0]}/{value}" if given else value)
                continue
            of = {c for c, _ in self._patients[right]}
            if given and not of.intersection(collections):
                here = ", ".join(sorted(of))
                unknown = not collections
                said = f'no collection "{given[0]}"' if unknown else f"contradicts {collections[0]} beside it"
                self._lost(f"{given[0]}/{value}", f"{said}: the patient is of {here}")
                continue
            more = self._names_of(by, (DOI, RESULT))
            if more:
                parts = [(COLLECTION, tuple(c for c in collections if c in of))] if given else []
                self._narrow.setdefault((*parts, (PATIENT, (right,)), *more), value)
            elif given:
                for c in collections:
                    if c in of:
                        self._pairs.setdefault(c, {})[right] = None
            else:
                self._known[PATIENT][right] = None

    def _coarse(self, by: dict[str, dict[str, None]], shown: str) -> None:
        """Take a row of collection, DOI and analysis result: all of them hold, and each has to be known."""
        parts: list[tuple[str, tuple[str, ...]]] = []
        for field in COARSE:
            values = by.get(field)
            if not values:
                continue
            known = {v: self._names.get(field, v) for v in values}
            for value, found in known.items():
                if found is None:
                    self._ask(field, value)
            kept = tuple(dict.fromkeys(k for k in known.values() if k))
            if not kept:
                return
            parts.append((field, kept))
        if len(parts) == 1:
            ((field, kept),) = parts
            self._known[field].update(dict.fromkeys(kept))
        elif parts:
            self._narrow.setdefault(tuple(parts), shown or ", ".join(v for _, values in parts for v in values))

    def _names_of(self, by: dict[str, dict[str, None]], fields: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
        out = []
        for field in fields:
            kept = tuple(dict.fromkeys(k for v in by.get(field, ()) if (k := self._names.get(field, v))))
            self._beside.update((v, None) for v in by.get(field, ()) if self._names.get(field, v) is None)
            if kept:
                out.append((field, kept))
        return out

    # -- what is lost, and what is left at the end

    def _ask(self, field: str, value: str, shown: str = "") -> None:
        self._unknown.setdefault(shown or value, None)
        self._asked.setdefault(shown or value, f"{field}\n{value}")

    def _lost(self, value: str, reason: str) -> None:
        self._named.lost(value, reason)

    def _settle_files(self) -> None:
        for (field, value), files in self._files.items():
            series = self._series[value]
            if len(files) == series.instances:
                self._known[field][value] = None
                continue
            reason = reasons.one_file(series.uid)
            for file in files:
                self._lost(file, reason)

    def _settle_narrow(self) -> list[Condition]:
        """Return the conjunctions that select something; the others contradict themselves."""
        kept: list[Condition] = []
        for parts, shown in self._narrow.items():
            sql = " AND ".join(f'"{c}"::VARCHAR IN (SELECT unnest(?::VARCHAR[]))' for c, _ in parts)
            found = self._index.database.rows(f"SELECT 1 FROM {TABLE} WHERE {sql} LIMIT 1", [list(v) for _, v in parts])
            if found:
                kept.append(And(tuple(In(c, v) for c, v in parts)))
            else:
                others = [v for _, values in parts for v in values if v != shown]
                single = any(shown in values for _, values in parts)
                said = f"contradicts {', '.join(others)} beside it" if single else "contradicts itself"
                self._lost(shown, f"{said}: no series has all of them")
        return kept

    def result(self, notes: Iterable[str]) -> Identified:
        """Return what all rows name."""
        self._settle_files()
        self._named.leave_out(self._excluded)
        if self._parts:
            self._named.leave_parts(self._parts[0])
        if self.mentioned is not None:
            self._named.drop_headings(self.mentioned())
        if self.mentioned is not None or self._together:
            named = [k for v in self._collections if (k := self._names.get(COLLECTION, v))]
            self._named.keep_to(named, self._patients)
        narrow = self._settle_narrow()
        explained = self._explained()
        parts: list[Condition] = [In(c, tuple(v)) for c, v in self._known.items() if v]
        # The same PatientID in another collection is another patient.
        parts += [And((In(COLLECTION, (c,)), In(PATIENT, tuple(p)))) for c, p in self._pairs.items()]
        parts += narrow
        counts = {c: len(v) for c, v in self._known.items() if v}
        if self._pairs:
            counts[PATIENT] = counts.get(PATIENT, 0) + sum(len(p) for p in self._pairs.values())
        for part in narrow:
            if isinstance(part, And):
                finest = max((a.column for a in part.args if isinstance(a, In)), key=lambda c: LEVEL[c])
                counts[finest] = counts.get(finest, 0) + 1
        condition = parts[0] if len(parts) == 1 else Or(tuple(parts)) if parts else None
        unknown = tuple(said or explained[value] for value, said in self._unknown.items())
        return Identified(condition, counts, unknown, (*notes, *self._named.notes, *self._said()))

    def _explained(self) -> dict[str, Unknown]:
        asked = {shown: tuple(a.split("\n", 1)) for shown, a in self._asked.items() if self._unknown[shown] is None}
        pairs = [(f, v) for f, v in asked.values()]
        found = reasons.explain(self._index, pairs, self._names) if pairs else []
        by = dict(zip(dict.fromkeys(pairs), found, strict=True))
        return {shown: Unknown(shown, by[f, v].reason, by[f, v].near) for shown, (f, v) in asked.items()}

    def _said(self) -> list[str]:
        out = []
        for level, n in self._without.items():
            rows = "1 row has" if n == 1 else f"{n:,} rows have"
            out.append(f"{rows} no {LEVEL_NAMES[level]} and {'names' if n == 1 else 'name'} nothing.")
        if self._beside:
            some = ", ".join(f'"{v}"' for v in list(self._beside)[:3])
            more = f" and {len(self._beside) - 3:,} more" if len(self._beside) > 3 else ""
            out.append(f"{some}{more}: not known in IDC v{self._index.version}; the finer identifiers beside count.")
        return out
