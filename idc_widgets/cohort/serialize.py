"""Cohorts as JSON, from this release or another.

What people type is checked and a misspelling is an error; what comes from elsewhere may be of another release, so the
values that this one lacks are collected instead.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from idc_widgets.catalog import Index
from idc_widgets.cohort import validate
from idc_widgets.cohort.conditions import (
    And,
    Condition,
    In,
    Not,
    Or,
    ReferencedBy,
    References,
    WithModalities,
    from_json,
)
from idc_widgets.cohort.identifiers.result import SAVED as FORMAT
from idc_widgets.cohort.identifiers.result import Unknown
from idc_widgets.lib.arguments import shown


def dump(index: Index, conditions: Sequence[Condition], unknown: Sequence[str]) -> str:
    """Return a cohort as JSON text, with the release it was made with."""
    out: dict[str, Any] = {
        "format": FORMAT,
        "idc_version": index.version,
        "release": index.release,
        "where": [c.to_json() for c in conditions],
    }
    if unknown:
        out["unknown"] = [_with_reason(u) for u in unknown]
    return json.dumps(out)


def _with_reason(value: str) -> Any:
    if not isinstance(value, Unknown) or not value.reason:
        return str(value)
    return {"value": str(value), "reason": value.reason, **({"near": list(value.near)} if value.near else {})}


def _unknown(value: Any) -> Unknown:
    if isinstance(value, dict):
        return Unknown(str(value["value"]), str(value.get("reason", "")), tuple(str(n) for n in value.get("near", ())))
    return Unknown(str(value))


def load(index: Index, text: str) -> tuple[list[Condition], tuple[str, ...], Any]:
    """Return conditions, values that this release lacks, and the IDC version the cohort was made with.

    Raises
    ------
    ValueError
        If the text is no cohort, or names a column that this release does not have.
    """
    if not isinstance(text, str):
        raise TypeError(f"text={shown(text)}: the JSON text that cohort.to_json() returns is wanted.")
    try:
        loaded = json.loads(text)
        if loaded["format"] != FORMAT or not isinstance(loaded["where"], list):
            raise KeyError("format")
        read = [known_part(index, from_json(c)) for c in loaded["where"]]
        before = [_unknown(v) for v in loaded.get("unknown", ())]
        version = loaded.get("idc_version")
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON ({error}): {text[:80]!r}") from error
    except RecursionError as error:
        raise ValueError(f"This cohort's conditions are nested too deep to be read: {text[:80]!r}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"This is not a cohort as JSON (it lacks {error}): {text[:80]!r}") from error
    unknown = [*before, *(Unknown(str(v)) for _, missing in read for v in missing)]
    return [c for c, _ in read], tuple(dict.fromkeys(unknown)), version


def known_part(index: Index, condition: Condition) -> tuple[Condition, list[Any]]:
    """Return the condition without the values that no series of this release has, and these values.

    It selects the same series as before.
    """
    match condition:
        case In():
            missing = validate.unknown_values(index, condition.column, condition.values)
            if not missing:
                return condition, []
            absent = set(missing)
            return In(condition.column, tuple(v for v in condition.values if v not in absent)), missing
        case WithModalities():
            missing = validate.unknown_values(index, "Modality", condition.modalities)
            return (In("Modality", ()), missing) if missing else (condition, [])
        case Not():
            inner, missing = known_part(index, condition.arg)
            empty = bool(missing) and isinstance(inner, In) and not inner.values
            return (And(()) if empty else Not(inner)), missing
        case References() | ReferencedBy():
            inner, missing = known_part(index, condition.arg)
            return type(condition)(inner), missing
        case And() | Or():
            parts = [known_part(index, a) for a in condition.args]
            return type(condition)(tuple(p for p, _ in parts)), [v for _, missing in parts for v in missing]
    validate.check(index, condition)
    return condition, []


def name_of(source: Any) -> str:
    """Return what an error calls a source of identifiers."""
    text = os.fspath(source) if isinstance(source, str | os.PathLike) else f"a {type(source).__name__}"
    return repr(text[:80]) if isinstance(text, str) else repr(text)
