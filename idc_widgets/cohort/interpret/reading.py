"""From the names in a text to conditions, or to none where what is meant is open."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from idc_widgets.catalog.terms import PROGRAM
from idc_widgets.cohort.conditions import Condition, In, Or, WithModalities
from idc_widgets.cohort.interpret import synonyms
from idc_widgets.cohort.interpret.parse import Part
from idc_widgets.cohort.interpret.vocabulary import Entry, Vocabulary
from idc_widgets.cohort.interpret.words import keys_of

DISEASE = ("cancer_types", "tumor_locations")
IMAGES = frozenset({"CT", "MR", "PT", "CR", "DX", "US", "MG", "NM", "XA", "RF"})
DERIVED = frozenset({"SEG", "SR", "RTSTRUCT", "RTDOSE", "RTPLAN", "ANN", "REG", "RWV", "PR", "KO"})

_OR = frozenset({"or", "/", ","})
_AND = frozenset({"and", "with", "plus", "+"})
_QUOTED = re.compile(r"[\"“”]")
_MINUS = re.compile(r"(?:^|\s)[-!~][^\W\d_]|!=|<>|≠")
_WILDCARD = re.compile(r"\w[*%]|[*%]\w")

#: What a column is called in a sentence.
LABELS = {
    "cancer_types": "cancer type",
    "tumor_locations": "tumour location",
    "collection_id": "collection",
    "analysis_result_id": "analysis result",
    PROGRAM: "programme",
    "Modality": "modality",
    "species": "species",
    "PatientSex": "sex",
    "BodyPartExamined": "body part",
}


@dataclass(frozen=True)
class Term:
    """What was recognised in a text.

    Attributes
    ----------
    phrase
        The words, as they were written.
    column
        The column that they are about.
    values
        Its values: any of them, or for `studies` all of them in one study.
    label
        The same for people: "cancer type Lung Cancer".
    studies
        Whether studies are meant that hold every one of the modalities.
    """

    phrase: str
    column: str
    values: tuple[str, ...]
    label: str
    studies: bool = False

    @property
    def condition(self) -> Condition:
        """The term as a condition."""
        if self.studies:
            return WithModalities(self.values)
        return In(self.column, self.values)


@dataclass
class Reading:
    """Terms, the plain words beside them, and the conditions that they are."""

    terms: list[Term] = field(default_factory=list)
    words: str = ""
    conditions: list[Condition] = field(default_factory=list)


@dataclass
class _Group:
    """Names of one column that belong together, and how they were joined."""

    phrases: list[str]
    column: str
    values: list[tuple[str, ...]]
    joined: str = ""


def is_literal(text: str) -> bool:
    """Whether a text asks to be taken as it is: quotation marks, a minus before a word, a wildcard beside one."""
    return bool(_QUOTED.search(text) or _MINUS.search(text) or _WILDCARD.search(text))


def read(
    vocabulary: Vocabulary, text: str, parts: Sequence[Part], choose: int = 0, any_of: bool = False, loose: bool = False
) -> Reading | None:
    """Return what the parts of a text mean; None where it stays open.

    Parameters
    ----------
    choose
        Which of its columns a name with several is taken for: 0 the best, 1 the next.
    any_of
        Whether several modalities mean any of them, however they are joined.
    loose
        Whether to read also what is open, the likeliest way.
    """
    if any(_turned(parts, i) for i, p in enumerate(parts) if p.negates):
        return None
    if any(_denied(text, parts, i) for i, p in enumerate(parts) if p.entries):
        return None
    imaging = any(
        e.column in ("Modality", "exam") and IMAGES.intersection(e.values) for p in parts for e in p.entries[:1]
    )
    groups: list[_Group] = []
    previous: tuple[Part, _Group] | None = None
    others = [p for p in parts if p.entries]
    plain: list[Part] = [p for p in parts if p.plain]
    for part in others:
        entry = _chosen(part, choose, imaging)
        group = _Group([text[part.start : part.end]], entry.column, [entry.values])
        joined = "" if previous is None else _joint(text, parts, previous[0], part)
        if joined == "versus":
            if not loose:
                return None
            joined = "or"
        if previous is not None and joined != "apart":
            before = previous[1]
            merged = _merge(vocabulary, before, group, "or" if loose and before.column == group.column else joined)
            if merged is None:
                return None
            if merged is before:
                previous = (part, before)
                continue
        groups.append(group)
        previous = (part, group)
    if not groups:
        return None
    return _conditions(text, groups, plain, any_of, loose)


def _turned(parts: Sequence[Part], at: int) -> bool:
    """Whether a negation stands before a name."""
    for p in parts[at + 1 :]:
        if p.plain and not p.negates:
            return False
        if p.entries:
            return True
    return False


def _denied(text: str, parts: Sequence[Part], at: int) -> bool:
    """Whether what follows a name turns it round: "COVID negative", "contrast-free", but not "CT free breathing"."""
    if at + 1 == len(parts) or parts[at + 1].key not in synonyms.DENIALS:
        return False
    ends = at + 2 == len(parts) or parts[at + 2].key == "of"
    return parts[at + 1].key != "free" or ends or text[parts[at].end : parts[at + 1].start] == "-"


def _chosen(part: Part, choose: int, imaging: bool) -> Entry:
    entries = list(part.entries)
    # Beside a kind of image "chest" is what it shows, not where the collection's tumours are.
    if imaging and entries[0].column == "tumor_locations" and synonyms.REGIONS.issuperset(entries[0].values):
        entries.sort(key=lambda e: e.column != "BodyPartExamined")
    return entries[min(choose, len(entries) - 1)]


def _joint(text: str, parts: Sequence[Part], left: Part, right: Part) -> str:
    """Return how two names are joined: "or", "and", "" (side by side), "versus", or "apart" by plain words."""
    between = [p for p in parts if p.start >= left.end and p.end <= right.start]
    if any(p.plain for p in between):
        return "apart"
    said = {p.key for p in between} | set(re.sub(r"[\w\s]", "", text[left.end : right.start], flags=re.UNICODE))
    if said & {"vs", "versus"}:
        return "versus"
    if said & _OR and not said & _AND:
        return "or"
    return "and" if said & (_AND | _OR | {"&"}) else ""


def _merge(vocabulary: Vocabulary, before: _Group, group: _Group, joined: str) -> _Group | None:
    """Join a group to the one before it; returns that one, `group` where both stand by themselves, None if open."""
    same = before.column == group.column
    if same and before.column in ("Modality", "exam"):
        before.phrases += group.phrases
        before.values += group.values
        before.joined = joined or before.joined
        return before if before.column == "Modality" else None
    if before.column in DISEASE and group.column in DISEASE and joined:
        # "lung and breast cancer" are two cancers.
        if not same:
            shared = _distributed(vocabulary, before, group)
            if shared is None:
                return None
            before.column, before.values = group.column, [shared]
        before.phrases += group.phrases
        before.values += group.values
        return before
    if (before.column, group.column) == ("tumor_locations", "cancer_types") and not joined:
        return None if synonyms.HISTOLOGIES.intersection(*group.values) else group
    if same:
        if not joined:
            return None
        before.phrases += group.phrases
        before.values += group.values
        return before
    return None if joined == "or" else group


def _distributed(vocabulary: Vocabulary, before: _Group, group: _Group) -> tuple[str, ...] | None:
    """Return what "lung" is in "lung and breast cancer": the values of "lung cancer"."""
    last = keys_of(group.phrases[-1])[-1:]
    key = (*keys_of(before.phrases[-1]), *last)
    entries = [e for e in vocabulary.names.get(key, ()) if e.column == group.column]
    return entries[0].values if entries and len(before.phrases) == 1 else None


def _conditions(
    text: str, groups: Sequence[_Group], plain: Sequence[Part], any_of: bool, loose: bool
) -> Reading | None:
    columns = [g.column for g in groups]
    if len(set(columns)) < len(columns) or {"Modality", "exam"} <= set(columns):
        groups = _modalities_together(groups)
        columns = [g.column for g in groups]
        # Two of one kind, apart: whether both or any of them is open.
        if len(set(columns)) < len(columns):
            return None
    found = Reading(words=_plain_text(text, plain))
    for g in groups:
        phrase = " ".join(g.phrases)
        if g.column in ("Modality", "exam"):
            found_here = _modalities(phrase, g, any_of)
            if found_here is None:
                return None
            terms, condition = found_here
            if any("ANN" in t.values and _is_vague(g) for t in terms) and not loose and not _of_slides(groups, plain):
                return None
            found.terms += terms
            found.conditions.append(condition)
            continue
        values = tuple(dict.fromkeys(v for each in g.values for v in each))
        term = Term(phrase, g.column, values, f"{LABELS[g.column]} {_listed(values)}")
        found.terms.append(term)
        found.conditions.append(term.condition)
    return found


def _is_vague(group: _Group) -> bool:
    """Whether annotations are named without their kind."""
    return any(keys_of(p) == ("annotation",) for p in group.phrases)


def _of_slides(groups: Sequence[_Group], plain: Sequence[Part]) -> bool:
    """Whether annotations can only be those of slides: "annotations" of CT are of other kinds."""
    modalities = {v for g in groups if g.column in ("Modality", "exam") for each in g.values for v in each} - {"ANN"}
    return modalities == {"SM"} or (not modalities and len(groups) == 1 and not plain)


def _modalities_together(groups: Sequence[_Group]) -> list[_Group]:
    """Return the groups with modalities that stand apart as one: "CT of the liver with segmentations"."""
    out: list[_Group] = []
    for g in groups:
        first = next((o for o in out if o.column == g.column == "Modality"), None)
        if first is None:
            out.append(_Group(list(g.phrases), g.column, list(g.values), g.joined))
        else:
            first.phrases += g.phrases
            first.values += g.values
            first.joined = first.joined or g.joined
    return out


def _modalities(phrase: str, group: _Group, any_of: bool) -> tuple[list[Term], Condition] | None:
    """Return several modalities as a condition.

    "CT or MR" and "CT MR" are any of them. "CT and MR", and images beside what is made of them ("CT with
    segmentations"), are those series of studies that hold both. A PET/CT is a study that holds both.
    """
    values = list(dict.fromkeys(group.values))
    flat = tuple(dict.fromkeys(v for each in values for v in each))
    if group.column == "exam":
        if any_of:
            return [Term(phrase, "Modality", flat, f"modality {_listed(flat)}")], In("Modality", flat)
        term = Term(phrase, "Modality", flat, f"studies with {' and '.join(flat)}", studies=True)
        return [term], term.condition
    mixed = bool(DERIVED.intersection(flat)) and not DERIVED.issuperset(flat)
    both = len(values) > 1 and group.joined != "or" and (group.joined == "and" or mixed)
    if not both or any_of:
        term = Term(phrase, "Modality", flat, f"modality {_listed(flat)}")
        return [term], term.condition
    each = [tuple(dict.fromkeys(v)) for v in itertools.product(*values)]
    terms = [Term(phrase, "Modality", v, f"studies with {' and '.join(v)}", studies=True) for v in each]
    return terms, terms[0].condition if len(terms) == 1 else Or(tuple(t.condition for t in terms))


def _plain_text(text: str, plain: Sequence[Part]) -> str:
    """Return the plain words as they were written, with what joins them ("t2-flair") but nothing else."""
    out: list[str] = []
    end = -1
    for p in plain:
        between = text[end : p.start] if end >= 0 else " "
        written = text[p.start : p.end]
        if out and between and not re.search(r"\s", between) and not re.search(r"\w", between):
            out[-1] += between + written
        else:
            out.append(written)
        end = p.end
    return " ".join(out)


def _listed(values: Sequence[str]) -> str:
    return " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)
