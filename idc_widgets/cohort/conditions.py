"""Conditions: what a cohort asks of a series, as plain immutable values.

The same tree goes to SQL (`compile.py`), to JSON and to the browser (`js/src/cube` evaluates it). Every condition is
true or false of a series, never unknown: a missing value satisfies `None` and every negation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from idc_widgets.catalog.suggest import short
from idc_widgets.catalog.terms import TERM_COLUMNS
from idc_widgets.cohort.scalars import Scalar, bound, scalar
from idc_widgets.lib import arguments
from idc_widgets.lib.arguments import shown, text

Than: TypeAlias = Literal["<", ">"]
Per: TypeAlias = Literal["study", "patient"]
Keep: TypeAlias = Literal["named", "all"]

_COLUMN = 'the name of a column, such as "Modality",'

# Each word is a pattern of its own, looked for in every text.
_SEARCH_WORDS = 32
_SEARCH_CHARACTERS = 1000


class Condition:
    """Base of all conditions; combines with `&`, `|` and `~`."""

    def __and__(self, other: Condition) -> Condition:
        return And((self, _condition(other)))

    def __or__(self, other: Condition) -> Condition:
        return Or((self, _condition(other)))

    def __invert__(self) -> Condition:
        return self.arg if isinstance(self, Not) else Not(self)

    def __bool__(self) -> bool:
        raise TypeError("A condition is neither true nor false by itself; combine conditions with &, | and ~.")

    def to_json(self) -> dict[str, Any]:
        """Return the condition as JSON values."""
        raise NotImplementedError


@dataclass(frozen=True)
class In(Condition):
    """The column has one of the values; None is missing; no values match nothing."""

    column: str
    values: tuple[Scalar, ...]

    def to_json(self) -> dict[str, Any]:
        return {"op": "in", "column": self.column, "values": list(self.values)}


@dataclass(frozen=True)
class Between(Condition):
    """The column lies in [low, high]; None leaves a side open."""

    column: str
    low: Scalar
    high: Scalar

    def to_json(self) -> dict[str, Any]:
        return {"op": "between", "column": self.column, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Compare(Condition):
    """The column lies strictly below or above a value; `Between` includes its bounds."""

    column: str
    than: Than
    value: str | int | float

    def to_json(self) -> dict[str, Any]:
        return {"op": "compare", "column": self.column, "than": self.than, "value": self.value}


@dataclass(frozen=True)
class Contains(Condition):
    """The column's text contains this text, in any letter case."""

    column: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"op": "contains", "column": self.column, "text": self.text}


@dataclass(frozen=True)
class Implausible(Condition):
    """The column holds an age that is none: over 120 years, or no age at all."""

    column: str

    def to_json(self) -> dict[str, Any]:
        return {"op": "implausible", "column": self.column}


@dataclass(frozen=True)
class Search(Condition):
    """Every word occurs in some text column of the series."""

    text: str

    def to_json(self) -> dict[str, Any]:
        return {"op": "search", "text": self.text}


@dataclass(frozen=True)
class WithModalities(Condition):
    """The series' study (or patient) holds all of the modalities.

    `keep` says which series of it: those of the named modalities, or all.
    """

    modalities: tuple[str, ...]
    per: Per = "study"
    keep: Keep = "named"

    def to_json(self) -> dict[str, Any]:
        return {"op": "with_modalities", "modalities": list(self.modalities), "per": self.per, "keep": self.keep}


@dataclass(frozen=True)
class References(Condition):
    """The series is a segmentation, RTSTRUCT or annotation of some series for which `arg` holds."""

    arg: Condition

    def to_json(self) -> dict[str, Any]:
        return {"op": "references", "arg": self.arg.to_json()}


@dataclass(frozen=True)
class ReferencedBy(Condition):
    """Some segmentation, RTSTRUCT or annotation for which `arg` holds is one of this series."""

    arg: Condition

    def to_json(self) -> dict[str, Any]:
        return {"op": "referenced_by", "arg": self.arg.to_json()}


@dataclass(frozen=True)
class Sql(Condition):
    """A DuckDB expression over the columns of the index holds."""

    text: str

    def to_json(self) -> dict[str, Any]:
        return {"op": "sql", "text": self.text}


@dataclass(frozen=True)
class Not(Condition):
    """The condition does not hold."""

    arg: Condition

    def to_json(self) -> dict[str, Any]:
        return {"op": "not", "arg": self.arg.to_json()}


@dataclass(frozen=True)
class And(Condition):
    """All of the conditions hold."""

    args: tuple[Condition, ...]

    def to_json(self) -> dict[str, Any]:
        return {"op": "and", "args": [a.to_json() for a in self.args]}


@dataclass(frozen=True)
class Or(Condition):
    """Any of the conditions holds."""

    args: tuple[Condition, ...]

    def to_json(self) -> dict[str, Any]:
        return {"op": "or", "args": [a.to_json() for a in self.args]}


# -- what people write


def _condition(value: Any) -> Condition:
    if not isinstance(value, Condition):
        raise TypeError(f"other={shown(value)} is no condition; write (idc.col(…) == …), idc.between(…) or another.")
    return value


def isin(column: str, values: Sequence[Scalar]) -> In:
    """Return the condition that a column has one of the values, as `cohort(column=[…])` does, to combine further."""
    text(column, "column", _COLUMN)
    if isinstance(values, str | bytes | Mapping) or hasattr(values, "columns") or not isinstance(values, Iterable):
        raise TypeError(f"values={shown(values)}: a list of values is wanted.")
    return In(column, tuple(dict.fromkeys(scalar(v, column) for v in values)))


def everything() -> And:
    """Return the condition that holds for every series."""
    return And(())


def between(column: str, low: Scalar = None, high: Scalar = None) -> Between:
    """Return the condition that a column lies between two bounds, both included; None leaves a side open.

    Numbers for numeric columns (`series_size_MB` in units of 10^6 bytes), ISO dates or years for dates
    (`between("StudyDate", 2010, 2015)`), years of age for `PatientAge`.

    Raises
    ------
    ValueError
        If both bounds are None, or low is above high.
    """
    text(column, "column", _COLUMN)
    low, high = bound(low, column), bound(high, column)
    if low is None and high is None:
        raise ValueError(f'between("{short(column)}", …) needs a lower or an upper bound; both are None.')
    if low is not None and high is not None and type(low) is type(high) and cast(Any, low) > high:
        raise ValueError(
            f'between("{short(column)}", {shown(low)}, {shown(high)}): the lower bound is above the upper one.'
        )
    return Between(column, low, high)


def compare(column: str, than: Than, value: Scalar) -> Compare:
    """Return the condition that a column lies strictly below ("<") or above (">") a value."""
    text(column, "column", _COLUMN)
    found = bound(value, column)
    if found is None or not isinstance(than, str) or than not in ("<", ">"):
        raise ValueError(
            f'A column is compared by "<" or ">" with a number or a text, not by {shown(than)} with {shown(value)}.'
        )
    return Compare(column, than, found)


def implausible(column: str = "PatientAge") -> Implausible:
    """Return the condition that a patient's age is none that `between` could find: "155Y", "N-A".

    Raises
    ------
    ValueError
        If the column is not PatientAge; of the others every value is plausible or missing.
    """
    if not isinstance(column, str) or column != "PatientAge":
        raise ValueError(
            f'implausible(column={shown(column)}): only ages are told apart so; write idc.implausible("PatientAge").'
        )
    return Implausible(column)


def contains(column: str, text: str) -> Contains:
    """Return the condition that a column's text contains `text`, in any letter case."""
    arguments.text(column, "column", _COLUMN)
    if isinstance(text, str) and not text:
        raise ValueError(f'contains("{short(column)}", …) needs a text to look for; it is empty.')
    return Contains(column, arguments.text(text, "text", 'a text to look for, such as "chest",', blank=True))


def search(text: str) -> Search:
    """Return the condition that every word of `text` occurs in some text column, in any letter case."""
    arguments.text(text, "text", 'words to look for, such as "lung ct",', blank=True)
    if not text.split():
        raise ValueError("search(…) needs at least one word; the text is empty.")
    words = len(set(text.lower().split()))
    if words > _SEARCH_WORDS or len(text) > _SEARCH_CHARACTERS:
        raise ValueError(
            f"search({text[:20]!r}…): {words:,} words in {len(text):,} characters are too many, {_SEARCH_WORDS} words "
            f"in {_SEARCH_CHARACTERS:,} the most; a list of identifiers goes into idc.Cohort.from_manifest(…)."
        )
    return Search(text)


def with_modalities(*modalities: str, per: Per = "study", keep: Keep = "named") -> WithModalities:
    """Return the condition that a study or patient holds all of several modalities.

    Parameters
    ----------
    *modalities
        DICOM modalities, such as "CT", "SEG".
    per
        "study" or "patient".
    keep
        Which of its series to keep: "named", those of these modalities, or "all".
    """
    if not modalities:
        raise ValueError('with_modalities(…) needs at least one modality, such as "SEG".')
    for each in modalities:
        arguments.text(each, "modalities", 'a DICOM modality, such as "SEG",')
    if not isinstance(per, str) or per not in ("study", "patient"):
        raise ValueError(f'with_modalities(…, per={shown(per)}): per is "study" or "patient".')
    if not isinstance(keep, str) or keep not in ("named", "all"):
        raise ValueError(f'with_modalities(…, keep={shown(keep)}): keep is "named" or "all".')
    return WithModalities(tuple(dict.fromkeys(modalities)), per, keep)


def references(*conditions: Condition) -> References:
    """Return the condition that a series refers to one for which all of the conditions hold.

    Segmentations, RTSTRUCTs and bulk annotations name the series they were made on (`seg_index`, `rtstruct_index`,
    `ann_index`); of other series, structured reports among them, IDC's indices hold no reference.
    """
    return References(_all(conditions))


def referenced_by(*conditions: Condition) -> ReferencedBy:
    """Return the condition that a series is referred to by one for which all of the conditions hold.

    See `references` for which series refer to others.

    Examples
    --------
    >>> segmented = referenced_by(isin("Modality", ["SEG"]))
    """
    return ReferencedBy(_all(conditions))


def _all(conditions: Sequence[Condition]) -> Condition:
    wrong = [c for c in conditions if not isinstance(c, Condition)]
    if wrong:
        raise TypeError(
            f'{shown(wrong[0])} is no condition; write idc.col("Modality").isin(["SEG"]), or idc.col(…) == ….'
        )
    kept = simplify(conditions)
    return kept[0] if len(kept) == 1 else And(kept)


def sql(text: str) -> Sql:
    """Return the condition that a DuckDB expression over the columns of the index holds: the last resort.

    What it says is not checked against the catalogue's values, and the browser shows it as it is.

    Examples
    --------
    >>> thin = sql("series_size_MB / instanceCount < 0.6")
    """
    arguments.text(text, "text", 'an expression, such as "instanceCount % 2 = 0",', blank=True)
    if not text.strip():
        raise ValueError('sql(…) needs an expression, such as "instanceCount % 2 = 0"; the text is empty.')
    return Sql(text.strip())


# -- to and from JSON


def from_json(value: Mapping[str, Any]) -> Condition:
    """Return the condition that `to_json` wrote.

    Raises
    ------
    ValueError
        If it is not one; the message names what is wrong.
    """
    try:
        op = value["op"]
        match op:
            case "in":
                return In(str(value["column"]), tuple(dict.fromkeys(scalar(v, "value") for v in value["values"])))
            case "between":
                return between(str(value["column"]), value["low"], value["high"])
            case "compare":
                return compare(str(value["column"]), value["than"], value["value"])
            case "references":
                return References(from_json(value["arg"]))
            case "referenced_by":
                return ReferencedBy(from_json(value["arg"]))
            case "sql":
                return sql(str(value["text"]))
            case "implausible":
                return implausible(str(value["column"]))
            case "contains":
                return contains(str(value["column"]), str(value["text"]))
            case "search":
                return search(str(value["text"]))
            case "with_modalities":
                keep = value.get("keep", "named")
                return with_modalities(*value["modalities"], per=value["per"], keep=keep)
            case "not":
                return Not(from_json(value["arg"]))
            case "and":
                return And(tuple(from_json(a) for a in value["args"]))
            case "or":
                return Or(tuple(from_json(a) for a in value["args"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"Not a condition: {shown(value)} ({error}).") from error
    raise ValueError(f"Not a condition: unknown op {shown(op)}.")


def simplify(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Return the same conjunction in one form: nested ands opened, repeats dropped, any-of lists intersected."""
    flat: list[Condition] = []
    for condition in conditions:
        flat.extend(simplify(condition.args) if isinstance(condition, And) else [condition])
    found: list[Condition] = []
    place: dict[str, int] = {}
    for condition in flat:
        if isinstance(condition, In) and condition.column in place and not _is_list(condition.column):
            first = cast(In, found[place[condition.column]])
            kept = tuple(v for v in first.values if v in condition.values)
            found[place[condition.column]] = In(condition.column, kept)
        elif condition not in found:
            if isinstance(condition, In):
                place[condition.column] = len(found)
            found.append(condition)
    return tuple(found)


def _is_list(column: str) -> bool:
    # A collection has several cancer types: "lung" and "non-cancer" together is no contradiction there, nor are two
    # values of another table, which may have several rows of a series.
    return column in TERM_COLUMNS or "." in column
